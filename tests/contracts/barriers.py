#!/usr/bin/env python3
"""Kills each process at each point of a call.  Afterwards the state is the old
one or the new one, on the ledger and on all nodes, and the next call works
without help.

    barriers.py CHI_CRASH EXAMPLES [NODE..]
"""
import os
import sys
import time

from model import settle
from net import Failed, Net, Refused, same

NODE = ['pending-seen', 'inputs-ready', 'connected', 'started', 'ran',
        'staged', 'voted', 'promoted']
LEDGER = ['executed', 'committed']


def plan(net, words):
    path = net.root + '/plan'
    with open(path + '.new', 'w') as f:
        f.write(words + '\n')
    os.rename(path + '.new', path)


def holding(net, label):
    return int(net.call(label, 'holding', who='ann')['told'][0]['value'])


def case(net, label, words, balance, amount):
    """One call with a death in it; the balance after it."""
    done = net.done(label)
    plan(net, words)
    try:
        net.call(label, 'pay_in', amount, who='ann', timeout=20)
        said = 'done'
    except (Refused, Failed) as e:
        said = str(e)
    end = time.time() + 5 # nodes do their part behind the caller's answer
    while os.path.exists(net.root + '/plan') and time.time() < end:
        time.sleep(0.02)
    fired = not os.path.exists(net.root + '/plan')
    net.wait_up()
    settle(net, label)
    if not fired:
        raise AssertionError('%s: the point was never reached (%s)' %
                             (words, said))
    new = net.done(label) > done
    if said == 'done' and not new:
        raise AssertionError('%s: said to be done, but it is not' % words)
    want = balance + amount if new else balance
    same(holding(net, label), want, '%s (%s): the balance' % (words, said))
    return want, new


def main():
    chi, examples = sys.argv[1:3]
    nodes = [int(k) for k in sys.argv[3:]] or [0, 1, 2]
    cases = ['node-%d %s' % (k, p) for k in nodes for p in NODE]
    # commits of a call: the call itself, and one for each vote or several
    cases += ['ledger %s %d' % (p, k) for p in LEDGER for k in (1, 2)]
    outcome = {}
    net = Net(chi)
    net.env['CHI_CRASH_PLAN'] = net.root + '/plan'
    with net:
        net.identity('ann')
        label = net.deploy(os.path.join(os.path.abspath(examples),
                                        'budget/budget.chi'), 'ann',
                           'cap=1000000')
        net.call(label, 'join', who='ann')
        balance = 0
        for k, words in enumerate(cases):
            balance, new = case(net, label, words, balance, 1000 + k)
            outcome[words] = new
        # A node that dies in the run undoes the call, behind its vote it does
        # not.  Before the run it may be back in time; with its shares staged
        # it votes when it is back, if the others have not given up.
        for words, new in outcome.items():
            point = words.split()[1]
            if point in ('started', 'ran', 'voted', 'promoted'):
                same(new, point in ('voted', 'promoted'),
                     '%s: the call is done' % words)
        net.log(label)
    print('%d deaths: %d calls undone, %d done, no state mixed' %
          (len(cases), sum(not v for v in outcome.values()),
           sum(outcome.values())))


main()
