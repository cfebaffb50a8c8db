#!/usr/bin/env python3
"""Writes the tables of docs/ir.md and docs/passes.md from the sources.

usage: scripts/gen_tables.py [--check]

A table stands between `<!-- table: NAME -->` and `<!-- end -->`; names are ops,
invariants, attributes, passes.  With --check nothing is written: exit 1 if a
page is not what the sources say.
"""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
FLAGS = [("C", "commutes"), ("A", "associates"), ("L", "linear"),
         ("I", "interactive"), ("E", "effect"), ("R", "regions"),
         ("F", "may fail"), ("S", "speculable")]


def read(path):
    return (ROOT / path).read_text(encoding="utf-8")


def rows(path, macro):
    """The argument lists of every MACRO(...) line; strings may hold commas."""
    for line in read(path).splitlines():
        if line.startswith(macro + "("):
            body = line[len(macro) + 1:line.rindex(")")]
            yield [a.strip() for a in
                   re.findall(r'\s*("(?:[^"\\]|\\.)*"|[^,"]+)\s*(?:,|$)', body)]


def ops():
    out = ["| op | operands | results | rule | flags | stages | |",
           "|---|---|---|---|---|---|---|"]
    for _, name, nargs, nres, rule, flags, stages, doc in rows("ir/ops.def",
                                                              "OP"):
        have = {f.strip()[2:] for f in flags.split("|")} - {""}
        words = ", ".join(w for f, w in FLAGS if f in have)
        at = ", ".join({"H": "high", "K": "core", "X": "sched"}[s]
                       for s in stages)
        at = "all" if stages == "HKX" else at
        doc = doc.strip('"').replace("|", "\\|").replace("*", "\\*")
        out.append(f"| `{name[1:-1]}` | {nargs} | {nres} | {rule} | {words} "
                   f"| {at} | {doc} |")
    return out


def invariants():
    head = read("ir/verify.c").split("*/", 1)[0]
    out = ["| | invariant | |", "|---|---|---|"]
    found = re.findall(r"^ \* +(\d+) (\w+) +(.*(?:\n \* {8,}.*)*)", head, re.M)
    for number, name, text in found:
        text = re.sub(r"\s*\n \*\s*", " ", text).replace("|", "\\|")
        out.append(f"| {number} | {name} | {text} |")
    return out


def attributes():
    texts = {"AT_IMM": "the constant", "AT_TABLE": "`[1, 2, 3]`: a lane each",
             "AT_INNER": "`inner 3`: lanes of a group, or of a row (then left "
                         "out if 1)",
             "AT_BITS": "`bits 8`", "AT_MAX": "`max 40`: turns",
             "AT_OFF": "`off 3`: left out if 0",
             "AT_DIMS": "`[4:1, 5:-2]`: axes, outermost first, lanes:stride",
             "AT_NAME": "`\"xs\"`: a leaf", "AT_MESSAGE": "`\"too few\"`",
             "AT_ROUND": "`round 1`: stage sched only"}
    names = {r[0]: r[1].strip('"') for r in rows("ir/ops.def", "OP")}
    src = read("ir/ir.c")
    users = {}
    for op, attrs in re.findall(r"\[OP_(\w+)\] = ([A-Z_| ]+)", src):
        for a in attrs.split("|"):
            users.setdefault(a.strip(), []).append(f"`{names[op]}`")
    out = ["| attribute | of |", "|---|---|"]
    for key, text in texts.items():
        if key in users:
            out.append(f"| {text} | {', '.join(users.pop(key))} |")
    if users:
        sys.exit(f"gen_tables: no text for {users}")
    return out


def passes():
    out = ["| pass | takes | leaves | required | |", "|---|---|---|---|---|"]
    stage = {"-1": "what it found"}
    for name, lo, hi, leaves, required, doc in rows("ir/pass/passes.def",
                                                    "PASS"):
        s = [x[3:].lower() for x in (lo, hi)]
        takes = s[0] if s[0] == s[1] else f"{s[0]} to {s[1]}"
        out.append(f"| `{name}` | {takes} | "
                   f"{stage.get(leaves, leaves[3:].lower())} | "
                   f"{'yes' if required == '1' else ''} | "
                   + doc.strip('"').replace("|", "\\|") + " |")
    return out


TABLES = {"ops": ops, "invariants": invariants, "attributes": attributes,
          "passes": passes}


def filled(text):
    def table(m):
        body = "\n".join(TABLES[m.group(1)]())
        return f"<!-- table: {m.group(1)} -->\n{body}\n<!-- end -->"
    return re.sub(r"<!-- table: (\w+) -->\n.*?<!-- end -->", table, text,
                  flags=re.S)


def main():
    if sys.argv[1:] not in ([], ["--check"]):
        sys.exit(__doc__)
    stale = 0
    for page in ("docs/ir.md", "docs/passes.md"):
        if not (ROOT / page).exists():
            continue
        old = read(page)
        new = filled(old)
        if new == old:
            continue
        if sys.argv[1:]:
            print(f"{page} is stale: run scripts/gen_tables.py")
            stale = 1
        else:
            (ROOT / page).write_text(new, encoding="utf-8")
            print(f"{page} written")
    return stale


if __name__ == "__main__":
    sys.exit(main())
