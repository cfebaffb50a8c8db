#!/usr/bin/env python3
"""What conditions say of variables: the interval that the compiler finds holds
every value that the variable can have there, by trying all of them.

    narrow.py CHI [CONDITIONS]

In each function a variable is put where it cannot fit, so that the message tells
its interval.
"""
import json
import random
import re
import subprocess
import sys
import tempfile

OPS = ['<', '<=', '>', '>=', '==', '!=']
PER_FILE = 15
ALL = [(a, b) for a in range(16) for b in range(16)]


def operand(rng):
    k = rng.randrange(6)
    return ('a', 'b', 'a + 1', 'b - 2', str(rng.randrange(18)),
            '%d - a' % rng.randrange(16))[k]


def condition(rng, depth):
    k = rng.random()
    if depth == 0 or k < 0.4:
        if rng.random() < 0.3: # a row
            op = rng.choice('<>')
            return ('%s' + ' %s %s' * 2) % (
                operand(rng), op, operand(rng), op + '=', operand(rng))
        return '%s %s %s' % (operand(rng), rng.choice(OPS), operand(rng))
    if k < 0.55:
        return '!(%s)' % condition(rng, depth - 1)
    return '(%s) %s (%s)' % (condition(rng, depth - 1),
                             rng.choice(['&&', '||', '&', '|']),
                             condition(rng, depth - 1))


def holds(c, a, b):
    py = c.replace('&&', ' and ').replace('||', ' or ')
    py = re.sub(r'!(?!=)', ' not ', py)
    return eval(py, {'a': a, 'b': b}) # our own expression


def function(k, c, form):
    use = 'let y: i1 = a * 100 - 3; let _z = y + b;'
    body = {'if': 'if %s { %s }' % (c, use),
            'else': 'if %s { } else { %s }' % (c, use),
            'behind': 'if %s { return; } %s' % (c, use),
            'require': 'require(%s, "no"); %s' % (c, use)}[form]
    return 'fn f%d(a: u4, b: u4) { %s }' % (k, body)


def main():
    chi = sys.argv[1]
    rng = random.Random(5)
    want = int(sys.argv[2]) if len(sys.argv) > 2 else 600
    tried = tight = skipped = 0
    while tried < want:
        cases = []
        for k in range(PER_FILE):
            form = rng.choice(['if', 'else', 'behind', 'require'])
            cases.append((condition(rng, rng.randrange(4)), form))
        with tempfile.NamedTemporaryFile('w', suffix='.chi') as f:
            f.write('\n'.join(function(k, c, form)
                              for k, (c, form) in enumerate(cases)) + '\n')
            f.flush()
            r = subprocess.run([chi, 'check', '--json', f.name],
                               stdout=subprocess.PIPE, timeout=60)
        found = {}
        for m in json.loads(r.stdout):
            if m['id'] == 'E0301':
                got = re.search(r'gets (-?\d+)(?:\.\.(-?\d+))?', m['message'])
                lo = int(got.group(1))
                found[m['line'] - 1] = (lo, int(got.group(2) or lo))
        for k, (c, form) in enumerate(cases):
            truth = form in ('if', 'require')
            values = [a * 100 - 3 for a, b in ALL if holds(c, a, b) == truth]
            tried += 1
            if k not in found: # never reached, says the compiler
                if values and form != 'require':
                    sys.exit('%s (%s): taken for unreachable' % (c, form))
                if values:
                    sys.exit('%s (%s): no interval' % (c, form))
                skipped += 1
                continue
            lo, hi = found[k]
            if values and not (lo <= min(values) and max(values) <= hi):
                sys.exit('%s (%s): %d..%d, but a * 100 - 3 is %d..%d' %
                         (c, form, lo, hi, min(values), max(values)))
            tight += bool(values) and (lo, hi) == (min(values), max(values))
    if tight < tried // 3:
        sys.exit('only %d of %d intervals are exact' % (tight, tried))
    print('%d conditions, %d intervals exact, %d unreachable, none too small' %
          (tried, tight, skipped))


main()
