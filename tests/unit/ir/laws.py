#!/usr/bin/env python3
"""The laws of circuit text, on every .ir file below the given folders and on
every fenced `ir` example of a page.

usage: laws.py CHI_OPT (FOLDER | PAGE.md)...

  print(parse(x)) == x      once the leading comment lines of x are gone
  parse(print(m)) is m      so a second trip changes nothing
  hash = SHA-256 of the canonical text

A file named bad_* need not be a circuit.
"""

import hashlib
import pathlib
import re
import subprocess
import sys


def chi_opt(tool, text, *args):
    r = subprocess.run([tool, "-", *args], input=text, capture_output=True,
                       timeout=60)
    return r.stdout if r.returncode == 0 else None


def canonical(text):
    return re.sub(rb"\A(?:#[^\n]*\n)*", b"", text)


def texts(path):
    """Pairs of a name and circuit text."""
    if path.suffix == ".md":
        for k, m in enumerate(re.finditer(rb"^```ir\n(.*?)^```",
                                          path.read_bytes(), re.M | re.S)):
            yield f"{path}, example {k + 1}", m.group(1)
        return
    for p in sorted(path.rglob("*.ir")):
        if not p.name.startswith("bad_"):
            yield str(p), p.read_bytes()


def check(tool, text):
    x = canonical(text)
    y = chi_opt(tool, x)
    if y is None:
        return "does not parse"
    if y != x:
        return "is not canonical"
    if chi_opt(tool, y) != y:
        return "changes on the second trip"
    if chi_opt(tool, x, "--hash").decode().strip() != \
            hashlib.sha256(x).hexdigest():
        return "has another hash"
    spans = chi_opt(tool, x, "--spans")
    if spans is None or re.sub(rb" at \d+\.\.\d+(?=( @|\n))", b"",
                               spans) != x:
        return "with spans is another text"
    return None


def main():
    tool, paths = sys.argv[1], sys.argv[2:]
    files = [t for p in paths for t in texts(pathlib.Path(p))]
    bad = 0
    for name, text in files:
        why = check(tool, text)
        if why:
            print(f"{name}: {why}")
            bad += 1
    print(f"{len(files)} circuits, {bad} break a law")
    return 1 if bad or not files else 0


if __name__ == "__main__":
    sys.exit(main())
