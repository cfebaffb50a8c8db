#!/usr/bin/env python3
"""Golden tests: run a tool on a file, compare everything it says.

usage: run.py --bin DIR [--update] [--jobs N] PATH...

A PATH is a test file or a folder that is searched for them.  A test file's
first line says what to run, after a comment sign:

    // RUN: ast-dump %s
    # RUN: chi check --json %s

%s is the file itself; a name that DIR holds is taken from there.  The tool
runs in the file's folder.  Its standard output, then its standard error, then
`exit: N` unless N is 0, must equal FILE with the suffix replaced by `.out`.
--update writes that file instead; look at the difference before a commit.
Exit status: 0 all equal, 1 differences, 2 misuse.
"""

import argparse
import concurrent.futures
import difflib
import pathlib
import re
import shlex
import subprocess
import sys

TIMEOUT = 60
RUN = re.compile(rb"^(?:\xef\xbb\xbf)?\s*(?://|#)\s*RUN:\s*(.+?)\s*$")


def run_line(path):
    """The command of a test file, or None if it is no test."""
    try:
        with open(path, "rb") as f:
            m = RUN.match(f.readline(4096).rstrip(b"\r\n"))
    except OSError:
        return None
    return m.group(1).decode() if m else None


def find_tests(paths):
    for path in paths:
        path = pathlib.Path(path)
        if path.is_file():
            yield path
            continue
        for p in sorted(path.rglob("*")):
            if p.suffix != ".out" and p.is_file() and run_line(p):
                yield p


def execute(path, bindir):
    """What the test's command says, as bytes."""
    argv = shlex.split(run_line(path))
    tool = bindir / argv[0]
    if tool.is_file():
        argv[0] = str(tool)
    argv = [path.name if a == "%s" else a for a in argv]
    try:
        r = subprocess.run(argv, cwd=path.parent, stdin=subprocess.DEVNULL,
                           capture_output=True, timeout=TIMEOUT)
    except FileNotFoundError:
        return f"run.py: no such tool: {argv[0]}\n".encode()
    except subprocess.TimeoutExpired:
        return f"run.py: no answer in {TIMEOUT} s\n".encode()
    code = f"exit: {r.returncode}\n".encode() if r.returncode else b""
    return r.stdout + r.stderr + code


def show_difference(path, want, got):
    lines = difflib.unified_diff(
        want.decode(errors="backslashreplace").splitlines(),
        got.decode(errors="backslashreplace").splitlines(),
        "expected", "found", lineterm="")
    print(f"FAIL {path}")
    for i, line in enumerate(lines):
        if i == 200:
            print("  ...")
            break
        print("  " + line[:400])


def main():
    ap = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ap.add_argument("--bin", required=True, type=pathlib.Path)
    ap.add_argument("--update", action="store_true")
    ap.add_argument("--jobs", type=int, default=2)
    ap.add_argument("path", nargs="+")
    args = ap.parse_args()
    tests = [p for p in find_tests(args.path) if run_line(p)]
    if not tests:
        print("run.py: no tests found", file=sys.stderr)
        return 2
    bindir = args.bin.resolve()
    failed = written = 0
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        results = pool.map(lambda p: execute(p.resolve(), bindir), tests)
        for path, got in zip(tests, results):
            golden = path.with_suffix(".out")
            want = golden.read_bytes() if golden.exists() else None
            if got == want:
                continue
            if args.update:
                golden.write_bytes(got)
                written += 1
            else:
                failed += 1
                show_difference(path, want or b"", got)
    print(f"{len(tests)} tests, {failed} failed"
          + (f", {written} written" if args.update else ""))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
