#!/usr/bin/env python3
"""Random calls by random identities on a running network, against a model in
plain Python: results, opened values, events, told values, refusals and state
have to be equal after every step.

    model.py CHI EXAMPLES NAME [--steps N] [--seed N] [--nodes N]
             [--protocol P] [--kill]

With --kill, a process is killed during every second call or so.  Whatever the
call said then, the state has to be the one before or the one after it, whole,
on the ledger and on all nodes, and everything goes on without help.
"""
import argparse
import copy
import os
import random
import subprocess
import sys
import time

import models
from net import Failed, Net, Refused, same, text

MODELS = {'salary_pool': models.SalaryPool, 'evote': models.EVote,
          'budget': models.Budget, 'market': models.Market,
          'purse': models.Purse, 'scalars': models.Scalars}


def public(state, got):
    """Pairs of what is there and what the model says; an entry of a map that is
    zero is the same as none."""
    out = {}
    for k in state:
        v = got[k]
        w = state[k]
        if isinstance(w, dict):
            v = {x: y for x, y in v.items() if y}
            w = {x: y for x, y in w.items() if y}
        out[k] = (v, w)
    return out


def check_state(net, label, m, what):
    got = net.plain(net.state(label))
    for k, (v, w) in public(m.state(), got).items():
        same(v, w, '%s: state %s' % (what, k))


def expect(m, who, action, args):
    after = copy.deepcopy(m)
    try:
        return after, getattr(after, action)(who, *args), None
    except models.No as e:
        return m, None, str(e)


def check_answer(r, want, what):
    result, opened, events, told = want
    if result is not None:
        same(r['result'], result, what + ': result')
    same([o['value'] for o in r['opened']], opened, what + ': opened')
    same([tuple([e['name']] + fields(e)) for e in r['events']], events,
         what + ': events')
    if told is not None:
        same([t['value'] for t in r['told']], [told], what + ': told')


def fields(event):
    f = event['fields']
    return list(f.values()) if isinstance(f, dict) else \
        [x['value'] for x in f]


def step(net, label, m, who, action, args, what):
    after, want, no = expect(m, who, action, args)
    try:
        r = net.call(label, action, *args, who=who)
    except Refused as e:
        if no is None or no not in str(e):
            raise AssertionError('%s: refused: %s; the model says %r' %
                                 (what, e, no))
        return m
    if no is not None:
        raise AssertionError('%s: done; the model refuses: %s' % (what, no))
    check_answer(net.plain(r), want, what)
    return after


def killed_step(net, rng, label, m, who, action, args, what):
    """A process dies while the call is on its way."""
    after, _, no = expect(m, who, action, args)
    done = net.done(label)
    p = net.processes()
    name = rng.choice([n for n in p if n == 'ledger' or n.startswith('node')])
    call = subprocess.Popen(
        [net.chi, 'call', label, action, *map(text, args), '--as', who,
         '--timeout', '20', '--json'], cwd=net.root, env=net.env,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    time.sleep(rng.random() * 0.08)
    try:
        os.kill(p[name], 9)
    except ProcessLookupError:
        pass
    if rng.random() < 0.2:
        call.kill()
    out, err = call.communicate(timeout=90)
    net.wait_up()
    settle(net, label)
    got = net.plain(net.state(label))
    fits = []
    for state in (m, after):
        if all(v == w for v, w in public(state.state(), got).values()):
            fits.append(state)
    if not fits:
        raise AssertionError('%s, %s killed: a mixed state:\n  %r\n  %r or\n'
                             '  %r' % (what, name, got, m.state(),
                                       after.state()))
    if call.returncode == 0 and no is not None:
        raise AssertionError('%s: done; the model refuses: %s' % (what, no))
    return after if net.done(label) > done else m


def settle(net, label):
    """Until no call is pending."""
    end = time.time() + 70
    while net.run('state', label)['locked_by'] is not None:
        if time.time() > end:
            raise AssertionError('a call stays pending')
        time.sleep(0.05)


def main():
    a = argparse.ArgumentParser()
    a.add_argument('chi')
    a.add_argument('examples')
    a.add_argument('name')
    a.add_argument('--steps', type=int, default=40)
    a.add_argument('--seed', type=int, default=1)
    a.add_argument('--nodes', type=int, default=3)
    a.add_argument('--protocol')
    a.add_argument('--kill', action='store_true')
    o = a.parse_args()
    rng = random.Random(o.seed)
    kind = MODELS[o.name]
    many = 20 if o.name == 'salary_pool' else 6
    people = ['p%d' % i for i in range(many)]
    with Net(o.chi, o.nodes, o.protocol) as net:
        for p in people:
            net.identity(p)
        args = list(getattr(kind, 'deploy_args', []))
        deadline = int(time.time()) + 100000
        if o.name == 'evote':
            args = ['deadline=%d' % deadline]
        if o.name == 'market':
            args = ['first=p0', 'second=p1']
            kind.people = people
        label = net.deploy(os.path.join(os.path.abspath(o.examples),
                                        kind.path), 'p0', *args)
        m = kind('p0', people, deadline)
        kills = 0
        for k in range(o.steps):
            who = rng.choice(people)
            action, args = m.random_call(rng, who)
            what = 'step %d (seed %d): %s.%s%r as %s' % (
                k, o.seed, label, action, tuple(args), who)
            if o.kill and rng.random() < 0.5:
                m = killed_step(net, rng, label, m, who, action, args, what)
                kills += 1
            else:
                m = step(net, label, m, who, action, args, what)
            check_state(net, label, m, what)
        net.run('log', label)
        print('%s: %d steps%s, state and events as the model' % (
            o.name, o.steps, ', %d kills' % kills if o.kill else ''))


if __name__ == '__main__':
    try:
        main()
    except (AssertionError, Failed) as e:
        print(e)
        sys.exit(1)
