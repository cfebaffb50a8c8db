"""The correlation from the sums that the market opened, beside the same figure
computed by Python's standard library over the file.

    check.py DATA X Y < what `chi call .. --json` printed
"""
import csv
import json
import math
import statistics
import sys


def main():
    path, left, right = sys.argv[1:4]
    with open(path, newline='') as f:
        rows = [(int(r[left]), int(r[right])) for r in csv.DictReader(f)]
    answer = json.load(sys.stdin)
    s = {k: int(v) for k, v in answer['result'].items()}
    n = len(rows)
    cov = s['xy'] * n - s['x'] * s['y']
    got = cov / math.sqrt((s['xx'] * n - s['x'] ** 2) *
                          (s['yy'] * n - s['y'] ** 2))
    want = statistics.correlation(*map(list, zip(*rows)))
    print('opened: %s' % ', '.join('%s = %d' % kv for kv in s.items()))
    print('correlation of %s and %s over %d patients: %.12f' %
          (left, right, n, got))
    print('the same by Python over the file:          %.12f' % want)
    print('%d rounds, %d bytes sent by a node, %.3f s' %
          (answer['rounds'], max(answer['bytes_sent']), answer['seconds']))
    if abs(got - want) > 1e-12:
        sys.exit('they differ')


main()
