#!/usr/bin/env python3
"""Whoever changes the files of a network, or says what he may not, is found and
named; nothing is opened, the state stays, and undone it all works again.

    tamper.py CHI EXAMPLES CHI_ROGUE [PART..]
"""
import json
import os
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
import time

from model import settle
from net import Failed, Net, Refused, refused, same

CHAIN = 'chirograph record v1'


def named(why, f, *args, **kw):
    """f fails with exit code 3 and says why."""
    try:
        got = f(*args, **kw)
    except Failed as e:
        said = str(e).replace('\\"', '"')
        if why not in said:
            raise AssertionError('failed, but not for %r: %s' % (why, said))
        return said
    raise AssertionError('not found (%r): %r' % (why, got))


class World:
    """A network with a purse, a pool, and people who use them."""

    def __init__(self, net, examples, rogue):
        self.net = net
        self.rogue_path = os.path.abspath(rogue)
        self.chi = net.root + '/.chi'
        net.identity('ann')
        net.identity('bob')
        self.pool = net.deploy(examples + '/salary_pool/salary_pool.chi',
                               'ann', '--set', 'SEATS=4')
        self.purse = net.deploy(examples + '/budget/budget.chi', 'ann',
                                'cap=1000000')
        self.other = net.deploy(examples + '/budget/budget.chi', 'ann',
                                'cap=1000000')
        for p in self.purse, self.other:
            net.call(p, 'join', who='ann')
        net.call(self.purse, 'pay_in', 700, who='ann')
        net.call(self.purse, 'claim', 30, who='ann')
        net.call(self.purse, 'pay_in', 5, who='ann') # 675 held, 30 claimed
        net.call(self.other, 'pay_in', 11, who='ann')
        net.call(self.other, 'claim', 4, who='ann')
        net.call(self.pool, 'join', 4321, who='bob')
        self.holds = 675
        self.rogue('make', 'join', self.purse, 'join')
        same(self.send('join')['outcome'], 'done', 'the rogue joins')

    # ---- files ----
    def path(self, node=None):
        return self.chi + ('/ledger.db' if node is None else
                           '/node-%d/store.db' % node)

    def stop(self):
        self.net.run('net', 'stop')

    def start(self):
        self.net.start()
        self.net.wait_up()

    def keep(self, node=None, to='.keep'):
        p = self.path(node)
        for end in '', '-wal':
            if os.path.exists(p + end):
                shutil.copyfile(p + end, p + to + end)

    def put_back(self, node=None, of='.keep'):
        p = self.path(node)
        for end in '', '-wal', '-shm':
            if os.path.exists(p + end):
                os.unlink(p + end)
        for end in '', '-wal':
            if os.path.exists(p + of + end):
                shutil.copyfile(p + of + end, p + end)

    def sql(self, node, *lines):
        db = sqlite3.connect(self.path(node))
        for line in lines:
            args = ()
            if isinstance(line, tuple):
                line, args = line[0], line[1:]
            before = db.total_changes
            db.execute(line, args)
            if db.total_changes == before and 'PRAGMA' not in line and \
                    'CREATE' not in line:
                raise AssertionError('nothing was changed: ' + line)
        db.commit()
        db.close()

    def row(self, node, query, *args):
        db = sqlite3.connect(self.path(node))
        got = db.execute(query, args).fetchone()
        db.close()
        if got is None:
            raise AssertionError('no such row: ' + query)
        return got

    # ---- what stays ----
    def last(self):
        """The last record that is of these contracts."""
        return max(r['record'] for x in (self.pool, self.purse, self.other)
                   for r in self.net.log(x)['records'])

    def picture(self):
        return [self.net.state(x) for x in
                (self.pool, self.purse, self.other)]

    def good(self, what):
        """Everything works: what ann holds is what she has paid in."""
        told = self.net.call(self.purse, 'holding', who='ann')['told']
        same(int(told[0]['value']), self.holds, what + ': what ann holds')
        self.net.call(self.purse, 'pay_in', 1, who='ann')
        self.holds += 1
        self.net.log(self.purse)

    def closed(self, since):
        """No node opened anything since then."""
        for x in self.purse, self.pool, self.other:
            for r in self.net.log(x)['records']:
                if r['record'] > since and (r.get('commit') or
                                            r.get('opened')):
                    raise AssertionError('opened: %r' % r)

    # ---- the rogue ----
    def rogue(self, *args):
        r = subprocess.run([self.rogue_path, *map(str, args)],
                           cwd=self.net.root, stdout=subprocess.PIPE,
                           stderr=subprocess.PIPE, text=True, timeout=100)
        if r.returncode:
            raise AssertionError('%r: %s' % (args, r.stderr))
        return json.loads(r.stdout) if r.stdout else None

    def send(self, name):
        return self.rogue('send', name)

    def refused(self, why, name, awake=True):
        """The ledger takes nothing of it, and nothing changes."""
        before, last = awake and self.picture(), self.last()
        r = self.send(name)
        if why not in r['why'] + r['status'] or r['outcome'] != '?':
            raise AssertionError('not refused for %r: %r' % (why, r))
        same(awake and self.picture(), before, 'state after ' + why)
        same(self.last(), last, 'records after ' + why)

    def aborted(self, why, name):
        """It is recorded, the nodes give it up, the state stays."""
        before, last = self.picture(), self.last()
        r = self.send(name)
        end = r['end'] or {}
        if end.get('outcome') != 'aborted' or why not in end['why']:
            raise AssertionError('not aborted for %r: %r' % (why, r))
        same(self.picture(), before, 'state after ' + why)
        self.closed(last)


# ---- the ledger's file ----

def ledger_rows(w):
    """Changes that the file alone shows: the ledger does not open."""
    net = w.net
    one, two = [r['record'] for r in net.log(w.purse)['records']
                if r['kind'] == 'call'][:2]
    leaf = "name='$members'"
    cases = [
        ('a changed record', 'record %d: it was changed' % one,
         ["UPDATE record SET outcome=3 WHERE seq=%d" % one]),
        ('a removed record', 'record %d: it is missing' % one,
         ["DELETE FROM record WHERE seq=%d" % one]),
        ('two swapped', 'record %d: it does not follow' % one,
         ["UPDATE record SET seq=100000 WHERE seq=%d" % one,
          "UPDATE record SET seq=%d WHERE seq=%d" % (one, two),
          "UPDATE record SET seq=%d WHERE seq=100000" % two]),
        ('a changed row', "state '$members'",
         ["UPDATE leaf SET value=x'0000000100' WHERE " + leaf]),
        ('an extra row', "state '$gift'",
         ["INSERT INTO leaf SELECT inst, '$gift', seq, value FROM leaf"
          " WHERE %s LIMIT 1" % leaf]),
        ('an extra map entry', "map entry '$place'",
         ["INSERT INTO entry SELECT inst, leaf, CAST(key||x'00' AS BLOB), seq,"
          " value FROM entry WHERE leaf='$place' LIMIT 1"]),
        ('a changed signature', 'record %d: it was changed' % one,
         [flip(w, one)]),
        ('an older version of secret state', "secret state 'balance'",
         ["UPDATE slot SET version=version-1 WHERE name='balance'"]),
        ('changed effects', 'record %d' % one,
         ["UPDATE record SET effects=effects||x'00' WHERE seq=%d" % one]),
        ('a counter set back', 'counter',
         ["UPDATE counter SET next=next-1"]),
        ('a used argument forgotten', 'argument', ["DELETE FROM argument"]),
        ('no ledger at all', 'no ledger of this format',
         ["PRAGMA user_version=7"]),
    ]
    for what, why, lines in cases:
        w.stop()
        w.keep()
        w.sql(None, *lines)
        said = named(why, net.start)
        if 'ledger' not in said:
            raise AssertionError('%s: %s' % (what, said))
        named('', net.call, w.purse, 'settle', who='ann')
        w.put_back()
        w.start()
        w.good(what)
        print('  ledger, %s: %s' % (what, why))


def flip(w, seq):
    w.stop()
    tx = bytearray(w.row(None, 'SELECT tx FROM record WHERE seq=?', seq)[0])
    w.start()
    tx[-1] ^= 1
    return ('UPDATE record SET tx=? WHERE seq=?', bytes(tx), seq)


def rechained(w, seq):
    """A changed signature, and all hashes made right again."""
    import hashlib
    db = sqlite3.connect(w.path())
    cols = 'seq, time, prev, hash, tx, outcome, why, effects'
    rows = db.execute('SELECT %s FROM record ORDER BY seq' % cols).fetchall()

    def digest(prev, r, tx):
        def b(x):
            x = x.encode() if isinstance(x, str) else x
            return len(x).to_bytes(8, 'big') + x
        return hashlib.sha256(
            CHAIN.encode() + prev + r[0].to_bytes(8, 'big') +
            r[1].to_bytes(8, 'big') + b(tx) + r[5].to_bytes(8, 'big') +
            b(r[6]) + b(r[7])).digest()
    prev = bytes(32)
    for r in rows:
        tx = bytearray(r[4])
        same(digest(r[2], r, r[4]), r[3], 'the hash of record %d' % r[0])
        if r[0] == seq:
            tx[-1] ^= 1
        h = digest(prev, r, bytes(tx))
        db.execute('UPDATE record SET prev=?, hash=?, tx=? WHERE seq=?',
                   (prev, h, bytes(tx), r[0]))
        prev = h
    db.commit()
    db.close()


def ledger_whole(w):
    """Changes that only who remembers more can find."""
    net = w.net
    seq = [r['record'] for r in net.log(w.purse)['records']
           if r['kind'] == 'call'][0]
    w.stop()
    w.keep()
    rechained(w, seq)
    named('it was rolled back or replaced', net.start)
    w.put_back()
    w.start()
    w.good('a chain made again')

    # the end cut off, with the state of then: an older file
    w.stop()
    w.keep(to='.old')
    w.start()
    w.good('before the ledger is rolled back')
    w.stop()
    w.keep()
    w.put_back(of='.old')
    said = named('it was rolled back or replaced', net.start)
    if 'node-' not in said:
        raise AssertionError('no node says it: ' + said)
    w.put_back()
    w.start()
    w.good('a ledger rolled back')

    # the ledger of another network
    with Net(net.chi) as other:
        other.identity('ann')
        other.run('net', 'stop')
        w.stop()
        w.keep()
        for end in '', '-wal', '-shm':
            if os.path.exists(w.path() + end):
                os.unlink(w.path() + end)
        shutil.copyfile(other.root + '/.chi/ledger.db', w.path())
    named('other nodes or another protocol', net.start)
    w.put_back()
    w.start()
    w.good('a foreign ledger')
    print('  ledger: made again, rolled back, of another network')


# ---- a node's store ----

PURSE = "leaf='$balance' AND contract=x'%s'"


def stores(w):
    net = w.net
    hexid = {x: net.log(x) and net.run('state', x)['id'] for x in
             (w.purse, w.other, w.pool)}
    mine = PURSE % hexid[w.purse]
    theirs = PURSE % hexid[w.other]
    node = 1

    def moved(where):
        def f():
            box = w.row(node, 'SELECT box FROM share WHERE ' + where)[0]
            return [('UPDATE share SET box=? WHERE ' + mine, box)]
        return f

    def of_node(k):
        def f():
            box = w.row(k, 'SELECT box FROM share WHERE ' + mine)[0]
            return [('UPDATE share SET box=? WHERE ' + mine, box)]
        return f

    def byte(at):
        def f():
            b = bytearray(w.row(node, 'SELECT box FROM share WHERE ' +
                                mine)[0])
            b[at] ^= 1
            return [('UPDATE share SET box=? WHERE ' + mine, bytes(b))]
        return f

    def older():
        row = w.row(node, 'SELECT net, contract, leaf, version, staged, lanes,'
                    ' box FROM share WHERE ' + mine)
        w.start()
        w.net.call(w.purse, 'pay_in', 1, who='ann')
        w.holds += 1
        w.stop()
        w.keep(node)
        return ['DELETE FROM share WHERE ' + mine,
                ('INSERT INTO share VALUES(?,?,?,?,?,?,?)',) + row]

    claims = "leaf='$claims' AND contract=x'%s'" % hexid[w.purse]
    cases = [
        ('a byte changed', 'does not open', byte(-20)),
        ('its nonce changed', 'does not open', byte(0)),
        ('of another leaf', 'does not open', moved(claims)),
        ('of another contract', 'does not open', moved(theirs)),
        ('of another node', 'does not open', of_node(2)),
        ('deleted', 'it has no share of "balance"',
         lambda: ['DELETE FROM share WHERE ' + mine]),
        ('version edited down', 'is of version',
         lambda: ['UPDATE share SET version=version-1 WHERE ' + mine]),
        ('version edited up', 'is of version',
         lambda: ['UPDATE share SET version=version+1 WHERE ' + mine]),
        ('put back older', 'is of version', older),
        ('fewer lanes', 'elements, not',
         lambda: ['UPDATE share SET lanes=7 WHERE ' + mine]),
    ]
    for what, why, lines in cases:
        w.stop()
        w.keep(node)
        w.sql(node, *lines())
        w.start()
        before, last = w.picture(), w.last()
        said = named(why, net.call, w.purse, 'holding', who='ann')
        if 'node %d' % node not in said:
            raise AssertionError('%s: no node is named: %s' % (what, said))
        same(w.picture(), before, what)
        w.closed(last)
        w.stop()
        w.put_back(node) # as a backup: it has to catch up
        w.start()
        w.good('a share ' + what)
        print('  store, a share %s: %s' % (what, why))
    swapped(w)
    trigger(w)


def swapped(w):
    net = w.net
    w.stop()
    for k in 0, 1:
        w.keep(k)
    a, b = w.path(0), w.path(1)
    for end in '', '-wal':
        x, y = os.path.exists(a + end), os.path.exists(b + end)
        if x:
            os.rename(a + end, a + '.x' + end)
        if y:
            os.rename(b + end, a + end)
        if x:
            os.rename(a + '.x' + end, b + end)
    said = named('it is the store of another node', net.start)
    if 'node-' not in said:
        raise AssertionError('no node is named: ' + said)
    for k in 0, 1:
        w.put_back(k)
    w.start()
    w.good('two stores swapped')
    print('  store, two swapped: not opened')


def trigger(w):
    w.stop()
    w.keep(0)
    w.sql(0, 'CREATE TRIGGER t AFTER INSERT ON share BEGIN'
          ' DELETE FROM started; END')
    named('its tables are others', w.net.start)
    w.put_back(0)
    w.start()
    w.good('a trigger')
    print('  store, a trigger: not opened')


# ---- sealed arguments ----

def sealed(w):
    node = 2

    def between(what, why, *lines):
        """A deposit is made; the node's store is changed; the call comes."""
        w.rogue('make', 'call', w.purse, 'pay_in', 'amount=9')
        w.stop()
        w.sql(node, *lines)
        w.start()
        w.aborted(why, 'call')
        w.good(what)
        print('  sealed, %s: %s' % (what, why))

    between('changed', 'were changed', "UPDATE sealed SET box=x'00'||box")
    between('deleted', 'it was not sent', 'DELETE FROM sealed')
    w.rogue('make', 'one', w.purse, 'pay_in', 'amount=8')
    w.rogue('make', 'two', w.purse, 'pay_in', 'amount=9')
    w.stop()
    boxes = w.row(node, 'SELECT min(rowid), max(rowid), count(*) FROM sealed')
    same(boxes[2], 2, 'deposits')
    w.sql(node, 'DELETE FROM sealed WHERE rowid=%d' % boxes[1])
    w.start()
    w.aborted('not those that the caller signed', 'two')
    print('  sealed, of another call: not those that the caller signed')
    # another call's box under this one's digest
    w.rogue('make', 'one', w.other, 'pay_in', 'amount=8')
    w.rogue('make', 'two', w.purse, 'pay_in', 'amount=9')
    w.stop()
    w.sql(node, 'UPDATE sealed SET box=(SELECT box FROM sealed ORDER BY rowid'
          ' LIMIT 1) WHERE rowid=(SELECT max(rowid) FROM sealed)')
    w.start()
    w.aborted('were changed', 'two')
    w.good('the box of another call')
    for how, why in (('none', 'it was not sent'),
                     ('changed', 'not those that the caller signed'),
                     ('garbage', 'node ')):
        w.rogue('make', 'call', w.purse, 'pay_in', 'amount=9',
                'deposit=' + how)
        w.aborted(why, 'call')
        w.good('deposit ' + how)
        print('  sealed, deposit %s: aborted' % how)


# ---- transactions ----

def transactions(w):
    net = w.net
    w.rogue('make', 'good', w.purse, 'pay_in', 'amount=5')
    with open(net.root + '/good', 'rb') as f:
        good = f.read()

    def file(name, data):
        with open(net.root + '/' + name, 'wb') as f:
            f.write(data)
    file('bad', good[:-1] + bytes([good[-1] ^ 1]))
    w.refused('the signature is not the sender', 'bad')
    file('bad', good[:80] + bytes([good[80] ^ 1]) + good[81:])
    w.refused('the signature is not the sender', 'bad')
    file('bad', good + b'\0')
    w.refused('malformed', 'bad')
    file('bad', good[:100])
    w.refused('malformed', 'bad')
    file('bad', b'')
    w.refused('malformed', 'bad')
    counter = int.from_bytes(good[70:78], 'big')
    for c in counter - 1, counter + 1, counter + 1000000, 2**63 + 5:
        w.rogue('make', 'bad', w.purse, 'pay_in', 'amount=5',
                'counter=%d' % c)
        w.refused('the next one is %d' % counter, 'bad')
    w.rogue('make', 'bad', w.purse, 'pay_in', 'amount=5', 'net=other')
    w.refused('for another net', 'bad')
    r = w.send('good')
    same((r['end'] or {}).get('outcome'), 'done', 'the good one')
    # byte for byte again, and others' records
    w.refused('the next one is', 'good')
    before, last = w.picture(), w.last()
    for rec in net.log(w.purse)['records']:
        w.rogue('record', 'again', rec['record'])
        r = w.send('again')
        if rec['kind'] == 'vote': # known: it answers as it did, records none
            same(r['record'], rec['record'], 'the old vote')
        elif 'the next one is' not in r['why'] + r['status'] or \
                r['outcome'] != '?':
            raise AssertionError('record %d again: %r' % (rec['record'], r))
    same((w.picture(), w.last()), (before, last), 'after all records again')
    # the sealed argument of the good one, in a call of its own
    w.rogue('make', 'bad', w.purse, 'pay_in', 'sealed=good')
    w.refused('a sealed argument was used before', 'bad')
    w.rogue('make', 'bad', w.other, 'pay_in', 'sealed=good')
    w.refused('a sealed argument was used before', 'bad')
    w.rogue('make', 'bad', w.purse, 'pay_in')
    w.refused('digests of sealed arguments', 'bad')
    w.rogue('make', 'bad', w.purse, 'nothing')
    w.refused('has no action', 'bad')
    w.good('bad transactions')
    print('  transactions: refused')


def votes(w):
    """While the nodes sleep, others speak for them."""
    net = w.net
    pids = net.processes()
    w.rogue('make', 'call', w.purse, 'pay_in', 'amount=3')
    nodes = [pids['node-%d' % k] for k in range(3)]
    for pid in nodes:
        os.kill(pid, signal.SIGSTOP)
    p = subprocess.Popen([w.rogue_path, 'send', 'call'], cwd=net.root,
                         stdout=subprocess.PIPE, text=True)
    end = time.time() + 20
    call = None
    while call is None and time.time() < end:
        call = net.run('state', w.purse)['locked_by']
    with open(net.root + '/mine', 'wb') as f:
        f.write(bytes(range(32)))
    seed = '.chi/node-%d/node.key'
    for what in 'commit', 'abort':
        w.rogue('vote', 'v', call, 2, 'mine', what)
        w.refused('the vote is not by node 2', 'v', False)
        w.rogue('vote', 'v', call, 2, seed % 1, what)
        w.refused('the vote is not by node 2', 'v', False)
        w.rogue('vote', 'v', call, 7, seed % 1, what)
        w.refused('the vote is not by node 7', 'v', False)
        w.rogue('vote', 'v', call + 1000, 1, seed % 1, what)
        w.refused('there is no pending call', 'v', False)
        w.rogue('vote', 'v', call - 1, 1, seed % 1, what)
        w.refused('there is no pending call', 'v', False)
    for pid in nodes:
        os.kill(pid, signal.SIGCONT)
    out, _ = p.communicate(timeout=100)
    settle(net, w.purse)
    same(json.loads(out)['end']['outcome'], 'done', 'the call meanwhile')
    w.good('votes')
    print('  votes: refused')
    hangs(w)


def hangs(w):
    """A node that hangs costs a call its --timeout, and is named."""
    pid, before = w.net.processes()['node-1'], w.picture()
    os.kill(pid, signal.SIGSTOP)
    begun = time.time()
    said = named('does not answer in time', w.net.call, w.purse, 'pay_in', 1,
                 who='ann', timeout=2)
    took = time.time() - begun
    os.kill(pid, signal.SIGCONT)
    if 'node 1' not in said or 'node 0' in said or not 1.5 < took < 6:
        raise AssertionError('%.1f s: %s' % (took, said))
    same(w.picture(), before, 'state')
    w.good('a node that hung')
    print('  a node that hangs: named after %.1f s' % took)


# ---- what lies around ----

def files(w):
    """Nobody else may read; no amount stands in a log."""
    for path, _, names in os.walk(w.chi):
        same(oct(stat.S_IMODE(os.stat(path).st_mode)), oct(0o700), path)
        for n in names:
            p = os.path.join(path, n)
            if n == 'node.key' or n.startswith('store.db') or \
                    n.endswith('.log'):
                mode = stat.S_IMODE(os.stat(p).st_mode)
                if '.keep' not in n and '.old' not in n:
                    same(oct(mode), oct(0o600), p)
    for n in os.listdir(w.chi + '/log'):
        with open(w.chi + '/log/' + n, errors='replace') as f:
            text = f.read()
        for secret in '4321', '675':
            for line in text.splitlines():
                if secret in line.split():
                    raise AssertionError('%s: %s' % (n, line))
    for name, pid in w.net.processes().items():
        with open('/proc/%d/limits' % pid) as f:
            core = [x for x in f if x.startswith('Max core file size')][0]
        soft = core.split()[4]
        if int(soft if soft != 'unlimited' else 9) > 1:
            raise AssertionError('%s may leave a core file: %s' % (name, core))
    print('  files, logs, core files: closed')


PARTS = {'ledger_rows': ledger_rows, 'ledger_whole': ledger_whole,
         'stores': stores, 'sealed': sealed, 'transactions': transactions,
         'votes': votes, 'files': files}


def main():
    chi, examples, rogue = sys.argv[1:4]
    with Net(chi) as net:
        w = World(net, os.path.abspath(examples), rogue)
        for part in sys.argv[4:] or PARTS:
            PARTS[part](w)
    print('all of it was found and named, and nothing was opened')


if __name__ == '__main__':
    try:
        main()
    except (AssertionError, Failed, Refused) as e:
        print(e)
        sys.exit(1)
