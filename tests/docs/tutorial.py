#!/usr/bin/env python3
"""Does what the tutorial says, in its order, in a folder of its own.

    tutorial.py CHI PAGE.md [--show]

A ```chi block behind a line **name.chi** is that file from there on.  In
```console blocks lines that begin with `$ ` are commands; what follows has to be
what they print, where … stands for anything in a line and a line … for any
lines.  --show prints what the commands really say.
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile


def blocks(page):
    """('file', name, text) and ('run', command, expected lines)."""
    name = None
    for m in re.finditer(r'^\*\*(\S+\.chi)\*\*$|^```(\w+)[^\n]*\n(.*?)^```$',
                         page, re.M | re.S):
        if m.group(1):
            name = m.group(1)
        elif m.group(2) == 'chi' and name:
            yield 'file', name, m.group(3)
            name = None
        elif m.group(2) == 'console':
            command, want = None, []
            for line in m.group(3).splitlines():
                if line.startswith('$ '):
                    if command:
                        yield 'run', command, want
                    command, want = line[2:], []
                else:
                    want.append(line)
            if command:
                yield 'run', command, want


def line_fits(want, got):
    parts = [re.escape(p) for p in want.split('…')]
    return re.fullmatch('.*'.join(parts), got.rstrip()) is not None


def fits(want, got):
    if not want:
        return not got
    if want[0] == '…':
        return any(fits(want[1:], got[k:]) for k in range(len(got) + 1))
    return bool(got) and line_fits(want[0], got[0]) and \
        fits(want[1:], got[1:])


def main():
    chi, page = os.path.abspath(sys.argv[1]), sys.argv[2]
    show = '--show' in sys.argv
    root = tempfile.mkdtemp(prefix='chi-tutorial-')
    env = dict(os.environ, HOME=root, XDG_CONFIG_HOME=root + '/.config',
               NO_COLOR='1', PATH=os.path.dirname(chi) + ':' +
               os.environ['PATH'])
    ran = 0
    try:
        with open(page, encoding='utf-8') as f:
            text = f.read()
        for kind, head, body in blocks(text):
            if kind == 'file':
                with open(os.path.join(root, head), 'w') as f:
                    f.write(body)
                continue
            r = subprocess.run(['bash', '-c', head], cwd=root, env=env,
                               stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, text=True,
                               timeout=120)
            got = [g.rstrip() for g in r.stdout.rstrip('\n').split('\n')] \
                if r.stdout.strip() else []
            if show:
                print('$ ' + head, *got, sep='\n')
            elif not fits([w.rstrip() for w in body], got):
                print('%s\n--- the page says\n%s\n--- it prints\n%s' % (
                    '$ ' + head, '\n'.join(body), '\n'.join(got)))
                return 1
            ran += 1
    finally:
        subprocess.run([chi, 'net', 'stop'], cwd=root, env=env,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        shutil.rmtree(root, ignore_errors=True)
    print('%d commands say what the page says' % ran)
    return 0 if ran else 1


sys.exit(main())
