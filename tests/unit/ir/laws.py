#!/usr/bin/env python3
"""The laws of circuit text, on every .ir file below the given folders.

usage: laws.py CHI_OPT FOLDER...

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


def check(tool, path):
    x = canonical(path.read_bytes())
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
    tool, folders = sys.argv[1], sys.argv[2:]
    files = [p for f in folders for p in sorted(pathlib.Path(f).rglob("*.ir"))]
    bad = 0
    for p in files:
        if p.name.startswith("bad_"):
            continue
        why = check(tool, p)
        if why:
            print(f"{p}: {why}")
            bad += 1
    print(f"{len(files)} files, {bad} break a law")
    return 1 if bad or not files else 0


if __name__ == "__main__":
    sys.exit(main())
