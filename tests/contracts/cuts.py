#!/usr/bin/env python3
"""Every way to cut, on a real network against plain Python; and packages that
are the same bytes wherever they are built.

    cuts.py CHI EXAMPLES [STEPS [NODES]]
"""
import os
import random
import subprocess
import sys

from models import No, require
from net import Net, Refused, same

HERE = os.path.dirname(os.path.abspath(__file__))
N = 6


class Cuts:
    def __init__(self):
        self.count = self.total = self.last = 0
        self.seen = [0] * N
        self.weight = {}
        self.a, self.b = [0] * N, [0] * N

    def random_call(self, rng):
        act = rng.choice(['weigh', 'put', 'put', 'between', 'two', 'each',
                          'either', 'mixed', 'chain', 'find', 'undone'])
        u32 = lambda: rng.choice([0, 1, 2**32 - 1, rng.randrange(2**32),
                                  rng.randrange(200)])
        i32 = lambda: rng.choice([0, -1, 2**31 - 1, -2**31,
                                  rng.randrange(-200, 200)])
        args = {'weigh': lambda: [rng.randrange(N + 2), rng.randrange(2**16)],
                'put': lambda: [rng.randrange(N + 1), u32(), i32()],
                'between': lambda: [u32(), u32()],
                'two': lambda: [rng.randrange(N + 1)],
                'each': lambda: [rng.randrange(7)],
                'either': lambda: [rng.random() < 0.5],
                'mixed': lambda: [rng.randrange(-128, 128), rng.randrange(256)],
                'chain': lambda: [u32()], 'find': lambda: [
                    rng.choice(self.seen + [u32()])],
                'undone': lambda: [rng.randrange(200)]}
        return act, args[act]()

    def weigh(self, k, w):
        self.weight[k] = w
        self.count = (self.count + 1) % 2**32
        return None, [('Note', self.count)]

    def put(self, i, x, y):
        require(i < N, 'index out of range')
        self.a[i], self.b[i] = x, y
        return None, []

    def between(self, x, y):
        require(self.count < N - 1, 'no place')
        self.a[self.count] = x
        self.count += 1
        self.a[self.count] = y
        return None, []

    def two(self, i):
        require(i < N, 'no such place')
        self.last = self.a[i] - 2 * self.b[i]
        return self.last, []

    def each(self, least):
        require(least <= 5, 'too many')
        events = []
        for i in range(least, N):
            self.seen[i] = self.a[i]
            self.total = (self.total + self.a[i]) % 2**64
            events.append(('Each', i, self.a[i]))
        return None, events

    def either(self, first):
        if first:
            self.total = sum(self.a)
            return None, []
        self.last = sum(self.b)
        return None, [('Note', 7)]

    def mixed(self, f, x):
        return (sum(b * self.weight.get(i, 0) for i, b in enumerate(self.b)) +
                x * f + self.count), []

    def chain(self, limit):
        n = self.a[0]
        require(n <= limit, 'the first one is too large')
        if n % 2 == 0:
            self.count = (self.count + n) % 2**32
            return self.b[0], []
        return 0, [('Two', n, self.b[1])]

    def find(self, x):
        if x in self.seen:
            self.count = (self.count + 1) % 2**32
            return self.seen.index(x), []
        self.last = -1
        return 255, []

    def undone(self, x):
        require(x < 100, 'not so much')
        self.count = (self.count + 5) % 2**32
        self.a[0] = x
        self.total = x
        return None, [('Note', x)]

    def state(self):
        return {'count': self.count, 'total': self.total, 'last': self.last,
                'seen': self.seen,
                'weight': {k: v for k, v in self.weight.items() if v}}


def one(net, label, m, act, args, what):
    import copy
    after = copy.deepcopy(m)
    try:
        want, no = getattr(after, act)(*args), None
    except No as e:
        after, want, no = m, None, str(e)
    try:
        r = net.plain(net.call(label, act, *args, who='ann'))
    except Refused as e:
        if no is None or no not in str(e):
            raise AssertionError('%s: refused: %s; the model: %r' %
                                 (what, e, no))
        return m
    if no is not None:
        raise AssertionError('%s: done; the model: %s' % (what, no))
    if want[0] is not None:
        same(r['result'], want[0], what + ': result')
    same([tuple([e['name'], *e['fields'].values()]) for e in r['events']],
         want[1], what + ': events')
    return after


def check(net, label, m, what):
    got = net.plain(net.state(label))
    got['weight'] = {k: v for k, v in got['weight'].items() if v}
    want = m.state()
    same({k: got[k] for k in want}, want, what + ': state')


def reproducible(net, path):
    """Two folders, two names of the way there: equal bytes."""
    files = []
    for k, source in enumerate((path, os.path.relpath(path, net.root))):
        out = '%s/out%d' % (net.root, k)
        subprocess.run([net.chi, 'build', source, '-o', out], cwd=net.root,
                       check=True, stdout=subprocess.DEVNULL)
        files.append({f: open(os.path.join(out, f), 'rb').read()
                      for f in sorted(os.listdir(out))})
    same(list(files[0]), list(files[1]), 'files built')
    for f in files[0]:
        same(files[0][f] == files[1][f], True, '%s has the same bytes' % f)
    same('Cuts.contract.json' in files[0] and 'Cuts.two.c' in files[0], True,
         'package and circuits')


def main():
    chi = sys.argv[1]
    steps = int(sys.argv[3]) if len(sys.argv) > 3 else 120
    nodes = int(sys.argv[4]) if len(sys.argv) > 4 else 3
    path = os.path.join(HERE, 'cuts.chi')
    rng = random.Random(11)
    with Net(chi, nodes) as net:
        net.identity('ann')
        reproducible(net, path)
        label = net.deploy(path, 'ann')
        m = Cuts()
        done = {}
        for k in range(steps):
            act, args = m.random_call(rng)
            what = 'step %d: %s%r' % (k, act, tuple(args))
            old, m = m, one(net, label, m, act, args, what)
            done[act] = done.get(act, 0) + (old is not m)
            check(net, label, m, what)
        idle = [a for a in ('weigh', 'put', 'between', 'two', 'each', 'either',
                            'mixed', 'chain', 'find', 'undone')
                if not done.get(a)]
        same(idle, [], 'actions that never succeeded')
    print('%d calls of %d actions as plain Python has them' %
          (steps, len(done)))


main()
