#!/usr/bin/env python3
"""Somebody changes files behind the network's back: the ledger's, a node's
shares, a sealed argument.  Each is found and named, nothing is opened, and once
it is undone everything works again.

    tamper.py CHI EXAMPLES
"""
import os
import shutil
import sqlite3
import sys

from net import Failed, Net, Refused, same


class Files:
    """The network's folder, as it was when all was well."""

    def __init__(self, net):
        self.net = net
        self.dir = net.root + '/.chi'
        self.good = net.root + '/good'

    def keep(self):
        self.net.run('net', 'stop')
        shutil.rmtree(self.good, ignore_errors=True)
        shutil.copytree(self.dir, self.good)

    def restore(self, *names):
        for name in names:
            shutil.copy(os.path.join(self.good, name),
                        os.path.join(self.dir, name))

    def change(self, name, *statements):
        db = sqlite3.connect(os.path.join(self.dir, name))
        changed = 0
        for s in statements:
            args = ()
            if isinstance(s, tuple):
                s, args = s
            changed += max(0, db.execute(s, args).rowcount)
        db.commit()
        db.execute('PRAGMA wal_checkpoint(TRUNCATE)')
        db.close()
        same(changed > 0, True, 'the tampering changed something: %s' %
             (statements,))

    def rows(self, name, query, args=()):
        db = sqlite3.connect(os.path.join(self.dir, name))
        out = db.execute(query, args).fetchall()
        db.close()
        return out


def said(f, *args, **kw):
    try:
        got = f(*args, **kw)
    except (Refused, Failed) as e:
        return str(e)
    raise AssertionError('nothing was found: %r' % (got,))


def must_say(text, words, what):
    missing = [w for w in words if w not in text]
    if missing:
        raise AssertionError('%s: %r is not named in: %s' %
                             (what, missing, text))


def ledger_cases(files):
    last = files.rows('ledger.db', 'SELECT max(seq) FROM record')[0][0]
    flip = "UPDATE record SET tx = substr(tx, 1, %d) || x'5a' || " \
           "substr(tx, %d) WHERE seq = 4"
    size = files.rows('ledger.db', 'SELECT length(tx) FROM record '
                                   'WHERE seq = 4')[0][0]
    return [
        ('a changed transaction', ['record 4'], [flip % (100, 102)]),
        ('a changed signature', ['record 4'], [flip % (size - 10, size - 8)]),
        ('a changed outcome', ['record 5'],
         ["UPDATE record SET why = 'no reason' WHERE seq = 5"]),
        ('changed effects', ['record 6'],
         ["UPDATE record SET effects = effects || x'00' WHERE seq = 6"]),
        ('a removed record', ['record 5'], ['DELETE FROM record '
                                            'WHERE seq = 5']),
        ('two records swapped', ['record 4'],
         ['UPDATE record SET seq = -1 WHERE seq = 4',
          'UPDATE record SET seq = 4 WHERE seq = 5',
          'UPDATE record SET seq = 5 WHERE seq = -1']),
        ('a changed hash', ['record %d' % last],
         ["UPDATE record SET hash = randomblob(32) WHERE seq = %d" % last]),
        ('public state changed', ["'$settled'"],
         ["UPDATE leaf SET value = (SELECT value FROM leaf WHERE name = "
          "'$members') WHERE name = '$settled'"]),
        ('a map entry removed', ["'$place'"],
         ["DELETE FROM entry WHERE leaf = '$place'"]),
        ('state that follows from nothing', ["'$more'"],
         ["INSERT INTO leaf SELECT inst, '$more', seq, value FROM leaf "
          "WHERE name = '$cap'"]),
        ('a version of secret state', ["'balance'"],
         ["UPDATE slot SET version = version - 1 WHERE name = 'balance'"]),
        ('a counter set back', ['counter'],
         ['UPDATE counter SET next = next - 1']),
        ('a used argument forgotten', ['argument'], ['DELETE FROM argument']),
    ]


def ledger_files(net, files, label):
    for what, words, statements in ledger_cases(files):
        files.change('ledger.db', *statements)
        must_say(said(net.start), words, what)
        net.run('net', 'stop')
        files.restore('ledger.db')
    net.start()
    net.run('log', label)


def share_cases(files, old):
    leaf = "leaf = '$balance'"
    version = files.rows('node-1/store.db', 'SELECT max(version) FROM share '
                         'WHERE ' + leaf)[0][0]
    box = files.rows('node-0/store.db', 'SELECT box FROM share WHERE %s AND '
                     'version = %d' % (leaf, version))[0][0]
    claims = files.rows('node-1/store.db', "SELECT box FROM share WHERE leaf "
                        "= '$claims'")[0][0]
    where = ' WHERE %s AND version = %d' % (leaf, version)
    return [
        ('a byte of a share', ['node 1', 'balance'],
         ["UPDATE share SET box = substr(box, 1, 40) || x'00ff' || "
          "substr(box, 43)" + where]),
        ("another node's share", ['node 1', 'balance'],
         [('UPDATE share SET box = ?' + where, (box,))]),
        ("another variable's share", ['node 1', 'balance'],
         [('UPDATE share SET box = ?' + where, (claims,))]),
        ('a removed share', ['node 1', 'balance'],
         ['DELETE FROM share' + where]),
        ('an older share', ['node 1', 'balance', 'version'],
         ['DELETE FROM share' + where,
          ('INSERT INTO share VALUES (?, ?, ?, ?, ?, ?, ?)', old)]),
        ('an older share under the new version', ['node 1', 'balance'],
         ['DELETE FROM share' + where,
          ('INSERT INTO share VALUES (?, ?, ?, ?, ?, ?, ?)',
           old[:3] + (version,) + old[4:])]),
    ]


def share_stores(net, files, label, old):
    for what, words, statements in share_cases(files, old):
        files.change('node-1/store.db', *statements)
        net.start()
        net.wait_up()
        before = len(net.log(label)['records'])
        must_say(said(net.call, label, 'holding', who='ann'), words, what)
        new = net.log(label)['records'][before:]
        same([r for r in new if r.get('commit') or r.get('opened')], [],
             what + ': votes to commit, opened values')
        net.run('net', 'stop')
        files.restore('node-1/store.db')
    net.start()
    net.wait_up()


def swapped_nodes(net, files):
    a, b = (os.path.join(files.dir, 'node-%d/store.db' % k) for k in (0, 1))
    os.rename(a, a + '.x')
    os.rename(b, a)
    os.rename(a + '.x', b)
    must_say(said(net.start), ['node'], "stores of two nodes swapped")
    net.run('net', 'stop')
    files.restore('node-0/store.db', 'node-1/store.db')


def rolled_back(net, files, label):
    """The ledger's file of yesterday: consistent, but the nodes know more."""
    old = files.dir + '/../old.db'
    shutil.copy(files.dir + '/ledger.db', old)
    net.start()
    net.wait_up()
    net.call(label, 'pay_in', 7, who='ann')
    net.run('net', 'stop')
    shutil.copy(files.dir + '/ledger.db', files.dir + '/../new.db')
    shutil.copy(old, files.dir + '/ledger.db')
    must_say(said(net.start), ['rolled back'], 'a rolled-back ledger')
    net.run('net', 'stop')
    shutil.copy(files.dir + '/../new.db', files.dir + '/ledger.db')
    net.start()
    net.wait_up()


def main():
    chi, examples = sys.argv[1:3]
    path = os.path.join(os.path.abspath(examples), 'budget/budget.chi')
    with Net(chi) as net:
        files = Files(net)
        net.identity('ann')
        label = net.deploy(path, 'ann', 'cap=1000000')
        net.call(label, 'join', who='ann')
        net.call(label, 'pay_in', 500, who='ann')
        net.call(label, 'claim', 20, who='ann')
        files.keep()
        old = files.rows('node-1/store.db', "SELECT * FROM share WHERE leaf = "
                         "'$balance'")[0]
        net.start()
        net.call(label, 'pay_in', 30, who='ann')
        files.keep()
        ledger_files(net, files, label)
        files.keep()
        share_stores(net, files, label, old)
        files.keep()
        swapped_nodes(net, files)
        rolled_back(net, files, label)
        told = net.call(label, 'holding', who='ann')['told'][0]['value']
        same(int(told), 517, 'what ann holds in the end')
        print('13 changes of the ledger, 6 of a share, 2 of whole files: each '
              'found and named, nothing opened')


main()
