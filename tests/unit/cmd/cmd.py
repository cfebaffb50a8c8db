#!/usr/bin/env python3
"""The command from outside: every subcommand, option, exit code, error path.

    cmd.py CHI PROGRAMS_DIR [GROUP..]
"""
import glob
import json
import os
import pty
import re
import signal
import subprocess
import sys
import tempfile
import time
import unittest

CHI = PROGRAMS = ''
P = 2**61 - 1


def chi(*args, env=None, stdin=None, timeout=120):
    e = dict(os.environ, **(env or {}))
    return subprocess.run([CHI, *args], capture_output=True, text=True, env=e,
                          timeout=timeout, stdin=stdin)


def program(name):
    return os.path.join(PROGRAMS, name)


BASIC = 'basic.chi'


def inputs(values):
    out = []
    for k, v in values.items():
        out += ['--input', '%s=%s' % (k, v)]
    return out


class Case(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.TemporaryDirectory()
        self.tmp = self.dir.name
        self.addCleanup(self.dir.cleanup)

    def file(self, name, text):
        path = os.path.join(self.tmp, name)
        with open(path, 'wb') as f:
            f.write(text if isinstance(text, bytes) else text.encode())
        return path

    def usage(self, *args, says=()):
        r = chi(*args)
        self.assertEqual(r.returncode, 2, (args, r.stdout, r.stderr))
        self.assertEqual(r.stdout, '')
        for s in says:
            self.assertIn(s, r.stderr)

    def clear(self, fn, file=BASIC, **values):
        r = chi('run', program(file), fn, '--clear', '--json',
                *inputs(values))
        self.assertEqual(r.returncode, 0, r.stdout + r.stderr)
        return json.loads(r.stdout)['outputs']

    def wrong(self, ident, fn, *says, file=BASIC, args=None, **values):
        """An error of the program or its input, as text and as JSON."""
        extra = args if args is not None else inputs(values)
        r = chi('run', program(file), fn, '--clear', *extra)
        self.assertEqual(r.returncode, 1, r.stdout + r.stderr)
        self.assertEqual(r.stdout, '')
        self.assertIn(ident, r.stderr)
        for s in says:
            self.assertIn(s, r.stderr)
        j = chi('run', program(file), fn, '--clear', '--json', *extra)
        self.assertEqual(j.returncode, 1)
        ids = [d['id'] for d in json.loads(j.stdout)['diagnostics']]
        self.assertIn(ident, ids)


class Usage(Case):
    COMMANDS = ['check', 'build', 'run', 'test', 'cost', 'inspect', 'split',
                'explain', 'new', 'net', 'deploy', 'call', 'view', 'log',
                'state', 'inbox', 'version', 'help']

    def test_help(self):
        r = chi('--help')
        self.assertEqual(r.returncode, 0)
        for c in self.COMMANDS:
            self.assertIn('\n  %s ' % c, r.stdout)
            h = chi(c, '--help')
            self.assertEqual(h.returncode, 0)
            self.assertIn('--json', h.stdout)
            self.assertLessEqual(max(map(len, h.stdout.split('\n'))), 82)
            self.assertIn('Examples:', h.stdout)
            self.assertEqual(chi('help', c).stdout, h.stdout)
            self.assertIn('usage: chi ' + c, json.loads(
                chi(c, '--help', '--json').stdout)['help'])
        for hidden in 'node', 'node-process', 'ledger-process', 'net-process':
            self.assertNotIn('\n  %s ' % hidden, r.stdout)
        self.assertEqual(chi('-h').stdout, r.stdout)

    def test_version(self):
        v = json.loads(chi('version', '--json').stdout)['version']
        self.assertEqual(chi('--version').stdout, 'chi %s\n' % v)

    def test_commands(self):
        self.usage(says=['no command'])
        self.usage('rnu', says=["'rnu'", "'chi run'"])
        self.usage('zzzzzz', says=["unknown command 'zzzzzz'"])
        self.usage('--jsno', says=["unknown option '--jsno'"])
        self.usage('help', 'runn', says=["'chi run'"])
        self.usage('node', says=['--control'])

    def test_options(self):
        f = program(BASIC)
        self.usage('run', f, 'add', '--inptu', 'a=1',
                   says=["'--inptu'", "'--input'"])
        self.usage('check', f, '--clear', says=["'--clear' of 'chi check'"])
        self.usage('run', f, 'add', '--nodes',
                   says=["'--nodes' needs a value"])
        self.usage('run', f, 'add', '--nodes', '--json', says=['needs a value'])
        self.usage('run', f, 'add', '--json', '--json', says=['given twice'])
        self.usage('run', f, 'add', '--nodes=3', '--nodes', '3',
                   says=['given twice'])
        self.usage('run', f, 'add', '--json=yes', says=['takes no value'])
        for field, why in (('p62', 'none of that name'), ('', 'none of that'),
                           ('prime:', 'no number'), ('prime:1x', 'no number'),
                           ('prime:15', 'no odd prime'), ('prime:2', 'no odd'),
                           ('prime:3', 'fewer than 3 bits'),
                           ('prime:%d' % (2**607 - 1), 'more bits')):
            self.usage('run', f, 'add', '--field', field,
                       says=["'--field' takes a field", why])
        self.usage('explain', 'E0101', '--field', 'p61', says=["'--field'"])
        self.usage('run', f, says=['missing argument'])
        self.usage('run', f, 'add', 'more', says=["unexpected argument 'more'"])
        self.usage('build', f, says=["'-o' is missing"])
        self.usage('inspect', f, 'add', '--stage', 'shed', says=["'sched'"])
        self.usage('run', f, 'add', '--opt', '3', says=['0 to 2'])
        self.usage('run', f, 'add', '--timeout', '0', says=['1 to 86400'])
        self.usage('explain', 'E0101', '--all', says=['--all'])

    def test_model(self):
        f = program(BASIC)
        for n in '2', '65', '-3', 'three', '3.0', '99999999999999999999', '':
            self.usage('run', f, 'add', '--nodes', n, says=['3 to 64'])
        self.usage('cost', f, 'add', '--protocol', 'shamri', says=["'shamir'"])
        self.usage('run', f, 'add', '--protocol', 'rep3', '--nodes', '5',
                   says=['rep3 has 3 nodes'])

    def test_explain(self):
        one = chi('explain', 'E0701')
        self.assertEqual(one.returncode, 0)
        self.assertIn('Example:', one.stdout)
        self.assertIn('Mend:', one.stdout)
        self.assertEqual(chi('explain', 'e0701').stdout, one.stdout)
        self.usage('explain', 'E070l', says=["'E0701'"])
        all_ = json.loads(chi('explain', '--json').stdout)
        self.assertGreater(len(all_), 50)
        self.assertEqual(len({d['id'] for d in all_}), len(all_))
        listed = chi('explain').stdout.split('\n')
        self.assertEqual(len(listed), len(all_) + 1)
        page = chi('explain', '--all', '--markdown').stdout
        for d in all_:
            self.assertIn('\n## %s ' % d['id'], page)
            self.assertIn('Example:', d['story'])
            self.assertIn('Mend:', d['story'])
            self.assertIn(d['id'], chi('explain', '--all').stdout)

    def test_completions(self):
        """They name every option that the parser takes."""
        top = os.path.dirname(os.path.dirname(PROGRAMS))
        for shell in 'chi.bash', '_chi', 'chi.fish':
            text = open(os.path.join(top, 'scripts', 'completion',
                                     shell)).read()
            for c in self.COMMANDS[:-2]:
                for line in chi(c, '--help').stdout.split('\n'):
                    w = line.split()
                    if line.startswith('  --'):
                        self.assertIn(w[0].lstrip('-'), text, shell)

    def test_manual(self):
        """The synopsis of each command in chi.1 has all of its options."""
        top = os.path.dirname(os.path.dirname(PROGRAMS))
        page = open(os.path.join(top, 'docs', 'chi.1')).read()
        synopsis, rest = page.split('.Sh DESCRIPTION')
        parts = synopsis.split('.Nm\n')
        for c in self.COMMANDS[:-2]:
            mine = ''.join(p for p in parts if p.startswith('.Cm ' + c))
            self.assertTrue(mine, c)
            self.assertIn('.It Cm ' + c, rest)
            for line in chi(c, '--help').stdout.split('\n'):
                w = line.split()
                if line.startswith('  -') and w[0] != '--help':
                    self.assertIn('Fl %s ' % w[0][1:], mine.replace(
                        '\n', ' '), c)
                    self.assertIn('Fl %s' % w[0][1:], rest, c)

    def test_check(self):
        ok = chi('check', program('pass.chi'))
        self.assertEqual((ok.returncode, ok.stdout), (0, ''))
        self.assertEqual(json.loads(
            chi('check', '--json', program('pass.chi')).stdout), [])
        bad = chi('check', program('wrong.chi'))
        self.assertEqual(bad.returncode, 1)
        self.assertIn('wrong.chi:2:', bad.stderr)
        self.assertIn('^', bad.stderr)
        self.assertIn('wrong.chi:6:', bad.stderr)
        self.assertIn('wrong.chi:10:', bad.stderr)
        j = chi('check', '--json', program('wrong.chi'))
        self.assertEqual(j.returncode, 1)
        d = json.loads(j.stdout)
        self.assertGreaterEqual(len(d), 3)
        for k in ('id', 'severity', 'file', 'line', 'column', 'endLine',
                  'endColumn', 'message', 'hint', 'notes'):
            self.assertIn(k, d[0])
        self.assertEqual((d[0]['line'], d[0]['severity']), (2, 'error'))
        self.assertEqual(chi('check', self.tmp + '/no.chi').returncode, 1)
        with open(self.tmp + '/binary.chi', 'wb') as f:
            f.write(b'fn f() -> u8 {\n return 1;\n\0\1\2}')
        r = chi('check', self.tmp + '/binary.chi')
        self.assertEqual((r.returncode, r.stderr.count('error[')), (1, 1))
        self.assertIn('zero bytes', r.stderr)
        self.assertEqual(chi('check', self.tmp).returncode, 1)
        empty = self.file('empty.chi', '')
        self.assertEqual(chi('check', empty).returncode, 0)
        for text in b'\0', b'fn f(', b'\xff\xfe', b'/*', b'"':
            self.assertEqual(chi('check', self.file('x.chi', text)).returncode,
                             1, text)

    def on_terminal(self, *args, env=None, until=None):
        """What the command writes to a terminal as standard error."""
        ours, theirs = pty.openpty()
        p = subprocess.Popen([CHI, *args], stdout=subprocess.DEVNULL,
                             stderr=theirs, env={**os.environ, 'TERM': 'xterm',
                                                 **(env or {})})
        os.close(theirs)
        text = b''
        while True:
            try:
                part = os.read(ours, 65536)
            except OSError:
                break
            if not part:
                break
            text += part
            if until and until in text:
                p.send_signal(signal.SIGINT)
                until = None
        p.wait(timeout=30)
        os.close(ours)
        return text.decode()

    def test_colour(self):
        wrong = program('wrong.chi')
        self.assertNotIn('\033', chi('check', wrong).stderr)
        self.assertIn('\033', self.on_terminal('check', wrong,
                                               env={'NO_COLOR': ''}))
        self.assertNotIn('\033', self.on_terminal('check', wrong,
                                                  env={'NO_COLOR': '1'}))
        self.assertNotIn('\033', self.on_terminal('check', wrong,
                                                  env={'TERM': 'dumb'}))

    def test_progress(self):
        f = program(BASIC)
        text = self.on_terminal('run', f, 'slow', '--input', 'x=3',
                                until=b'running on the nodes')
        self.assertRegex(text, 'running on the nodes, [1-9]')
        self.assertEqual(text.split('\r')[-1], '\033[K')
        quick = self.on_terminal('version')
        self.assertEqual(quick, '')

    def test_output_that_cannot_be_written(self):
        with open('/dev/full', 'w') as full:
            r = subprocess.run([CHI, 'version'], stdout=full,
                               stderr=subprocess.PIPE)
        self.assertEqual(r.returncode, 3)

    def test_build(self):
        out = self.tmp + '/deep/er'
        r = chi('build', program(BASIC), 'mul', '-o', out, '--json')
        self.assertEqual(r.returncode, 0, r.stderr)
        self.assertEqual(sorted(os.listdir(out)),
                         ['mul.c', 'mul.h', 'mul.json'])
        self.assertEqual([os.path.basename(p) for p in json.loads(
            r.stdout)['files']], ['mul.c', 'mul.h', 'mul.json'])
        m = json.load(open(out + '/mul.json'))
        self.assertEqual(m['name'], 'mul')
        self.assertEqual(len(m['circuit_hash']), 64)
        first = open(out + '/mul.c').read()
        chi('build', program(BASIC), '-o', out)
        self.assertEqual(open(out + '/mul.c').read(), first)
        self.assertIn('power.json', os.listdir(out))
        self.assertNotIn('first.c', os.listdir(out))
        inc = os.path.join(os.path.dirname(os.path.dirname(CHI)), 'include')
        for cc in 'gcc', 'clang':
            for f in sorted(glob.glob(out + '/*.c')):
                r = subprocess.run(
                    [cc, '-std=c11', '-Wall', '-Wextra', '-Wpedantic',
                     '-Werror', '-O1', '-I', inc, '-c', f, '-o', '/dev/null'],
                    capture_output=True, text=True)
                self.assertEqual(r.returncode, 0, r.stderr)

    def test_build_errors(self):
        out = self.tmp + '/out'
        r = chi('build', program('wrong.chi'), '-o', out)
        self.assertEqual(r.returncode, 1)
        self.assertFalse(os.path.exists(out))
        r = chi('build', program('generic.chi'), '-o', out)
        self.assertEqual(r.returncode, 1)
        self.assertIn('E0722', r.stderr)
        r = chi('build', program(BASIC), 'first', '-o', out)
        self.assertEqual(r.returncode, 1)
        self.assertIn('E0721', r.stderr)
        r = chi('build', program(BASIC), 'ad', '-o', out)
        self.assertIn('"add"', r.stderr)
        blocked = self.file('plain', 'x')
        r = chi('build', program(BASIC), 'add', '-o', blocked)
        self.assertEqual(r.returncode, 3)
        self.assertIn('E0727', r.stderr)
        # what no ledger would take is not built
        many = self.file('many.chi', '''contract Many {
  secret state s: [u16; 8];
  action go(x: secret u16) {
    s[0] = x;
%s  }
}
''' % ''.join('    let _v%d = reveal(s[%d]);\n' % (k, k % 8)
              for k in range(1100)))
        r = chi('build', many, '-o', out)
        self.assertEqual(r.returncode, 1)
        self.assertIn('E0614', r.stderr)
        self.assertIn('more than 1024 leaves', r.stderr)
        self.assertFalse(os.path.exists(out))

    def test_inspect(self):
        for stage in 'high', 'core', 'sched':
            r = chi('inspect', program(BASIC), 'mul', '--stage', stage)
            self.assertEqual(r.returncode, 0, r.stderr)
            self.assertIn('mul', r.stdout)
            j = json.loads(chi('inspect', program(BASIC), 'mul', '--stage',
                               stage, '--json').stdout)
            self.assertEqual((j['stage'], j['text']), (stage, r.stdout))
        self.assertNotEqual(
            chi('inspect', program(BASIC), 'mul', '--spans').stdout,
            chi('inspect', program(BASIC), 'mul').stdout)


class Inputs(Case):
    def test_scalars(self):
        self.assertEqual(self.clear('add', a='200', b='0x37'),
                         {'result': 255})
        self.assertEqual(self.clear('shift', a='-128', b='-128'),
                         {'result': -256})
        self.assertEqual(self.clear('shift', a='+1', b='1_0'), {'result': 11})
        for bad in '1.5', 'one', '1e3', '--1', '1_', '0x', '5 6', '"':
            self.assertEqual(chi('run', program(BASIC), 'add', '--clear',
                                 '--input', 'a=' + bad, '--input',
                                 'b=1').returncode, 1, bad)
        self.wrong('E0711', 'add', 'is not an integer', a='1.5', b='1')
        self.wrong('E0712', 'add', 'u8', '0..255', a='256', b='1')
        self.wrong('E0712', 'add', a='-1', b='1')
        self.wrong('E0712', 'add', a='9' * 60, b='1')

    def test_names(self):
        self.wrong('E0701', 'add', '"b"', '--input b=VALUE', a='1')
        self.wrong('E0702', 'total', '"xs"', xss='[1,2,3]', xs='[1,2,3]')
        self.wrong('E0702', 'add', 'It has: a, b.', what='1', a='1', b='1')
        self.wrong('E0703', 'add', '"a"',
                   args=['--input', 'a=1', '--input', 'a=2', '--input', 'b=1'])
        for bad in 'a', '=1', 'a=', 'a=@':
            self.wrong('E0704', 'add', args=['--input', bad])

    def test_template_values(self):
        pool = os.path.join(PROGRAMS, '../../examples/salary_pool',
                            'salary_pool.chi')
        for ident, values in (('E0704', ['SEATS']), ('E0704', ['SEATS=']),
                              ('E0704', ['=3']), ('E0259', ['SEATS=x']),
                              ('E0259', ['SEATS=1.5']), ('E0261', ['SEAT=3']),
                              ('E0703', ['SEATS=3', 'SEATS=5'])):
            sets = [x for v in values for x in ('--set', v)]
            r = chi('check', pool, '--json', *sets)
            self.assertEqual(r.returncode, 1, values)
            self.assertEqual([d['id'] for d in json.loads(r.stdout)], [ident])
        self.assertEqual(chi('check', pool, '--set', 'SEATS=3').returncode, 0)

    def test_lists(self):
        self.assertEqual(self.clear('total', xs='[1,2,3]'), {'result': 6})
        self.assertEqual(self.clear('total', xs=' [ 1 , 2 , 3 , ] '),
                         {'result': 6})
        m = [[1, 2, 3], [4, 5, 6]]
        self.assertEqual(self.clear('matrix', m=str(m)), {'result': m})
        c = [[[1, -2], [3, 4]], [[5, 6], [7, 8]]]
        self.assertEqual(self.clear('cube', m=str(c)), {'result': c})
        self.wrong('E0713', 'total', 'shape 2', xs='[1,2]')
        self.wrong('E0713', 'total', 'shape 4', xs='[1,2,3,4]')
        self.wrong('E0713', 'total', xs='[]')
        self.wrong('E0713', 'matrix', '3 x 2', '2 x 3',
                   m='[[1,2],[3,4],[5,6]]')
        self.wrong('E0713', 'matrix', m='[1,2]')
        self.wrong('E0714', 'matrix', m='[[1,2,3],[4,5]]')
        self.wrong('E0716', 'matrix', m='[[1,2,3],4]')
        self.wrong('E0716', 'total', 'a list', xs='5')
        self.wrong('E0713', 'add', a='[1]', b='1')
        self.wrong('E0712', 'total', 'input "xs"[1]', xs='[1,300,3]')
        self.wrong('E0715', 'total', xs='[1,2')
        self.wrong('E0715', 'total', xs='[1 2 3]')
        self.wrong('E0715', 'total', xs='[1,,3]')
        self.wrong('E0715', 'total', xs='[1,2,3]]')
        self.wrong('E0715', 'total', xs='[' * 5000)

    def test_texts(self):
        """Arrays of bytes as text."""
        for text in 'abc', '"abc"', '[97, 98, "99"]':
            self.assertEqual(self.clear('total', xs=text), {'result': 294})
        self.assertEqual(self.clear('total', xs='"5\\u00e9"'),
                         {'result': 53 + 0xc3 + 0xa9})
        self.assertEqual(self.clear('total', xs='é!'),
                         {'result': 0xc3 + 0xa9 + 33})
        self.assertEqual(self.clear('matrix', m='["abc", [1, 2, 3]]'),
                         {'result': [[97, 98, 99], [1, 2, 3]]})
        self.wrong('E0713', 'total', 'shape 2', xs='ab')
        self.wrong('E0713', 'total', 'shape 4', xs='"abcd"')
        self.wrong('E0716', 'total', 'a list', xs='500')
        self.wrong('E0716', 'matrix', m='"abc"')
        self.wrong('E0714', 'matrix', m='["abc", "de"]')

    def test_structs(self):
        self.assertEqual(self.clear('point', p='{x: 1, y: 2}'),
                         {'result': [1, 2]})
        self.assertEqual(self.clear('point', p='{"y":2,"x":1}'),
                         {'result': [1, 2]})
        self.assertEqual(self.clear('points', ps='[{x:1,y:2},{x:3,y:4}]'),
                         {'result': 6})
        self.assertEqual(self.clear('pair', t='[7, true]'),
                         {'result': [True, 7]})
        self.assertEqual(self.clear('pair', t='(7, false)'),
                         {'result': [False, 7]})
        self.assertEqual(self.clear('pairs', t='[[1,2],[3,4],[5,6]]'),
                         {'result': [2, 4, 6]})
        self.assertEqual(self.clear('halves', t='[[1,2,3],4]'), {'result': 3})
        self.wrong('E0717', 'point', 'missing', p='{x: 1}')
        self.wrong('E0717', 'point', 'no field "z"', p='{x: 1, y: 2, z: 3}')
        self.wrong('E0717', 'point', 'twice', p='{x: 1, y: 2, x: 3}')
        self.wrong('E0717', 'pair', t='[7]')
        self.wrong('E0716', 'point', p='5')
        self.wrong('E0716', 'pair', t='7')
        self.wrong('E0716', 'point', p='[1,2]')
        self.wrong('E0712', 'points', ps='[{x:1,y:2},{x:3,y:400}]')

    def test_booleans(self):
        self.assertEqual(self.clear('votes', b='[1,0,true,TRUE]'),
                         {'result': 3})
        self.wrong('E0711', 'votes', 'true or false', b='[1,0,2,1]')

    def test_field(self):
        self.assertEqual(self.clear('element', a=str(P - 1)),
                         {'result': P - 1})
        self.assertEqual(self.clear('element', a='-1'), {'result': P - 1})
        self.wrong('E0712', 'element', a=str(P))
        self.wrong('E0711', 'element', a='x')

    def test_wide(self):
        n = 2**200 - 1
        self.assertEqual(self.clear('wide', a=str(n)), {'result': n + 1})
        self.wrong('E0712', 'wide', a=str(n + 1))

    def test_fixed(self):
        for text, want in (('1.5', '1.5'), ('-0.5', '-0.5'), ('3', '3.0'),
                           ('1e2', '100.0'), ('0.1', '0.1'), ('.25', '0.25'),
                           ('0.00000762939453125', '0.0'),
                           ('0.00000762939453126', '0.00002')):
            r = chi('run', program(BASIC), 'exact', '--clear', '--json',
                    '--input', 'a=' + text)
            self.assertEqual(r.returncode, 0, r.stdout)
            self.assertIn('"result":%s}' % want, r.stdout)
        self.wrong('E0711', 'exact', 'decimal', a='1.2.3')
        self.wrong('E0711', 'exact', a='e5')
        self.wrong('E0712', 'exact', a='65537')
        self.wrong('E0712', 'exact', a='1e99')
        self.wrong('E0711', 'exact', a='1e999999')

    def test_identities(self):
        self.assertEqual(self.clear('same', a='ann', b='ann'),
                         {'result': True})
        self.assertEqual(self.clear('same', a='ann', b='bob'),
                         {'result': False})
        key = 'ab' * 32
        self.assertEqual(self.clear('echo', a=key), {'result': key})
        self.assertEqual(self.clear('same', a=key, b=key.upper()),
                         {'result': True})
        self.wrong('E0711', 'same', '64 hex', a='12', b='ann')
        self.wrong('E0711', 'same', a='a b', b='ann')

    def csv(self, text):
        return self.file('d.csv', text)

    def test_csv(self):
        p = self.csv('id,"a,b",c\r\n1,10,"3"\r\n2,20, 4 \n"3",30,5')
        self.assertEqual(self.clear('total', xs='@%s:c' % p), {'result': 12})
        self.assertEqual(self.clear('total', xs='@%s:"a,b"' % p),
                         {'result': 60})
        self.assertEqual(self.clear('matrix', m='@%s:id,"a,b",c:2-3' % p),
                         {'result': [[2, 20, 4], [3, 30, 5]]})
        self.assertEqual(self.clear('total', xs='@%s:id,c,"a,b":2-2' % p),
                         {'result': 26})
        self.assertEqual(self.clear('add', a='@%s:c:1-1' % p,
                                    b='@%s:id:3' % p), {'result': 6})
        crlf = self.file('crlf.csv', '\ufeffa\r\n1\r\n2\r\n3\r\n\r\n')
        self.assertEqual(self.clear('total', xs='@%s:a' % crlf), {'result': 6})
        odd = self.file('a:b.csv', 'x\n1\n2\n3\n')
        self.assertEqual(self.clear('total', xs='@%s:x' % odd), {'result': 6})
        q = self.file('q.csv', 'x,note\n1,"a ""b"",\nc"\n2,\n3,z\n')
        self.assertEqual(self.clear('total', xs='@%s:x' % q), {'result': 6})

    def test_csv_errors(self):
        p = self.csv('a,b\n1,2\n3,4\n5,6\n')
        self.wrong('E0707', 'total', 'no column "c"', xs='@%s:c' % p)
        self.wrong('E0710', 'total', '3 rows', xs='@%s:a:2-4' % p)
        self.wrong('E0713', 'total', xs='@%s:a:1-2' % p)
        self.wrong('E0713', 'matrix', '3 x 2', m='@%s:a,b' % p)
        self.wrong('E0715', 'total', xs='@%s:a:3-2' % p)
        self.wrong('E0715', 'total', xs='@%s:a:0-2' % p)
        self.wrong('E0715', 'total', xs='@%s:a:x' % p)
        self.wrong('E0715', 'total', xs='@%s:' % p)
        self.wrong('E0706', 'total', 'without a column', xs='@' + p)
        self.wrong('E0705', 'total', 'No such file', xs='@/nosuch.csv:a')
        self.wrong('E0705', 'total', 'No such file', xs='@/nosuch.json')
        self.wrong('E0705', 'total', xs='@%s:a' % self.tmp)
        self.wrong('E0716', 'point', '@FILE.json', p='@%s:a,b' % p)
        bad = self.csv('a,b\n1,2\n3\n5,6\n')
        self.wrong('E0709', 'total', 'row 2', '1 field', xs='@%s:a' % bad)
        bad = self.csv('a,b\n1,2\n3,300\n5,6x\n')
        self.wrong('E0712', 'total', 'row 2, column "b"', '300', '0..255',
                   'row 3, column "b"', '6x', bad + ':3:3', xs='@%s:b' % bad)
        bad = self.csv('a\n1\n\n3\n')
        self.wrong('E0711', 'total', 'row 2', xs='@%s:a' % bad)
        bad = self.csv('a\n"1\n2\n3\n')
        self.wrong('E0709', 'total', 'not closed', xs='@%s:a' % bad)
        bad = self.csv('a\n1"\n2\n3\n')
        self.wrong('E0709', 'total', xs='@%s:a' % bad)
        self.wrong('E0708', 'total', 'empty', xs='@%s:a' % self.csv(''))
        self.wrong('E0708', 'total', '2 times',
                   xs='@%s:a' % self.csv('a,a\n1,1\n'))
        self.wrong('E0711', 'total', 'row 1',
                   xs='@%s:a' % self.csv(b'a\n\x00\n2\n3\n'))

    def test_json(self):
        p = self.file('x.json', '[1, 2,\n 3]')
        self.assertEqual(self.clear('total', xs='@' + p), {'result': 6})
        p = self.file('x.json', '{"y": 2, "x": 1}')
        self.assertEqual(self.clear('point', p='@' + p), {'result': [1, 2]})
        n = 2**200 - 2
        p = self.file('x.json', str(n))
        self.assertEqual(self.clear('wide', a='@' + p), {'result': n + 1})
        p = self.file('x.json', '"%d"' % n)
        self.assertEqual(self.clear('wide', a='@' + p), {'result': n + 1})
        p = self.file('x.json', '"\\u0061nn"')
        self.assertEqual(self.clear('same', a='@' + p, b='ann'),
                         {'result': True})
        for bad in ('[1,2,3,]', '[1,2,3', '{x: 1}', '[1,2,0x3]', '', '[01,2,3]',
                    '[1,2,3] 4', '["\\q",2,3]', '["\n",2,3]', '["\\ud800"]'):
            p = self.file('x.json', bad)
            self.wrong('E0715', 'total', xs='@' + p)
        p = self.file('x.json', '[1,\n2,\n999]')
        self.wrong('E0712', 'total', 'x.json:3:1', xs='@' + p)
        p = self.file('x.json', '[1,null,3]')
        self.wrong('E0711', 'total', xs='@' + p)

    def test_function(self):
        self.wrong('E0720', 'ad', '"add"')
        pool = os.path.join(PROGRAMS, '../../examples/salary_pool',
                            'salary_pool.chi')
        for command, says in (('cost', 'SalaryPool.close'),
                              ('inspect', 'SalaryPool.close'),
                              ('run', 'chi call')):
            r = chi(command, pool, 'close')
            self.assertEqual(r.returncode, 1)
            self.assertIn('E0720', r.stderr)
            self.assertIn(says, r.stderr)
        self.wrong('E0721', 'first')
        self.wrong('E0725', 'quotient', a='7', b='0')
        self.wrong('E0725', 'enough', 'fewer than three', n='2', xs='[1,2,3]')
        self.wrong('E0725', 'opened_check', 'seven', x='7')


class Run(Case):
    MODES = [('--nodes', '3'), ('--nodes', '3', '--protocol', 'shamir'),
             ('--nodes', '4'), ('--nodes', '5'), ('--nodes', '7'),
             ('--opt', '0'), ('--opt', '1')]

    def run_json(self, fn, *mode, file=BASIC, **values):
        r = chi('run', program(file), fn, '--json', *mode, *inputs(values))
        self.assertEqual(r.returncode, 0, r.stdout + r.stderr)
        j = json.loads(r.stdout)
        self.assertEqual(j['rounds'], j['predicted']['rounds'])
        self.assertEqual(j['bytes_sent'], j['predicted']['bytes_sent'])
        self.assertEqual(len(j['bytes_sent']), j['nodes'])
        self.assertGreater(j['seconds_online'], 0)
        self.assertGreaterEqual(j['seconds'], j['seconds_online'])
        return j

    def test_modes(self):
        for mode in self.MODES:
            j = self.run_json('mul', *mode, a='-300', b='200')
            self.assertEqual(j['outputs'], {'result': -60000}, mode)

    def test_like_clear(self):
        for fn, values in (
                ('add', dict(a='1', b='2')),
                ('shift', dict(a='-5', b='-6')),
                ('matrix', dict(m='[[1,2,3],[4,5,6]]')),
                ('point', dict(p='{x:1,y:2}')),
                ('points', dict(ps='[{x:1,y:2},{x:3,y:4}]')),
                ('pair', dict(t='[1,true]')),
                ('stats', dict(xs='[1,2,4]')),
                ('exact', dict(a='1.25')),
                ('wide', dict(a=str(2**200 - 1))),
                ('element', dict(a='12345')),
                ('votes', dict(b='[1,1,0,1]')),
                ('same', dict(a='ann', b='bob')),
                ('quotient', dict(a='7', b='2')),
                ('enough', dict(n='3', xs='[1,2,3]')),
                ('power', dict(n='5', x='3'))):
            want = self.clear(fn, **values)
            got = self.run_json(fn, **values)['outputs']
            self.assertEqual(got, want, fn)
        self.assertEqual(self.clear('stats', xs='[1,2,4]'),
                         {'total': 7, 'parts': [1, 2, 4], 'half': 3.5})
        self.assertEqual(self.clear('power', n='5', x='3'), {'result': 3**6})

    def test_data_dependent_cost(self):
        for n in 0, 1, 9:
            j = self.run_json('power', n=n, x='2')
            self.assertEqual(j['outputs'], {'result': 2**(n + 1)})

    def test_told(self):
        for mode in self.MODES[:4] + [('--clear',)]:
            r = chi('run', program(BASIC), 'tell', '--json', '--input', 'x=12',
                    '--input', 'who=ann', *mode)
            self.assertEqual(r.returncode, 0, r.stdout + r.stderr)
            j = json.loads(r.stdout)
            self.assertEqual([(t['to'], t['value']) for t in j['told']],
                             [('ann', 144)], mode)
            self.assertNotIn('144', json.dumps(j['outputs']))
        r = chi('run', program(BASIC), 'tell', '--input', 'x=12', '--input',
                'who=ann')
        self.assertIn('told to ann alone', r.stdout)
        seed = ('3d4017c3e843895a92b70aa74d1b7ebc'
                '9c982ccf2ec4968cc0cd55f12af4660c')
        r = chi('run', program(BASIC), 'tell', '--json', '--input', 'x=12',
                '--input', 'who=' + seed)
        self.assertEqual(r.returncode, 0, r.stdout + r.stderr)
        self.assertEqual(json.loads(r.stdout)['told'][0]['value'], None)
        self.assertEqual(json.loads(r.stdout)['told'][0]['to'], seed)

    def test_small_primes(self):
        """2^k - 1 is not the library's own for each k; Shamir's sharing needs
        more elements than nodes."""
        f = self.tmp + '/tiny.chi'
        with open(f, 'w') as out:
            out.write('fn f(x: secret field, y: secret field) -> field {\n'
                      '    return reveal(x * y);\n}\n')
        for p in 5, 7, 31, 2**17 - 1, 2**31 - 1:
            for n in '3', '4', '5':
                r = chi('run', f, 'f', '--json', '--field', 'prime:%d' % p,
                        '--nodes', n, *inputs(dict(x=str(p - 1), y='3')))
                if p <= int(n) > 3:
                    self.assertEqual(r.returncode, 1, r.stderr)
                    self.assertIn('E0721', r.stdout + r.stderr)
                else:
                    self.assertEqual(json.loads(r.stdout)['outputs'],
                                     {'result': p - 3}, (p, n, r.stderr))

    def test_fields(self):
        most, low = 2**64 - 1, -2**99
        cases = (('product', dict(a=most, b=-5), -5 * most),
                 ('sorted', dict(xs=[most, 3, 2**63, 0], w=[2**100 - 1, 1, 2, 3]),
                  [2**100 - 1, 4, 2**63 + 2, most + 3]),
                 ('pick', dict(xs=[low, 2, 3, -low - 1], i=3), -low - 1),
                 ('pick', dict(xs=[low, 2, 3, -low - 1], i=0), low),
                 ('less', dict(a=low, w=low + 1), True),
                 ('common', dict(a=2**100 - 2, w=3**60), 3**60 & 2**100 - 2),
                 ('quotient', dict(a=most, b=10**9), most // 10**9))
        curve = 2**255 - 19
        for mode, some in (((), cases), (('--field', 'prime:%d' % curve,
                                          '--nodes', '4'), cases[3:5])):
            for fn, values, want in some:
                j = self.run_json(fn, *mode, file='wide.chi',
                                  **{k: str(v) for k, v in values.items()})
                self.assertEqual(j['outputs'], {'result': want}, (fn, mode))
            r = chi('run', program('wide.chi'), 'tell', '--json', *mode,
                    *inputs(dict(a=most, b=-5, who='ann')))
            self.assertEqual([t['value'] for t in json.loads(r.stdout)['told']],
                             [-5 * most], r.stderr)
        for field, p in (('p127', 2**127 - 1), ('prime:0x%x' % curve, curve)):
            for x in -3, p - 1:
                j = self.run_json('square', '--field', field, a=x,
                                  file='wide.chi')
                self.assertEqual(j['outputs'], {'result': x * x % p}, field)
                r = chi('run', program('wide.chi'), 'tell_square', '--json',
                        '--field', field, *inputs(dict(a=x, who='ann')))
                self.assertEqual(json.loads(r.stdout)['told'][0]['value'],
                                 x * x % p)
        for field in 'p61', 'prime:%d' % (2**61 - 31):
            r = chi('run', program('wide.chi'), 'product', '--field', field,
                    *inputs(dict(a=1, b=1)))
            self.assertEqual(r.returncode, 1)
            self.assertIn('E0304', r.stderr)
        r = chi('test', program('wide.chi'))
        self.assertEqual(r.returncode, 0, r.stdout + r.stderr)

    def test_mixed_results(self):
        key = ('3d4017c3e843895a92b70aa74d1b7ebc'
               '9c982ccf2ec4968cc0cd55f12af4660c')
        for mode in ('--nodes', '3'), ('--nodes', '5'), ('--clear',):
            r = chi('run', program(BASIC), 'both', '--json', '--input', 'x=5',
                    '--input', 'to=bob', *mode)
            self.assertEqual(r.returncode, 0, r.stdout + r.stderr)
            j = json.loads(r.stdout)
            self.assertEqual((j['outputs'], j['told'][0]['value']),
                             ({'result': 5}, 10))
            r = chi('run', program(BASIC), 'report', '--json', '--input',
                    'x=5', '--input', 'who=' + key, *mode)
            self.assertEqual(json.loads(r.stdout)['outputs'], {
                'who': key, 'kept': None, 'rows': [[1, True], [5, False]]})
            r = chi('run', program(BASIC), 'nothing', '--json', *mode)
            self.assertEqual(json.loads(r.stdout)['outputs'], {})

    def test_kept_secret(self):
        j = self.run_json('keep', x='9')
        self.assertEqual(j['outputs'], {'result': None})
        r = chi('run', program(BASIC), 'keep', '--input', 'x=9')
        self.assertIn('stays shared', r.stdout)
        self.assertNotIn('81', r.stdout.split('\n')[0])

    def test_text(self):
        r = chi('run', program(BASIC), 'stats', '--input', 'xs=[1,2,4]',
                '--openings')
        self.assertEqual(r.returncode, 0, r.stderr)
        self.assertIn('total = 7\nparts = [1, 2, 4]\nhalf  = 3.5\n', r.stdout)
        self.assertIn('predicted', r.stdout)
        self.assertIn('measured', r.stdout)
        self.assertIn('to everybody', r.stdout)
        self.assertNotIn('\033', r.stdout + r.stderr)

    def test_keep(self):
        out = self.tmp + '/kept'
        for mode in (), ('--clear',):
            r = chi('run', program(BASIC), 'add', '--input', 'a=1', '--input',
                    'b=2', '--keep', out, *mode)
            self.assertEqual(r.returncode, 0, r.stderr)
            self.assertEqual(sorted(os.listdir(out)),
                             ['add.c', 'add.h', 'add.json'])

    def test_failures_of_the_program(self):
        for mode in (), ('--nodes', '5'):
            r = chi('run', program(BASIC), 'opened_check', '--input', 'x=7',
                    *mode)
            self.assertEqual(r.returncode, 1, r.stdout + r.stderr)
            self.assertEqual(r.stdout, '')
            self.assertIn('seven is not allowed', r.stderr)
            self.assertIn('basic.chi:', r.stderr)
            r = chi('run', program(BASIC), 'quotient', '--input', 'a=1',
                    '--input', 'b=0', *mode)
            self.assertEqual(r.returncode, 1, r.stdout + r.stderr)

    def test_budget(self):
        for fn, ident in ('deep', 'E0723'), ('broad', 'E0724'):
            for cmd in ('cost',), ('run', '--input', 'a=1'):
                r = chi(cmd[0], program('budget.chi'), fn, *cmd[1:])
                self.assertEqual(r.returncode, 1)
                self.assertIn(ident, r.stderr)
                self.assertIn('budget.chi:', r.stderr)
        r = chi('check', program('budget.chi'))
        self.assertEqual(r.returncode, 1)
        self.assertIn('E0723', r.stderr)
        self.assertIn('E0724', r.stderr)
        self.assertEqual(chi('build', program('budget.chi'), 'fine', '-o',
                             self.tmp).returncode, 0)
        self.assertEqual(chi('cost', program('budget.chi'), 'fine', '--nodes',
                             '7').returncode, 1)


class Checked(Case):
    def check(self, fn, *says, **values):
        r = chi('run', program('mistakes.chi'), fn, '--check', '--json',
                *inputs(values))
        j = json.loads(r.stdout)
        if not says:
            self.assertEqual(r.returncode, 0, r.stdout + r.stderr)
            self.assertIsNone(j['predicted'])
            return j['outputs']['result']
        self.assertEqual(r.returncode, 1, r.stdout + r.stderr)
        d = [d for d in j['diagnostics'] if d['id'][0] == 'E']
        self.assertEqual(len(d), 1)
        self.assertEqual(d[0]['line'], says[0])
        for s in says[1:]:
            self.assertIn(s, d[0]['message'])

    def test_mistakes(self):
        self.assertEqual(self.check('ratio', a=-9, b=2), -4)
        self.check('ratio', 3, 'division of -9 by 0', a=-9, b=0)
        self.assertEqual(self.check('at', i=2), 7)
        self.check('at', 8, 'the index 3 is not in 0..2', i=3)
        self.assertEqual(self.check('put', i=1, j=2), [[0, 0, 0], [0, 0, 9]])
        self.check('put', 13, 'the index -1 is not in 0..2', i=1, j=-1)

    def test_branches(self):
        """Only what counts is a mistake."""
        self.assertEqual(self.check('branch', a=9, b=9, k=0), 59)
        self.check('branch', 20, '99 is not in 0 .. 15', a=99, b=9, k=0)
        self.check('branch', 20, 'division of 100 by 0', a=9, b=7, k=0)
        self.assertEqual(self.check('branch', a=99, b=0, k=0), 99)
        self.assertEqual(self.check('branch', a=99, b=3, k=5), 2)
        self.check('branch', 22, 'division by zero', a=99, b=3, k=0)
        self.assertEqual(self.check('at_public', c='false', i=9), 0)
        self.assertEqual(self.check('at_public', c='true', i=2), 7)
        self.check('at_public', 29, 'index out of range 0..2', c='true', i=9)

    def test_text(self):
        r = chi('run', program('mistakes.chi'), 'at', '--check', '--input',
                'i=0')
        self.assertEqual(r.returncode, 0, r.stderr)
        self.assertIn('nothing went wrong', r.stdout)
        self.usage('run', program('mistakes.chi'), 'at', '--check', '--keep',
                   self.tmp, says=['--keep'])


class Test(Case):
    def test_pass(self):
        for mode in ((), ('--clear',), ('--nodes', '5'),
                     ('--protocol', 'shamir')):
            r = chi('test', program('pass.chi'), *mode)
            self.assertEqual(r.returncode, 0, r.stdout + r.stderr)
            self.assertIn('3 passed, 0 failed', r.stdout)
            self.assertIn('twice of a number', r.stdout)
        j = json.loads(chi('test', program('pass.chi'), '--json').stdout)
        self.assertEqual((j['passed'], j['failed']), (3, 0))
        self.assertTrue(all(t['nodes'] and t['clear'] for t in j['tests']))
        self.assertGreater(j['tests'][1]['rounds'], 0)

    def test_fail(self):
        r = chi('test', program('fail.chi'))
        self.assertEqual(r.returncode, 1, r.stdout + r.stderr)
        self.assertIn('2 passed, 1 failed', r.stdout)
        self.assertIn('fail.chi:11:', r.stderr)
        self.assertIn('assert(two == 3)', r.stderr)
        j = chi('test', program('fail.chi'), '--json')
        self.assertEqual(j.returncode, 1)
        j = json.loads(j.stdout)
        self.assertEqual([t['passed'] for t in j['tests']],
                         [True, False, True])
        self.assertEqual(j['tests'][1]['nodes'], False)

    def test_assume(self):
        """Clear runs check what nodes trust."""
        r = chi('test', program('assume.chi'))
        self.assertEqual(r.returncode, 1, r.stdout + r.stderr)
        self.assertIn('1 passed, 1 failed', r.stdout)
        self.assertIn('assume.chi:6:', r.stderr)
        self.assertEqual(chi('run', program('assume.chi'), 'half', '--clear',
                             '--input', 'x=9').returncode, 0)
        for mode in (), ('--clear',):
            r = chi('run', program('assume.chi'), 'half', '--input', 'x=99',
                    *mode)
            self.assertEqual(r.returncode, 1, r.stdout + r.stderr)
            self.assertIn('assume.chi:2:', r.stderr)

    def test_check(self):
        """--check finds what a run on secrets cannot tell."""
        r = chi('test', program('mistakes.chi'), '--check')
        self.assertEqual(r.returncode, 1, r.stdout + r.stderr)
        self.assertIn('1 passed, 1 failed (checked, in the clear)', r.stdout)
        self.assertIn('division of 8 by 0', r.stderr)

    def test_errors(self):
        """A file with an error does not pass; one mistake is told once."""
        for file, want in (('told.chi', ['E0402']),
                           ('twice.chi', ['E0301', 'E0301'])):
            for command in 'check', 'test':
                r = chi(command, program(file))
                self.assertEqual(r.returncode, 1, r.stdout + r.stderr)
                self.assertEqual(re.findall(r'error\[(\w+)\]', r.stderr), want)
                self.assertEqual(r.stdout, '')
        self.assertIn('called in the circuit of "tells"',
                      chi('test', program('told.chi')).stderr)

    def test_full(self):
        """A list drops what does not fit; --check stops there."""
        for mode in (), ('--clear',):
            r = chi('test', program('full.chi'), *mode)
            self.assertEqual(r.returncode, 0, r.stdout + r.stderr)
        r = chi('test', program('full.chi'), '--check')
        self.assertIn('1 passed, 2 failed', r.stdout)
        self.assertIn('the index 3 is not in 0..2', r.stderr)
        self.assertIn('written nowhere if the list is full', r.stderr)
        self.assertIn('the list has no more places', r.stderr)

    def test_filter(self):
        r = chi('test', program('fail.chi'), '--filter', 'passes')
        self.assertEqual(r.returncode, 0, r.stderr)
        self.assertIn('2 passed', r.stdout)
        r = chi('test', program('fail.chi'), '--filter', 'pases')
        self.assertEqual((r.returncode, r.stdout), (2, ''))
        self.assertIn("no test has 'pases' in its name", r.stderr)
        r = chi('test', program('fail.chi'), '--list')
        self.assertEqual(r.stdout.split('\n')[1], 'this one fails')
        self.assertEqual(len(json.loads(chi(
            'test', program('fail.chi'), '--list', '--json').stdout)), 3)
        r = chi('test', program('basic.chi'))
        self.assertEqual((r.returncode, r.stdout), (0, 'no tests\n'))
        self.assertEqual(chi('test', program('wrong.chi')).returncode, 1)

    def test_twenty_take_seconds(self):
        body = ''.join('test "t%d" { assert(sq(%d) == %d); }\n' % (i, i, i * i)
                       for i in range(20))
        p = self.file('many.chi', 'fn sq(x: secret u8) -> u16 '
                      '{ return reveal(x * x); }\n' + body)
        t = time.time()
        r = chi('test', p)
        self.assertEqual(r.returncode, 0, r.stdout + r.stderr)
        self.assertIn('20 passed', r.stdout)
        self.assertLess(time.time() - t, 60)


class Import(Case):
    ADDER = '2 4\n2 1 1\n2 1 1\n\n2 1 0 1 2 XOR\n2 1 0 1 3 AND\n'

    def test_declaration(self):
        """What is printed is what declares the file."""
        with tempfile.TemporaryDirectory() as d:
            path = os.path.join(d, 'half-adder.txt')
            with open(path, 'w') as f:
                f.write(self.ADDER)
            r = chi('import', 'bristol', path)
            self.assertEqual(r.returncode, 0, r.stderr)
            self.assertIn('fn half_adder<n>(a: [bool; 1, n], b: [bool; 1, n])'
                          ' -> ([bool; 1, n], [bool; 1, n]) = ', r.stdout)
            out = os.path.join(d, 'adder.chi')
            self.assertEqual(chi('import', 'bristol', path, '-o',
                                 out).returncode, 0)
            with open(out, 'a') as f:
                f.write('fn f(a: secret [bool; 1, 9], b: secret [bool; 1, 9])'
                        ' -> secret [bool; 1, 9] {\n'
                        '    let (_, c) = half_adder(a, b);\n    c\n}\n')
            r = chi('check', out)
            self.assertEqual(r.returncode, 0, r.stderr)
            j = json.loads(chi('import', 'bristol', path, '--json').stdout)
            self.assertEqual((j['gates'], j['ands'], j['depth'], j['bits']),
                             (2, 1, 1, 1))

    def test_faults(self):
        self.usage('import', 'verilog', 'x', says=["'verilog'"])
        with tempfile.TemporaryDirectory() as d:
            r = chi('import', 'bristol', os.path.join(d, 'none.txt'))
            self.assertEqual(r.returncode, 1)
            self.assertIn('E0211', r.stderr)
            path = os.path.join(d, 'bad.txt')
            with open(path, 'w') as f:
                f.write(self.ADDER.replace('2 1 0 1 3 AND', '2 1 0 9 3 AND'))
            r = chi('import', 'bristol', path)
            self.assertEqual(r.returncode, 1)
            self.assertIn('bad.txt:6:7', r.stderr)
            self.assertIn('E0272', r.stderr)


class Cost(Case):
    def cost(self, fn, *mode):
        r = chi('cost', program(BASIC), fn, '--json', *mode)
        self.assertEqual(r.returncode, 0, r.stdout + r.stderr)
        return json.loads(r.stdout)

    def test_numbers(self):
        """By hand: rep3 sends 8 bytes a product and an opening, 16 a tag."""
        c = self.cost('mul')
        self.assertEqual((c['rounds'], c['bytes_sent'], c['exact']),
                         (2, [32] * 3, True))
        c = self.cost('mul', '--protocol', 'shamir')
        self.assertEqual((c['rounds'], c['bytes_sent']), (2, [24] * 3))
        c = self.cost('mul', '--nodes', '5')
        self.assertEqual((c['rounds'], c['bytes_sent']), (2, [48] * 5))
        self.assertEqual(self.cost('total')['bytes_sent'], [24] * 3)
        self.assertGreater(c['memory_bytes'], 0)
        self.assertEqual(sum(l['bytes'] for l in c['lines']),
                         sum(c['bytes_sent']))

    def test_bounds(self):
        c = self.cost('power')
        self.assertEqual((c['exact'], c['rounds']), (False, 256))
        r = chi('cost', program(BASIC), 'power')
        self.assertIn('at most', r.stdout)
        self.assertIn('y = y * x', r.stdout)
        self.assertIn('field to everybody, 1 time', r.stdout)
        self.assertEqual([o['to'] for o in c['openings']], ['everybody'])

    def test_assumes(self):
        """What nodes trust is listed, the library's too, with the call."""
        out = self.tmp + '/listed'
        file = program('assumed.chi')
        r = chi('build', file, '-o', out)
        self.assertEqual(r.returncode, 0, r.stdout + r.stderr)
        with open(out + '/paid.json') as f:
            a, = json.load(f)['assumes']
        self.assertEqual((a['file'], a['type'], a['lanes'], a['times']),
                         ('std/set.chi', '[u8; 3]', 3, 1))
        self.assertEqual(a['call'],
                         {'file': 'assumed.chi', 'line': 6, 'col': 26})
        with open(os.path.join(PROGRAMS, '../../std/set.chi')) as f:
            self.assertIn('assume(', f.read().split('\n')[a['line'] - 1])
        with open(out + '/own.json') as f:
            a, = json.load(f)['assumes']  # of the secret; y is checked
        self.assertEqual((a['file'], a['line'], a['col'], a['type']),
                         ('assumed.chi', 11, 20, 'u8'))
        self.assertNotIn('call', a)
        with open(out + '/needless.json') as f:
            self.assertEqual(json.load(f)['assumes'], [])
        with open(out + '/Shop.contract.json') as f:
            buy = [x for x in json.load(f)['actions'] if x['name'] == 'buy'][0]
        a, = buy['assumes']
        self.assertEqual((a['file'], a['call']['file'], a['call']['line']),
                         ('std/set.chi', 'assumed.chi', 21))
        self.assertEqual(buy['openings'][0]['file'], 'assumed.chi')
        r = chi('cost', file, 'paid')
        self.assertRegex(r.stdout, r'std/set.chi:\d+:\d+: assumed to be '
                         r'\[u8; 3\], unchecked on nodes; called at '
                         r'\S*assumed.chi:6:26')
        c = json.loads(chi('cost', file, 'paid', '--json').stdout)
        self.assertEqual([(x['call']['line'], x['type'])
                          for x in c['assumes']], [(6, '[u8; 3]')])
        self.assertIn('assumed by the circuit',
                      chi('split', file, 'buy').stdout)

    def test_library_openings(self):
        file = self.file('long.chi', 'import std.sort;\n'
                         'fn f(xs: secret [u16; 999]) -> u16 {\n'
                         '    return reveal(sort.sort(xs)[0]);\n}\n')
        c = json.loads(chi('cost', file, 'f', '--json').stdout)
        told = [o for o in c['openings'] if o['to'] == 'everybody']
        self.assertEqual([(o['line'], o['type']) for o in told], [(3, 'u16')])
        places = [o for o in c['openings'] if o['to'] == 'everybody, uniform']
        self.assertEqual(len(places) + 1, len(c['openings']))
        self.assertEqual({o['call']['line'] for o in places}, {3})
        self.assertEqual(c['opened'], 1 + sum(o['elements'] * o['times']
                                              for o in places))
        r = chi('cost', file, 'f')
        self.assertRegex(r.stdout, r'std/sort.chi:\d+:\d+: \[u24; 999\] to '
                         r'everybody, uniform, \d+ times?; called at \S*:3:')

    def test_equals_run(self):
        for mode in ('--nodes', '3'), ('--nodes', '6'), ('--nodes', '7'):
            c = self.cost('mul', *mode)
            j = json.loads(chi('run', program(BASIC), 'mul', '--json',
                               '--input', 'a=1', '--input', 'b=2',
                               *mode).stdout)
            self.assertEqual((c['rounds'], c['bytes_sent']),
                             (j['rounds'], j['bytes_sent']))


class Faults(Case):
    """However it ends, no process and no file stays."""

    def start(self, *args, fn='slow', env=None):
        e = {**os.environ, 'TMPDIR': self.tmp, **(env or {})}
        return subprocess.Popen(
            [CHI, 'run', program(BASIC), fn, '--input', 'x=3', *args],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=e)

    def children(self, pid):
        out = []
        for p in glob.glob('/proc/[0-9]*/stat'):
            try:
                f = open(p).read()
            except OSError:
                continue
            rest = f[f.rindex(')') + 2:].split()
            if int(rest[1]) == pid and rest[0] != 'Z':
                out.append(int(p.split('/')[2]))
        return sorted(out)

    def nodes(self, p, n=3, files=False):
        """Waits until n nodes have been computing for a while."""
        end = time.time() + 60
        while time.time() < end and p.poll() is None:
            kids = self.children(p.pid)
            busy = [k for k in kids if self.cpu(k) > 0.05]
            if len(busy) >= n and (files or not glob.glob(self.tmp + '/*')):
                return kids
            time.sleep(0.02)
        self.fail('the nodes did not start: %s' % (p.communicate(),))

    def cpu(self, pid):
        try:
            f = open('/proc/%d/stat' % pid).read()
        except OSError:
            return 0
        w = f[f.rindex(')') + 2:].split()
        if b'node' not in open('/proc/%d/cmdline' % pid, 'rb').read():
            return 0
        return (int(w[11]) + int(w[12])) / os.sysconf('SC_CLK_TCK')

    def gone(self, kids):
        end = time.time() + 5
        while time.time() < end and any(
                os.path.exists('/proc/%d' % k) for k in kids):
            time.sleep(0.02)
        for k in kids:
            self.assertFalse(os.path.exists('/proc/%d' % k), 'node %d' % k)
        self.assertEqual(os.listdir(self.tmp), [])

    def end(self, p, timeout=30):
        out, err = p.communicate(timeout=timeout)
        return p.returncode, out, err

    def test_killed_node(self):
        for sig in signal.SIGKILL, signal.SIGSEGV, signal.SIGTERM:
            for who in 0, 2:
                p = self.start()
                kids = self.nodes(p)
                t = time.time()
                os.kill(kids[who], sig)
                code, out, err = self.end(p)
                self.assertLess(time.time() - t, 10)
                self.assertEqual((code, out), (3, ''), err)
                self.assertIn('E0801', err)
                self.assertIn('node %d ended' % who, err)
                self.gone(kids)

    def test_killed_node_json(self):
        p = self.start('--json', '--nodes', '5')
        kids = self.nodes(p, 5)
        os.kill(kids[3], signal.SIGKILL)
        code, out, err = self.end(p)
        self.assertEqual(code, 3)
        self.assertEqual(json.loads(out)['diagnostics'][0]['id'], 'E0801')
        self.gone(kids)

    def test_stopped_node(self):
        p = self.start('--timeout', '2')
        kids = self.nodes(p)
        t = time.time()
        os.kill(kids[1], signal.SIGSTOP)
        code, out, err = self.end(p)
        self.assertLess(time.time() - t, 20)
        self.assertEqual((code, out), (3, ''), err)
        self.assertIn('E080', err)
        self.gone(kids)

    def test_all_stopped(self):
        p = self.start('--timeout', '1')
        kids = self.nodes(p)
        for k in kids:
            os.kill(k, signal.SIGSTOP)
        code, out, err = self.end(p)
        self.assertEqual((code, out), (3, ''), err)
        self.assertIn('E0803', err)
        self.gone(kids)

    def test_signals(self):
        for sig in signal.SIGINT, signal.SIGTERM, signal.SIGHUP:
            p = self.start()
            kids = self.nodes(p)
            p.send_signal(sig)
            code, out, _ = self.end(p)
            self.assertEqual((code, out), (-sig, ''))
            self.gone(kids)

    def test_tests(self):
        """The same while chi test runs."""
        with tempfile.TemporaryDirectory() as other:
            path = os.path.join(other, 'slow.chi')
            with open(path, 'w') as f:
                f.write("""fn slow(x: secret field, n: u32) -> field {
    var y = x;
    for i in 0..n { y = y * y + x; }
    return reveal(y);
}
test "quick" { assert(slow(field(1), 2) == field(5)); }
test "slow" { assert(slow(field(3), 3000000) != field(1)); }
""")
            for how, want in (('node', 3), (signal.SIGTERM, -signal.SIGTERM)):
                p = subprocess.Popen(
                    [CHI, 'test', path], text=True, stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    env={**os.environ, 'TMPDIR': self.tmp})
                kids = self.nodes(p, files=True)
                if how == 'node':
                    os.kill(kids[1], signal.SIGKILL)
                else:
                    p.send_signal(how)
                code, out, err = self.end(p)
                self.assertEqual(code, want, err)
                self.assertIn('quick', out)
                if how == 'node':
                    self.assertIn('E0801', err)
                self.gone(kids)

    def test_killed_driver(self):
        p = self.start()
        kids = self.nodes(p)
        p.kill()
        self.end(p)
        self.gone(kids)

    def test_signal_while_compiling(self):
        cc = self.file('cc.sh', '#!/bin/sh\necho $$ > "$TMPDIR/x.pid"\n'
                       'sleep 60\n')
        os.chmod(cc, 0o755)
        with tempfile.TemporaryDirectory() as other:
            p = self.start(env={'CC': cc, 'TMPDIR': other})
            end = time.time() + 20
            while not glob.glob(other + '/chi-*/x.pid'):
                self.assertLess(time.time(), end)
                time.sleep(0.02)
            mode = os.stat(glob.glob(other + '/chi-*')[0]).st_mode & 0o777
            self.assertEqual(mode, 0o700)
            time.sleep(0.05)
            kids = self.children(p.pid)
            self.assertEqual(len(kids), 1)
            p.terminate()
            self.assertEqual(self.end(p)[0], -signal.SIGTERM)
            self.assertEqual(os.listdir(other), [])
            self.assertFalse(os.path.exists('/proc/%d' % kids[0]))

    def test_compiler(self):
        code, out, err = self.end(self.start(env={'CC': '/no/such/cc'}))
        self.assertEqual((code, out), (3, ''))
        self.assertIn('E0804', err)
        self.gone([])
        code, out, err = self.end(self.start(env={'CC': 'false'}))
        self.assertEqual((code, out), (4, ''), err)
        self.assertIn('E0805', err)
        self.gone([])
        code, out, err = self.end(self.start(fn='element',
                                             env={'CC': ' cc  -O1 '}))
        self.assertEqual(code, 1)  # the parameter's name is another
        p = subprocess.run(
            [CHI, 'run', program(BASIC), 'element', '--input', 'a=3'],
            capture_output=True, text=True,
            env=dict(os.environ, CC=' cc  -O1 ', TMPDIR=self.tmp))
        self.assertEqual(p.returncode, 0, p.stderr)
        self.gone([])

    def test_temp_dir(self):
        code, out, err = self.end(self.start(env={'TMPDIR': '/no/such'}))
        self.assertEqual((code, out), (3, ''))
        self.assertIn('E0806', err)

    def test_no_descriptors(self):
        p = subprocess.run(
            ['sh', '-c', 'ulimit -n 16; exec "$@"', 'sh', CHI, 'run',
             program(BASIC), 'element', '--input', 'a=3', '--nodes', '21'],
            capture_output=True, text=True,
            env=dict(os.environ, TMPDIR=self.tmp))
        self.assertEqual(p.returncode, 3, p.stderr)
        self.assertIn('E0810', p.stderr)
        self.gone([])

    def test_node_alone(self):
        """The hidden command without a driver ends by itself."""
        r = subprocess.run([CHI, 'node', '--control', '3'],
                           capture_output=True, text=True, timeout=10)
        self.assertIn(r.returncode, (0, 4))


GROUPS = dict(usage=Usage, inputs=Inputs, run=Run, checked=Checked,
              test=Test, cost=Cost, imports=Import, faults=Faults)


def main():
    global CHI, PROGRAMS
    CHI, PROGRAMS = (os.path.abspath(a) for a in sys.argv[1:3])
    suite = unittest.TestSuite()
    for g in sys.argv[3:] or GROUPS:
        suite.addTests(unittest.defaultTestLoader.loadTestsFromTestCase(
            GROUPS[g]))
    r = unittest.TextTestRunner(verbosity=2).run(suite)
    return 0 if r.wasSuccessful() else 1


if __name__ == '__main__':
    sys.exit(main())
