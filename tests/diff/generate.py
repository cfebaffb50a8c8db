#!/usr/bin/env python3
"""Random well-typed programs with their expected results.

    generate.py SEED COUNT DIR [integers]

Writes DIR/pNNN.chi (a function `main`), and DIR/pNNN.json with its inputs and
its result.  Each expression is made twice, as Chirograph and as Python over
exact integers, so the expected value shares no code with the compiler.
Intervals are tracked to stay inside the field; they are this script's own.
"""
import json
import os
import random
import sys

SECRET_MAX = 2**56  # stays below (p-1)/2 for p = 2^61-1
PARAM_BITS = [12]  # at most, one or the other
PUBLIC_MAX = 2**200


# ---- what the Python side of a program calls ----
def ew(f, a, b):
    """Elementwise over nested lists and scalars."""
    if isinstance(a, list) and isinstance(b, list):
        return [ew(f, x, y) for x, y in zip(a, b)]
    if isinstance(a, list):
        return [ew(f, x, b) for x in a]
    if isinstance(b, list):
        return [ew(f, a, y) for y in b]
    return f(a, b)


def flat(a):
    return [y for x in a for y in flat(x)] if isinstance(a, list) else [a]


def tdiv(a, b):
    q = abs(a) // abs(b)
    return q if (a < 0) == (b < 0) else -q


def tmod(a, b):
    return a - b * tdiv(a, b)


def rne(a, b):
    """a/b to nearest, ties to even."""
    if b < 0:
        a, b = -a, -b
    q, r = divmod(a, b)
    return q + (1 if 2 * r > b or (2 * r == b and q % 2) else 0)


def matmul(a, b):
    return [[sum(x * y for x, y in zip(r, c)) for c in zip(*b)] for r in a]


def product(xs):
    out = 1
    for x in xs:
        out *= x
    return out


OPS = {'+': lambda a, b: a + b, '-': lambda a, b: a - b,
       '*': lambda a, b: a * b, '/': tdiv, '%': tmod,
       '==': lambda a, b: int(a == b), '!=': lambda a, b: int(a != b),
       '<': lambda a, b: int(a < b), '<=': lambda a, b: int(a <= b),
       '>': lambda a, b: int(a > b), '>=': lambda a, b: int(a >= b),
       '&': lambda a, b: a & b, '|': lambda a, b: a | b,
       '^': lambda a, b: a ^ b}
ENV = dict(ew=ew, flat=flat, tdiv=tdiv, tmod=tmod, rne=rne, matmul=matmul,
           product=product, OPS=OPS, sum=sum, zip=zip, range=range, abs=abs)


def width(lo, hi):
    """The smallest declared type that holds an interval."""
    if lo >= 0:
        return 'u%d' % max(1, hi.bit_length())
    return 'i%d' % (max(hi.bit_length(), (-lo - 1).bit_length()) + 1)


def interval(name):
    """What a declared type holds."""
    n = int(name[1:])
    return (0, 2**n - 1) if name[0] == 'u' else (-2**(n - 1), 2**(n - 1) - 1)


class Expr:
    """An expression: its two texts, interval, secrecy and shape."""

    def __init__(self, chi, py, lo, hi, secret=False, shape=(), depth=0):
        self.chi, self.py, self.lo, self.hi = chi, py, lo, hi
        self.secret, self.shape, self.depth = secret, shape, depth

    def fits(self):
        m = SECRET_MAX if self.secret else PUBLIC_MAX
        return -m < self.lo and self.hi < m

    def type(self):
        t = width(self.lo, self.hi)
        if self.shape:
            t = '[%s; %s]' % (t, ', '.join(map(str, self.shape)))
        return ('secret ' if self.secret else '') + t


def lanes(shape):
    n = 1
    for d in shape:
        n *= d
    return n


class Program:
    def __init__(self, rng):
        self.r = rng
        self.vars = []      # Exprs that may be read
        self.params = []    # (name, Expr, value)
        self.chi = []
        self.py = []
        self.n = 0
        self.items = []     # functions that main calls

    def name(self, stem='v'):
        self.n += 1
        return '%s%d' % (stem, self.n)

    # ---- parameters and their values ----
    def value(self, lo, hi, shape):
        if shape:
            return [self.value(lo, hi, shape[1:]) for _ in range(shape[0])]
        return self.r.choice([lo, hi, self.r.randint(lo, hi),
                              self.r.randint(lo, hi),
                              max(lo, min(hi, 0)), max(lo, min(hi, 1))])

    def param(self, secret, shape):
        bits = self.r.randint(1, self.r.choice(PARAM_BITS))
        if self.r.random() < .4 and bits > 1:
            lo, hi = -2**(bits - 1), 2**(bits - 1) - 1
        else:
            lo, hi = 0, 2**bits - 1
        x = Expr(self.name('a'), None, lo, hi, secret, shape)
        x.py = x.chi
        self.params.append((x.chi, x, self.value(lo, hi, shape)))
        self.vars.append(x)

    # ---- expressions ----
    def pick(self, want):
        found = [v for v in self.vars if want(v)]
        return self.r.choice(found) if found else None

    def literal(self):
        v = self.r.choice([0, 1, 2, 3, -1, self.r.randint(-40, 40)])
        return Expr('(%d)' % v if v < 0 else str(v), str(v) if v >= 0
                    else '(%d)' % v, v, v)

    def leaf(self, shape):
        r = self.r.random()
        if shape == () and r < .2:
            return self.literal()
        v = self.pick(lambda v: v.shape == shape)
        if v is not None and (r < .7 or shape):
            return v
        if shape == ():
            a = self.pick(lambda v: len(v.shape) >= 1)
            if a is not None:
                i = [self.r.randrange(d) for d in a.shape]
                return Expr('%s[%s]' % (a.chi, ', '.join(map(str, i))),
                            a.py + ''.join('[%d]' % k for k in i),
                            a.lo, a.hi, a.secret)
        if len(shape) == 1:
            m = self.pick(lambda v: len(v.shape) == 2 and
                          v.shape[1] == shape[0])
            if m is not None:
                k = self.r.randrange(m.shape[0])
                return Expr('%s[%d]' % (m.chi, k), '%s[%d]' % (m.py, k),
                            m.lo, m.hi, m.secret, shape)
            a = self.pick(lambda v: len(v.shape) == 1 and
                          v.shape[0] > shape[0])
            if a is not None:
                k = self.r.randint(0, a.shape[0] - shape[0])
                e = k + shape[0]
                return Expr('%s[%d..%d]' % (a.chi, k, e),
                            '%s[%d:%d]' % (a.py, k, e), a.lo, a.hi,
                            a.secret, shape)
        if v is not None:
            return v
        return self.literal() if shape == () else None

    def expr(self, shape, depth):
        for _ in range(6):
            e = self.try_expr(shape, depth)
            if e is not None and e.fits() and e.depth <= 7:
                return e
        e = self.leaf(shape)
        return e if e is not None else self.literal()

    def declare(self, name, e, depth):
        """A variable declared with the type that holds e."""
        lo, hi = interval(width(e.lo, e.hi))
        self.vars.append(Expr(name, name, lo, hi, e.secret, e.shape, depth))

    def binary(self, a, b, op, shape):
        if op == '+':
            lo, hi = a.lo + b.lo, a.hi + b.hi
        elif op == '-':
            lo, hi = a.lo - b.hi, a.hi - b.lo
        else:
            c = [x * y for x in (a.lo, a.hi) for y in (b.lo, b.hi)]
            lo, hi = min(c), max(c)
        return Expr('(%s %s %s)' % (a.chi, op, b.chi),
                    "ew(OPS['%s'], %s, %s)" % (op, a.py, b.py), lo, hi,
                    a.secret or b.secret, shape, max(a.depth, b.depth) + 1)

    def try_expr(self, shape, depth):
        if depth == 0:
            return self.leaf(shape)
        r = self.r.random()
        if r < .62:
            a = self.expr(shape, depth - 1)
            b = self.expr(shape if self.r.random() < .75 else (), depth - 1)
            if a.shape == () and b.shape != ():
                a, b = b, a
            out = a.shape or b.shape
            if out != shape:
                return None
            return self.binary(a, b, self.r.choice('++-***'), shape)
        if r < .68:
            a = self.expr(shape, depth - 1)
            if a.shape != shape:
                return None
            return Expr('(-%s)' % a.chi, "ew(OPS['-'], 0, %s)" % a.py,
                        -a.hi, -a.lo, a.secret, shape, a.depth + 1)
        if shape != ():
            if len(shape) == 2 and r < .8:
                a = self.pick(lambda v: len(v.shape) == 2 and
                              v.shape[0] == shape[0])
                if a is None:
                    return None
                b = self.pick(lambda v: len(v.shape) == 2 and
                              v.shape == (a.shape[1], shape[1]))
                if b is None:
                    return None
                c = [x * y for x in (a.lo, a.hi) for y in (b.lo, b.hi)]
                k = a.shape[1]
                return Expr('(%s @ %s)' % (a.chi, b.chi),
                            'matmul(%s, %s)' % (a.py, b.py), k * min(c),
                            k * max(c), a.secret or b.secret, shape,
                            max(a.depth, b.depth) + 1)
            return None
        if r < .78:
            a = self.pick(lambda v: v.shape != ())
            if a is None:
                return None
            n = lanes(a.shape)
            return Expr('sum(%s)' % a.chi, 'sum(flat(%s))' % a.py, n * a.lo,
                        n * a.hi, a.secret, (), a.depth + 1)
        if r < .84:
            a = self.pick(lambda v: len(v.shape) == 1)
            b = a and self.pick(lambda v: v.shape == a.shape)
            if a is None:
                return None
            c = [x * y for x in (a.lo, a.hi) for y in (b.lo, b.hi)]
            n = a.shape[0]
            return Expr('dot(%s, %s)' % (a.chi, b.chi),
                        'sum(x * y for x, y in zip(%s, %s))' % (a.py, b.py),
                        n * min(c), n * max(c), a.secret or b.secret, (),
                        max(a.depth, b.depth) + 1)
        if r < .88:
            a = self.pick(lambda v: len(v.shape) == 1 and v.shape[0] <= 5)
            if a is None:
                return None
            m = max(abs(a.lo), abs(a.hi))**a.shape[0]
            return Expr('prod(%s)' % a.chi, 'product(%s)' % a.py, -m, m,
                        a.secret, (), a.depth + 3)
        # what only public values may do
        a = self.expr((), depth - 1)
        b = self.expr((), depth - 1)
        if a.secret or b.secret or a.shape or b.shape:
            return None
        op = self.r.choice(['/', '%', '<', '<=', '==', '!=', '>', 'if', 'sh'])
        d = max(a.depth, b.depth) + 1
        if op == '/' or op == '%':
            m = max(abs(a.lo), abs(a.hi))
            k = self.r.choice([1, 2, 3, 7, -5, 64])
            k_chi = '(%d)' % k
            if op == '/':
                return Expr('(%s / %s)' % (a.chi, k_chi),
                            'tdiv(%s, %d)' % (a.py, k), -m, m, False, (), d)
            return Expr('(%s %% %s)' % (a.chi, k_chi),
                        'tmod(%s, %d)' % (a.py, k), -abs(k), abs(k), False,
                        (), d)
        if op == 'if':
            c = self.expr((), 0)
            if c.secret or c.shape:
                return None
            return Expr('(if %s > 0 { %s } else { %s })' %
                        (c.chi, a.chi, b.chi),
                        '(%s if %s > 0 else %s)' % (a.py, c.py, b.py),
                        min(a.lo, b.lo), max(a.hi, b.hi), False, (), d)
        if op == 'sh':
            if a.lo < 0:
                return None
            k = self.r.randint(0, 5)
            if self.r.random() < .5:
                return Expr('(%s << %d)' % (a.chi, k),
                            '(%s << %d)' % (a.py, k), 0, a.hi << k, False,
                            (), d)
            return Expr('(%s >> %d)' % (a.chi, k), '(%s >> %d)' % (a.py, k),
                        0, a.hi, False, (), d)
        return Expr('(if %s %s %s { 1 } else { 0 })' % (a.chi, op, b.chi),
                    "OPS['%s'](%s, %s)" % (op, a.py, b.py), 0, 1, False, (),
                    d)

    # ---- statements ----
    def line(self, chi, py):
        self.chi.append('    ' + chi)
        self.py.append(py)

    def shape(self):
        r = self.r.random()
        if r < .5:
            return ()
        if r < .8:
            return (self.r.choice([2, 3, 4]),)
        return (self.r.choice([2, 3]), self.r.choice([2, 3]))

    def bind(self, e, keyword='let'):
        n = self.name()
        self.line('%s %s = %s;' % (keyword, n, e.chi), '%s = %s' % (n, e.py))
        v = Expr(n, n, e.lo, e.hi, e.secret, e.shape, e.depth)
        self.vars.append(v)
        return v

    def st_let(self):
        s = self.shape()
        e = self.expr(s, self.r.randint(1, 3))
        if e.fits():
            self.bind(e)

    def st_reveal(self):
        v = self.pick(lambda v: v.secret)
        if v is None:
            return
        n = self.name()
        self.line('let %s = reveal(%s);' % (n, v.chi), '%s = %s' % (n, v.py))
        self.vars.append(Expr(n, n, v.lo, v.hi, False, v.shape, 0))

    def st_sum_loop(self):
        """An accumulation: a reduction for the vectoriser."""
        a = self.pick(lambda v: len(v.shape) == 1)
        if a is None:
            return
        b = self.pick(lambda v: v.shape == a.shape)
        n = a.shape[0]
        c = [x * y for x in (a.lo, a.hi) for y in (b.lo, b.hi)]
        lo, hi = min(0, n * min(c)), max(0, n * max(c))
        e = Expr('', '', lo, hi, a.secret or b.secret)
        if not e.fits() or max(a.depth, b.depth) > 6:
            return
        v = self.name()
        self.line('var %s: %s = 0;' % (v, e.type()), '%s = 0' % v)
        self.line('for i in 0..%d { %s += %s[i] * %s[i]; }' %
                  (n, v, a.chi, b.chi),
                  'for i in range(%d):\n  %s += %s[i] * %s[i]' %
                  (n, v, a.py, b.py))
        self.declare(v, e, max(a.depth, b.depth) + 1)

    def st_map_loop(self):
        """Independent iterations that write an array."""
        a = self.pick(lambda v: len(v.shape) == 1)
        if a is None:
            return
        n = a.shape[0]
        k = self.literal()
        s = self.pick(lambda v: v.shape == ())
        if s is None or s.depth > 5 or a.depth > 5:
            return
        x = Expr('%s[i]' % a.chi, '%s[i]' % a.py, a.lo, a.hi, a.secret)
        i = Expr('i', 'i', 0, n - 1)
        e = self.binary(self.binary(x, s, '*', ()),
                        self.binary(i, k, '*', ()), '+', ())
        t = Expr('', '', min(0, e.lo), max(0, e.hi), e.secret, (n,))
        if not e.fits():
            return
        v = self.name()
        self.line('var %s: %s = [0; %d];' % (v, t.type(), n),
                  '%s = [0] * %d' % (v, n))
        back = self.r.random() < .5
        to = '%d - i' % (n - 1) if back else 'i'
        self.line('for i in 0..%d { %s[%s] = %s; }' % (n, v, to, e.chi),
                  'for i in range(%d):\n  %s[%s] = %s' % (n, v, to, e.py))
        self.declare(v, t, max(a.depth, s.depth) + 2)

    def st_chain_loop(self):
        """A recurrence: stays a loop."""
        a = self.pick(lambda v: len(v.shape) == 1 and v.shape[0] <= 4)
        if a is None or a.depth > 2:
            return
        n = a.shape[0]
        m = max(abs(a.lo), abs(a.hi), 1)
        bound = 1
        for _ in range(n):
            bound = bound * m + m
        e = Expr('', '', -bound, bound, a.secret)
        if not e.fits():
            return
        v = self.name()
        self.line('var %s: %s = 1;' % (v, e.type()), '%s = 1' % v)
        self.line('for i in 0..%d { %s = assume(%s * %s[i] + %s[i], %s); }' %
                  (n, v, v, a.chi, a.chi, width(-bound, bound)),
                  'for i in range(%d):\n  %s = %s * %s[i] + %s[i]' %
                  (n, v, v, a.py, a.py))
        self.declare(v, e, n + a.depth)

    def st_nested_loop(self):
        """Two loops over a matrix, written entry by entry and summed by row."""
        a = self.pick(lambda v: len(v.shape) == 2)
        if a is None or a.depth > 5:
            return
        n, m = a.shape
        c = [x * y for x in (a.lo, a.hi) for y in (a.lo, a.hi)]
        lo, hi = min(0, m * min(c)), max(0, m * max(c))
        e = Expr('', '', lo, hi, a.secret, (n,))
        if not e.fits():
            return
        v = self.name()
        self.line('var %s: %s = [0; %d];' % (v, e.type(), n),
                  '%s = [0] * %d' % (v, n))
        self.line('for i in 0..%d { for j in 0..%d { %s[i] += %s[i, j] * '
                  '%s[i, %d - j]; } }' % (n, m, v, a.chi, a.chi, m - 1),
                  'for i in range(%d):\n  for j in range(%d):\n   '
                  '%s[i] += %s[i][j] * %s[i][%d - j]' %
                  (n, m, v, a.py, a.py, m - 1))
        self.declare(v, e, a.depth + 1)

    def st_compr(self):
        a = self.pick(lambda v: len(v.shape) == 1)
        b = self.pick(lambda v: len(v.shape) == 1)
        if a is None or max(a.depth, b.depth) > 5:
            return
        x = Expr('%s[i]' % a.chi, '%s[i]' % a.py, a.lo, a.hi, a.secret)
        y = Expr('%s[j]' % b.chi, '%s[j]' % b.py, b.lo, b.hi, b.secret)
        e = self.binary(x, y, self.r.choice('+-*'), ())
        if not e.fits():
            return
        n, m = a.shape[0], b.shape[0]
        self.bind(Expr('[%s for i in 0..%d, j in 0..%d]' % (e.chi, n, m),
                       '[[%s for j in range(%d)] for i in range(%d)]' %
                       (e.py, m, n), e.lo, e.hi, e.secret, (n, m),
                       max(a.depth, b.depth) + 1))

    def st_if(self):
        c = self.pick(lambda v: v.shape == () and not v.secret)
        a = self.expr((), 1)
        b = self.expr((), 1)
        if c is None or a.shape or b.shape or not (a.fits() and b.fits()):
            return
        lo, hi = min(a.lo, b.lo), max(a.hi, b.hi)
        e = Expr('', '', min(0, lo), max(0, hi), a.secret or b.secret)
        if not e.fits():
            return
        v = self.name()
        self.line('var %s: %s = 0;' % (v, e.type()), '%s = 0' % v)
        self.line('if %s >= 2 { %s = %s; } else { %s = %s; }' %
                  (c.chi, v, a.chi, v, b.chi),
                  'if %s >= 2:\n  %s = %s\nelse:\n  %s = %s' %
                  (c.py, v, a.py, v, b.py))
        self.declare(v, e, max(a.depth, b.depth))

    def st_fixed(self):
        """Public fixed-point arithmetic on opened values."""
        a = self.pick(lambda v: v.shape == () and not v.secret and
                      max(-v.lo, v.hi) < 2**14)
        b = self.pick(lambda v: v.shape == () and not v.secret and
                      max(-v.lo, v.hi) < 2**14)
        if a is None:
            return
        n, q = self.name(), self.name()
        self.line('let %s = fixed(%s) / 3.0 * 0.25;' % (q, a.chi),
                  '%s = rne(rne(%s * 2**32, 3 * 2**16) * 2**14, 2**16)' %
                  (q, a.py))
        self.line('let %s = int(%s + fixed(%s));' % (n, q, b.chi),
                  '%s = tdiv(%s + %s * 2**16, 2**16)' % (n, q, b.py))
        self.vars.append(Expr(n, n, -2**16, 2**16))

    def st_call(self):
        a = self.pick(lambda v: len(v.shape) == 1)
        b = a and self.pick(lambda v: v.shape == a.shape)
        if a is None or max(a.depth, b.depth) > 5:
            return
        e = self.binary(Expr('', '', a.lo, a.hi, a.secret),
                        Expr('', '', b.lo, b.hi, b.secret), '*', ())
        if not e.fits():
            return
        lo, hi = 2 * (a.lo - b.hi), 2 * (a.hi - b.lo)
        f = self.name('f')
        self.items.append(
            'fn %s<T, U, n>(a: [T; n], b: [U; n]) -> [%s; n] {\n'
            '    return (a - b) * 2;\n}\n' % (f, width(lo, hi)))
        lo, hi = interval(width(lo, hi))
        e = Expr('%s(%s, %s)' % (f, a.chi, b.chi),
                 "ew(OPS['*'], ew(OPS['-'], %s, %s), 2)" % (a.py, b.py),
                 lo, hi, e.secret, a.shape,
                 max(a.depth, b.depth) + 1)
        if e.fits():
            self.bind(e)

    def steps(self):
        return [self.st_let, self.st_let, self.st_let, self.st_reveal,
                self.st_sum_loop, self.st_map_loop, self.st_chain_loop,
                self.st_nested_loop, self.st_compr, self.st_if, self.st_fixed,
                self.st_call]

    def build(self):
        r = self.r
        for _ in range(r.randint(2, 4)):
            self.param(True, r.choice([(), (), (3,), (4,), (2, 3), (3, 2)]))
        for _ in range(r.randint(1, 3)):
            self.param(False, r.choice([(), (), (3,), (2, 3)]))
        for _ in range(r.randint(4, 10)):
            r.choice(self.steps())()
        out = [v for v in self.vars[-4:]]
        names, py = [], []
        for v in out:
            n = self.name('r')
            x = 'reveal(%s)' % v.chi if v.secret else v.chi
            self.line('let %s = %s;' % (n, x), '%s = %s' % (n, v.py))
            names.append((n, v))
        types = []
        for n, v in names:
            t = width(v.lo, v.hi)
            if v.shape:
                t = '[%s; %s]' % (t, ', '.join(map(str, v.shape)))
            types.append(t)
        head = ', '.join('%s: %s' % (n, x.type()) for n, x, _ in self.params)
        body = '\n'.join(self.chi)
        if len(names) == 1:
            result, rtype = names[0][0], types[0]
        else:
            result = '(%s)' % ', '.join(n for n, _ in names)
            rtype = '(%s)' % ', '.join(types)
        chi = '\n'.join(self.items + [
            'fn main(%s) -> %s {\n%s\n    return %s;\n}\n' %
            (head, rtype, body, result)])
        env = dict(ENV)
        env.update((n, v) for n, _, v in self.params)
        exec('\n'.join(self.py), env)
        values = [env[n] for n, _ in names]
        return chi, {n: v for n, _, v in self.params}, \
            values[0] if len(values) == 1 else values


def text(v):
    """Integers as text: JSON readers lose digits beyond 64 bits."""
    if isinstance(v, dict):
        return {k: text(x) for k, x in v.items()}
    return [text(x) for x in v] if isinstance(v, list) else str(v)


def main():
    seed, count, out = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    kind = Program
    if sys.argv[4:]:
        from integers import Integers as kind
    if sys.argv[4:] == ['wide']:
        global SECRET_MAX, PUBLIC_MAX, PARAM_BITS # what is chosen is secret
        SECRET_MAX, PUBLIC_MAX, PARAM_BITS = 2**100, 2**100, [12, 90]
    os.makedirs(out, exist_ok=True)
    for k in range(count):
        p = kind(random.Random(seed * 1000003 + k))
        chi, inputs, result = p.build()
        base = os.path.join(out, 'p%04d' % k)
        with open(base + '.chi', 'w') as f:
            f.write(chi)
        with open(base + '.json', 'w') as f:
            json.dump({'inputs': text(inputs), 'result': text(result)}, f)


if __name__ == '__main__':
    sys.modules['generate'] = sys.modules['__main__']
    main()
