"""Programs that compare, branch, index and take bits of secrets: see
generate.py, whose expressions and statements these add to."""
import re
from math import isqrt

from generate import ENV, OPS, Expr, Program, ew, flat, interval, lanes, tdiv, \
    tmod, width


# ---- what the Python side of a program calls ----
def div0(a, b):
    """x / 0 = 0, of secrets."""
    return tdiv(a, b) if b else 0


def mod0(a, b):
    return tmod(a, b) if b else a


def at(a, *index):
    """Outside is 0, all of it."""
    if not index:
        return a
    inside = 0 <= index[0] < len(a)
    if index[0] is ALL:
        return [at(x, *index[1:]) for x in a]
    return at(a[index[0]], *index[1:]) if inside else zero(at(a[0], *index[1:]))


def always_zero(conds, exprs):
    """May a condition say of a divisor in a branch that it is 0?  That is an
    error of the program."""
    names = {n for e in exprs for n in re.findall(r'[/%] (\w+)\)', e.chi)}
    return any(re.search(r'\b%s\b' % n, c.chi) for n in names for c in conds)

class Whole:
    """`..` in an index."""

    def __le__(self, other):
        return True

    __ge__ = __lt__ = __gt__ = __le__


ALL = Whole()


def zero(a):
    return [zero(x) for x in a] if isinstance(a, list) else 0


def put(a, v, *index):
    """Writes nothing outside."""
    for i in index[:-1]:
        if not 0 <= i < len(a):
            return
        a = a[i]
    if 0 <= index[-1] < len(a):
        a[index[-1]] = v


def wrapped(x, t):
    lo, hi = interval(t)
    return (x - lo) % (hi - lo + 1) + lo


def clamped(x, t):
    lo, hi = interval(t)
    return max(lo, min(hi, x))


def rotl(x, n, k):
    k %= n
    return ((x << k) | (x >> (n - k))) & (2**n - 1)


def bits(x, n):
    return [x >> i & 1 for i in range(n)]


def copy(a):
    return [copy(x) for x in a] if isinstance(a, list) else a


ENV.update(div0=div0, mod0=mod0, at=at, ALL=ALL, zero=zero, put=put,
           wrapped=wrapped, clamped=clamped, isqrt=isqrt, rotl=rotl,
           bits=bits, copy=copy, min=min, max=max, any=any, all=all,
           enumerate=enumerate, pow=pow, bin=bin, len=len, int=int)
OPS.update({'min': min, 'max': max, 'div0': div0, 'mod0': mod0,
            '<<': lambda a, b: a << b, '>>': lambda a, b: a >> b,
            'wrap': wrapped, 'clamp': clamped, 'pow': pow,
            'abs': lambda a, _: abs(a), 'isqrt': lambda a, _: isqrt(a),
            'ones': lambda a, _: bin(a).count('1')})


def ones(n):
    """The greatest number of as many bits as n."""
    return 2**max(0, n.bit_length()) - 1


class Cond:
    def __init__(self, chi, py, secret, depth):
        self.chi, self.py, self.secret, self.depth = chi, py, secret, depth


class Integers(Program):
    """The public steps of Program and these on secrets."""

    def build(self):
        self.more = True
        return super().build()

    def steps(self):
        return super().steps() + [
            self.st_if_secret, self.st_if_secret, self.st_if_elements,
            self.st_while, self.st_write, self.st_find, self.st_count,
            self.st_bits, self.st_helper, self.st_struct, self.st_library,
            self.st_library, self.st_let,
            self.st_let, self.st_let]

    def secret_param(self, want=lambda v: True):
        found = [x for _, x, _ in self.params if x.secret and want(x)]
        return self.r.choice(found) if found else None

    # ---- expressions ----
    def made(self, f, a, b, chi, lo, hi, shape):
        """Elementwise f of a and b."""
        return Expr(chi, "ew(OPS['%s'], %s, %s)" % (f, a.py, b.py), lo, hi,
                    a.secret or b.secret, shape, max(a.depth, b.depth) + 1)

    def unary(self, f, a, arg, chi, lo, hi, shape):
        return Expr(chi, "ew(OPS['%s'], %s, %s)" % (f, a.py, arg), lo, hi,
                    a.secret, shape, a.depth + 1)

    def try_expr(self, shape, depth):
        if depth and self.r.random() < .5:
            f = self.r.choice([
                self.ex_bitwise, self.ex_shift, self.ex_range, self.ex_root,
                self.ex_divide, self.ex_extreme, self.ex_reduce, self.ex_index,
                self.ex_if, self.ex_if, self.ex_pow, self.ex_ones,
                self.ex_lookup])
            return f(shape, depth)
        return super().try_expr(shape, depth)

    def pair(self, shape, depth):
        """Two operands of which one has the shape."""
        a = self.expr(shape, depth - 1)
        b = self.expr(shape if self.r.random() < .6 else (), depth - 1)
        if self.r.random() < .3:
            a, b = b, a
        return (a, b) if (a.shape or b.shape) == shape and \
            (a.shape == shape or b.shape == shape) else None

    def ex_bitwise(self, shape, depth):
        p = self.pair(shape, depth)
        if p is None or p[0].lo < 0 or p[1].lo < 0:
            return None
        a, b = p
        op = self.r.choice('&|^')
        hi = max(ones(a.hi), ones(b.hi))
        return self.made(op, a, b, '(%s %s %s)' % (a.chi, op, b.chi), 0, hi,
                         shape)

    def ex_shift(self, shape, depth):
        p = self.pair(shape, depth)
        if p is None:
            return None
        a, b = p
        k = 'wrap(%s, u3)' % b.chi
        n = Expr(k, "ew(OPS['wrap'], %s, 'u3')" % b.py, 0, 7, b.secret,
                 b.shape, b.depth + 1)
        if self.r.random() < .5:
            lo, hi = min(a.lo, a.lo << 7), max(a.hi, a.hi << 7)
            return self.made('<<', a, n, '(%s << %s)' % (a.chi, k), lo, hi,
                             shape)
        return self.made('>>', a, n, '(%s >> %s)' % (a.chi, k),
                         min(a.lo, 0), max(a.hi, 0), shape)

    def ex_range(self, shape, depth):
        a = self.expr(shape, depth - 1)
        if a.shape != shape:
            return None
        t = self.r.choice('ui') + str(self.r.randint(2, 20))
        f = self.r.choice(['wrap', 'clamp'])
        lo, hi = interval(t)
        chi_t = t if not shape or self.r.random() < .5 else \
            '[%s; %s]' % (t, ', '.join(map(str, shape)))
        return self.unary(f, a, repr(t), '%s(%s, %s)' % (f, a.chi, chi_t),
                          min(lo, a.lo), max(hi, a.hi), shape) \
            if f == 'clamp' else \
            self.unary(f, a, repr(t), 'wrap(%s, %s)' % (a.chi, chi_t), lo, hi,
                       shape)

    def ex_root(self, shape, depth):
        a = self.expr(shape, depth - 1)
        if a.shape != shape:
            return None
        m = max(abs(a.lo), abs(a.hi))
        x = self.unary('abs', a, '0', 'abs(%s)' % a.chi, 0, m, shape)
        if self.r.random() < .5:
            return x
        name = self.r.choice(['sqrt', 'isqrt'])
        return self.unary('isqrt', x, '0', '%s(%s)' % (name, x.chi), 0,
                          isqrt(m), shape)

    def ex_divide(self, shape, depth):
        a = self.expr(shape, depth - 1)
        b = self.secret_param(lambda v: v.shape in ((), shape))
        ks = [p for _, p, _ in self.params
              if not p.secret and p.lo >= 0 and p.shape in ((), shape)]
        if ks and self.r.random() < .5: # a public one that is not 0
            k = self.r.choice(ks)
            b = Expr('(%s + 1)' % k.chi, "ew(OPS['+'], %s, 1)" % k.py, 1,
                     k.hi + 1, False, k.shape)
            if self.r.random() < .6 and a.lo < 0: # most are of integers >= 0
                a = self.secret_param(lambda v: v.lo >= 0 and
                                      v.shape in ((), shape)) or a
        if b is None or (a.shape or b.shape) != shape:
            return None
        m = max(abs(a.lo), abs(a.hi))
        f, op = self.r.choice([('div0', '/'), ('mod0', '%')])
        return self.made(f, a, b, '(%s %s %s)' % (a.chi, op, b.chi), -m, m,
                         shape)

    def ex_extreme(self, shape, depth):
        p = self.pair(shape, depth)
        if p is None:
            return None
        f = self.r.choice(['min', 'max'])
        g = min if f == 'min' else max
        a, b = p
        return self.made(f, a, b, '%s(%s, %s)' % (f, a.chi, b.chi),
                         g(a.lo, b.lo), g(a.hi, b.hi), shape)

    def ex_reduce(self, shape, depth):
        a = self.pick(lambda v: len(v.shape) >= 1)
        if a is None or shape != ():
            return None
        f = self.r.choice(['min', 'max', 'argmin', 'argmax'])
        if f[:3] == 'arg':
            if len(a.shape) != 1:
                return None
            return Expr('%s(%s)' % (f, a.chi), '%s.index(%s(%s))' %
                        (a.py, f[3:], a.py), 0, a.shape[0] - 1, a.secret, (),
                        a.depth + 2)
        return Expr('%s(%s)' % (f, a.chi), '%s(flat(%s))' % (f, a.py), a.lo,
                    a.hi, a.secret, (), a.depth + 2)

    def ex_pow(self, shape, depth):
        a = self.expr(shape, depth - 1)
        k = self.r.randint(0, 4)
        m = max(abs(a.lo), abs(a.hi))**k
        if a.shape != shape or m > 2**50:
            return None
        return self.unary('pow', a, str(k), 'pow(%s, %d)' % (a.chi, k),
                          0 if a.lo >= 0 else -m, max(m, 1), shape)

    def ex_ones(self, shape, depth):
        a = self.expr(shape, depth - 1)
        if a.shape != shape or a.lo < 0:
            return None
        return self.unary('ones', a, '0', 'popcount(%s)' % a.chi, 0,
                          a.hi.bit_length(), shape)

    def place(self, s):
        """s as an index: one that a condition shows to be outside is an error,
        so those that may be negative are kept from showing it."""
        return s.chi if s.lo >= 0 else '[%s, 0][0]' % s.chi

    def index(self, a, n):
        """n index texts for the array a, at least one of them secret."""
        chi, py, depth = [], [], 0
        secret = self.r.randrange(n)
        for k in range(n):
            s = self.secret_param(lambda v: v.shape == ())
            if k == secret or self.r.random() < .4:
                if s is None:
                    return None
                chi.append(self.place(s))
                py.append(s.py)
            else:
                i = self.r.randrange(a.shape[k])
                chi.append(str(i))
                py.append(str(i))
        return chi, py, depth

    def ex_index(self, shape, depth):
        a = self.pick(lambda v: len(v.shape) > len(shape) and
                      v.shape[len(v.shape) - len(shape):] == shape)
        i = a and self.index(a, len(a.shape) - len(shape))
        if not i:
            return None
        return Expr('%s[%s]' % (a.chi, ', '.join(i[0])),
                    'at(%s, %s)' % (a.py, ', '.join(i[1])), min(0, a.lo),
                    max(0, a.hi), True, shape, a.depth + 1)

    def ex_lookup(self, shape, depth):
        s = self.secret_param(lambda v: v.shape == ())
        if s is None or shape != ():
            return None
        t = [self.r.randint(-100, 100) for _ in range(self.r.randint(2, 6))]
        return Expr('[%s][%s]' % (', '.join(map(str, t)), self.place(s)),
                    'at(%s, %s)' % (t, s.py), min(0, min(t)), max(0, max(t)),
                    True, (), 1)

    def ex_if(self, shape, depth):
        c = self.cond(depth - 1)
        a = self.expr(shape, depth - 1)
        b = self.expr(shape, depth - 1)
        if a.shape != shape or b.shape != shape or always_zero([c], [a, b]):
            return None
        e = Expr('(if %s { %s } else { %s })' % (c.chi, a.chi, b.chi),
                 '(%s if %s else %s)' % (a.py, c.py, b.py), min(a.lo, b.lo),
                 max(a.hi, b.hi), a.secret or b.secret or c.secret, shape,
                 max(a.depth, b.depth, c.depth) + 1)
        return e

    # ---- conditions ----
    def cond(self, depth, secret=None):
        for _ in range(8):
            c = self.try_cond(depth)
            if c is not None and c.depth <= 7 and secret in (None, c.secret):
                return c
        return Cond('true', 'True', False, 0) if not secret else None

    def try_cond(self, depth):
        r = self.r.random()
        if depth > 0 and r < .3:
            a, b = self.cond(depth - 1), self.cond(depth - 1)
            op, py = self.r.choice([('&&', 'and'), ('||', 'or'), ('==', '=='),
                                    ('!=', '!=')])
            return Cond('(%s %s %s)' % (a.chi, op, b.chi),
                        '(bool(%s) %s bool(%s))' % (a.py, py, b.py),
                        a.secret or b.secret, max(a.depth, b.depth) + 1)
        if depth > 0 and r < .4:
            a = self.cond(depth - 1)
            return Cond('(!%s)' % a.chi, '(not %s)' % a.py, a.secret, a.depth)
        op = self.r.choice(['<', '<=', '>', '>=', '==', '!='])
        if r < .55:
            a = self.pick(lambda v: len(v.shape) >= 1)
            b = self.leaf(())
            if a is None or b is None or b.shape:
                return None
            f = self.r.choice(['any', 'all'])
            return Cond('%s(%s %s %s)' % (f, a.chi, op, b.chi),
                        "%s(flat(ew(OPS['%s'], %s, %s)))" %
                        (f, op, a.py, b.py), a.secret or b.secret,
                        max(a.depth, b.depth) + 1)
        a, b = self.expr((), max(0, depth - 1)), self.expr((), 0)
        if a.shape or b.shape:
            return None
        if r > .9 and op[0] in '<>': # a row of comparisons
            es = [b, a] + [self.expr((), 1) for _ in range(self.r.choice([1, 2]))]
            if any(e.shape for e in es):
                return None
            ops = [self.r.choice([op[0], op[0] + '=']) for _ in es[1:]]
            return Cond('(%s)' % ' '.join(
                            e.chi + ' ' + o for e, o in zip(es, ops + [''])),
                        'all([%s])' % ', '.join(
                            "OPS['%s'](%s, %s)" % (o, x.py, y.py)
                            for o, x, y in zip(ops, es, es[1:])),
                        any(e.secret for e in es),
                        max(e.depth for e in es) + 1)
        if r < .62 and op in ('==', '!='):
            return Cond('(field(%s) %s field(%s))' % (a.chi, op, b.chi),
                        "OPS['%s'](%s, %s)" % (op, a.py, b.py),
                        a.secret or b.secret, max(a.depth, b.depth) + 1)
        return Cond('(%s %s %s)' % (a.chi, op, b.chi),
                    "OPS['%s'](%s, %s)" % (op, a.py, b.py),
                    a.secret or b.secret, max(a.depth, b.depth) + 1)

    # ---- statements ----
    def some(self, shape=()):
        for _ in range(5):
            e = self.expr(shape, 2)
            if e.shape == shape and e.fits() and e.depth < 6:
                return e
        return self.literal() if shape == () else None

    def st_if_secret(self):
        """Branches that assign, nested, with else-if."""
        c, d = self.cond(2, True), self.cond(1)
        es = [self.some() for _ in range(5)]
        both = Expr('', '', min(0, *(e.lo for e in es)),
                    max(0, *(e.hi for e in es)), True)
        if c is None or not both.fits() or always_zero([c, d], es):
            return
        v, w = self.name(), self.name()
        for x in (v, w):
            self.line('var %s: %s = %s;' % (x, both.type(), es[0].chi),
                      '%s = %s' % (x, es[0].py))
        style = self.r.randrange(3)
        if style == 0:
            self.line('if %s { %s = %s; } else { %s = %s; }' %
                      (c.chi, v, es[1].chi, w, es[2].chi),
                      'if %s:\n  %s = %s\nelse:\n  %s = %s' %
                      (c.py, v, es[1].py, w, es[2].py))
        elif style == 1:
            self.line('if %s { %s = %s; if %s { %s = %s; } else { %s = %s; } '
                      '%s = %s; }' % (c.chi, v, es[1].chi, d.chi, v, es[2].chi,
                                      w, es[3].chi, w, v),
                      'if %s:\n  %s = %s\n  if %s:\n    %s = %s\n  else:\n'
                      '    %s = %s\n  %s = %s' %
                      (c.py, v, es[1].py, d.py, v, es[2].py, w, es[3].py, w,
                       v))
        else:
            self.line('if %s { %s = %s; } else if %s { let t = %s; %s = t; '
                      '%s = t; } else { %s = %s; }' %
                      (c.chi, v, es[1].chi, d.chi, es[2].chi, v, w, w,
                       es[3].chi),
                      'if %s:\n  %s = %s\nelif %s:\n  t = %s\n  %s = t\n'
                      '  %s = t\nelse:\n  %s = %s' %
                      (c.py, v, es[1].py, d.py, es[2].py, v, w, w, es[3].py))
        depth = max([c.depth, d.depth] + [e.depth for e in es]) + 2
        self.declare(v, both, depth)
        self.declare(w, both, depth)

    def st_if_elements(self):
        """Elements of an array, at public and secret places."""
        a = self.pick(lambda v: len(v.shape) in (1, 2))
        c = self.cond(1, True)
        x, y = self.some(), self.some()
        if a is None or c is None or a.depth > 5 or always_zero([c], [x, y]):
            return
        t = Expr('', '', min(a.lo, x.lo, y.lo), max(a.hi, x.hi, y.hi), True,
                 a.shape)
        i = self.index(a, len(a.shape))
        if not i or not t.fits():
            return
        v = self.name()
        k = [str(self.r.randrange(n)) for n in a.shape]
        self.line('var %s: %s = %s;' % (v, t.type(), a.chi),
                  '%s = copy(%s)' % (v, a.py))
        self.line('if %s { %s[%s] = %s; } else { %s[%s] = %s; }' %
                  (c.chi, v, ', '.join(i[0]), x.chi, v, ', '.join(k), y.chi),
                  'if %s:\n  put(%s, %s, %s)\nelse:\n  put(%s, %s, %s)' %
                  (c.py, v, x.py, ', '.join(i[1]), v, y.py, ', '.join(k)))
        self.declare(v, t, max(a.depth, c.depth, x.depth, y.depth) + 2)

    def st_write(self):
        a = self.pick(lambda v: len(v.shape) in (1, 2))
        x = self.some()
        i = a and self.index(a, len(a.shape))
        if not i or a.depth > 5:
            return
        t = Expr('', '', min(a.lo, x.lo), max(a.hi, x.hi), True, a.shape)
        v = self.name()
        self.line('var %s: %s = %s;' % (v, t.type(), a.chi),
                  '%s = copy(%s)' % (v, a.py))
        self.line('%s[%s] = %s;' % (v, ', '.join(i[0]), x.chi),
                  'put(%s, %s, %s)' % (v, x.py, ', '.join(i[1])))
        self.declare(v, t, max(a.depth, x.depth) + 2)

    def st_while(self):
        """At most n turns; the turn count itself is secret."""
        s = self.secret_param(lambda v: v.shape == ())
        if s is None:
            return
        v, n, most = self.name(), self.name(), self.r.randint(1, 6)
        t = width(s.lo, s.hi)
        self.line('var %s: secret %s = %s;' % (v, t, s.chi),
                  '%s = %s' % (v, s.py))
        self.line('var %s: secret u4 = 0;' % n, '%s = 0' % n)
        self.line('while %s > 1 max %d { %s = %s / 2; %s = assume(%s + 1, u4); '
                  '}' % (v, most, v, v, n, n),
                  'while %s > 1 and %s < %d:\n  %s = tdiv(%s, 2)\n  %s += 1' %
                  (v, n, most, v, v, n))
        self.declare(v, s, 3)
        self.declare(n, Expr('', '', 0, 15, True), 3)

    def st_find(self):
        """A loop with branches: the last place that is greater."""
        a = self.pick(lambda v: len(v.shape) == 1)
        b = self.leaf(())
        if a is None or b is None or b.shape or a.depth > 5:
            return
        secret = a.secret or b.secret
        v, m = self.name(), self.name()
        t = Expr('', '', min(0, a.lo), max(0, a.hi), secret)
        self.line('var %s: %su8 = 0;' % (v, 'secret ' if secret else ''),
                  '%s = 0' % v)
        self.line('var %s: %s = 0;' % (m, t.type()), '%s = 0' % m)
        self.line('for i in 0..%d { if %s[i] > %s { %s = i; %s = %s[i]; } }' %
                  (a.shape[0], a.chi, b.chi, v, m, a.chi),
                  'for i in range(%d):\n  if %s[i] > %s:\n    %s = i\n'
                  '    %s = %s[i]' % (a.shape[0], a.py, b.py, v, m, a.py))
        self.declare(v, Expr('', '', 0, 255, secret), a.depth + 3)
        self.declare(m, t, a.depth + 3)

    def st_count(self):
        """A histogram: writes at secret places in a loop."""
        a = self.pick(lambda v: len(v.shape) == 1 and v.secret)
        if a is None or a.depth > 5:
            return
        v, n = self.name(), self.r.randint(2, 4)
        self.line('var %s: secret [u4; %d] = [0; %d];' % (v, n, n),
                  '%s = [0] * %d' % (v, n))
        self.line('for x in %s { %s[x & 3] += 1; }' % (a.chi, v)
                  if a.lo >= 0 else
                  'for x in %s { %s[wrap(x, u2)] += 1; }' % (a.chi, v),
                  'for x in %s:\n  put(%s, at(%s, x %% 4) + 1, x %% 4)' %
                  (a.py, v, v))
        self.declare(v, Expr('', '', 0, 15, True, (n,)), a.depth + 2)

    def st_bits(self):
        a = self.some(self.r.choice([(), (3,)]))
        k = self.expr((), 1)
        if a is None or k.shape:
            return
        w = self.r.choice([1, 3, 8, 13, 32])
        t = 'u%d' % w
        x = Expr('', '', 0, 2**w - 1, a.secret, a.shape)
        v = self.name()
        self.line('let %s: %s = wrap(%s, %s);' % (v, x.type(), a.chi, t),
                  "%s = ew(OPS['wrap'], %s, '%s')" % (v, a.py, t))
        r = self.r.random()
        if r < .25:
            e = Expr('(~%s)' % v, "ew(OPS['-'], %d, %s)" % (2**w - 1, v), 0,
                     2**w - 1, a.secret, a.shape, a.depth + 1)
        elif r < .75:
            f = self.r.choice(['rotl', 'rotr'])
            sign = '' if f == 'rotl' else '-'
            e = Expr('%s(%s, wrap(%s, u4))' % (f, v, k.chi),
                     'ew(lambda x, k: rotl(x, %d, %sk), %s, wrapped(%s, "u4"))'
                     % (w, sign, v, k.py), 0, 2**w - 1, a.secret or k.secret,
                     a.shape, max(a.depth, k.depth) + 2)
        elif a.shape == ():
            e = Expr('from_bits(bits(%s)[0..%d])' % (v, (w + 1) // 2),
                     '(%s %% %d)' % (v, 2**((w + 1) // 2)), 0,
                     2**((w + 1) // 2) - 1, a.secret, (), a.depth + 1)
        else:
            e = Expr('count(bits(%s))' % v,
                     "sum(ew(OPS['ones'], %s, 0))" % v, 0,
                     w * lanes(a.shape), a.secret, (), a.depth + 1)
        self.bind(e)

    def st_library(self):
        """Sorting, sets, texts, lists and shuffles of the library."""
        a = self.pick(lambda v: len(v.shape) == 1)
        if a is None or a.depth > 5:
            return
        b = self.pick(lambda v: len(v.shape) == 1)
        n = a.shape[0]
        at = 'sorted(range(%d), key=%s.__getitem__)' % (n, a.py)
        f, py, lo, hi, shape = self.r.choice([
            ('sort.sort({a})', 'sorted({a})', a.lo, a.hi, (n,)),
            ('sort.sort(shuffle.shuffle({a}))', 'sorted({a})', a.lo, a.hi,
             (n,)),
            ('sort.argsort({a})', at, *interval('u24'), (n,)),
            ('sort.rank({a})', '[%s.index(i) for i in range(%d)]' % (at, n),
             *interval('i25'), (n,)),
            ('sort.median({a})', 'sorted({a})[%d]' % ((n - 1) // 2), a.lo, a.hi,
             ()),
            ('sort.top({a}, %d)' % max(1, n - 1),
             'sorted({a})[::-1][:%d]' % max(1, n - 1), a.lo, a.hi,
             (max(1, n - 1),)),
            ('if sort.is_sorted({a}) {{ 1 }} else {{ 0 }}',
             'int({a} == sorted({a}))', 0, 1, ()),
            ('count(set.member({a}, {b}))', 'sum(x in {b} for x in {a})', 0, n,
             ()),
            ('if text.equal(wrap({a}, u8), wrap({a} + 0, u8)) {{ 1 }} else '
             '{{ 0 }}', '1', 0, 1, ()),
            ('count(list.valid(list.append_all(list.empty({a} * 0), {a}, '
             '[x > 3 for x in {a}])))', 'sum(x > 3 for x in {a})', 0, n, ())])
        for module in 'list', 'set', 'shuffle', 'sort', 'text':
            line = 'import std.%s;' % module
            if module + '.' in f and line not in self.items:
                self.items.insert(0, line)
        self.bind(Expr(f.format(a=a.chi, b=b.chi), py.format(a=a.py, b=b.py),
                       lo, hi, True, shape, max(a.depth, b.depth) + 2))

    def st_helper(self):
        """A called function that could fail, in a branch on a secret."""
        c = self.cond(1, True)
        x = self.pick(lambda v: v.shape == ())
        ps = [p for _, p, _ in self.params if not p.secret and p.shape == () and
              p.lo >= 0]
        if c is None or x is None or not ps or x.depth > 5:
            return
        k = self.r.choice(ps)
        m = max(abs(x.lo), abs(x.hi))
        f, v = self.name('f'), self.name()
        self.items.append(
            'fn %s<T, U>(x: T, k: U) -> %s {\n    let t = [5, 7, 9];\n'
            '    return x / k + t[k];\n}\n' % (f, width(-m, m + 9)))
        e = Expr('', '', -m, m + 9, True)
        if not e.fits():
            return
        self.line('var %s: %s = 1;' % (v, e.type()), '%s = 1' % v)
        self.line('if %s { %s = %s(%s, %s); }' % (c.chi, v, f, x.chi, k.chi),
                  'if %s:\n  %s = div0(%s, %s) + at([5, 7, 9], %s)' %
                  (c.py, v, x.py, k.py, k.py))
        self.declare(v, e, max(c.depth, x.depth) + 2)

    def st_struct(self):
        """Structs chosen whole."""
        c = self.cond(1, True)
        x, y = self.some(), self.some()
        a = self.pick(lambda v: len(v.shape) == 1)
        t = Expr('', '', min(x.lo, y.lo), max(x.hi, y.hi), True)
        if c is None or a is None or a.depth > 5 or not t.fits() or \
                always_zero([c], [x, y]):
            return
        n = self.name('S')
        u = Expr('', '', a.lo, a.hi, True, a.shape)
        self.items.append('struct %s { one: %s, all: %s }\n' %
                          (n, t.type(), u.type()))
        v = self.name()
        self.line('let %s = if %s { %s { one: %s, all: %s } } else { %s { '
                  'one: %s, all: -%s * (-1) } };' %
                  (v, c.chi, n, x.chi, a.chi, n, y.chi, a.chi),
                  '%s = (%s, %s) if %s else (%s, %s)' %
                  (v, x.py, a.py, c.py, y.py, a.py))
        d = max(c.depth, x.depth, y.depth, a.depth) + 1
        self.vars.append(Expr(v + '.one', v + '[0]', *interval(
            width(t.lo, t.hi)), True, (), d))
        self.vars.append(Expr(v + '.all', v + '[1]', *interval(
            width(u.lo, u.hi)), True, a.shape, d))
