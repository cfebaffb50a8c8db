#!/usr/bin/env python3
"""chi net, and contracts on it: real processes, sockets, files.

    net.py CHI PROGRAMS_DIR [GROUP..]
"""
import json
import os
import signal
import socket
import sqlite3
import subprocess
import threading
import time

import home
import ports
from home import Home, alive, kill, wait_for


class Ground(Home):
    """A network of its own."""
    port = None # one test after the other

    def setUp(self):
        super().setUp()
        Ground.port = Ground.port or ports.block()
        self.addCleanup(self.end)

    def chi(self, *args, **kw):
        if args[:2] == ('net', 'start') and '--port' not in args:
            args += ('--port', str(self.port))
        return super().chi(*args, **kw)

    def end(self):
        pids = self.pids()
        self.chi('net', 'stop')
        self.assertTrue(wait_for(lambda: not any(map(alive, pids))), pids)

    def status(self):
        r = self.chi('net', 'status', '--json')
        return r.returncode, json.loads(r.stdout)

    def pids(self):
        try:
            run = json.load(open(self.tmp + '/.chi/run.json'))
        except OSError:
            return []
        return [p for p in [run['pid']] + [x['pid'] for x in run['processes']]
                if p]

    def keeper(self):
        return self.status()[1]['pid']

    def pid(self, name):
        return next(p['pid'] for p in self.status()[1]['processes']
                    if p['name'] == name)

    def healthy(self):
        return self.chi('net', 'status').returncode == 0


class Net(Ground):
    """Starting, stopping, dying."""

    def test_life(self):
        self.wrong(3, 'E0820', 'net', 'status', says=['chi net start'])
        self.wrong(3, 'E0820', 'net', 'stop')
        j = self.json('net', 'start')
        self.assertTrue(j['running'])
        self.assertEqual((j['protocol'], j['nodes']), ('rep3', 3))
        self.assertEqual([p['name'] for p in j['processes']],
                         ['ledger', 'node-0', 'node-1', 'node-2'])
        for p in j['processes']:
            self.assertEqual((p['state'], p['restarts'], p['why']),
                             ('answers', 0, ''))
            self.assertTrue(alive(p['pid']))
        self.assertEqual(len({p['port'] for p in j['processes']}), 4)
        again = self.json('net', 'start')
        self.assertEqual(again['pid'], j['pid'])
        pids = self.pids()
        self.assertEqual(len(pids), 5)
        out = self.ok('net', 'status')
        self.assertIn('running', out.split('\n')[0])
        self.assertEqual(out.count('answers'), 4)
        self.assertEqual(self.json('net', 'stop'),
                         {'stopped': True, 'was_running': True})
        self.assertFalse(any(map(alive, pids)))
        self.assertEqual(self.json('net', 'stop'),
                         {'stopped': True, 'was_running': False})
        code, off = self.status()
        self.assertEqual((code, off['running'], off['pid']), (3, False, 0))
        self.assertEqual({p['state'] for p in off['processes']}, {'stopped'})
        new = self.json('net', 'start')
        self.assertEqual([p['port'] for p in new['processes']],
                         [p['port'] for p in j['processes']])
        self.assertEqual(new['net'], j['net'])

    def test_private(self):
        self.ok('net', 'start')
        for path, want in (('', 0o700), ('/net.json', 0o600),
                           ('/node-0', 0o700), ('/node-0/node.key', 0o600),
                           ('/log', 0o700), ('/log/node-0.log', 0o600)):
            self.assertEqual(os.stat(self.tmp + '/.chi' + path).st_mode &
                             0o777, want, path)
        seed = open(self.tmp + '/.chi/node-0/node.key', 'rb').read()
        self.assertEqual(len(seed), 32)
        for log in os.listdir(self.tmp + '/.chi/log'):
            text = open(self.tmp + '/.chi/log/' + log, 'rb').read()
            self.assertNotIn(seed.hex().encode(), text)

    def test_five(self):
        j = self.json('net', 'start', '--nodes', '5')
        self.assertEqual((j['protocol'], j['nodes']), ('shamir', 5))
        self.wrong(1, 'E0823', 'net', 'start', '--nodes', '4')
        self.wrong(1, 'E0823', 'net', 'start', '--nodes', '3', '--protocol',
                   'rep3')
        self.json('net', 'start', '--nodes', '5')
        self.json('net', 'start', '--protocol', 'shamir')

    def test_usage(self):
        self.usage('net', says=['missing argument'])
        self.usage('net', 'strat', says=["'chi net start'"])
        self.usage('net', 'start', '--nodes', '2', says=['3 to 64'])
        self.usage('net', 'start', '--nodes', '5', '--protocol', 'rep3')
        self.usage('net', 'stop', '--nodes', '3')
        self.usage('net', 'start', '--timeout', 'x')
        for hidden in 'net-process', 'ledger-process', 'node-process':
            self.assertEqual(self.chi(hidden).returncode, 2)
            self.assertIn(self.chi(hidden, '--dir', self.tmp).returncode,
                          (2, 3))
        self.assertFalse(os.path.exists(self.tmp + '/.chi'))

    def test_two_starts(self):
        got = []
        t = [threading.Thread(
            target=lambda: got.append(self.chi('net', 'start', '--json')))
            for _ in range(4)]
        for x in t:
            x.start()
        for x in t:
            x.join()
        self.assertEqual([r.returncode for r in got], [0] * 4,
                         [r.stdout + r.stderr for r in got])
        self.assertEqual(len({json.loads(r.stdout)['pid'] for r in got}), 1)
        self.assertEqual(len(self.pids()), 5)

    def test_process_dies(self):
        self.ok('net', 'start')
        for name in 'node-1', 'ledger':
            old = self.pid(name)
            kill(old)
            self.assertTrue(wait_for(
                lambda: self.pid(name) not in (0, old) and self.healthy()))
            code, j = self.status()
            p = next(p for p in j['processes'] if p['name'] == name)
            self.assertEqual((code, p['restarts']), (0, 1))
        self.assertIn('started again 1 time', self.ok('net', 'status'))
        self.assertIn('killed by signal 9',
                      open(self.tmp + '/.chi/log/net.log').read())

    def test_supervisor_dies(self):
        self.ok('net', 'start')
        for again in range(2):
            pids = self.pids()
            kill(self.keeper())
            if again == 0:
                self.assertTrue(wait_for(lambda: not any(map(alive, pids))))
                self.assertEqual(self.status()[0], 3)
            # A second time without waiting: the old ones are still ending.
            self.ok('net', 'start')
            self.assertTrue(wait_for(lambda: not any(map(alive, pids))))
            self.assertTrue(self.healthy())

    def test_stop_without_supervisor(self):
        self.ok('net', 'start')
        pids = self.pids()
        keeper = self.keeper()
        kill(keeper)
        self.assertTrue(wait_for(lambda: not alive(keeper)))
        self.assertFalse(self.json('net', 'stop')['was_running'])
        self.assertFalse(any(map(alive, pids)))

    def test_process_that_hangs(self):
        self.ok('net', 'start')
        pids = self.pids()
        os.kill(self.pid('node-2'), signal.SIGSTOP)
        self.ok('net', 'stop')
        self.assertFalse(any(map(alive, pids)))

    def test_silent(self):
        """A process that is there but does not answer."""
        self.ok('net', 'start')
        os.kill(self.pid('node-0'), signal.SIGSTOP)
        start = time.time()
        code, j = self.status()
        self.assertLess(time.time() - start, 10)
        self.assertEqual(code, 3)
        self.assertEqual(j['processes'][1]['state'], 'silent')

    def test_corrupt_ledger(self):
        self.ok('net', 'start')
        self.ok('net', 'stop')
        path = self.tmp + '/.chi/ledger.db'
        db = sqlite3.connect(path)
        table = next(t for (t,) in db.execute(
            "select name from sqlite_master where type = 'table'")
            if 'record' in t)
        db.execute('update %s set time = time + 1' % table)
        db.commit()
        db.close()
        self.wrong(3, 'E0822', 'net', 'start', says=['ledger', 'record 1',
                                                     '.chi/log'])
        self.assertEqual(self.status()[1]['running'], False)
        self.file('.chi/ledger.db', 'no database')
        self.wrong(3, 'E0822', 'net', 'start', says=['ledger'])
        os.unlink(path)
        self.wrong(3, 'E0822', 'net', 'start', says=['ledger'])

    def test_broken_net_file(self):
        self.ok('net', 'start')
        self.ok('net', 'stop')
        path = self.tmp + '/.chi/net.json'
        good = open(path).read()
        for bad in '', '{}', '[]', good[:-20], good.replace('rep3', 'rep4'), \
                good.replace('"ledger_port": ', '"ledger_port": 9'):
            self.file('.chi/net.json', bad)
            for cmd in ('net', 'start'), ('net', 'status'), ('state', 'x'):
                self.wrong(3, 'E0821', *cmd)
        os.unlink(path)
        self.wrong(3, 'E0822', 'net', 'start', says=['net.json'])
        self.file('.chi/net.json', good)
        self.file('.chi/node-1/node.key', b'k' * 32)
        self.wrong(3, 'E0822', 'net', 'start', says=['node-1', 'node.key'])

    def test_port_taken(self):
        self.ok('net', 'start')
        self.ok('net', 'stop')
        w = json.load(open(self.tmp + '/.chi/net.json'))
        for port in w['ledger_port'], w['nodes'][1]['mesh_port']:
            s = socket.socket()
            s.bind(('127.0.0.1', port))
            s.listen()
            self.wrong(3, 'E0822', 'net', 'start', says=[str(port)])
            s.close()
        self.ok('net', 'start')

    def test_port_given(self):
        base = self.port
        self.usage('net', 'stop', '--port', '4096', says=['net start'])
        self.usage('net', 'start', '--port', '65530', says=['65529'])
        s = socket.socket()
        s.bind(('127.0.0.1', base + 4))
        s.listen()
        self.wrong(3, 'E0822', 'net', 'start', '--port', str(base),
                   says=['port %d: ' % (base + 4)])
        s.close()
        j = self.json('net', 'start', '--port', str(base))
        self.assertEqual([p['port'] for p in j['processes']],
                         [base, base + 1, base + 3, base + 5])
        w = json.load(open(self.tmp + '/.chi/net.json'))
        self.assertEqual([n['mesh_port'] for n in w['nodes']],
                         [base + 2, base + 4, base + 6])
        self.ok('net', 'start', '--port', str(base))
        self.wrong(1, 'E0823', 'net', 'start', '--port', str(base + 1),
                   says=['ledger on port %d' % base])

    def test_no_room(self):
        self.file('.chi', 'a file')
        self.wrong(3, 'E0727', 'net', 'start')
        os.unlink(self.tmp + '/.chi')

    def test_not_running(self):
        self.ok('net', 'start')
        self.ok('net', 'stop')
        self.wrong(3, 'E0824', 'state', 'x', says=[
            'Connection refused', 'chi net start'])

    def test_other_folder(self):
        self.ok('net', 'start')
        other = self.tmp + '/other'
        os.mkdir(other)
        self.wrong(3, 'E0820', 'net', 'status', cwd=other)


class Contracts(Home):
    """One network for all of these; each deploys what it needs."""

    @classmethod
    def setUpClass(cls):
        cls.shared = Home('setUp')
        Home.setUp(cls.shared)
        cls.shared.ok('net', 'start', *cls.NET)
        for name in 'ann', 'bob', 'carl':
            setattr(cls, name, cls.shared.key(name))

    NET = ()

    @classmethod
    def tearDownClass(cls):
        cls.shared.chi('net', 'stop')
        cls.shared.doCleanups()

    def setUp(self):
        self.tmp = self.shared.tmp

    def desk(self, *args, top=100):
        j = self.json('deploy', home.PROGRAMS + '/desk.chi', 'top=%d' % top,
                      'chief=ann', '--as', 'bob', *args)
        self.assertRegex(j['contract'], '^Desk(-[0-9]+)?$')
        return j['contract']

    def call(self, *args, who='bob'):
        return self.json('call', *args, '--as', who)

    def value(self, contract, name):
        s = self.json('state', contract)['state']
        return next(x for x in s if x['name'] == name)

    # ---- deploy

    def test_deploy(self):
        text = self.ok('deploy', home.PROGRAMS + '/desk.chi', 'Desk', 'top=7',
                       'chief=' + self.ann, '--as', 'bob')
        self.assertRegex(text, 'Desk.* is deployed, record [0-9]+\n'
                         'id +[0-9a-f]{64}\npackage +[0-9a-f]{64}\n')
        label = text.split()[0]
        self.assertEqual(self.value(label, 'top')['value'], 7)
        self.assertEqual(self.value(label, 'chief')['value'], self.ann)
        file = home.PROGRAMS + '/desk.chi'
        bob = '--as', 'bob'
        self.usage('deploy', file, says=['--as'])
        self.wrong(1, 'E0701', 'deploy', file, 'top=7', *bob,
                   says=['"chief"', 'chief=VALUE'])
        self.wrong(1, 'E0702', 'deploy', file, 'top=7', 'cheif=ann', *bob)
        self.wrong(1, 'E0712', 'deploy', file, 'top=-1', 'chief=ann', *bob)
        self.wrong(1, 'E0742', 'deploy', file, 'top=1', 'chief=amn', *bob,
                   says=['"ann"'])
        self.wrong(1, 'E0742', 'deploy', file, 'top=1', 'chief=ann', '--as',
                   'nobody')
        self.wrong(1, 'E0728', 'deploy', file, 'Dekk', 'top=1', 'chief=ann',
                   *bob)
        self.assertEqual(self.chi('deploy', self.tmp + '/none.chi',
                                  *bob).returncode, 1)

    def test_template(self):
        d = self.desk('--set', 'SEATS=9')
        self.assertEqual(self.value(d, 'kept')['type'], 'secret [u32; 9]')

    def test_deploy_package(self):
        """What chi build wrote is what chi deploy makes."""
        out = self.tmp + '/out'
        self.ok('build', home.PROGRAMS + '/desk.chi', '-o', out)
        path = out + '/Desk.contract.json'
        args = 'top=9', 'chief=ann', '--as', 'ann'
        j = self.json('deploy', path, *args)
        self.assertEqual(self.call(j['contract'], 'add', '9')['result'], 9)
        self.assertEqual(self.json('state', self.desk())['package'],
                         j['package'])
        self.json('deploy', path, 'Desk', *args)
        self.wrong(1, 'E0757', 'deploy', path, 'Foot', *args)
        self.wrong(1, 'E0757', 'deploy', path, '--set', 'A=1', *args)
        self.wrong(1, 'E0757', 'deploy', out + '/none.json', *args)
        text = open(path).read()
        for bad in ('', '[]', '{}', text.replace('"format": 1', '"format": 2'),
                    text[:-2], text.replace('"kind":"int"', '"kind":"inn"'),
                    text.replace('"elem":', '"elm":'),
                    text.replace('%0', '%zero')):
            self.assertNotEqual(bad, text)
            r = self.chi('deploy', self.file('bad.json', bad), *args)
            self.assertEqual(r.returncode, 1, (bad[:99], r.stdout, r.stderr))
            self.assertEqual(r.stderr.count('error['), 1, r.stderr)

    # ---- calls

    def test_public_call(self):
        d = self.desk()
        j = self.call(d, 'add', '5')
        self.assertEqual((j['result'], j['outcome'], j['rounds'],
                          j['bytes_sent'], j['opened'], j['told']),
                         (5, 'done', 0, [], [], []))
        self.assertEqual(j['call'], j['record'])
        self.assertEqual(self.call(d, 'add', 'n=6')['result'], 11)
        text = self.ok('call', d, 'add', '1', '--as', 'bob')
        self.assertIn('result = 12\n', text)
        self.wrong(1, 'E0752', 'call', d, 'add', '100', '--as', 'bob',
                   says=['over the top'])
        self.assertEqual(self.value(d, 'count')['value'], 12)

    def test_arguments(self):
        d = self.desk()
        who = '--as', 'bob'
        self.usage('call', d, 'add', '5', says=['--as'])
        self.usage('call', d, says=['missing argument'])
        self.wrong(1, 'E0701', 'call', d, 'add', *who, says=['n=VALUE'])
        self.wrong(1, 'E0755', 'call', d, 'add', '1', '2', *who)
        self.wrong(1, 'E0754', 'call', d, 'put', 'seat=1', '2', *who)
        self.wrong(1, 'E0703', 'call', d, 'add', '1', 'n=2', *who)
        self.wrong(1, 'E0702', 'call', d, 'add', 'm=2', *who)
        self.wrong(1, 'E0712', 'call', d, 'add', '-5', *who)
        self.wrong(1, 'E0711', 'call', d, 'add', 'five', *who)
        self.wrong(1, 'E0704', 'call', d, 'add', '', *who)
        self.wrong(1, 'E0704', 'call', d, 'add', 'n=', *who)
        self.wrong(1, 'E0715', 'call', d, 'swap', '{a: 1', '[1,2,3]', '0.5',
                   'true', *who)
        self.wrong(1, 'E0751', 'call', d, 'adds', '1', *who, says=['"add"'])
        self.wrong(1, 'E0751', 'call', d, 'me', *who, says=['chi view'])
        self.wrong(1, 'E0751', 'call', d, 'init', *who)
        self.wrong(1, 'E0751', 'view', d, 'add', '1', says=['chi call'])
        self.wrong(1, 'E0750', 'call', 'Desl-77', 'add', '1', *who)
        self.wrong(1, 'E0750', 'call', 'x' * 5000, 'add', '1', *who)
        self.wrong(1, 'E0742', 'call', d, 'whisper', 'zoe', *who)
        self.wrong(1, 'E0711', 'call', d, 'whisper', '12', *who)

    def test_values(self):
        d = self.desk()
        j = self.call(d, 'swap', '{a: 1, b: -2}', '[1, 2, 3]', '0.5', 'true')
        self.assertEqual(j['result'], [{'a': 1, 'b': -2}, False])
        self.assertEqual(j['events'], [
            {'name': 'Seen', 'fields': {'pair': {'a': 1, 'b': -2},
                                        'row': [1, 2, 3]}}])
        path = self.file('pair.json', '{"a": 65535, "b": -32768}')
        self.call(d, 'swap', '@' + path, 'row=(9,9,9)', 'on=0', 'rate=.75')
        self.assertEqual(self.value(d, 'last')['value'],
                         {'a': 65535, 'b': -32768})
        where = self.value(d, 'where')
        self.assertEqual(where['type'], 'map<u32, Pair>')
        self.assertEqual(where['entries'],
                         [{'key': [7], 'value': {'a': 65535, 'b': -32768}}])
        text = self.ok('state', d)
        self.assertIn('7 = {a: 65535, b: -32768}', text)
        self.assertIn('chief: identity = ann', text)

    def test_secret_call(self):
        d = self.desk()
        j = self.call(d, 'put', '1', '4000000000')
        self.assertEqual(j['opened'], [])
        self.assertEqual(len(j['bytes_sent']), self.nodes())
        self.call(d, 'put', 'amount=5', 'seat=2', who='carl')
        j = self.call(d, 'total')
        self.assertEqual(j['result'], 4000000005)
        self.assertEqual([(o['value'], o['line']) for o in j['opened']],
                         [(4000000005, 28)])
        self.assertGreaterEqual(j['rounds'], 1)
        self.assertTrue(any(j['bytes_sent']))
        kept = self.value(d, 'kept')
        self.assertEqual(kept['held_by'], list(range(self.nodes())))
        self.assertEqual((kept['missing_at'], kept['silent']), ([], []))
        self.assertEqual(kept['version'],
                         max(r['call'] for r in self.json('log', d)['records']
                             if r['call'] and r['action'] == 'put'))
        text = self.ok('call', d, 'total', '--as', 'bob')
        self.assertIn('opened in line 28: 4000000005\n', text)
        self.assertRegex(text, '[0-9]+ rounds? among %d nodes' % self.nodes())
        self.wrong(1, 'E0712', 'call', d, 'put', '1', '4294967296', '--as',
                   'bob')
        self.wrong(1, 'E0752', 'call', d, 'put', '4', '1', '--as', 'bob',
                   says=['no such seat'])

    def test_openings(self):
        """What is opened has its place, its path and its type."""
        j = self.json('deploy', home.PROGRAMS + '/openings.chi', '--as', 'bob')
        d = j['contract']

        def opened(*args):
            j = self.call(d, *args)
            text = self.ok('call', d, *args, '--as', 'bob')
            return ([(o['line'], o['path'], o['value'])
                     for o in j['opened']],
                    [x for x in text.splitlines() if x.startswith('opened')])
        self.assertEqual(opened('pair', '-5', '7', 'true', '9'), (
            [(13, 'at.x', -5), (13, 'at.y', 7), (13, 'good', True)],
            ['opened in line 13: at.x = -5, at.y = 7, good = true']))
        self.assertEqual(opened('two', '55'), (
            [(18, '0', 55), (18, '1', 200), (19, '', 55)],
            ['opened in line 18: 0 = 55, 1 = 200', 'opened in line 19: 55']))
        self.assertEqual(opened('turns', '[4,5,6]', '2'), (
            [(24, 'x', [4, 5, 0]), (24, 'y', [6, 5, 0])],
            ['opened in line 24: x = [4, 5, 0], y = [6, 5, 0]']))
        self.assertEqual(opened('twice', '6', 'true'), (
            [(6, '', 6), (6, '', True)],
            ['opened in line 6: 6', 'opened in line 6: true']))
        self.assertEqual(opened('rows', '[[1,-2],[3,4]]'), (
            [(35, 'x', [1, -2]), (36, '', 7)],
            ['opened in line 35: x = [1, -2]', 'opened in line 36: 7']))
        self.assertEqual(opened('until', '[1,2,30,4]', '9')[0],
                         [(41, '', 1), (41, '', [2, 30, 0, 0])])
        log = self.ok('log', d)
        for line in ('opened in line 13: at.x = -5, at.y = 7, good = true',
                     'opened in line 24: x = [4, 5, 0], y = [6, 5, 0]'):
            self.assertIn('    %s\n' % line, log)
        last = [r for r in self.json('log', d)['records'] if r.get('opened')][0]
        self.assertEqual([(o['path'], o['type'], o['col'])
                          for o in last['opened']],
                         [('at.x', 'i16', 17), ('at.y', 'u8', 17),
                          ('good', 'bool', 17)])

    def nodes(self):
        return self.json('net', 'status')['nodes']

    def test_reverted_after(self):
        """What was opened is known, though the call came to nothing."""
        d = self.desk()
        self.call(d, 'add', '3')
        self.call(d, 'put', '0', '50')
        self.wrong(1, 'E0752', 'call', d, 'capped', '50', '--as', 'bob',
                   says=['too much is kept'])
        self.assertEqual(self.value(d, 'count')['value'], 3)
        last = self.json('log', d)['records'][-1]
        self.assertEqual((last['outcome'], last['why'],
                          last['opened'][0]['value']),
                         ('reverted', 'too much is kept', 50))

    def test_small_primes(self):
        """2^k - 1 that is not the library's own."""
        f = self.file('tiny.chi', 'contract Tiny {\n    secret state v: field;'
                      '\n    action add(x: secret field) { v = v + x; }\n    '
                      'action show() -> field { return reveal(v * v); }\n}\n')
        for p in 7, 31, 2**31 - 1:
            d = self.json('deploy', f, '--field', 'prime:%d' % p, '--as',
                          'bob')['contract']
            self.call(d, 'add', '5')
            self.call(d, 'add', str(p - 1))
            self.assertEqual(int(self.call(d, 'show')['result']), 16 % p)

    def test_told(self):
        d = self.desk()
        self.call(d, 'put', '3', '77')
        j = self.call(d, 'tell', '3', who='carl')
        self.assertEqual([t['value'] for t in j['told']], [77])
        self.assertIn('told to carl alone: 77\n',
                      self.ok('call', d, 'tell', '3', '--as', 'carl'))
        j = self.call(d, 'whisper', 'ann')
        self.assertEqual(j['told'], [])
        mine = [t for t in self.json('inbox', '--as', 'ann')['letters']
                if t['contract'] == d]
        self.assertEqual([(t['value'], t['action'], t['caller'], t['call'])
                          for t in mine],
                         [(-7, 'whisper', self.bob, j['call'])])
        theirs = self.json('inbox', '--as', 'carl')['letters']
        self.assertEqual([t['value'] for t in theirs if t['contract'] == d],
                         [77, 77])
        self.assertIn('%s.whisper by bob' % d, self.ok('inbox', '--as', 'ann'))
        self.key('dora')
        self.assertEqual(self.json('inbox', '--as', 'dora')['letters'], [])
        self.assertEqual(self.ok('inbox', '--as', 'dora'), 'nothing\n')
        self.usage('inbox', says=['--as'])

    # ---- identities

    def test_opening_identities(self):
        d = self.desk()
        phrase = self.file('phrase', 'sesame\n')
        other = self.file('other', 'sesam\n')
        self.ok('new', 'identity', 'paul', '--passphrase-file', phrase)
        paul = '--as', 'paul'
        self.json('call', d, 'add', '1', *paul, '--passphrase-file', phrase)
        self.wrong(1, 'E0744', 'call', d, 'add', '1', *paul,
                   '--passphrase-file', other, says=['passphrase is wrong'])
        self.wrong(1, 'E0745', 'call', d, 'add', '1', *paul,
                   says=['no terminal'])
        code, text = self.terminal(
            'call', d, 'add', '1', *paul,
            types=[('passphrase of paul: ', 'sesame\n')])
        self.assertEqual(code, 0, text)
        self.assertIn('result = 2', text)
        path = self.id_file('paul')
        good = json.load(open(path))
        for key in 'public', 'nonce', 'box':
            bad = dict(good)
            bad[key] = ('1' if bad[key][0] == '0' else '0') + bad[key][1:]
            self.file(path, json.dumps(bad))
            self.wrong(1, 'E0744', 'call', d, 'add', '1', *paul,
                       '--passphrase-file', phrase)
        huge = dict(good, seal=dict(good['seal'], memory=2**40))
        for bad in ('', '[]', json.dumps(good)[:-9], json.dumps(huge),
                    json.dumps(dict(good, format=2)),
                    json.dumps(dict(good, box=good['box'][:-2])),
                    json.dumps(dict(good, seal={'kind': 'key-file'}))):
            self.file(path, bad)
            self.wrong(1, 'E0743', 'call', d, 'add', '1', *paul,
                       '--passphrase-file', phrase)
        self.assertEqual(self.json('state', d)['contract'], d)

    def test_key_files(self):
        d = self.desk()
        self.ok('new', 'identity', 'quin', '--key-file', self.tmp + '/q.key')
        quin = '--as', 'quin'
        self.json('call', d, 'add', '1', *quin)
        os.rename(self.tmp + '/q.key', self.tmp + '/moved.key')
        self.wrong(1, 'E0746', 'call', d, 'add', '1', *quin, says=['q.key'])
        self.json('call', d, 'add', '1', *quin, '--key-file',
                  self.tmp + '/moved.key')
        self.wrong(1, 'E0744', 'call', d, 'add', '1', *quin, '--key-file',
                   self.tmp + '/key', says=['another key file'])

    # ---- many calls

    def batch(self, contract, lines, *args, who='bob', **kw):
        path = self.file('calls.txt', lines if isinstance(lines, str) else
                         ''.join(json.dumps(x) + '\n' for x in lines))
        return self.chi('call', contract, '--batch', path, '--as', who, *args,
                        **kw)

    def test_batch(self):
        d = self.desk()
        r = self.batch(d, [['add', 5], ['put', 1, 40], ['put', {
            'amount': 2, 'seat': 0}], ['put', 2, {'amount': 8}], ['total'],
            ['swap', {'a': 1, 'b': -2}, [1, 2, 3], 0.5, {'on': True}],
            ['tell', 1]], '--json')
        self.assertEqual((r.returncode, r.stderr), (0, ''), r.stdout)
        j = [json.loads(x) for x in r.stdout.splitlines()]
        self.assertEqual([(x['line'], x['action'], x['outcome'])
                          for x in j],
                         [(k + 1, a, 'done') for k, a in enumerate(
                             ('add', 'put', 'put', 'put', 'total', 'swap',
                              'tell'))])
        self.assertEqual([x['result'] for x in j],
                         [5, None, None, None, 50,
                          [{'a': 1, 'b': -2}, False], None])
        self.assertEqual([x['value'] for x in j[6]['told']], [40])
        self.assertEqual([x['fields'] for x in j[2]['events']],
                         [{'by': self.bob, 'seat': 0}])
        self.assertEqual(len({x['call'] for x in j}), 7)
        r = self.batch(d, [['put', 1, 41], ['tell', 1]])
        self.assertEqual((r.returncode, r.stderr), (0, ''))
        self.assertRegex(r.stdout, 'line 2: .* is done, record [0-9]+\n'
                                   'told to bob alone: 41\n$')

    def test_batch_reverts(self):
        """Goes on after a condition that is false, on the ledger or among
        the nodes."""
        d = self.desk()
        lines = [['add', 5], ['add', 500], ['put', 0, 9], ['capped', 3],
                 ['add', 6]]
        r = self.batch(d, lines)
        self.assertEqual((r.returncode, r.stderr), (1, ''), r.stdout)
        text = r.stdout.splitlines()
        self.assertEqual(len(text), 5)
        self.assertRegex(text[0], '^line 1: %s.add is done, record [0-9]+, '
                         'result = 5$' % d)
        self.assertEqual(text[1], 'line 2: %s.add reverted: over the top' % d)
        self.assertRegex(text[2], '^line 3: %s.put is done, record [0-9]+$' % d)
        self.assertEqual(text[3],
                         'line 4: %s.capped reverted: too much is kept' % d)
        self.assertIn('result = 11', text[4])
        r = self.batch(d, lines[1:2] + lines[3:], '--json')
        self.assertEqual(r.returncode, 1)
        j = [json.loads(x) for x in r.stdout.splitlines()]
        self.assertEqual([(x['outcome'], x.get('why')) for x in j],
                         [('reverted', 'over the top'),
                          ('reverted', 'too much is kept'), ('done', None)])
        self.assertGreater(j[1]['record'], j[1]['call'])

    def test_batch_lines(self):
        """What cannot be read ends it, at its place."""
        d = self.desk()
        for line, ident, col in (
                ('["add", 5', 'E0715', 10), ('{"add": 5}', 'E0758', 1),
                ('[]', 'E0758', 1), ('[5]', 'E0758', 1),
                ('["ad", 5]', 'E0751', 2), ('["add"]', 'E0701', None),
                ('["add", 1, 2]', 'E0755', 12), ('["add", -5]', 'E0712', 9),
                ('["add", "five"]', 'E0711', 9),
                ('["add", {"m": 5}]', 'E0702', 10),
                ('["put", 1, {"seat": 1}]', 'E0703', 13),
                ('["owes", "bob", 1]', 'E0751', 2)):
            before = self.value(d, 'count')['value']
            lines = '["add", 1]\n\n%s\n["add", 50]\n' % line
            r = self.batch(d, lines, '--json')
            self.assertEqual(r.returncode, 1, (line, r.stdout, r.stderr))
            done, bad = [json.loads(x) for x in r.stdout.splitlines()]
            self.assertEqual((done['line'], bad['line']), (1, 3))
            self.assertEqual([(m['id'], m['column'], m['line'])
                              for m in bad['diagnostics']],
                             [(ident, col, col and 3)], line)
            r = self.batch(d, lines)
            self.assertEqual(r.stdout.count('\n'), 1)
            self.assertIn(ident, r.stderr)
            self.assertEqual(self.value(d, 'count')['value'], before + 2)
        self.usage('call', d, 'add', '--batch', 'x', '--as', 'bob')
        self.wrong(1, 'E0705', 'call', d, '--batch', self.tmp + '/none',
                   '--as', 'bob')
        self.wrong(1, 'E0705', 'call', d, '--batch', self.tmp, '--as', 'bob')
        r = self.batch(d, '')
        self.assertEqual((r.returncode, r.stdout, r.stderr), (0, '', ''))

    def test_batch_stream(self):
        """A line is answered before the next one is there."""
        d = self.desk()
        p = subprocess.Popen([home.CHI, 'call', d, '--batch', '-', '--as',
                              'bob', '--json'], stdin=subprocess.PIPE,
                             stdout=subprocess.PIPE, text=True, cwd=self.tmp,
                             env=self.env())
        for k in range(1, 40):
            p.stdin.write('["add", 1]\n')
            p.stdin.flush()
            self.assertEqual(json.loads(p.stdout.readline())['result'], k)
        p.stdin.write('["add", 1]')
        p.stdin.close()
        self.assertEqual(json.loads(p.stdout.readline())['result'], 40)
        self.assertEqual(p.wait(timeout=20), 0)
        p.stdout.close()

    # ---- views, state, log

    def test_views(self):
        d = self.desk()
        self.call(d, 'owe', 'bob', '3', '9', who='ann')
        self.wrong(1, 'E0752', 'call', d, 'owe', 'bob', '3', '9', '--as',
                   'bob', says=['only the chief'])
        self.assertEqual(self.json('view', d, 'owes', 'bob', '3'),
                         {'result': 9})
        self.assertEqual(self.json('view', d, 'owes', self.bob, 'kind=4'),
                         {'result': 0})
        self.assertEqual(self.ok('view', d, 'me', '--as', 'carl'),
                         'result = carl\n')
        self.assertEqual(self.json('view', d, 'me')['result'], '0' * 64)
        self.wrong(1, 'E0752', 'view', d, 'checked', '10', says=['too great'])
        self.wrong(1, 'E0742', 'view', d, 'me', '--as', 'zoe')
        self.wrong(1, 'E0701', 'view', d, 'checked')
        self.assertEqual(self.value(d, 'owed')['entries'],
                         [{'key': [self.bob, 3], 'value': 9}])
        self.assertIn('  bob, 3 = 9\n', self.ok('state', d))

    def test_state(self):
        d = self.desk()
        note = self.value(d, 'note')
        self.assertEqual((note['version'], note['initial'], note['secret']),
                         (0, -7, True))
        self.assertEqual(self.value(d, 'kept')['initial'], None)
        self.assertIn('begins as -7', self.ok('state', d))
        by_id = self.json('state', self.json('state', d)['id'][:12])
        self.assertEqual(by_id['contract'], d)
        self.wrong(1, 'E0750', 'state', 'Nothing')
        self.wrong(1, 'E0750', 'state', 'abcd')

    def test_log(self):
        d = self.desk()
        self.call(d, 'add', '5')
        self.chi('call', d, 'add', '500', '--as', 'carl')
        self.call(d, 'put', '1', '9', who='ann')
        r = self.json('log', d)
        self.assertTrue(r['verified'])
        self.assertEqual(
            [(x['kind'], x['action'], x['outcome']) for x in r['records']],
            [('deploy', None, 'done'), ('call', 'add', 'done'),
             ('call', 'add', 'reverted'), ('call', 'put', 'pending')] +
            [('vote', 'put', 'noted')] * (self.nodes() - 1) +
            [('vote', 'put', 'done')])
        self.assertEqual([x['sender'] for x in r['records'][:4]],
                         [self.bob, self.bob, self.carl, self.ann])
        self.assertEqual(r['records'][0]['args'],
                         {'top': 100, 'chief': self.ann})
        self.assertEqual(r['records'][3]['args'], {'seat': 1, 'amount': None})
        self.assertEqual(r['records'][1]['result'], 5)
        self.assertEqual(r['records'][-1]['events'],
                         [{'name': 'Put',
                           'fields': {'by': self.ann, 'seat': 1}}])
        text = self.ok('log', d)
        for s in ('bob  deploy(top: 100, chief: ann): done',
                  'bob  add(n: 5): done', '    result = 5',
                  'carl  add(n: 500): reverted: over the top',
                  'ann  put(seat: 1, amount: sealed): pending',
                  'put done', '    event Put(by: ann, seat: 1)', 'verified'):
            self.assertIn(s, text)

    def test_long_reason(self):
        d = self.json('deploy', home.PROGRAMS + '/shapes.chi', '--as',
                      'bob')['contract']
        why = 'a reason of more than forty characters, told in full'
        self.wrong(1, 'E0752', 'call', d, 'flags', '[true, false]', 'false',
                   '--as', 'bob', says=[why])
        self.assertIn(why + '\n', self.ok('log', d))

    def test_split(self):
        file = home.PROGRAMS + '/shapes.chi'
        self.assertIn('A view: answered from public state',
                      self.ok('split', file, 'nothing'))
        self.assertIn('of contract Shapes', self.ok('split', file, 'open'))

    def test_names(self):
        """What a contract that is not there may have meant."""
        j = self.json('deploy', home.PROGRAMS + '/desk.chi', 'top=1',
                      'chief=ann', '--as', 'bob')
        self.assertIn(j['contract'], self.ok('state', j['id'][:12]))
        r = self.chi('state', j['id'][:3])
        self.assertIn('"%s" here\nhint: An id is named by at least four' %
                      j['id'][:3], r.stderr)
        r = self.chi('state', 'Deks')
        self.assertIn('"Deks" here\nhint: Did you mean "Desk', r.stderr)

    def test_follow(self):
        d = self.desk()
        p = subprocess.Popen([home.CHI, 'log', d, '--follow', '--json'],
                             stdout=subprocess.PIPE, text=True, cwd=self.tmp,
                             env=self.env())
        self.assertEqual(json.loads(p.stdout.readline())['kind'], 'deploy')
        self.call(d, 'add', '5')
        self.assertEqual(json.loads(p.stdout.readline())['result'], 5)
        self.call(d, 'add', '6')
        self.assertEqual(json.loads(p.stdout.readline())['result'], 11)
        p.send_signal(signal.SIGINT)
        self.assertEqual(p.wait(timeout=10), -signal.SIGINT)
        p.stdout.close()

    # ---- many at once

    def at_once(self, calls):
        got = [None] * len(calls)

        def one(k):
            got[k] = self.chi('call', *calls[k], '--json')
        t = [threading.Thread(target=one, args=(k,))
             for k in range(len(calls))]
        for x in t:
            x.start()
        for x in t:
            x.join()
        return got

    def test_races(self):
        """One identity, many calls: counters are taken again."""
        d = self.desk(top=1000)
        got = self.at_once([(d, 'add', '1', '--as', 'bob')] * 12)
        self.assertEqual([r.returncode for r in got], [0] * 12,
                         [r.stdout for r in got])
        self.assertEqual(sorted(json.loads(r.stdout)['result'] for r in got),
                         list(range(1, 13)))

    def test_locks(self):
        """Calls that need what another holds wait for it."""
        d = self.desk()
        who = ['ann', 'bob', 'carl']
        got = self.at_once([(d, 'put', str(k % 4), str(k), '--as',
                             who[k % 3]) for k in range(9)])
        self.assertEqual([r.returncode for r in got], [0] * 9,
                         [r.stdout for r in got])
        self.assertEqual(self.call(d, 'total')['result'] > 0, True)
        calls = [r['call'] for r in self.json('log', d)['records']
                 if r['kind'] == 'vote' and r['outcome'] == 'done']
        self.assertEqual(len(set(calls)), 10)


class Faults(Ground):
    """Calls while something is missing."""

    def setUp(self):
        super().setUp()
        self.ok('net', 'start')
        self.bob = self.key('bob')
        self.d = self.json('deploy', home.PROGRAMS + '/desk.chi', 'top=4000000',
                           'chief=bob', '--as', 'bob')['contract']

    def test_stopped(self):
        self.ok('net', 'stop')
        for cmd in (('call', self.d, 'add', '1', '--as', 'bob'),
                    ('view', self.d, 'me'), ('state', self.d), ('log', self.d),
                    ('inbox', '--as', 'bob')):
            self.wrong(3, 'E0824', *cmd, says=['ledger', 'chi net'])

    def test_node_missing(self):
        w = json.load(open(self.tmp + '/.chi/net.json'))
        os.kill(self.keeper(), signal.SIGSTOP)
        kill(self.pid('node-1'))
        try:
            self.wrong(3, 'E0824', 'call', self.d, 'put', '1', '2', '--as',
                       'bob', says=['node 1'])
            self.assertEqual(self.json('call', self.d, 'add', '1', '--as',
                                       'bob')['result'], 1)
            r = self.chi('call', self.d, 'total', '--as', 'bob', '--timeout',
                         '40')
            self.assertEqual(r.returncode, 3, r.stdout + r.stderr)
            self.wrong(3, 'E0824', 'inbox', '--as', 'bob', says=['node 1'])
        finally:
            os.kill(w and self.keeper(), signal.SIGCONT)

    def test_batch_stops(self):
        """A call that finds no nodes is the last one."""
        kill_at = self.json('net', 'status')['processes'][1]['pid']
        os.kill(self.keeper(), signal.SIGSTOP)
        kill(kill_at)
        try:
            path = self.file('calls', '["add", 1]\n["put", 0, 7]\n'
                             '["add", 1]\n')
            r = self.chi('call', self.d, '--batch', path, '--as', 'bob',
                         '--json')
        finally:
            os.kill(self.keeper(), signal.SIGCONT)
        self.assertEqual(r.returncode, 3, r.stdout + r.stderr)
        j = [json.loads(x) for x in r.stdout.splitlines()]
        self.assertEqual((len(j), j[0]['outcome'], j[1]['line']),
                         (2, 'done', 2))
        self.assertEqual([m['id'] for m in j[1]['diagnostics']], ['E0824'])

    def test_other_ledger(self):
        """A ledger that is not the one of net.json."""
        path = self.tmp + '/.chi/net.json'
        w = open(path).read()
        j = json.loads(w)
        j['net'] = '00' * 32
        self.file(path, json.dumps(j))
        self.wrong(3, 'E0821', 'state', self.d, says=['another network'])
        j = json.loads(w)
        j['nodes'][0], j['nodes'][1] = j['nodes'][1], j['nodes'][0]
        self.file(path, json.dumps(j))
        self.wrong(3, 'E0821', 'call', self.d, 'put', '1', '2', '--as', 'bob',
                   says=['other nodes'])
        self.file(path, w)

    def test_ledger_dies(self):
        """Calls while the ledger is killed: each counts once or fails."""
        stop = threading.Event()
        done = []

        def caller():
            while not stop.is_set():
                r = self.chi('call', self.d, 'add', '1', '--as', 'bob',
                             '--json')
                done.append(r)
        t = threading.Thread(target=caller)
        t.start()
        for _ in range(5):
            time.sleep(0.3)
            kill(self.pid('ledger') or self.keeper())
            self.assertTrue(wait_for(self.healthy))
        stop.set()
        t.join()
        good = [json.loads(r.stdout)['result'] for r in done
                if r.returncode == 0]
        for r in done:
            if r.returncode != 0:
                self.assertEqual(r.returncode, 3, r.stdout)
                self.assertIn('E0824', r.stdout)
        self.assertEqual(len(good), len(set(good)))
        self.assertGreater(len(good), 5)
        calls = [r for r in self.json('log', self.d)['records']
                 if r['kind'] == 'call']
        self.assertEqual(len(calls), max(good))

    def test_restart_keeps(self):
        self.json('call', self.d, 'put', '1', '42', '--as', 'bob')
        self.ok('net', 'stop')
        self.ok('net', 'start')
        self.assertEqual(self.json('call', self.d, 'total', '--as',
                                   'bob')['result'], 42)


class Shamir(Contracts):
    NET = ('--nodes', '4')


if __name__ == '__main__':
    home.run(dict(net=Net, contracts=Contracts, shamir=Shamir, faults=Faults))
