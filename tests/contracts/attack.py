#!/usr/bin/env python3
"""The oldest attack: ask twice, subtract.  It works as often as the contract
lets one ask, and a budget of one stops it.

    attack.py CHI EXAMPLES
"""
import os
import sys

from net import Net, refused, same

PAY = {'ann': 4100, 'bob': 5200, 'cat': 3900, 'dan': 8800}


def asked(net, label, who, *names):
    chosen = [n in names for n in PAY]
    return int(net.call(label, 'ask', chosen, who=who)['result'])


def main():
    chi, examples = sys.argv[1:3]
    path = os.path.join(os.path.abspath(examples), 'subset/subset.chi')
    with Net(chi) as net:
        for p in PAY:
            net.identity(p)
        net.identity('eve')
        open_, closed = (net.deploy(path, 'ann', 'budget=%d' % b)
                         for b in (2, 1))
        for label in open_, closed:
            for p, v in PAY.items():
                net.call(label, 'join', v, who=p)
        all_ = asked(net, open_, 'eve', *PAY)
        rest = asked(net, open_, 'eve', 'ann', 'bob', 'cat')
        same(all_ - rest, PAY['dan'], 'what eve finds with two questions')
        same(asked(net, closed, 'eve', *PAY), sum(PAY.values()), 'one answer')
        before = net.log(closed)['done']
        said = refused('the budget is used up', asked, net, closed, 'eve',
                       'ann', 'bob', 'cat')
        same(str(rest) in said, False, 'the refusal tells the sum')
        same(net.log(closed)['done'], before, 'calls done')
        same(net.state(closed)['asked'] in (1, '1'), True, 'questions counted')
        print('two questions tell a salary; a budget of one keeps it')


main()
