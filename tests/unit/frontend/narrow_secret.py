#!/usr/bin/env python3
"""What secret conditions say of secret variables, and what that makes of the
branch that does not count: random functions against Python.

    narrow_secret.py CHI [FUNCTIONS [MODE..]]

Many of the operations below are allowed only where the condition narrows their
operands; what the compiler refuses is left out.  MODE are flags of `chi test`;
without any in the clear, before and after the passes.
"""
import json
import math
import random
import re
import subprocess
import sys
import tempfile

OPS = ['<', '<=', '>', '>=', '==', '!=']
TABLE = [3, 1, 4, 1, 5, 9, 2, 6]
HEAD = 'const TABLE = %s;\n' % TABLE
EDGES = (0, 1, 2, 3, 7, 8, 14, 15)


mistakes = []  # what --check would stop at


def div(x, y):
    if y == 0:
        mistakes.append('division')
    return 0 if y == 0 else (abs(x) // abs(y)) * (1 if (x < 0) == (y < 0)
                                                  else -1)


def mod(x, y):
    return x - y * div(x, y)


def at(i):
    if not 0 <= i < len(TABLE):
        mistakes.append('index')
        return 0
    return TABLE[i]


def term(rng):
    x = rng.choice('ab')
    k = rng.randrange(1, 9)
    return rng.choice([x, '(%s - %d)' % (x, k), '(%d - %s)' % (k, x),
                       '(a - b)', '(b - a)', '(%s + %d)' % (x, k)])


def value(rng, depth=2):
    """Text in Chirograph and in Python."""
    if depth == 0 or rng.random() < 0.15:
        t = term(rng)
        return t, t
    (x, px), (y, py) = value(rng, depth - 1), value(rng, depth - 1)
    k = rng.randrange(9)
    return [('isqrt(%s)' % x, 'math.isqrt(%s)' % px),
            ('(%s / %s)' % (x, y), 'div(%s, %s)' % (px, py)),
            ('(%s %% %s)' % (x, y), 'mod(%s, %s)' % (px, py)),
            ('(%s & %s)' % (x, y), '(%s & %s)' % (px, py)),
            ('(%s ^ %s)' % (x, y), '(%s ^ %s)' % (px, py)),
            ('(%s << %s)' % (x, term(rng)), None),
            ('(%s >> %s)' % (x, y), '(%s >> %s)' % (px, py)),
            ('TABLE[%s]' % x, 'at(%s)' % px),
            ('(%s * %s)' % (x, y), '(%s * %s)' % (px, py))][k]


def expression(rng):
    while True:
        x, px = value(rng)
        if px and 'None' not in px:
            return x, px


def condition(rng, depth):
    if depth == 0 or rng.random() < 0.5:
        return '%s %s %s' % (rng.choice('ab'), rng.choice(OPS),
                             rng.choice(['a', 'b', 'b - 2',
                                         str(rng.randrange(1, 15))]))
    if rng.random() < 0.2:
        return '!(%s)' % condition(rng, depth - 1)
    return '(%s) %s (%s)' % (condition(rng, depth - 1),
                             rng.choice(['&&', '&&', '||']),
                             condition(rng, depth - 1))


def function(rng, k):
    """One line of Chirograph, and Python that gives its result."""
    c, d = condition(rng, 2), condition(rng, 1)
    (x, px), (y, py), (z, pz) = (expression(rng) for _ in range(3))
    text = ('fn f%d(a: secret u4, b: secret u4) -> i50 { var r: secret i50 = '
            '-1; if %s { r = %s; if %s { r = %s; } } else { r = %s; } '
            'return reveal(r); }' % (k, c, x, d, y, z))

    def result(a, b):
        env = {'a': a, 'b': b, 'math': math, 'div': div, 'mod': mod, 'at': at}

        def run(e):
            e = e.replace('&&', ' and ').replace('||', ' or ')
            return eval(re.sub(r'!(?!=)', ' not ', e), env)
        if not run(c):
            return run(pz)
        first = run(px)
        return run(py) if run(d) else first
    return text, result


def chi_test(chi, path, *mode):
    r = subprocess.run([chi, 'test', path, *mode], capture_output=True,
                       text=True, timeout=550)
    if r.returncode:
        sys.exit('%s\n%s%s' % (' '.join(mode), r.stdout[-2000:],
                               r.stderr[-2000:]))


def accepted(chi, made):
    """Those that compile: a run shows at most 20 errors."""
    while made:
        with tempfile.NamedTemporaryFile('w', suffix='.chi') as f:
            f.write(HEAD + '\n'.join(t for t, _ in made))
            f.flush()
            r = subprocess.run([chi, 'check', '--json', f.name],
                               capture_output=True, text=True, timeout=60)
        bad = {m['line'] for m in json.loads(r.stdout)
               if m['severity'] != 'warning'}
        if not bad:
            break
        made = [x for i, x in enumerate(made) if i + 2 not in bad]
    return made


def main():
    chi = sys.argv[1]
    want = int(sys.argv[2]) if len(sys.argv) > 2 else 60
    modes = [sys.argv[3:]] if len(sys.argv) > 3 else [
        ['--check', '--filter', 'sound'], ['--clear']]
    rng = random.Random(7)
    kept = refused = 0
    while kept < want:
        made = [function(rng, k) for k in range(15)]
        good = accepted(chi, made)
        refused += len(made) - len(good)
        kept += len(good)
        if not good:
            continue
        with tempfile.NamedTemporaryFile('w', suffix='.chi') as f:
            f.write(HEAD + '\n'.join(t for t, _ in good))
            for t, result in good:
                name = t[3:t.index('(')]
                tests = {'sound': '', 'other': ''}
                for _ in range(12):
                    a, b = rng.choice(EDGES), rng.choice(EDGES)
                    mistakes.clear()
                    line = '    assert(%s(%d, %d) == %d);\n' % (
                        name, a, b, result(a, b))
                    tests['other' if mistakes else 'sound'] += line
                for kind, lines in tests.items():
                    f.write('\ntest "%s %s" {\n%s}\n' % (name, kind, lines))
            f.flush()
            for mode in modes:
                chi_test(chi, f.name, *mode)
    print('%d functions, %d refused' % (kept, refused))


if __name__ == '__main__':
    main()
