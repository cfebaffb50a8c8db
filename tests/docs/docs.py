#!/usr/bin/env python3
"""Compiles every fenced `chi` example of the documents.

    docs.py CHI FILE..

A fence "```chi" must pass `chi check`; "```chi E0231" must fail with that id.
Test blocks of passing examples are run too, in the clear.
"""
import re
import subprocess
import sys
import tempfile

FENCE = re.compile(r'^```chi *([EW]\d{4})?[^\n]*\n(.*?)^```', re.M | re.S)


def main():
    chi, bad, seen = sys.argv[1], 0, 0
    for path in sys.argv[2:]:
        text = open(path, encoding='utf-8').read()
        for m in FENCE.finditer(text):
            seen += 1
            line = text.count('\n', 0, m.start()) + 1
            with tempfile.NamedTemporaryFile('w', suffix='.chi') as f:
                f.write(m.group(2))
                f.flush()
                r = subprocess.run([chi, 'check', f.name],
                                   capture_output=True, text=True)
                out = r.stdout + r.stderr
                want = m.group(1)
                if want is None and r.returncode == 0 and \
                        'test "' in m.group(2):
                    r = subprocess.run([chi, 'test', '--clear', f.name],
                                       capture_output=True, text=True)
                    out = r.stdout + r.stderr
            right = r.returncode == 1 and want in out if want \
                else r.returncode == 0
            if not right:
                bad += 1
                print('%s:%d: %s\n%s' % (
                    path, line, 'wants %s' % want if want else
                    'does not compile', out))
    print('%d examples, %d wrong' % (seen, bad))
    return 1 if bad or not seen else 0


if __name__ == '__main__':
    sys.exit(main())
