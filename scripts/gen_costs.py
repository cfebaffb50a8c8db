#!/usr/bin/env python3
"""Writes the tables of docs/costs.md from `chi cost` of a small program each.

usage: scripts/gen_costs.py [--check] [CHI]

A table stands between `<!-- costs: NAME -->` and `<!-- end -->`.  Where a row
has a formula, what `chi cost` says must be what it gives, in bytes and rounds:
exit 1 if not.  The formulas are those of docs/protocols.md and docs/passes.md,
written here a second time.  With --check nothing is written: exit 1 if the page
is stale.
"""

import functools
import json
import math
import os
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "costs.md"
CHI = str(ROOT / "build" / "bin" / "chi")
K = 61
LANES = 6720  # a multiple of 3, of 64, and of t + 1 and 2t + 1 up to 7 nodes
TARGETS = [("rep3", 3), ("shamir", 3), ("shamir", 4), ("shamir", 5),
           ("shamir", 7)]


class Cost:
    """Bytes of a node, on average, and rounds."""

    def __init__(self, b=0.0, r=0):
        self.bytes, self.rounds = b, r

    def __add__(self, o):  # one after the other
        return Cost(self.bytes + o.bytes, self.rounds + o.rounds)

    def __or__(self, o):  # at the same time
        return Cost(self.bytes + o.bytes, max(self.rounds, o.rounds))

    def __mul__(self, n):  # n at the same time
        return Cost(self.bytes * n, self.rounds)


# ---- carries: products of a tree of least depth ----
@functools.lru_cache(None)
def tree(shape, level, n):
    """Products for n positions within `level` levels: INNER passes carries on,
    CARRIED has one that comes in and does not."""
    chain = level if shape == "CARRIED" else level + 1
    each = 2 if shape == "INNER" else 1
    best = math.inf
    if n <= chain and (n or shape == "CARRIED"):
        best = 2 * n - 1 if shape == "INNER" else n
    for a in range(shape != "CARRIED", n if level else 0):
        best = min(best, tree(shape, level - 1, a) +
                   tree("INNER", level - 1, n - a) + each)
    return best


def carry(n):
    """Products and levels of a carry through n positions and one coming in."""
    level = 0
    while tree("CARRIED", level, n) == math.inf:
        level += 1
    return tree("CARRIED", level, n), level


def all_carries(n):
    """Products of Sklansky's tree over a carry that comes in and n - 1 more."""
    products = 0
    for i in range(1, n):
        for level in range(max(1, (n - 1).bit_length())):
            if i >> level & 1:
                products += 1 + (i >> (level + 1) > 0)
            elif level == 0:
                products += 1
    return products


def demux(m):
    if m < 3:
        return m - 1
    return demux(m // 2) + demux(m - m // 2) + 2**m


# ---- formulas ----
class Target:
    def __init__(self, protocol, n):
        self.rep3, self.n = protocol == "rep3", n
        self.t = (n + 1) // 2 - 1
        self.d = 2 * self.t + 1
        # what dealing one thing to the n - 1 - t costs a node
        self.deal = self.d * (n - 1 - self.t) / n
        self.layers = 0  # of carry-save adders
        d = self.d
        while d > 2:
            d -= d // 3
            self.layers += 1

    def product(self):
        t, n = self.t, self.n
        if self.rep3:
            return Cost(8, 1)
        if n <= 5:
            return Cost(8 * self.deal, 1)
        return Cost(8 * (t / (t + 1) + (n - 1) / n + t / n), 2)

    def opening(self):
        return Cost(8 * (1 if self.rep3 else self.n - 1), 1)

    def bit_product(self):
        return Cost(1 / 8 if self.rep3 else self.deal, 1)

    def bit_opening(self):
        return Cost(1 / 8 if self.rep3 else self.n - 1, 1)

    def to_field(self):
        if self.rep3:
            return Cost(8, 2)
        dealt, m = Cost(8 * self.deal, 1), self.product()
        depth = (self.d - 1).bit_length()
        return dealt + Cost((self.d - 1) * m.bytes, depth * m.rounds)

    def from_bits(self, m):
        """m of them, times powers of 2, added: one last product for all."""
        one, p = self.to_field(), self.product()
        if self.rep3:
            return one * m
        return Cost((one.bytes - p.bytes) * m + p.bytes, one.rounds)

    def shuffle(self):
        if self.rep3:
            return Cost(32 / 3, 2)
        t = self.t
        return Cost(8 * math.comb(2 * t, t) * self.deal,
                    math.comb(self.d, t + 1))

    def addends(self, planes):
        """Two addends of so many planes of a share."""
        n, d = min(planes + self.layers, K), self.d
        whole = planes == K
        if whole:
            n = K
        sent = 0 if self.rep3 else n * self.deal
        n = planes + self.layers
        while d > 2:
            n -= 1
            sent += (d // 3) * n * self.bit_product().bytes
            d -= d // 3
        return Cost(sent, self.layers + (not self.rep3))

    def gates(self, products, rounds):
        return Cost(products * self.bit_product().bytes, rounds)

    def less(self, m):  # |d| <= 2^m
        p, levels = carry(m)
        return self.addends(m + 2) + self.gates(1 + p, 1 + levels)

    def negative(self):  # the whole field
        p, levels = carry(K - 1)
        return self.addends(K) + self.gates(1 + p, 1 + levels)

    def equal(self, m):  # |d| < 2^m - 1
        return self.addends(m) + self.gates(m - 1, (m - 1).bit_length())

    def bits(self, m):
        steps = 1 + max(1, (m - 1).bit_length()) if m > 1 else 1
        return self.addends(m + 1) + self.gates(1 + all_carries(m), steps)


# ---- rows ----
def row(what, formula, body, cost=None, per=LANES, opens=0, params=None,
        result=None):
    """`opens`: bits that are opened for want of another way to keep bits; their
    opening is taken off."""
    return dict(what=what, formula=formula, body=body, cost=cost, per=per,
                opens=opens, params=params, result=result)


def two(t, u=None):
    return f"a: secret [{t}; {LANES}], b: secret [{u or t}; {LANES}]"


def one(t):
    return f"a: secret [{t}; {LANES}]"


def lanes(t):
    return f"secret [{t}; {LANES}]"


def each(e):
    return f"return [{e} for i in 0..{LANES}];"


def compared(what, t, formula, f, op="<"):
    return row(what, formula, f"return reveal(a {op} b);", f, opens=1,
               params=two(t), result=f"[bool; {LANES}]")


def basic():
    bit = f"[bool; {LANES}]"
    return [
        row("product, or sum of products", "*M*", each("a[i] * b[i]"),
            Target.product, params=two("u30"), result=lanes("u60")),
        row("opening", "*O*", "return reveal(a);", Target.opening,
            params=one("u32"), result=f"[u32; {LANES}]"),
        row("product of bits", "*m*", "let x = a < b; let y = c < d; return "
            f"reveal([x[i] && y[i] for i in 0..{LANES}]);",
            lambda t: (t.less(8) * 2 + t.bit_product()), opens=1,
            params=two("u8") + ", " + two("u8").replace("a:", "c:").replace(
                "b:", "d:"), result=bit),
        row("bit to number", "*F*", each("if a[i] < b[i] { 1 } else { 0 }"),
            lambda t: t.less(8) + t.to_field(), params=two("u8"),
            result=lanes("u1")),
        row("a row shuffled, of one number", "*S*",
            "return shuffle.shuffle(a);", Target.shuffle, params=one("u32"),
            result=lanes("u32")),
    ]


# The rows of `basic` that need a comparison to have bits: what comes off.
LESS_8 = {"product of bits": 2, "bit to number": 1}


def compare():
    rows = []
    for b in 8, 16, 32:
        rows.append(compared(f"`u{b} < u{b}`", f"u{b}", f"*L*({b})",
                             lambda t, b=b: t.less(b)))
    rows.append(compared("`u60 < u60`", "u60", "*N*", Target.negative))
    rows.append(row("`i60 < 0`", "*L*(59)", "return reveal(a < 0);",
                    lambda t: t.less(59), opens=1, params=one("i60"),
                    result=f"[bool; {LANES}]"))
    rows.append(compared("`i60 < i60`", "i60", "*N*", Target.negative))
    for b in 8, 16, 32:
        rows.append(compared(f"`u{b} == u{b}`", f"u{b}", f"*E*({b + 1})",
                             lambda t, b=b: t.equal(b + 1), "=="))
    rows.append(compared("`u60 == u60`", "u60", "*E*(61)",
                         lambda t: t.equal(K), "=="))
    return rows


def numbers():
    u32 = lanes("u32")
    least = lambda t: t.less(32) + t.to_field() + t.product()
    pick = lambda t: (t.bits(6) + t.gates(demux(6), 3) + t.to_field() * 64 +
                      t.product())
    return [
        row("`if c { a } else { b }`, `c` a number", "*M*",
            each("if c[i] { a[i] } else { b[i] }"), Target.product,
            params=f"c: {lanes('bool')}, " + two("u32"), result=u32),
        row("`u32 < u32` as a number", "*L*(32) + *F*",
            each("if a[i] < b[i] { 1 } else { 0 }"),
            lambda t: t.less(32) + t.to_field(), params=two("u32"),
            result=lanes("u1")),
        row("`min` of two `u32`", "*L*(32) + *F* + *M*",
            each("min(a[i], b[i])"), least, params=two("u32"), result=u32),
        row("`abs` of an `i32`", "*L*(31) + *F* + *M*", each("abs(a[i])"),
            lambda t: t.less(31) + t.to_field() + t.product(),
            params=one("i32"), result=u32),
        row("`u32 ^ u32`", "2 *B*(32) + *F*(32)", each("a[i] ^ b[i]"),
            lambda t: t.bits(32) * 2 + t.from_bits(32), params=two("u32"),
            result=u32),
        row("`count(bits(a))` of a `u32`, 6,720 of them", "",
            each("count(bits(a[i]))"), params=one("u32"),
            result=lanes("u6")),
        row("`u32 >> 16`", "", each("a[i] >> 16"), params=one("u32"),
            result=u32),
        row("`u32 >> u5`", "", each("a[i] >> b[i]"), params=two("u32", "u5"),
            result=u32),
        row("`u28 << u5`", "", each("a[i] << b[i]"), params=two("u28", "u5"),
            result=lanes("u59")),
        row("`u32 / 10`", "", each("a[i] / 10"), params=one("u32"),
            result=u32),
        row("`u32 / u16`, the divisor public", "", each("a[i] / (b[i] + 1)"),
            params=one("u32") + f", b: [u16; {LANES}]", result=u32),
        row("`u8 / u8`", "", each("a[i] / b[i]"), params=two("u8"),
            result=lanes("u8")),
        row("`u16 / u16`", "", each("a[i] / b[i]"), params=two("u16"),
            result=lanes("u16")),
        row("`u32 / u32`", "", each("a[i] / b[i]"), params=two("u32"),
            result=u32),
        row("`u32 % u32`", "", each("a[i] % b[i]"), params=two("u32"),
            result=u32),
        row("`isqrt` of a `u32`", "", each("isqrt(a[i])"), params=one("u32"),
            result=lanes("u16")),
        row("`t[a]`, `t: [u32; 64]`", "*B*(6) + 82 *m* + 64 *F* + *M*",
            each("t[a[i]]"), pick, params="t: secret [u32; 64], " + one("u6"),
            result=u32),
        row("`t[a] = v`, `t: [u32; 64]`", "*B*(6) + 82 *m* + 64 *F* + 64 *M*",
            "var u = t; for i in 0..960 { u[i, a[i]] = v[i]; } return u;",
            lambda t: (t.bits(6) + t.gates(demux(6), 3) + t.to_field() * 64 +
                       t.product() * 64), per=960,
            params="t: secret [u32; 960, 64], a: secret [u6; 960], "
                   "v: secret [u32; 960]", result="secret [u32; 960, 64]"),
    ]


def gates_of(name):
    out = chi("import", "bristol", str(ROOT / "std" / name), "--json")
    return json.loads(out)["bits"]


def rows_and_blocks():
    keys = [row(f"{w}", "", "return sort.rank_by_digits(a);",
                params=one(f"u{w}"), result=lanes("u24")) for w in (8, 10)]
    step = row("two bits more of a key that is sorted by digits",
               "4 *S* + *O* + 2 *M* + 2 *F*, and *B*(10) for *B*(8)", keys,
               lambda t: Cost(
                   4 * t.shuffle().bytes + t.opening().bytes +
                   2 * t.product().bytes + 2 * t.to_field().bytes +
                   t.bits(10).bytes - t.bits(8).bytes))
    n = 960
    wide = lambda t, k: f"secret [{t}; {k}, {n}]"
    aes = lambda t: Cost(256 * t.bits(1).bytes + gates_of("aes128.txt") *
                         t.bit_product().bytes)
    return [
        step,
        row("an AES-128 block, bools opened",
            f"{gates_of('aes128.txt'):,} *m* + 256 *B*(1)",
            "return reveal(aes.encrypt_bits(k, b));", aes, per=n, opens=128,
            params=f"k: {wide('bool', 128)}, b: {wide('bool', 128)}",
            result=f"[bool; 128, {n}]"),
        row("an AES-128 block, bytes as numbers", "",
            "return aes.encrypt_all(k, b);", per=n,
            params=f"k: {wide('u8', 16)}, b: {wide('u8', 16)}",
            result=wide("u8", 16)),
        row("a SHA-256 block, bools opened", "",
            "return reveal(hash.compress(k, b));", per=n, opens=256,
            params=f"k: {wide('bool', 256)}, b: {wide('bool', 512)}",
            result=f"[bool; 256, {n}]"),
    ]


# ---- measuring ----
def chi(*args):
    r = subprocess.run([CHI, *args], capture_output=True, text=True)
    if r.returncode != 0:
        sys.exit(f"gen_costs: {' '.join(args)}: {r.stdout}{r.stderr}")
    return r.stdout


def measured(path, name, r, target):
    c = json.loads(chi("cost", path, name, "--json", "--protocol",
                       "rep3" if target.rep3 else "shamir", "--nodes",
                       str(target.n)))
    if not c["exact"]:
        sys.exit(f"gen_costs: {r['what']}: not exact")
    cost = Cost(sum(c["bytes_sent"]) / target.n, c["rounds"])
    if r["opens"]:
        off = target.bit_opening() * (r["opens"] * r["per"])
        cost.bytes -= off.bytes + (16 if target.rep3 else 0)
        cost.rounds -= 1
    elif r["formula"] == "*O*" and target.rep3:
        cost.bytes -= 16
    return Cost(cost.bytes / r["per"], cost.rounds)


def cell(cost, rounds=True):
    b = cost.bytes
    text = f"{b:,.0f}" if b >= 100 else f"{b:.1f}"
    if b < 1:
        text = f"{b:.3f}".rstrip("0")
    return f"{text} B, {cost.rounds}" if rounds else f"{text} B"


def program(rows):
    lines = ["import std.shuffle;", "import std.sort;", "import std.aes;",
             "import std.hash;"]
    for k, r in enumerate(rows):
        parts = r["body"] if isinstance(r["body"], list) else [r]
        for j, p in enumerate(parts):
            lines.append(f"fn r{k}_{j}({p['params']}) -> {p['result']} {{ "
                         f"{p['body']} }}")
    return "\n".join(lines) + "\n"


def measure_row(path, k, r, target):
    if not isinstance(r["body"], list):
        return measured(path, f"r{k}_0", r, target)
    a, b = (measured(path, f"r{k}_{j}", p, target)
            for j, p in enumerate(r["body"]))
    return Cost(b.bytes - a.bytes, b.rounds - a.rounds)


def table(rows):
    out = ["| | formula | " + " | ".join(f"{p}, {n}" for p, n in TARGETS) +
           " |", "|---|---|" + "---|" * len(TARGETS)]
    with tempfile.NamedTemporaryFile("w", suffix=".chi") as f:
        f.write(program(rows))
        f.flush()
        for k, r in enumerate(rows):
            cells = []
            for protocol, n in TARGETS:
                t = Target(protocol, n)
                got = measure_row(f.name, k, r, t)
                if r["cost"]:
                    want = r["cost"](t)
                    if abs(got.bytes - want.bytes) > 0.01 or (
                            want.rounds and got.rounds != want.rounds):
                        sys.exit(f"gen_costs: {r['what']}, {protocol} {n}: "
                                 f"{cell(got)}, by the formula {cell(want)}")
                for _ in range(LESS_8.get(r["what"], 0)):
                    got.bytes -= t.less(8).bytes
                if r["what"] in LESS_8:
                    got.rounds -= t.less(8).rounds
                cells.append(cell(got))
            out.append(f"| {r['what']} | {r['formula']} | " +
                       " | ".join(cells) + " |")
    return out


TABLES = {"basic": basic, "compare": compare, "numbers": numbers,
          "rows": rows_and_blocks}


def main():
    global CHI
    args = sys.argv[1:]
    check = "--check" in args
    args = [a for a in args if a != "--check"]
    if len(args) > 1 or args and args[0].startswith("-"):
        sys.exit(__doc__)
    CHI = args[0] if args else os.environ.get("CHI", CHI)
    old = PAGE.read_text(encoding="utf-8")

    def filled(m):
        return (f"<!-- costs: {m.group(1)} -->\n" +
                "\n".join(table(TABLES[m.group(1)]())) + "\n<!-- end -->")
    new = re.sub(r"<!-- costs: (\w+) -->\n.*?<!-- end -->", filled, old,
                 flags=re.S)
    if new == old:
        return 0
    if check:
        print("docs/costs.md is stale: run scripts/gen_costs.py")
        return 1
    PAGE.write_text(new, encoding="utf-8")
    print("docs/costs.md written")
    return 0


if __name__ == "__main__":
    sys.exit(main())
