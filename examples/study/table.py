#!/usr/bin/env python3
"""Prints a run of the study as a table beside the same figures computed by
Python's standard library over the pooled file.

    chi run study.chi study … --json | table.py breast_cancer.csv

Exits with 1 if a printed digit differs.
"""
import csv
import json
import statistics
import sys

ROWS = [('benign', 0), ('malignant', 1)]


def pooled(path):
    """The figures over the whole file, by Python's statistics module."""
    with open(path, newline='') as f:
        rows = [{k: int(v) for k, v in r.items()} for r in csv.DictReader(f)]
    names = [k for k in rows[0] if k != 'malignant']
    ill = [r['malignant'] for r in rows]
    out = {'correlation': [], 'names': names}
    for name, flag in ROWS:
        out[name] = ill.count(flag)
        out['mean_' + name], out['sd_' + name] = [], []
        for k in names:
            x = [r[k] for r in rows if r['malignant'] == flag]
            out['mean_' + name].append(statistics.mean(x))
            out['sd_' + name].append(statistics.stdev(x))
    for k in names:
        x = [r[k] for r in rows]
        out['correlation'].append(statistics.correlation(x, ill))
    return out


def table(d, names):
    lines = ['%-18s %9s %9s %9s %9s %12s' % (
        '', 'benign', '', 'malignant', '', 'correlation'),
        '%-18s %9s %9s %9s %9s %12s' % (
        'measurement', 'mean', 'sd', 'mean', 'sd', 'w. malignant')]
    for j, k in enumerate(names):
        lines.append('%-18s %9.4f %9.4f %9.4f %9.4f %12.4f' % (
            k.replace('_', ' '), *(float(d[c][j]) for c in (
                'mean_benign', 'sd_benign', 'mean_malignant',
                'sd_malignant', 'correlation'))))
    lines.append('%-18s %9d %9s %9d' % (
        'patients', int(d['benign']), '', int(d['malignant'])))
    return lines


def main():
    run = json.load(sys.stdin)
    want = pooled(sys.argv[1])
    got = table(run['outputs'], want['names'])
    print('\n'.join(got))
    if got != table(want, want['names']):
        print('\nPython over the pooled file says otherwise:')
        print('\n'.join(table(want, want['names'])))
        return 1
    print('\nThe same table from Python over the pooled file agrees to every '
          'digit.')
    return 0


if __name__ == '__main__':
    sys.exit(main())
