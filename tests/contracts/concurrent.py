#!/usr/bin/env python3
"""Two hundred calls from eight clients at once: nothing lost, nothing doubled.

    concurrent.py CHI EXAMPLES [CALLS [CLIENTS]]
"""
import os
import random
import sys
import threading

from net import Net, same


def main():
    chi, examples = sys.argv[1:3]
    calls = int(sys.argv[3]) if len(sys.argv) > 3 else 200
    clients = int(sys.argv[4]) if len(sys.argv) > 4 else 8
    rng = random.Random(9)
    with Net(chi) as net:
        people = [net.identity('c%d' % i) for i in range(clients)]
        label = net.deploy(os.path.join(os.path.abspath(examples),
                                        'budget/budget.chi'), 'c0',
                           'cap=100000000')
        for p in people:
            net.call(label, 'join', who=p)
        paid = {p: [] for p in people}
        amounts = [rng.randrange(1000) for _ in range(calls)]
        faults = []

        def client(k):
            try:
                for amount in amounts[k::clients]:
                    # half of them touch the lock of the other half
                    net.call(label, 'pay_in', amount, who=people[k],
                             timeout=120)
                    paid[people[k]].append(amount)
            except Exception as e: # noqa: what a thread dies of is told
                faults.append('%s: %s' % (people[k], e))

        threads = [threading.Thread(target=client, args=(k,))
                   for k in range(clients)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        if faults:
            raise AssertionError('\n'.join(faults))
        same(sum(map(len, paid.values())), calls, 'calls')
        for p in people:
            told = net.call(label, 'holding', who=p)['told'][0]['value']
            same(int(told), sum(paid[p]), 'what %s holds' % p)
        log = net.log(label)
        same(log['done'], calls + 2 * clients, 'calls in the log')
        print('%d calls from %d clients: all there, none twice' %
              (calls, clients))


main()
