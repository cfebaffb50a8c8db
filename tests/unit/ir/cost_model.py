#!/usr/bin/env python3
"""The cost of exchanges, counted message by message, against ir/cost.c.

usage: cost_model.py CHI_OPT

Each protocol is simulated as a list of messages (from, to, elements): nothing
is computed by formula.  The circuits hold one exchange of m reduced and o
opened lanes; the static walk and the interpreter must both give the counts.
"""

import collections
import random
import subprocess
import sys


def messages(protocol, n, m, o):
    """Yields (sender, receiver, elements); rounds come last, as an int."""
    t = -(-n // 2) - 1
    d = 2 * t + 1
    rounds = 0
    if protocol == "rep3":
        for i in range(3):
            for _ in range(m + o):
                yield i, (i - 1) % 3, 1
        rounds = 1
    else:
        for _ in range(o):
            for i in range(n):
                for j in range(n):
                    if i != j:
                        yield i, j, 1
            rounds = max(rounds, 1)
        if m and n <= 5:
            for _ in range(m):
                for i in range(d):
                    seeded = {(i + k) % n for k in range(1, t + 1)}
                    for j in range(n):
                        if j != i and j not in seeded:
                            yield i, j, 1
            rounds = max(rounds, 1)
        elif m:
            made = 0
            while made < m:  # one batch: every dealer one double sharing
                for i in range(d):
                    seeded = {(i + k) % n for k in range(1, t + 1)}
                    for j in range(n):
                        if j != i and j not in seeded:
                            yield i, j, 1
                made += t + 1
            for g in range(m):
                king = g % d
                for i in range(d):
                    if i != king:
                        yield i, king, 1
                zero = {(king + k) % n for k in range(1, t + 1)}
                for j in range(n):
                    if j != king and j not in zero:
                        yield king, j, 1
            rounds = 2
    yield rounds


def expected(protocol, n, m, o):
    sent = collections.Counter()
    rounds = 0
    for x in messages(protocol, n, m, o):
        if isinstance(x, int):
            rounds = x
        else:
            sent[x[0]] += 8 * x[2]
    tag = 16 if protocol == "rep3" and o else 0
    return rounds, [sent[i] + tag for i in range(n)]


def circuit(m, o):
    lines = ['circuit "c"', "stage sched", "field 61"]
    if m:
        lines.append(f'input "a" "field" "[{m}]" of "a" secret')
    if o:
        lines.append(f'input "b" "field" "[{o}]" of "b" secret')
    lines.append("@body {")
    if m:
        lines.append(f'  %a: p.sh[{m}] = input "a"')
    if o:
        lines.append(f'  %b: p.sh[{o}] = input "b"')
    if m:
        lines.append(f"  %q: p.prod[{m}] = mul %a, %a")
        lines.append(f"  %r: p.sh[{m}] = reduce %q round 1")
    if o:
        lines.append(f"  %s: p[{o}] = open %b round 1")
    return "\n".join(lines + ["}", ""])


def counted(tool, protocol, n, m, o):
    model = protocol if protocol == "rep3" else f"shamir:{n}"
    args = [tool, "-", f"--cost={model}", "--interp"]
    args += ["--input", "a=3"] * bool(m) + ["--input", "b=3"] * bool(o)
    out = subprocess.run(args, input=circuit(m, o), capture_output=True,
                         text=True, check=True).stdout
    found = []
    for line in out.splitlines():
        if line.startswith(("static: exact", "run: exact")):
            part = line.split(", ")
            found.append((int(part[2].split()[1]),
                          [int(b) for b in part[-1].split()[1:]]))
    return found


def main():
    rng = random.Random(7)
    bad = cases = 0
    models = [("rep3", 3)] + [("shamir", n) for n in range(3, 23)]
    for protocol, n in models:
        sizes = [(0, 1), (1, 0), (1, 1), (n, 2), (2 * n + 1, 0)]
        sizes += [(rng.randrange(1, 200), rng.randrange(0, 9))
                  for _ in range(4)]
        for m, o in sizes:
            want = expected(protocol, n, m, o)
            got = counted(sys.argv[1], protocol, n, m, o)
            cases += 1
            if got != [want, want]:
                print(f"{protocol} n={n} m={m} o={o}: {got} instead of {want}")
                bad += 1
    print(f"{cases} exchanges, {bad} differ")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
