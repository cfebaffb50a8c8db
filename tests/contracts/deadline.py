#!/usr/bin/env python3
"""The vote on the ledger's clock: nobody counts early, nobody votes late,
nobody counts twice.

    deadline.py CHI EXAMPLES
"""
import os
import sys
import time

from net import Net, Refused, refused, same


def vote(net, path, people, votes, window):
    """Deploys a vote of that many seconds and votes; (label, end), or None if
    the window closed meanwhile: how fast a machine votes is not told here."""
    end = int(time.time()) + window
    try:
        label = net.deploy(path, 'v0', 'deadline=%d' % end)
        for who, k in zip(people, votes):
            net.call(label, 'vote', [int(i == k) for i in range(3)], who=who)
        refused('the vote is still open', net.call, label, 'close',
                who='v1')
    except (Refused, AssertionError):
        if time.time() < end:
            raise
        return None
    return label, end


def main():
    chi, examples = sys.argv[1:3]
    path = os.path.join(os.path.abspath(examples), 'evote/evote.chi')
    votes = [1, 2, 1, 0, 1, 2]
    with Net(chi) as net:
        people = [net.identity('v%d' % i) for i in range(len(votes) + 1)]
        for window in 5, 20, 80:
            held = vote(net, path, people, votes, window)
            if held:
                break
        else:
            raise AssertionError('six votes took more than 80 seconds')
        label, end = held
        before = net.plain(net.state(label))
        same((before['result'], before['closed']), ([0, 0, 0], False),
             'public state before the deadline')
        time.sleep(max(0, end + 1.1 - time.time()))
        refused('the vote is over', net.call, label, 'vote', [1, 0, 0],
                who=people[-1])
        r = net.plain(net.call(label, 'close', who='v1'))
        same([o['value'] for o in r['opened']], [[1, 3, 2]], 'opened')
        same(r['events'], [{'name': 'Decided',
                            'fields': {'winner': 1, 'votes': 3}}], 'events')
        refused('the vote is closed', net.call, label, 'close', who='v2')
        got = net.plain(net.state(label))
        same((got['result'], got['winner'], got['voters'], got['closed']),
             ([1, 3, 2], 1, 6, True), 'public state')
        same(net.plain(net.view(label, 'standing')), [1, 3, 2], 'view')
    print('the tally was opened once, after the deadline')


main()
