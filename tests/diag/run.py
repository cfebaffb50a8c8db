#!/usr/bin/env python3
"""Compares what `chi check` says with the `//~ E0231` comments of each file.

usage: run.py CHI DIAG_DEF [FILE...]

A comment `//~ E0231 W0901` expects these ids on its line, each once.
Unexpected and missing messages both fail.  A line `//----` ends a part: each
part is checked by itself, after what stands before the first such line, as
the command shows at most 20 errors.  Without files, all of this folder are checked, every id of the front end has to be
expected somewhere, and every story's example has to give its id.
"""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

# Ids that one file alone cannot show, or not in a few lines.
ELSEWHERE = {"E0211": "the file is missing: tests/cmd",
             "E0259": "tests/unit/cmd", "E0261": "tests/unit/cmd",
             "E0401": "tests/unit/frontend", "E0402": "tests/unit/frontend"}
# Stories whose example speaks of other files, or of the command.
NOT_ALONE = {"E0202", "E0209", "E0211", "E0259", "E0261", "E0271", "E0272",
             "E0401", "E0402"}


def messages(chi, path):
    run = subprocess.run([chi, "check", "--json", path], timeout=60,
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if run.returncode not in (0, 1):
        sys.exit("%s: exit code %d\n%s" % (path, run.returncode,
                                           run.stderr.decode()))
    return json.loads(run.stdout)


def expected(name, lines):
    out = []
    for number, line in enumerate(lines, 1):
        m = re.search(r"//~((?: [EW]\d{4})+)", line)
        if m:
            out += [(name, number, i) for i in m.group(1).split()]
    return out


def parts(lines):
    """The file once per part, the other parts' lines left empty."""
    cuts = [i for i, s in enumerate(lines) if s.startswith("//----")]
    if not cuts:
        return [lines]
    ends = cuts[1:] + [len(lines)]
    return [[s if i < cuts[0] or a <= i < b else ""
             for i, s in enumerate(lines)] for a, b in zip(cuts, ends)]


def check_part(chi, folder, name, lines):
    path = os.path.join(folder, name)
    with open(path, "w") as f:
        f.write("\n".join(lines) + "\n")
    want = expected(name, lines)
    found = [(os.path.basename(m["file"]), m["line"], m["id"])
             for m in messages(chi, path)]
    for other in sorted({f for f, _, _ in found} - {name}):
        with open(os.path.join(folder, "more", other)) as f:
            want += expected(other, f.read().split("\n"))
    bad = 0
    for kind, some, rest in (("missing", want, found),
                             ("unexpected", found, want)):
        rest = list(rest)
        for m in some:
            if m in rest:
                rest.remove(m)
            else:
                print("%s:%d: %s %s" % (m[0], m[1], kind, m[2]))
                bad += 1
    return bad, {i for _, _, i in want}


def check_file(chi, path):
    with open(path) as f:
        lines = f.read().split("\n")
    more = os.path.join(os.path.dirname(os.path.abspath(path)), "more")
    bad, seen = 0, set()
    with tempfile.TemporaryDirectory() as folder:
        if os.path.isdir(more):
            shutil.copytree(more, os.path.join(folder, "more"))
        for part in parts(lines):
            n, ids = check_part(chi, folder, os.path.basename(path), part)
            bad += n
            seen |= ids
    return bad, seen


def stories(diag_def):
    text = open(diag_def).read()
    for section in ("frontend", "warnings"):
        at = text.index("/* ---- " + section)
        part = text[at:text.index("/* ---- end", at)]
        for row in re.split(r"(?m)^(?=DIAG\()", part)[1:]:
            ident = row[5:10]
            story = "".join(re.findall(r'"((?:[^"\\]|\\.)*)"', row))
            story = story.replace("\\n", "\n").replace('\\"', '"')
            example = story[story.index("Example:"):story.index("Mend:")]
            lines = example.split("\n")[1:]
            yield ident, "\n".join(s.strip() for s in lines)


def check_stories(chi, diag_def, seen):
    bad = 0
    for ident, example in stories(diag_def):
        if ident not in seen and ident not in ELSEWHERE:
            print("%s is expected in no file" % ident)
            bad += 1
        if ident in NOT_ALONE:
            continue
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "example.chi")
            with open(path, "w") as f:
                f.write(example)
            found = {m["id"] for m in messages(chi, path)}
        if ident not in found or {i for i in found if i[0] == "E"} - {ident}:
            print("the example of %s gives %s" % (ident, sorted(found)))
            bad += 1
    return bad


def main():
    chi, diag_def, files = sys.argv[1], sys.argv[2], sys.argv[3:]
    here = os.path.dirname(os.path.abspath(__file__))
    everything = not files
    if everything:
        files = sorted(os.path.join(here, f) for f in os.listdir(here)
                       if f.endswith(".chi"))
    bad, seen = 0, set()
    for path in files:
        n, ids = check_file(chi, path)
        bad += n
        seen |= ids
    if everything:
        bad += check_stories(chi, diag_def, seen)
    print("%d files, %d ids, %d wrong" % (len(files), len(seen), bad))
    sys.exit(bad != 0)


main()
