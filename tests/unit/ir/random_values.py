#!/usr/bin/env python3
"""Random circuits evaluated here, in Python integers, and by the interpreter.

usage: random_values.py CHI_OPT [COUNT [SEED [OPTION...]]]

A circuit is a list of public integer, field and shared values of a few lanes
under every op that has a value, with rolled loops, branches and arrays written
in place.  Types are computed here too, so the verifier sees tight ranges.  The
interpreter runs with --check-ranges.  Options (-O2, --passes=fold) go to
chi-opt: then the passes are what is tested.
"""

import math
import random
import subprocess
import sys


def tdiv(a, b):
    q = abs(a) // abs(b)
    return q if (a < 0) == (b < 0) else -q


def rdiv(a, b):
    if b < 0:
        a, b = -a, -b
    q, r = divmod(a, b)
    if 2 * r > b or (2 * r == b and q % 2):
        q += 1
    return q


class Val:
    def __init__(self, name, dom, kind, lanes, lo, hi):
        self.name, self.dom, self.kind = name, dom, kind
        self.lanes, self.n = lanes, len(lanes)
        self.lo, self.hi = lo, hi

    def type(self):
        t = self.dom + {"pub": "", "sh": ".sh"}[self.kind]
        if self.lo is not None:
            t += f"<{self.lo}..{self.hi}>"
        return t + (f"[{self.n}]" if self.n != 1 else "")


class Circuit:
    def __init__(self, rng):
        self.rng = rng
        self.k = rng.choice([61, 61, 61, 13, 31, 127])
        self.p = 2**self.k - 1
        self.vals, self.head, self.body, self.args = [], [], [], []
        self.want = []

    def emit(self, dom, kind, lanes, lo, hi, text):
        v = Val(f"%v{len(self.vals)}_", dom, kind, lanes, lo, hi)
        self.body.append(f"  {v.name}: {v.type()} = {text}")
        self.vals.append(v)
        return v

    def bounded(self, v):
        """Is there room for another operation?"""
        return v.lo is None or max(-v.lo, v.hi).bit_length() < 120

    def pick(self, ok=lambda v: True):
        c = [v for v in self.vals if ok(v) and self.bounded(v)]
        return self.rng.choice(c) if c else None

    def input(self, k):
        n = self.rng.choice([1, 1, 4, 6])
        lo = -self.rng.randrange(0, 50)
        hi = self.rng.randrange(1, 90)
        secret = self.rng.random() < 0.6
        lanes = [self.rng.randint(lo, hi) for _ in range(n)]
        shape = f"[{n}]" if n > 1 else ""
        self.head.append(f'input "i{k}" "t" "{shape}" of "i{k}"'
                         + (" secret" if secret else ""))
        self.args += ["--input", f"i{k}=" + ",".join(map(str, lanes))]
        self.emit("p" if secret else "z", "sh" if secret else "pub", lanes,
                  lo, hi, f'input "i{k}"')

    # -- arithmetic
    def lanes2(self, a, b, f):
        n = max(a.n, b.n)
        return [f(a.lanes[k % a.n] if a.n > 1 else a.lanes[0],
                  b.lanes[k % b.n] if b.n > 1 else b.lanes[0])
                for k in range(n)]

    def pair(self, ok):
        a = self.pick(ok)
        b = a and self.pick(lambda v: ok(v) and v.dom == a.dom and
                            (v.n == a.n or 1 in (v.n, a.n)))
        return a, b

    def linear(self):
        a, b = self.pair(lambda v: True)
        if not b:
            return
        op = self.rng.choice(["add", "sub", "mul"])
        kind = "sh" if "sh" in (a.kind, b.kind) else "pub"
        f = {"add": lambda x, y: x + y, "sub": lambda x, y: x - y,
             "mul": lambda x, y: x * y}[op]
        lo = hi = None
        if a.lo is not None and b.lo is not None:
            ends = [f(x, y) for x in (a.lo, a.hi) for y in (b.lo, b.hi)]
            lo, hi = min(ends), max(ends)
        self.emit(a.dom, kind, self.lanes2(a, b, f), lo, hi,
                  f"{op} {a.name}, {b.name}")

    def compare(self):
        a, b = self.pair(lambda v: v.dom == "z")
        if b:
            op = self.rng.choice(["eq", "lt", "le"])
            f = {"eq": lambda x, y: x == y, "lt": lambda x, y: x < y,
                 "le": lambda x, y: x <= y}[op]
            self.emit("z", "pub", [int(x) for x in self.lanes2(a, b, f)], 0, 1,
                      f"{op} {a.name}, {b.name}")

    def divide(self):
        a, b = self.pair(lambda v: v.dom == "z")
        if not b or 0 in b.lanes:
            return
        op = self.rng.choice(["div", "mod", "rdiv"])
        f = {"div": tdiv, "rdiv": rdiv,
             "mod": lambda x, y: x - y * tdiv(x, y)}[op]
        m = max(-a.lo, a.hi)
        self.emit("z", "pub", self.lanes2(a, b, f), -m, m,
                  f"{op} {a.name}, {b.name}")

    def bits(self):
        a, b = self.pair(lambda v: v.dom == "z" and v.lo >= 0)
        if not b:
            return
        op = self.rng.choice(["and", "or", "xor", "shr", "isqrt"])
        f = {"and": lambda x, y: x & y, "or": lambda x, y: x | y,
             "xor": lambda x, y: x ^ y, "shr": lambda x, y: x >> y}.get(op)
        top = 2 ** max(a.hi.bit_length(), b.hi.bit_length())
        if op == "isqrt":
            self.emit("z", "pub", [math.isqrt(x) for x in a.lanes], 0, a.hi,
                      f"isqrt {a.name}")
        else:
            self.emit("z", "pub", self.lanes2(a, b, f), 0, top - 1,
                      f"{op} {a.name}, {b.name}")

    def wrap(self):
        a = self.pick(lambda v: v.dom == "z")
        if a:
            bits = self.rng.randrange(1, 70)
            signed = self.rng.random() < 0.5
            lo = -(2 ** (bits - 1)) if signed else 0
            self.emit("z", "pub",
                      [(x - lo) % 2**bits + lo for x in a.lanes], lo,
                      lo + 2**bits - 1, f"wrap {a.name} bits {bits}")

    def shl(self):
        a = self.pick(lambda v: v.dom == "z")
        if a:
            k = self.rng.randrange(0, 9)
            c = self.emit("z", "pub", [k], k, k, f"const {k}")
            self.emit("z", "pub", [x << k for x in a.lanes],
                      min(a.lo, a.lo << k), max(a.hi, a.hi << k),
                      f"shl {a.name}, {c.name}")

    # -- lanes
    def view(self):
        a = self.pick()
        dims, reach, lo = [], 0, 0
        for _ in range(self.rng.randrange(0, 3)):
            n, s = self.rng.randrange(1, 4), self.rng.randrange(-2, 3)
            dims.append((n, s))
            reach += max(0, (n - 1) * s)
            lo += min(0, (n - 1) * s)
        if reach - lo >= a.n:
            return
        off = self.rng.randrange(-lo, a.n - reach)
        at = [off]
        for n, s in dims:
            at = [x + k * s for x in at for k in range(n)]
        text = "[" + ", ".join(f"{n}:{s}" for n, s in dims) + "]"
        o = f" off {off}" if off else ""
        lanes = [a.lanes[x] for x in at]
        how = self.rng.randrange(3)
        if how == 0:
            self.emit(a.dom, a.kind, lanes, a.lo, a.hi,
                      f"view {a.name}{o} {text}")
        elif how == 1:
            c = self.emit("z", "pub", [off], off, off, f"const {off}")
            self.emit(a.dom, a.kind, lanes, a.lo, a.hi,
                      f"get {a.name}, {c.name} {text}")
        else:
            part = self.pick(lambda v: v.n == len(at) and v.dom == a.dom and
                             v.kind == a.kind and (v.lo is None) ==
                             (a.lo is None))
            if not part:
                return
            out = list(a.lanes)
            for x, y in zip(at, part.lanes):
                out[x] = y
            c = self.emit("z", "pub", [off], off, off, f"const {off}")
            r = (None, None) if a.lo is None else (min(a.lo, part.lo),
                                                   max(a.hi, part.hi))
            self.emit(a.dom, a.kind, out, *r,
                      f"put {a.name}, {part.name}, {c.name} {text}")

    def gather(self):
        a = self.pick()
        row = self.rng.choice([r for r in (1, 2, 3) if a.n % r == 0])
        idx = [self.rng.randrange(a.n // row)
               for _ in range(self.rng.randrange(1, 5))]
        t = self.emit("z", "pub", idx, min(idx), max(idx),
                      "table [" + ", ".join(map(str, idx)) + "]")
        self.emit(a.dom, a.kind,
                  [a.lanes[i * row + j] for i in idx for j in range(row)],
                  a.lo, a.hi, f"gather {a.name}, {t.name}" +
                  (f" inner {row}" if row > 1 else ""))

    def fold(self):
        a = self.pick(lambda v: v.n > 1 and (v.lo is None or v.hi < 1000))
        if not a:
            return
        inner = self.rng.choice([k for k in range(1, a.n + 1) if a.n % k == 0])
        groups = [a.lanes[k:k + inner] for k in range(0, a.n, inner)]
        if self.rng.random() < 0.6:
            r = (None, None) if a.lo is None else (inner * a.lo, inner * a.hi)
            self.emit(a.dom, a.kind, [sum(g) for g in groups], *r,
                      f"sum {a.name} inner {inner}")
        else:
            r = (None, None)
            if a.lo is not None:
                top = max(-a.lo, a.hi) ** inner
                r = (-top, top)
            self.emit(a.dom, a.kind, [math.prod(g) for g in groups], *r,
                      f"product {a.name} inner {inner}")

    def select(self):
        c = self.pick(lambda v: v.dom == "z" and (v.lo, v.hi) == (0, 1))
        a, b = self.pair(lambda v: c is not None and v.n in (1, c.n))
        if not b:
            return
        n = max(a.n, b.n, c.n)
        at = lambda v, k: v.lanes[k if v.n > 1 else 0]
        kind = "sh" if "sh" in (a.kind, b.kind) else "pub"
        r = (None, None)
        if a.lo is not None and b.lo is not None:
            r = (min(a.lo, b.lo), max(a.hi, b.hi))
        self.emit(a.dom, kind, [at(a, k) if at(c, k) else at(b, k)
                                for k in range(n)], *r,
                  f"select {c.name}, {a.name}, {b.name}")

    def convert(self):
        a = self.pick()
        if a.dom == "z":
            self.emit("p", "pub", a.lanes, a.lo, a.hi, f"enc {a.name}")
        elif a.kind == "pub":
            if self.rng.random() < 0.5 and all(x % self.p for x in a.lanes):
                self.emit("p", "pub", [pow(x, -1, self.p) for x in a.lanes],
                          None, None, f"inv {a.name}")
            else:
                self.emit("p", "sh", a.lanes, a.lo, a.hi, f"hide {a.name}")
        else:
            self.emit("p", "pub", a.lanes, a.lo, a.hi, f"open {a.name}")

    # -- integers on shares
    def typed(self):
        """An operation that takes shares of integers, in stage high only."""
        half = self.p // 2
        fits = lambda v: (v.dom == "p" and v.lo is not None and
                          max(-v.lo, v.hi) <= half)
        op = self.rng.choice(["eq", "lt", "le", "lt", "select", "and", "or",
                              "xor", "shr", "shl", "div", "mod", "wrap",
                              "isqrt", "digits", "onehot"])
        natural = op in ("and", "or", "xor", "isqrt", "digits")
        a, b = self.pair(lambda v: fits(v) and (not natural or v.lo >= 0))
        if not b:
            return
        if op in ("digits", "onehot") and max(a.n, b.n) > 5:
            return  # chi-opt shows 64 lanes
        if a.kind == "pub":
            a, b = b, a
        if a.kind == "pub":
            return
        two = lambda f, lo, hi: self.emit(
            "p", "sh", [int(x) for x in self.lanes2(a, b, f)], lo, hi,
            f"{op} {a.name}, {b.name}")
        top = 2 ** max(a.hi.bit_length(), b.hi.bit_length()) - 1
        wide = max(-a.lo, a.hi)
        if op in ("eq", "lt", "le"):
            two({"eq": lambda x, y: x == y, "lt": lambda x, y: x < y,
                 "le": lambda x, y: x <= y}[op], 0, 1)
        elif op in ("and", "or", "xor"):
            if top <= half:
                two({"and": lambda x, y: x & y, "or": lambda x, y: x | y,
                     "xor": lambda x, y: x ^ y}[op], 0, top)
        elif op == "div" and (b.kind == "sh" or 0 not in b.lanes):
            two(lambda x, y: tdiv(x, y) if y else 0, -wide, wide)
        elif op == "mod" and (b.kind == "sh" or 0 not in b.lanes):
            two(lambda x, y: x - y * tdiv(x, y) if y else x, -wide, wide)
        elif op in ("shl", "shr"):
            k = self.rng.randrange(0, 5)
            if op == "shl" and (wide << k) > half:
                return
            c = self.emit("z", "pub", [k], k, k, f"const {k}")
            if op == "shl":
                self.emit("p", "sh", [x << k for x in a.lanes],
                          min(a.lo, a.lo << k), max(a.hi, a.hi << k),
                          f"shl {a.name}, {c.name}")
            else:
                self.emit("p", "sh", [x >> k for x in a.lanes], -wide, wide,
                          f"shr {a.name}, {c.name}")
        elif op == "wrap":
            bits = self.rng.randrange(1, min(self.k - 1, 40))
            signed = self.rng.random() < 0.5
            lo = -(2 ** (bits - 1)) if signed else 0
            self.emit("p", "sh", [(x - lo) % 2**bits + lo for x in a.lanes],
                      lo, lo + 2**bits - 1, f"wrap {a.name} bits {bits}")
        elif op == "isqrt":
            self.emit("p", "sh", [math.isqrt(x) for x in a.lanes], 0, a.hi,
                      f"isqrt {a.name}")
        elif op == "digits" and a.hi.bit_length() < 12:
            w = max(a.hi.bit_length(), 1)
            self.emit("p", "sh", [x >> i & 1 for x in a.lanes
                                  for i in range(w)], 0, 1,
                      f"digits {a.name} bits {w}")
        elif op == "onehot":
            n = self.rng.randrange(1, 9)
            self.emit("p", "sh", [int(x == j) for x in a.lanes
                                  for j in range(n)], 0, 1,
                      f"onehot {a.name} inner {n}")
        elif op == "select":
            c = self.pick(lambda v: v.kind == "sh" and (v.lo, v.hi) == (0, 1)
                          and (v.n == 1 or v.n == max(a.n, b.n)))
            if c:
                n = max(a.n, b.n)
                at = lambda v, k: v.lanes[k if v.n > 1 else 0]
                self.emit("p", "sh", [at(a, k) if at(c, k) else at(b, k)
                                      for k in range(n)],
                          min(a.lo, b.lo), max(a.hi, b.hi),
                          f"select {c.name}, {a.name}, {b.name}")

    def public_bits(self):
        """Public integers to bits, gates, and back."""
        a, b = self.pair(lambda v: v.dom == "z" and v.n > 1)
        if not b or a.n != b.n:
            return
        m, u = self.rng.randrange(1, 20), len(self.vals)
        x, y, z = (f"%b{u}{c}_" for c in "xyz")
        t = f"b[{m * a.n}]"
        op = self.rng.choice(["add", "mul", "sub"])
        f = {"add": lambda p, q: p ^ q, "sub": lambda p, q: p ^ q,
             "mul": lambda p, q: p & q}[op]
        self.body += [f"  {x}: {t} = unpack {a.name} bits {m}",
                      f"  {y}: {t} = unpack {b.name} bits {m}",
                      f"  {z}: {t} = {op} {x}, {y}"]
        self.emit("z", "pub", [f(p, q) % 2**m
                               for p, q in zip(a.lanes, b.lanes)],
                  0, 2**m - 1, f"pack {z} bits {m}")

    # -- control
    def loop(self):
        a = self.pick(lambda v: v.lo is not None)
        turns = self.rng.randrange(0, 6)
        m = max(-a.lo, a.hi, 1)
        top = m * 3**turns
        t = self.emit("z", "pub", [turns], turns, turns, f"const {turns}")
        s = "" if a.n == 1 else f"[{a.n}]"
        k = a.dom + (".sh" if a.kind == "sh" else "")
        lanes = list(a.lanes)
        for _ in range(turns):
            lanes = [x * 2 - y for x, y in zip(lanes, a.lanes)]
        v = self.emit(a.dom, a.kind, lanes, -top, top,
                      f"for {t.name}, {a.name} @turn(%i_{len(self.vals)}_: "
                      f"z<0..{max(turns - 1, 0)}>, %c_{len(self.vals)}_: "
                      f"{k}<{-top}..{top}>{s}) {{")
        u = len(self.vals) - 1
        self.body += [
            f"    %d_{u}_: {k}<{-2*top}..{2*top}>{s} = add %c_{u}_, %c_{u}_",
            f"    %e_{u}_: {k}<{-2*top-m}..{2*top+m}>{s} = sub %d_{u}_, "
            + a.name,
            f"    %f_{u}_: {k}<{-top}..{top}>{s} = assume %e_{u}_"
            if top < self.p // 2 else
            f"    %f_{u}_: {k}<{-2*top-m}..{2*top+m}>{s} = neg %d_{u}_",
            f"    yield %f_{u}_", "  }"]
        if top >= self.p // 2:
            self.broken = True
        return v

    def branch(self):
        c = self.pick(lambda v: v.dom == "z" and v.n == 1 and
                      (v.lo, v.hi) == (0, 1))
        a = self.pick()
        if not c:
            return
        b = self.pick(lambda v: (v.dom, v.kind, v.n) == (a.dom, a.kind, a.n)
                      and (v.lo is None) == (a.lo is None))
        r = (None, None) if a.lo is None else (min(a.lo, b.lo),
                                               max(a.hi, b.hi))
        self.emit(a.dom, a.kind, a.lanes if c.lanes[0] else b.lanes, *r,
                  f"if {c.name} @then() {{")
        self.body += [f"    yield {a.name}", "  } @else() {",
                      f"    yield {b.name}", "  }"]

    def build(self):
        self.broken = False
        for k in range(4):
            self.input(k)
        steps = [self.linear] * 3 + [
            self.compare, self.divide, self.bits, self.wrap, self.shl,
            self.view, self.view, self.gather, self.fold, self.select,
            self.convert, self.convert, self.loop, self.branch,
            self.public_bits] + [self.typed] * 4
        for _ in range(25):
            self.rng.choice(steps)()
        outs = []
        for k, v in enumerate(self.vals):
            shape = f"[{v.n}]" if v.n > 1 else ""
            secret = " secret" if v.kind == "sh" else ""
            field = v.dom == "p" and v.lo is None
            outs.append(f'output "o{k}" "{"field" if field else "t"}" '
                        f'"{shape}" of "o"{secret}')
            self.body.append(f'  output {v.name} "o{k}"')
            lanes = v.lanes
            if v.dom == "p":
                lanes = [x % self.p for x in lanes]
                if not field:
                    lanes = [x - self.p if x > self.p // 2 else x
                             for x in lanes]
            self.want.append(f"o{k} = " + ", ".join(map(str, lanes)))
        return "\n".join(['circuit "r"', "stage high", f"field {self.k}"] + self.head
                         + outs + ["@body {"] + self.body + ["}", ""])


def main():
    tool = sys.argv[1]
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 150
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else 1
    flags = sys.argv[4:]
    bad = done = 0
    while done < count and bad < 3:
        c = Circuit(random.Random(seed))
        seed += 1
        text = c.build()
        if c.broken:  # a loop grew out of the field: no prediction
            continue
        done += 1
        r = subprocess.run([tool, "-", "--interp", "--check-ranges", *c.args,
                            *flags],
                           input=text, capture_output=True, text=True,
                           timeout=60)
        got = r.stdout.splitlines()[:-1]
        if r.returncode or got != c.want:
            bad += 1
            print(f"seed {seed - 1}: exit {r.returncode}\n{r.stderr[:2000]}")
            print(r.stdout[:300] if r.returncode else "")
            for g, w in zip(got, c.want):
                if g != w:
                    print(f"  {g}\n  instead of {w}")
            print(text)
    print(f"{done} circuits, {bad} differ")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
