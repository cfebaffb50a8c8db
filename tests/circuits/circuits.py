#!/usr/bin/env python3
"""AES and SHA-256 of random values, and random circuit files, on nodes against
Python.

    circuits.py CHI GEN_CIRCUITS [FLAG..]     FLAG of `chi run`, as --clear
"""
import hashlib
import importlib.util
import json
import os
import random
import subprocess
import sys
import tempfile

spec = importlib.util.spec_from_file_location('gen_circuits', sys.argv[2])
gen = importlib.util.module_from_spec(spec)
spec.loader.exec_module(gen)
rng = random.Random(11)
bad = 0


def run(source, inputs, folder):
    path = os.path.join(folder, 'case.chi')
    with open(path, 'w') as f:
        f.write(source)
    cmd = [sys.argv[1], 'run', path, 'f', '--json'] + sys.argv[3:]
    for k, v in inputs.items():
        cmd += ['--input', '%s=%s' % (k, json.dumps(v))]
    r = subprocess.run(cmd, capture_output=True, text=True, timeout=300)
    if r.returncode:
        sys.exit(r.stdout + r.stderr)
    out = json.loads(r.stdout)
    if '--clear' not in sys.argv:
        for k in 'rounds', 'bytes_sent':
            if out[k] != out['predicted'][k]:
                sys.exit('%s: %s, predicted %s' % (k, out[k],
                                                   out['predicted'][k]))
    return out['outputs']


def same(what, got, want):
    global bad
    if got != want:
        bad += 1
        print('%s\n  got  %s\n  want %s' % (what, got, want))


def columns(values):
    return [list(row) for row in zip(*values)]


def aes(folder):
    n = 70
    keys = [rng.randbytes(16) for _ in range(n)]
    blocks = [rng.randbytes(16) for _ in range(n)]
    out = run('import std.aes;\nfn f(k: secret [u8; 16, %d], b: secret [u8; 16,'
              ' %d]) -> [u8; 16, %d] { return reveal(aes.encrypt_all(k, b)); }'
              % (n, n, n), {'k': columns(keys), 'b': columns(blocks)}, folder)
    same('aes', out['result'],
         columns([gen.aes_python(k, b) for k, b in zip(keys, blocks)]))


def sha(folder):
    for length in 55, 64:
        m = [rng.randbytes(length) for _ in range(3)]
        out = run('import std.hash;\nfn f(m: secret [u8; %d, 3]) -> [u8; 32, 3]'
                  ' { return reveal(hash.sha256_all(m)); }' % length,
                  {'m': columns(m)}, folder)
        same('sha256', out['result'],
             columns([hashlib.sha256(x).digest() for x in m]))


def random_file():
    """A circuit of two inputs and two outputs."""
    c = gen.Circuit([5, 3])
    wires = list(range(8))
    for _ in range(rng.randrange(5, 150)):
        x, y = (wires[-1 - rng.randrange(min(len(wires), 12))] for _ in 'ab')
        kind = rng.randrange(9)
        wires.append(c.inv(x) if kind == 0 or x == y else
                     c.and_(x, y) if kind < 5 else c.xor(x, y))
    c.outputs = [[rng.choice(wires) for _ in range(4)], [wires[-1]]]
    return c.text()


def files(folder):
    for n in 1, 3, 64, 130:
        text = random_file()
        with open(os.path.join(folder, 'random.txt'), 'w') as f:
            f.write(text)
        a = [rng.randrange(32) for _ in range(n)]
        b = [rng.randrange(8) for _ in range(n)]

        def rows(v, width):
            return [[bool(x >> i & 1) for x in v] for i in range(width)]
        out = run('fn g<n>(a: [bool; 5, n], b: [bool; 3, n]) -> ([bool; 4, n], '
                  '[bool; 1, n]) = "random.txt";\nfn f(a: secret [bool; 5, %d],'
                  ' b: secret [bool; 3, %d]) -> ([bool; 4, %d], [bool; 1, %d]) '
                  '{ return reveal(g(a, b)); }' % (n, n, n, n),
                  {'a': rows(a, 5), 'b': rows(b, 3)}, folder)
        want = columns([gen.evaluate(text, [x, y]) for x, y in zip(a, b)])
        same('file\n' + text, out['result'],
             [rows(want[0], 4), rows(want[1], 1)])


with tempfile.TemporaryDirectory() as d:
    aes(d)
    sha(d)
    files(d)
print('%d wrong' % bad)
sys.exit(bad != 0)
