#!/usr/bin/env python3
"""The cost of exchanges, counted message by message, against ir/cost.c.

usage: cost_model.py CHI_OPT

Each protocol is simulated as a list of messages (from, to, bytes): nothing is
computed by formula.  The circuits hold one or two exchanges of random items, of
the field, of bits and shuffles; the static walk and the interpreter must both
give the counts.
"""

import collections
import itertools
import random
import subprocess
import sys

ELEMENT, TAG = 8, 16
REP3 = ["reduce", "open", "reduce_bits", "open_bits", "xdeal", "xjoin",
        "shuffle", "unshuffle"]
SHAMIR = ["reduce", "open", "reduce_bits", "open_bits", "deal", "bdeal",
          "shuffle", "unshuffle"]
Item = collections.namedtuple("Item", "kind lanes extra")


def packed(bits):
    return -(-bits // 8)


# ---- rep3: node i holds components i, i+1; pair i is nodes i-1, i ----
def rep3_shuffle(lanes, turn, back):
    pairs = [{0, 1}, {2, 0}, {1, 2}]
    if back:
        pairs.reverse()
    a, = pairs[0] & pairs[1]
    b, = pairs[0] & pairs[2]
    c, = pairs[1] & pairs[2]
    for i, j in (a, b), (b, c), (b, c), (c, b):
        yield (i + turn) % 3, (j + turn) % 3, ELEMENT * lanes


def rep3_item(x):
    if x.kind in ("reduce", "open"):
        for i in range(3):
            for _ in range(x.lanes):
                yield i, (i - 1) % 3, ELEMENT
    elif x.kind in ("reduce_bits", "open_bits"):
        for i in range(3):
            yield i, (i - 1) % 3, packed(x.lanes)
    elif x.kind == "xdeal":
        for lane in range(x.lanes):
            yield lane % 3, (lane + 1) % 3, ELEMENT
    elif x.kind == "xjoin":
        for lane in range(x.lanes):
            yield (lane + 1) % 3, (lane + 2) % 3, ELEMENT
            yield (lane + 2) % 3, (lane + 1) % 3, ELEMENT
    else:
        yield from rep3_shuffle(x.lanes, x.extra, x.kind == "unshuffle")


def rep3(n, items):
    for x in items:
        yield from rep3_item(x)
    if any(x.kind in ("open", "open_bits") for x in items):
        for i in range(3):
            yield i, (i + 1) % 3, TAG
    first = any("shuffle" not in x.kind for x in items)
    moves = any("shuffle" in x.kind for x in items)
    yield first + 2 * moves


# ---- shamir ----
def dealing(n, i, size):
    """Node i shares something: the t nodes after it have seeds."""
    t = -(-n // 2) - 1
    seeded = {(i + k) % n for k in range(1, t + 1)}
    for j in range(n):
        if j != i and j not in seeded:
            yield i, j, size


def with_king(n, m):
    """m lanes of one exchange, n >= 6."""
    t = -(-n // 2) - 1
    d = 2 * t + 1
    made = 0
    while made < m:  # one batch: every dealer one double sharing
        for i in range(d):
            yield from dealing(n, i, ELEMENT)
        made += t + 1
    for g in range(m):
        king = g % d
        for i in range(d):
            if i != king:
                yield i, king, ELEMENT
        yield from dealing(n, king, ELEMENT)  # the t after it hold zeros


def shamir_item(n, x):
    d = 2 * (-(-n // 2) - 1) + 1
    size = 1 if x.kind in ("reduce_bits", "open_bits", "deal") else ELEMENT
    if x.kind in ("open", "open_bits"):
        for i, j in itertools.permutations(range(n), 2):
            yield i, j, size * x.lanes
    elif x.kind in ("shuffle", "unshuffle"):
        for members in itertools.combinations(range(d), (d + 1) // 2):
            for i in members:
                yield from dealing(n, i, size * x.lanes)
    else:  # reduced with a king, below; a deal's lanes are those of each node
        for i in range(d):
            for _ in range(x.lanes):
                yield from dealing(n, i, size)


def shamir(n, items):
    m = sum(x.lanes for x in items if x.kind == "reduce")
    king = n >= 6 and m > 0
    if king:
        yield from with_king(n, m)
    for x in items:
        if not (king and x.kind == "reduce"):
            yield from shamir_item(n, x)
    rounds = 2 if king else any("shuffle" not in x.kind for x in items)
    if any("shuffle" in x.kind for x in items):
        d = 2 * (-(-n // 2) - 1) + 1
        rounds += sum(1 for _ in itertools.combinations(range(d),
                                                        (d + 1) // 2))
    yield rounds


def expected(protocol, n, exchanges):
    sent = collections.Counter()
    rounds = 0
    for items in exchanges:
        for x in (rep3 if protocol == "rep3" else shamir)(n, items):
            if isinstance(x, tuple):
                sent[x[0]] += x[2]
            else:
                rounds += x
    return rounds, [sent[i] for i in range(n)]


# ---- circuits ----
class Circuit:
    def __init__(self, protocol, n):
        self.n = n
        self.d = 2 * (-(-n // 2) - 1) + 1
        self.inputs, self.body, self.names = [], [], 0
        self.head = ['circuit "c"', "stage sched", "field 61",
                     f"target {protocol} {n}"]

    def name(self):
        self.names += 1
        return f"%v{self.names}"

    def local(self, ty, text):
        v = self.name()
        self.body.append(f"  {v}: {ty} = {text}")
        return v

    def share(self, lanes):
        leaf = f"i{len(self.inputs)}"
        self.inputs.append(f'input "{leaf}" "field" "[{lanes}]" of "{leaf}" '
                           'secret')
        return self.local(f"p.sh[{lanes}]", f'input "{leaf}"')

    def bits(self, lanes):
        one = self.local(f"b[{lanes}]", "const 1")
        return self.local(f"b.sh[{lanes}]", f"hide {one}")

    def product(self, dom, lanes, v):
        return self.local(f"{dom}.prod[{lanes}]", f"mul {v}, {v}")

    def prepare(self, x):
        """What stands before the exchange: its line, without the round."""
        k, n = x.kind, x.lanes
        if k == "reduce":
            return f"p.sh[{n}]", "reduce " + self.product("p", n,
                                                          self.share(n))
        if k == "open":
            return f"p[{n}]", f"open {self.share(n)}"
        if k == "reduce_bits":
            return f"b.sh[{n}]", "reduce " + self.product("b", n, self.bits(n))
        if k == "open_bits":
            return f"b[{n}]", f"open {self.bits(n)}"
        if k == "xdeal":
            return f"p.sh<0..1>[{n}]", f"xdeal {self.bits(n)}"
        if k == "xjoin":  # of what an earlier exchange has dealt
            return f"p.sh<0..1>[{n}]", "xjoin " + ", ".join(x.extra)
        if k == "deal":
            wide = x.extra
            return (f"b.sh[{n}]",
                    f"deal {self.share(n // wide)} bits {wide}")
        if k == "bdeal":
            return f"p.sh<0..1>[{n}]", f"bdeal {self.bits(n)}"
        lo = x.extra << 40
        off = f" off {x.extra}" if x.extra else ""
        perm = self.local(f"z<{lo}..{lo + (1 << 40) - 1}>", f"perm{off}")
        return f"p.sh[{n}]", f"{k} {self.share(n)}, {perm} inner 1"

    def exchange(self, items, number):
        """Returns the dealt bits that a later exchange may join."""
        made, lines = [], []
        for x in items:
            ty, text = self.prepare(x)
            many = self.d if x.kind in ("deal", "bdeal") else 1
            names = [self.name() for _ in range(many)]
            lines.append("  " + ", ".join(f"{v}: {ty}" for v in names) +
                         f" = {text} round {number}")
            if x.kind == "xdeal":
                made.append((x.lanes, (names[0], text.split()[1])))
        self.body += lines
        return made

    def text(self):
        return "\n".join(self.head + self.inputs + ["@body {"] + self.body +
                         ["}", ""])


def counted(tool, protocol, n, circuit):
    model = protocol if protocol == "rep3" else f"shamir:{n}"
    args = [tool, "-", f"--cost={model}", "--interp"]
    for k in range(len(circuit.inputs)):
        args += ["--input", f"i{k}=3"]
    r = subprocess.run(args, input=circuit.text(), capture_output=True,
                       text=True)
    if r.returncode != 0:
        sys.exit(circuit.text() + r.stderr)
    found = []
    for line in r.stdout.splitlines():
        if line.startswith(("static: exact", "run: exact")):
            part = line.split(", ")
            found.append((int(part[2].split()[1]),
                          [int(b) for b in part[-1].split()[1:]]))
    return found


# ---- cases ----
def random_item(rng, kinds, n):
    kind = rng.choice(kinds)
    lanes, extra = rng.randrange(1, 70), None
    if kind == "deal":
        extra = rng.randrange(1, 9)
        lanes *= extra
    elif "shuffle" in kind:
        extra = rng.randrange(3)
        lanes = rng.randrange(1, 9)
    return Item(kind, lanes, extra)


def random_exchanges(rng, protocol, n, circuit):
    """Two of up to six items; the second of rep3 joins what the first deals."""
    kinds = [k for k in (REP3 if protocol == "rep3" else SHAMIR)
             if k != "xjoin" and (n <= 8 or "shuffle" not in k)]
    first = [random_item(rng, kinds, n) for _ in range(rng.randrange(1, 7))]
    made = circuit.exchange(first, 1)
    second = [random_item(rng, kinds, n) for _ in range(rng.randrange(1, 4))]
    second += [Item("xjoin", lanes, names) for lanes, names in made]
    rng.shuffle(second)
    circuit.exchange(second, 2)
    return [first, second]


def cases(rng, protocol, n):
    """(circuit, what it exchanges): each kind alone, then mixtures."""
    for m, o in (0, 1), (1, 0), (1, 1), (n, 2), (2 * n + 1, 0):
        c = Circuit(protocol, n)
        items = [Item("reduce", m, None)] * bool(m)
        items += [Item("open", o, None)] * bool(o)
        c.exchange(items, 1)
        yield c, [items]
    for kind in REP3 if protocol == "rep3" else SHAMIR:
        if kind == "xjoin" or n > 8 and "shuffle" in kind:
            continue
        c = Circuit(protocol, n)
        item = random_item(rng, [kind], n)
        c.exchange([item], 1)
        yield c, [[item]]
    for _ in range(40 if protocol == "rep3" else 8 if n <= 8 else 3):
        c = Circuit(protocol, n)
        yield c, random_exchanges(rng, protocol, n, c)


def main():
    rng = random.Random(7)
    bad = tried = 0
    kinds = collections.Counter()
    models = [("rep3", 3)] + [("shamir", n) for n in range(3, 23)]
    for protocol, n in models:
        for circuit, exchanges in cases(rng, protocol, n):
            want = expected(protocol, n, exchanges)
            got = counted(sys.argv[1], protocol, n, circuit)
            tried += 1
            kinds.update(x.kind for items in exchanges for x in items)
            if got != [want, want]:
                print(f"{protocol} n={n} {exchanges}: {got} instead of {want}")
                bad += 1
    missing = (set(REP3) | set(SHAMIR)) - set(kinds)
    if missing:
        print(f"never tried: {missing}")
    print(f"{tried} circuits, {bad} differ; items: " +
          ", ".join(f"{v} {k}" for k, v in sorted(kinds.items())))
    return 1 if bad or missing else 0


if __name__ == "__main__":
    sys.exit(main())
