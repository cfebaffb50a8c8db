#!/usr/bin/env python3
"""Runs the examples on real node processes and compares with Python.

    examples.py CHI EXAMPLES_DIR [NAME..]
"""
import json
import os
import random
import subprocess
import sys
from fractions import Fraction

P = 2**61 - 1


def run(chi, path, fn, inputs, *flags):
    cmd = [chi, 'run', path, fn, '--json', *flags]
    for k, v in inputs.items():
        cmd += ['--input', '%s=%s' % (k, json.dumps(v))]
    r = subprocess.run(cmd, capture_output=True, text=True, timeout=120)
    if r.returncode != 0:
        raise AssertionError('%s: exit %d: %s%s' % (
            fn, r.returncode, r.stdout, r.stderr))
    out = json.loads(r.stdout)
    if '--clear' not in flags:
        same(out['rounds'], out['predicted']['rounds'], 'rounds')
        same(out['bytes_sent'], out['predicted']['bytes_sent'], 'bytes')
    return out


def same(got, want, what):
    if got != want:
        raise AssertionError('%s: got %s, want %s' % (what, got, want))


def ints(x):
    return [ints(y) for y in x] if isinstance(x, list) else int(x)


MODES = [('--nodes', '3'), ('--nodes', '3', '--protocol', 'shamir'),
         ('--nodes', '5'), ('--nodes', '7'), ('--clear',)]


def vote(chi, top):
    rng = random.Random(1)
    ballots = []
    for _ in range(20):
        b = [0] * 4
        b[rng.randrange(4)] = 1
        ballots.append(b)
    want = [sum(c) for c in zip(*ballots)]
    for mode in MODES:
        r = run(chi, top + '/vote/vote.chi', 'tally', {'ballots': ballots},
                *mode)
        same(ints(r['outputs']['result']), want, 'counts')
    ballots[3] = [1, 1, 0, 0]
    cmd = [chi, 'run', top + '/vote/vote.chi', 'tally', '--input',
           'ballots=' + json.dumps(ballots)]
    r = subprocess.run(cmd, capture_output=True, text=True, timeout=120)
    same(r.returncode, 1, 'a double vote ends with')
    if 'no mark or several' not in r.stderr:
        raise AssertionError('a double vote is not named: ' + r.stderr)


def polynomial(chi, top):
    rng = random.Random(2)
    c = [rng.randrange(P) for _ in range(8)]
    x = rng.randrange(P)
    want = sum(a * pow(x, i, P) for i, a in enumerate(c)) % P
    rounds = {}
    for fn in 'horner', 'estrin':
        for mode in MODES:
            r = run(chi, top + '/polynomial/polynomial.chi', fn,
                    {'c': c, 'x': x}, *mode)
            same(int(r['outputs']['result']), want, fn)
            if mode == ('--nodes', '3'):
                rounds[fn] = r['rounds']
    same(rounds, {'horner': 8, 'estrin': 4}, 'rounds')


def matrix(chi, top):
    rng = random.Random(3)
    a, b = ([[rng.randrange(-2**15, 2**15) for _ in range(8)]
             for _ in range(8)] for _ in 'ab')
    want = [[sum(x * y for x, y in zip(r, c)) for c in zip(*b)] for r in a]
    cost = []
    for fn in 'by_loops', 'by_operator':
        for mode in MODES:
            r = run(chi, top + '/matrix/matrix.chi', fn, {'a': a, 'b': b},
                    *mode)
            same(ints(r['outputs']['result']), want, fn)
            if mode == ('--nodes', '3'):
                cost.append((r['rounds'], r['bytes_sent']))
    same(cost[0], cost[1], 'cost of loops and operator')
    same(cost[0][0], 2, 'rounds')


def regression(chi, top):
    rng = random.Random(4)
    x1 = [rng.randrange(16) for _ in range(100)]
    x2 = [rng.randrange(16) for _ in range(100)]
    y = [min(15, max(0, (2 + a // 2 + b // 4 + rng.randrange(3))))
         for a, b in zip(x1, x2)]
    rows = [[1, a, b] for a, b in zip(x1, x2)]
    m = [[Fraction(sum(r[i] * r[j] for r in rows)) for j in range(3)] +
         [Fraction(sum(r[i] * v for r, v in zip(rows, y)))]
         for i in range(3)]
    for i in range(3):
        m[i] = [v / m[i][i] for v in m[i]]
        for k in range(3):
            if k != i:
                m[k] = [a - m[k][i] * b for a, b in zip(m[k], m[i])]
    want = [m[i][3] for i in range(3)]
    for mode in MODES[:3] + MODES[-1:]:
        r = run(chi, top + '/regression/regression.chi', 'fit',
                {'x1': x1, 'x2': x2, 'y': y}, *mode)
        got = [Fraction(str(v)) for v in r['outputs']['result']]
        for g, w in zip(got, want):
            if abs(g - w) > Fraction(1, 10**6):
                raise AssertionError('weights: got %s, want %s' % (
                    [float(v) for v in got], [float(v) for v in want]))


def study(chi, top):
    r = subprocess.run([top + '/study/run'], capture_output=True, text=True,
                       env=dict(os.environ, CHI=chi), timeout=300)
    if r.returncode != 0 or 'agrees to every digit' not in r.stdout:
        raise AssertionError('study: ' + r.stdout + r.stderr)


def script(name, *runs):
    """Examples whose run script compares with Python by itself."""
    def test(chi, top):
        for flags in runs or ((),):
            r = subprocess.run(['%s/%s/run' % (top, name), *flags],
                               capture_output=True, text=True, timeout=300,
                               env=dict(os.environ, CHI=chi))
            if r.returncode != 0:
                raise AssertionError('run %s: %s%s' % (
                    ' '.join(flags), r.stdout, r.stderr))
    return test


FIVE = ('--nodes', '5')
SCRIPTS = dict(millionaires=[(), FIVE], salary_rank=[], auction=[],
               blind_vote=[], customers=[(), FIVE], tree=[()],
               edit_distance=[()], matching=[(), FIVE], route=[()],
               aes=[])
ALL = dict(vote=vote, polynomial=polynomial, matrix=matrix,
           regression=regression, study=study,
           **{k: script(k, *v) for k, v in SCRIPTS.items()})


def main():
    chi, top = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
    bad = 0
    names = sys.argv[3:] or sorted(ALL)
    for name in names:
        try:
            ALL[name](chi, top)
            path = '%s/%s/%s.chi' % (top, name, name)
            if 'test "' in open(path, encoding='utf-8').read():
                t = subprocess.run([chi, 'test', path], capture_output=True,
                                   text=True, timeout=300)
                same(t.returncode, 0, t.stdout + t.stderr)
            print('ok   ' + name)
        except AssertionError as e:
            bad += 1
            print('FAIL %s: %s' % (name, e))
    return 1 if bad else 0


if __name__ == '__main__':
    sys.exit(main())
