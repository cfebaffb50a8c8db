#!/usr/bin/env python3
"""Checks who includes whom: each folder knows only those before it."""
import os
import re
import sys

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
ALLOWED = {
    'base': {'base'},
    'grammar': {'base', 'grammar'},
    'ir': {'base', 'ir'},
    'frontend': {'base', 'grammar', 'frontend'},
    'backend': {'base', 'ir', 'backend'},
    'ledger': {'base', 'ir', 'backend', 'ledger'},
    'node': {'base', 'ir', 'backend', 'ledger', 'node'},
    'cmd': {'base', 'grammar', 'ir', 'frontend', 'backend', 'ledger', 'node',
            'cmd'},
    'runtime': {'runtime'},
    'examples': set(),
}
FOLDERS = set(ALLOWED) | {'tests'}
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"')


def allowed(folder, name, target):
    if target in ALLOWED[folder]:
        return True
    # One part of the frontend knows both the tree and the circuit.
    return folder == 'frontend' and name.startswith('lower') and \
        target == 'ir'


def main():
    bad = seen = 0
    for folder in sorted(ALLOWED):
        for root, _, files in os.walk(os.path.join(TOP, folder)):
            for name in sorted(files):
                if not name.endswith(('.c', '.h', '.l', '.y', '.def')):
                    continue
                path = os.path.join(root, name)
                with open(path, encoding='utf-8') as f:
                    for k, line in enumerate(f, 1):
                        m = INCLUDE.match(line)
                        target = m and m.group(1).split('/')[0]
                        if not m or target not in FOLDERS or \
                                '/' not in m.group(1):
                            continue
                        seen += 1
                        if not allowed(folder, name, target):
                            bad += 1
                            print('%s:%d: %s may not include %s' % (
                                os.path.relpath(path, TOP), k, folder,
                                m.group(1)))
    print('check_deps: %d includes between folders, %d not allowed' %
          (seen, bad))
    return 1 if bad or not seen else 0


if __name__ == '__main__':
    sys.exit(main())
