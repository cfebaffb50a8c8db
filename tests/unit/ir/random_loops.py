#!/usr/bin/env python3
"""Random loops over arrays, run here turn by turn and by the interpreter.

usage: random_loops.py CHI_OPT [COUNT [SEED [OPTION...]]]

Nests of up to three loops read arrays at affine indices (single lanes and
rows), compute in the field, accumulate, run recurrences and write arrays; turn
counts include 0 and 1.  What is carried is an accumulator, a recurrence, the
last value, or an array.  Options (-O2, --passes=vector) go to chi-opt: then it
is the passes that are tested, the vectoriser above all.
"""

import random
import subprocess
import sys

P = 2**61 - 1


class Val:
    """run(env) gives the lanes; env maps loop levels and carried values."""

    def __init__(self, name, kind, n, run, level):
        self.name, self.kind, self.n = name, kind, n
        self.run, self.level = run, level


class Nest:
    def __init__(self, rng):
        self.rng, self.count = rng, 0
        self.head, self.args, self.out, self.want = [], [], [], []
        self.lines = []

    def fresh(self):
        self.count += 1
        return f"%n{self.count}_"

    def line(self, depth, text):
        self.lines.append("  " * depth + text)

    def type(self, kind, n):
        return ("p.sh" if kind == "sh" else "p") + (f"[{n}]" if n > 1 else "")

    def array(self, k):
        n = self.rng.choice([1, 2, 3, 4, 6, 12])
        secret = self.rng.random() < 0.6
        lanes = [self.rng.randint(0, 30) for _ in range(n)]
        shape = f"[{n}]" if n > 1 else ""
        self.head.append(f'input "i{k}" "field" "{shape}" of "i{k}"'
                         + (" secret" if secret else ""))
        self.args += ["--input", f"i{k}=" + ",".join(map(str, lanes))]
        name = self.fresh()
        kind = "sh" if secret else "pub"
        self.line(1, f'{name}: {self.type(kind, n)} = input "i{k}"')
        return Val(name, kind, n, lambda env: lanes, 0)

    # -- one turn
    def const_z(self, depth, k):
        name = self.fresh()
        self.line(depth, f"{name}: z<{k}..{k}> = const {k}")
        return name

    def index(self, depth, loops, lanes):
        """An affine index that stays within `lanes`: (text, off, value)."""
        terms, lo, hi = [], 0, 0
        for name, turns, level in loops:
            step = self.rng.choice([0, 1, 1, 1, 2, -1])
            reach = step * max(turns - 1, 0)
            if step and lo + min(0, reach) + lanes > hi + max(0, reach):
                terms.append((name, turns, level, step))
                lo, hi = lo + min(0, reach), hi + max(0, reach)
        if hi - lo >= lanes:
            terms, lo, hi = [], 0, 0
        off = self.rng.randint(-lo, lanes - 1 - hi)
        text, tlo, thi = None, 0, 0
        for name, turns, level, step in terms:
            part, plo, phi = name, 0, max(turns - 1, 0)
            if step != 1:
                c = self.const_z(depth, step)
                part = self.fresh()
                plo, phi = sorted((0, step * max(turns - 1, 0)))
                self.line(depth, f"{part}: z<{plo}..{phi}> = mul {name}, {c}")
            if text is None:
                text, tlo, thi = part, plo, phi
            else:
                both = self.fresh()
                tlo, thi = tlo + plo, thi + phi
                self.line(depth, f"{both}: z<{tlo}..{thi}> = add {text}, "
                                 f"{part}")
                text = both
        if text is None:
            text = self.const_z(depth, 0)
        return text, off, lambda env: off + sum(
            env[level] * step for _, _, level, step in terms)

    def read(self, depth, loops, arrays):
        a = self.rng.choice(arrays)
        w = self.rng.choice([w for w in (1, 1, 2, 3) if a.n % w == 0])
        idx, off, at = self.index(depth, loops, a.n - w + 1)
        name = self.fresh()
        dims = f"[{w}:1]" if w > 1 else "[]"
        o = f" off {off}" if off else ""
        self.line(depth, f"{name}: {self.type(a.kind, w)} = get {a.name}, "
                         f"{idx}{o} {dims}")

        def run(env, a=a, at=at, w=w):
            k = at(env)
            return a.run(env)[k:k + w]
        return Val(name, a.kind, w, run, depth)

    def arithmetic(self, depth, scope):
        a = self.rng.choice(scope)
        b = self.rng.choice([v for v in scope if v.n in (1, a.n) or a.n == 1])
        op = self.rng.choice(["add", "sub", "mul"])
        kind = "sh" if "sh" in (a.kind, b.kind) else "pub"
        n = max(a.n, b.n)
        name = self.fresh()
        self.line(depth, f"{name}: {self.type(kind, n)} = {op} {a.name}, "
                         f"{b.name}")
        f = {"add": lambda x, y: x + y, "sub": lambda x, y: x - y,
             "mul": lambda x, y: x * y}[op]

        def run(env, a=a, b=b, f=f, n=n):
            x, y = a.run(env), b.run(env)
            return [f(x[k if len(x) > 1 else 0], y[k if len(y) > 1 else 0]) % P
                    for k in range(n)]
        return Val(name, kind, n, run, depth)

    def scalar(self, depth, v):
        if v.n == 1:
            return v
        name = self.fresh()
        self.line(depth, f"{name}: {self.type(v.kind, 1)} = sum {v.name} "
                         f"inner {v.n}")
        return Val(name, v.kind, 1, lambda env: [sum(v.run(env)) % P], depth)

    def shared(self, depth, v):
        if v.kind == "sh":
            return v
        name = self.fresh()
        self.line(depth, f"{name}: {self.type('sh', v.n)} = hide {v.name}")
        return Val(name, "sh", v.n, v.run, depth)

    def from_index(self, depth, loops):
        name, turns, level = self.rng.choice(loops)
        e = self.fresh()
        self.line(depth, f"{e}: p = enc {name}")
        return Val(e, "pub", 1, lambda env: [env[level]], depth)

    # -- a loop: returns its results as values of the level outside
    def loop(self, depth, loops, arrays, scalars):
        rng = self.rng
        turns = rng.choice([0, 1, 2, 3, 3, 4, 4])
        trip = self.const_z(depth, turns)
        level = f"l{self.count}"
        carried = []  # (param, initial value, rule)
        for _ in range(rng.randrange(1, 4)):
            rule = rng.choice(["sum", "sum", "product", "recurrence", "last",
                               "array", "array"])
            pool = arrays if rule == "array" else scalars
            init = self.shared(depth, rng.choice(pool))
            key = (level, len(carried))
            p = Val(self.fresh(), "sh", init.n,
                    lambda env, key=key: env[key], depth + 1)
            carried.append((p, init, rule, key))
        results = [self.fresh() for _ in carried]
        index = self.fresh()
        heads = ", ".join(f"{r}: {self.type('sh', c[0].n)}"
                          for r, c in zip(results, carried))
        inits = ", ".join([trip] + [c[1].name for c in carried])
        params = ", ".join([f"{index}: z<0..{max(turns - 1, 0)}>"] +
                           [f"{c[0].name}: {self.type('sh', c[0].n)}"
                            for c in carried])
        self.line(depth, f"{heads} = for {inits} @turn({params}) {{")
        inner = loops + [(index, turns, level)]
        here = depth + 1
        own = [c[0] for c in carried if c[2] == "array"]
        scope = list(scalars)
        temps = []
        if rng.random() < 0.3:
            own_read = own
        else:
            own_read = []
        for _ in range(rng.randrange(2, 6)):
            how = rng.random()
            if how < 0.5:
                v = self.read(here, inner, arrays + own_read)
            elif how < 0.6:
                v = self.from_index(here, inner)
            else:
                v = self.arithmetic(here, scope)
            scope.append(v)
            temps.append(v)
        if len(loops) < 2 and rng.random() < 0.4:
            more = self.loop(here, inner, arrays + own_read,
                             [v for v in scope if v.n == 1])
            scope += [v for v in more if v.n == 1]
        nexts = []
        for p, _, rule, _ in carried:
            v = self.scalar(here, rng.choice(scope))
            if rule == "array":
                idx, off, at = self.index(here, inner, p.n)
                v = self.shared(here, v)
                name = self.fresh()
                o = f" off {off}" if off else ""
                self.line(here, f"{name}: {self.type('sh', p.n)} = put "
                                f"{p.name}, {v.name}, {idx}{o} []")

                def run(env, p=p, v=v, at=at):
                    x = list(p.run(env))
                    x[at(env)] = v.run(env)[0]
                    return x
                nexts.append(Val(name, "sh", p.n, run, here))
            elif rule == "last":
                nexts.append(self.shared(here, v))
            else:
                op = "mul" if rule == "product" else "add"
                left = p
                if rule == "recurrence":
                    name = self.fresh()
                    self.line(here, f"{name}: p.sh = mul {p.name}, {v.name}")
                    left = Val(name, "sh", 1, lambda env, p=p, v=v: [
                        p.run(env)[0] * v.run(env)[0] % P], here)
                name = self.fresh()
                self.line(here, f"{name}: p.sh = {op} {left.name}, {v.name}")
                nexts.append(Val(name, "sh", 1, (
                    lambda env, a=left, b=v: [a.run(env)[0] * b.run(env)[0]
                                              % P]) if op == "mul" else (
                    lambda env, a=left, b=v: [(a.run(env)[0] + b.run(env)[0])
                                              % P]), here))
        self.line(here, "yield " + ", ".join(v.name for v in nexts))
        self.line(depth, "}")

        def run_all(env):
            env = dict(env)
            cur = [c[1].run(env) for c in carried]
            for t in range(turns):
                env[level] = t
                for c, v in zip(carried, cur):
                    env[c[3]] = v
                cur = [v.run(env) for v in nexts]
            return cur
        return [Val(r, "sh", c[0].n,
                    lambda env, k=k: run_all(env)[k], depth)
                for k, (r, c) in enumerate(zip(results, carried))]

    def build(self):
        arrays = [self.array(k) for k in range(3)]
        scalars = [self.scalar(1, a) for a in arrays]
        for _ in range(self.rng.randrange(1, 3)):
            new = self.loop(1, [], arrays, scalars)
            scalars += [v for v in new if v.n == 1]
            arrays += [v for v in new if v.n > 1]
            for v in new:
                k = len(self.out)
                shape = f"[{v.n}]" if v.n > 1 else ""
                self.out.append(f'output "o{k}" "field" "{shape}" of "o" '
                                'secret')
                self.line(1, f'output {v.name} "o{k}"')
                self.want.append(f"o{k} = " + ", ".join(
                    str(x % P) for x in v.run({})))
        return "\n".join(['circuit "r"', "stage high", "field 61"] + self.head
                         + self.out + ["@body {"] + self.lines + ["}", ""])


def main():
    tool = sys.argv[1]
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 150
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else 1
    flags = sys.argv[4:]
    bad = 0
    for s in range(seed, seed + count):
        c = Nest(random.Random(s))
        text = c.build()
        r = subprocess.run([tool, "-", "--interp", "--check-ranges", *c.args,
                            *flags], input=text, capture_output=True,
                           text=True, timeout=60)
        got = r.stdout.splitlines()[:-1]
        if r.returncode or got != c.want:
            bad += 1
            print(f"seed {s}: exit {r.returncode}\n{r.stderr[:2000]}")
            for g, w in zip(got, c.want):
                if g != w:
                    print(f"  {g}\n  instead of {w}")
            print(text)
            if bad == 3:
                break
    print(f"{count} nests, {bad} differ")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
