#!/usr/bin/env python3
"""Checks the symbols of libchi.so against its public headers.

  scripts/check_symbols.py LIBCHI.SO HEADER...

Exported is exactly what a header marks CHI_API; nothing is called that prints,
exits or changes what belongs to the host; the only variable that can change is
the misuse hook.
"""
import re
import subprocess
import sys

FORBIDDEN = set("""
printf vprintf fprintf vfprintf puts putchar fputs fputc putc fwrite perror
__printf_chk __fprintf_chk __vfprintf_chk stdout stderr exit _exit _Exit
quick_exit system popen signal sigaction pthread_sigmask setenv putenv chdir
umask srand rand random strtok setlocale
""".split())
# Process-wide by contract (chi_set_misuse_hook).
VARIABLES = {"misuse_hook"}
# Made by compilers and linkers.
TOOLS = re.compile(r"^(__|_edata$|_end$|_init$|_fini$|completed\.|_DYNAMIC$|"
                   r"_GLOBAL_OFFSET_TABLE_$|__.*asan|__.*ubsan|__.*gcov)")


def marked(headers):
    names = set()
    for path in headers:
        with open(path, encoding="utf-8") as f:
            text = re.sub(r"/\*.*?\*/|//[^\n]*", " ", f.read(), flags=re.S)
        text = re.sub(r"^\s*#.*?(?<!\\)$", " ", text, flags=re.S | re.M)
        for m in re.finditer(r"\bCHI_API\b([^;{]*)", text):
            name = re.search(r"\b(\w+)\s*(?:\(|$|\[)", m.group(1).strip())
            if name:
                names.add(name.group(1))
    return names


def nm(*args):
    out = subprocess.run(("nm",) + args, check=True, capture_output=True,
                         text=True).stdout
    for line in out.splitlines():
        part = line.split()
        if len(part) >= 2:
            yield part[-2], part[-1].split("@")[0]


def objects(library):
    out = subprocess.run(("objdump", "-t", library), check=True,
                         capture_output=True, text=True).stdout
    for line in out.splitlines():
        m = re.match(r"[0-9a-f]+ .{6}O (\S+)\s+[0-9a-f]+ (?:\.\w+ )?(\S+)$",
                     line)
        if m:
            yield m.groups()


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    library, headers = sys.argv[1], sys.argv[2:]
    want = marked(headers)
    have = {n for kind, n in nm("-D", "--defined-only", library)
            if not TOOLS.match(n)}
    faults = [f"{n}: exported, but not marked CHI_API"
              for n in sorted(have - want)]
    faults += [f"{n}: marked CHI_API, but not exported"
               for n in sorted(want - have)]
    faults += [f"{n}: called by libchi, which may not"
               for _, n in sorted(nm("-D", "--undefined-only", library))
               if n in FORBIDDEN]
    for section, n in objects(library):
        base = re.sub(r"\.\d+$", "", n)
        # .data.rel.ro is made read-only when the library is loaded
        if (section in (".data", ".bss", ".tdata", ".tbss")
                and base not in VARIABLES and not TOOLS.match(n)):
            faults.append(f"{n}: a variable that can change")
    for fault in faults:
        print(fault, file=sys.stderr)
    if not want:
        sys.exit("no CHI_API in the headers: nothing was checked")
    if faults:
        sys.exit(f"{library}: {len(faults)} faults")
    print(f"{library}: {len(want)} symbols, as the headers say")


main()
