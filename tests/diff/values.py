#!/usr/bin/env python3
"""One program per operation on secrets, over many values at once.

    values.py DIR

Writes DIR/NAME.chi and .json as generate.py does: the operation on two arrays
of edge values (0, 1, -1, powers of two and their neighbours, the ends of each
type, equal operands) and random ones, at small widths and at the widest that
the field holds.
"""
import json
import os
import random
import sys

from generate import OPS, interval, text
import integers  # noqa: F401  (fills OPS)

WIDTHS = ['u1', 'u4', 'i5', 'u8', 'i8', 'u32', 'i33', 'u60', 'i60']


def edges(t, r, n):
    lo, hi = interval(t)
    out = {lo, hi, lo + 1, hi - 1, 0, 1, -1, 2, lo // 2, hi // 2}
    for k in range(0, hi.bit_length()):
        out |= {2**k, 2**k - 1, -2**k, 1 - 2**k}
    out = sorted(v for v in out if lo <= v <= hi)
    r.shuffle(out)
    out = out[:n // 2]
    return out + [r.randint(lo, hi) for _ in range(n - len(out))]


def pairs(t, u, r, n):
    a, b = edges(t, r, n), edges(u, r, n)
    r.shuffle(b)
    lo, hi = interval(u)
    for k in range(0, n, 4):  # equal, and next to each other
        b[k] = max(lo, min(hi, a[k] + r.choice([0, 0, 1, -1])))
    return a, b


def binary(out, name, t, u, expr, f, result, kind='secret', n=96,
           divisor=False):
    """expr over x and y, and what it gives for each pair."""
    r = random.Random(name + t + u)
    a, b = pairs(t, u, r, n)
    if divisor and kind == 'public':  # a public 0 ends the run
        b = [v or 1 for v in b]
    chi = ('fn main(x: secret [%s; %d], y: %s [%s; %d]) -> %s {\n'
           '    return reveal(%s);\n}\n' %
           (t, n, kind, u, n, result.replace('N', str(n)), expr))
    want = [f(p, q) for p, q in zip(a, b)]
    out.append(('%s_%s_%s_%s' % (name, t, u, kind), chi, {'x': a, 'y': b},
                want))


def order(out):
    names = {'<': 'lt', '<=': 'le', '==': 'eq', '!=': 'ne', '>': 'gt',
             '>=': 'ge'}
    for t in WIDTHS:
        for op, name in names.items():
            for kind in 'secret', 'public':
                binary(out, name, t, t, 'x %s y' % op, OPS[op], '[bool; N]',
                       kind)
    for t, u in ('u8', 'i8'), ('u1', 'i60'), ('i33', 'u32'):
        binary(out, 'lt', t, u, 'x < y', OPS['<'], '[bool; N]')
        binary(out, 'eq', t, u, 'x == y', OPS['=='], '[bool; N]')


def arithmetic(out):
    for t in 'u4', 'i5', 'u8', 'i8', 'u16', 'i33', 'i60':
        for u in 'u3', 'i4', 'u8', 'i16', 'i60':
            for kind in 'secret', 'public':
                for op, f in ('div', '/'), ('mod', '%'):
                    binary(out, op, t, u, 'x %s y' % f, OPS[op + '0'],
                           '[%s; N]' % wide(t), kind, divisor=True)
    for t in 'u8', 'i8', 'i33', 'u60', 'i60':
        for f in 'min', 'max':
            binary(out, f, t, t, '%s(x, y)' % f, OPS[f], '[%s; N]' % t)


def wide(t):
    """Holds -x for each x of t as well."""
    return 'i%d' % (int(t[1:]) + 1)


def on_bits(out):
    for t in 'u1', 'u4', 'u8', 'u32', 'u60':
        for op, name in (('&', 'and'), ('|', 'or'), ('^', 'xor')):
            for kind in 'secret', 'public':
                binary(out, name, t, t, 'x %s y' % op, OPS[op], '[%s; N]' % t,
                       kind)
        binary(out, 'ones', t, 'u1', 'popcount(x)',
               lambda a, b: bin(a).count('1'), '[u6; N]')
    for t in 'u8', 'i8', 'u32', 'i33':
        binary(out, 'shr', t, 'u5', 'x >> y', lambda a, b: a >> b,
               '[%s; N]' % t)
        binary(out, 'shl', t, 'u3', 'x << y', lambda a, b: a << b,
               '[i60; N]')
    for t in 'u60', 'i60', 'i33', 'u8':
        for w in 'u1', 'u8', 'i8', 'u32', 'i33', 'i60':
            binary(out, 'wrap_' + w, t, 'u1', 'wrap(x, %s)' % w,
                   lambda a, b, w=w: OPS['wrap'](a, w), '[%s; N]' % w)
            binary(out, 'clamp_' + w, t, 'u1', 'clamp(x, %s)' % w,
                   lambda a, b, w=w: OPS['clamp'](a, w), '[%s; N]' % w)


def one_operand(out):
    for t in 'u1', 'u8', 'u31', 'u32', 'u60':
        binary(out, 'sqrt', t, 'u1', 'sqrt(x)',
               lambda a, b: OPS['isqrt'](a, 0), '[u30; N]')
    for t in 'i5', 'i33', 'i60':
        binary(out, 'abs', t, 'u1', 'abs(x)', lambda a, b: abs(a),
               '[u%s; N]' % t[1:])
        binary(out, 'choose', t, t,
               '[if x[i] < y[i] { x[i] } else { -y[i] } for i in 0..96]',
               lambda a, b: a if a < b else -b, '[i61; N]')


def main():
    folder, out = sys.argv[1], []
    os.makedirs(folder, exist_ok=True)
    for f in order, arithmetic, on_bits, one_operand:
        f(out)
    for name, chi, given, want in out:
        with open(os.path.join(folder, name + '.chi'), 'w') as f:
            f.write(chi)
        with open(os.path.join(folder, name + '.json'), 'w') as f:
            json.dump({'inputs': text(given), 'result': text(
                [int(v) for v in want])}, f)
    print('%d programs' % len(out))


if __name__ == '__main__':
    main()
