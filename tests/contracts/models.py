"""What the examples have to do, in plain Python: no share, no cut, no lock.

A model's actions return (result, opened values, events, told), or raise No.
"""


class No(Exception):
    pass


def require(c, why):
    if not c:
        raise No(why)


class SalaryPool:
    path = 'salary_pool/salary_pool.chi'
    seats = 20
    deploy_args = ['--set', 'SEATS=20']

    def __init__(self, owner, people, now=None):
        self.owner = owner
        self.pay = []
        self.members = []
        self.mean = 0

    def random_call(self, rng, who):
        if rng.random() < 0.8:
            return 'join', [rng.choice([0, 1, 2**32 - 1,
                                        rng.randrange(2**32)])]
        return 'close', []

    def join(self, who, amount):
        require(len(self.pay) < self.seats, 'the pool is full')
        require(who not in self.members, 'you have joined already')
        self.members.append(who)
        self.pay.append(amount)
        return None, [], [('Joined', who, self.seats - len(self.pay))], None

    def close(self, who):
        require(who == self.owner, 'only the owner closes the pool')
        require(len(self.pay) >= 3,
                'fewer than three salaries would point at people')
        self.mean = sum(self.pay) // len(self.pay)
        return None, [sum(self.pay)], [('Closed', self.mean)], None

    def state(self):
        return {'owner': self.owner, 'filled': len(self.pay),
                'mean': self.mean, 'member': {m: True for m in self.members}}


class EVote:
    path = 'evote/evote.chi'
    options = 3

    def __init__(self, owner, people, deadline):
        self.deadline = deadline
        self.voted = []
        self.tally = [0] * self.options
        self.result = [0] * self.options
        self.closed = False
        self.winner = 0

    def random_call(self, rng, who):
        if rng.random() < 0.15:
            return 'close', []
        b = [0] * self.options
        b[rng.randrange(self.options)] = 1
        if rng.random() < 0.15:
            b[rng.randrange(self.options)] = 1
        if rng.random() < 0.1:
            b = [0] * self.options
        return 'vote', [b]

    over = False

    def vote(self, who, ballot):
        require(not self.over, 'the vote is over')
        require(who not in self.voted, 'you have voted')
        require(sum(ballot) == 1, 'a ballot marks one option')
        self.voted.append(who)
        self.tally = [a + b for a, b in zip(self.tally, ballot)]
        return None, [[0] * self.options, 1], [('Voted', who)], None

    def close(self, who):
        require(self.over, 'the vote is still open')
        require(not self.closed, 'the vote is closed')
        self.closed = True
        self.result = self.tally
        self.winner = self.tally.index(max(self.tally))
        return (None, [self.tally],
                [('Decided', self.winner, max(self.tally))], None)

    def state(self):
        return {'deadline': self.deadline,
                'voted': {v: True for v in self.voted},
                'voters': len(self.voted), 'closed': self.closed,
                'result': self.result, 'winner': self.winner}


class Budget:
    path = 'budget/budget.chi'
    cap = 10**6

    def __init__(self, owner, people, now=None):
        self.place = {}
        self.balance = [0] * 8
        self.claims = 0
        self.settled = 0

    deploy_args = ['cap=%d' % cap]

    def random_call(self, rng, who):
        action = rng.choice(['join', 'pay_in', 'pay_in', 'claim', 'claim',
                             'settle', 'holding'])
        if action in ('pay_in', 'claim'):
            return action, [rng.choice([0, 2**32 - 1, rng.randrange(10**5),
                                        rng.randrange(10**5)])]
        return action, []

    def at(self, who):
        require(who in self.place, 'you are no member')
        return self.place[who] - 1

    def join(self, who):
        require(who not in self.place, 'you are a member already')
        require(len(self.place) < 8, 'there is no place left')
        self.place[who] = len(self.place) + 1
        return None, [], [('Joined', who)], None

    def pay_in(self, who, amount):
        self.balance[self.at(who)] += amount
        return None, [], [], None

    def claim(self, who, amount):
        self.balance[self.at(who)] -= amount
        self.claims += amount
        return None, [], [], None

    def settle(self, who):
        require(self.settled + self.claims <= self.cap,
                'the claims exceed the cap')
        total = self.claims
        self.settled += total
        self.claims = 0
        return None, [total], [('Settled', total)], None

    def holding(self, who):
        return None, [], [], self.balance[self.at(who)]

    def state(self):
        return {'cap': self.cap, 'place': dict(self.place),
                'members': len(self.place), 'settled': self.settled}


class Market:
    path = 'market/market.chi'
    rows = 8

    def __init__(self, owner, people, now=None):
        self.owners = people[:2]
        self.column = [[0] * self.rows, [0] * self.rows]
        self.stored = [False, False]
        self.left = [{}, {}]
        self.uses = 0

    def random_call(self, rng, who):
        action = rng.choice(['store', 'grant', 'grant', 'revoke',
                             'statistics', 'statistics', 'statistics'])
        if action == 'store':
            return action, [[rng.randrange(256) for _ in range(self.rows)]]
        if action == 'grant':
            return action, [rng.choice(self.people), rng.randrange(4)]
        if action == 'revoke':
            return action, [rng.choice(self.people)]
        return action, []

    people = ()

    def mine(self, who):
        require(who in self.owners, 'you own no column')
        return self.owners.index(who)

    def store(self, who, column):
        k = self.mine(who)
        self.column[k] = column
        self.stored[k] = True
        return None, [], [('Stored', who)], None

    def grant(self, who, buyer, times):
        self.left[self.mine(who)][buyer] = times
        return None, [], [('Granted', who, buyer, times)], None

    def revoke(self, who, buyer):
        self.left[self.mine(who)][buyer] = 0
        return None, [], [('Revoked', who, buyer)], None

    def statistics(self, who):
        require(all(self.stored), 'a column is missing')
        a, b = (m.get(who, 0) for m in self.left)
        require(a > 0 and b > 0, 'both owners have to grant it')
        self.left[0][who] = a - 1
        self.left[1][who] = b - 1
        self.uses += 1
        x, y = self.column
        s = {'x': sum(x), 'y': sum(y), 'xx': sum(v * v for v in x),
             'yy': sum(v * v for v in y),
             'xy': sum(v * w for v, w in zip(x, y))}
        return s, list(s.values()), [('Used', who, self.uses)], None

    def state(self):
        granted = {(k, who): n for k in (0, 1)
                   for who, n in self.left[k].items()}
        return {'first': self.owners[0], 'second': self.owners[1],
                'stored': self.stored, 'granted': granted, 'uses': self.uses}


class Purse:
    """Secrets of more than 60 bits: the field of 2^127 - 1."""
    path = '../tests/contracts/wide.chi'

    def __init__(self, owner, people, now=None):
        self.calls = 0
        self.last = 0
        self.held = [-7, 2**100, 0]
        self.most = 9

    def random_call(self, rng, who):
        action = rng.choice(['pay_in', 'pay_in', 'pay_in', 'take', 'take',
                             'holds', 'count', 'greatest'])
        at = rng.randrange(4) if rng.random() < 0.1 else rng.randrange(3)
        if action == 'pay_in':
            return action, [at, rng.choice([0, 2**64 - 1, rng.getrandbits(64)]),
                            rng.choice([1, 2**32 - 1, rng.getrandbits(32)])]
        if action == 'take':
            return action, [at, rng.choice([
                0, 2**100 - 1, rng.getrandbits(100),
                max(0, min(self.held[at % 3], 2**100 - 1)),
                max(0, min(self.held[at % 3] + 1, 2**100 - 1))])]
        return action, [at] if action == 'holds' else []

    def pay_in(self, who, at, amount, rate):
        require(at < 3, 'there is no such account')
        self.held[at] += amount * rate
        self.most = max(self.most, amount)
        self.calls += 1
        return None, [], [], None

    def take(self, who, at, amount):
        require(at < 3, 'there is no such account')
        enough = self.held[at] >= amount
        if enough:
            self.held[at] -= amount
        return enough, [enough], [], None

    def holds(self, who, at):
        require(at < 3, 'there is no such account')
        return None, [], [], self.held[at]

    def count(self, who):
        self.last = sum(self.held)
        return self.last, [self.last], [('Counted', self.last)], None

    def greatest(self, who):
        return self.most, [self.most], [], None

    def state(self):
        return {'calls': self.calls, 'last': self.last}


class Scalars:
    """A field that is named: the order of secp256k1."""
    path = '../tests/contracts/curve.chi'
    p = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141
    deploy_args = ['--field', 'prime:%#x' % p]

    def __init__(self, owner, people, now=None):
        self.seen = 5
        self.value = 3
        self.steps = 0

    def random_call(self, rng, who):
        action = rng.choice(['step', 'step', 'show', 'tell', 'many'])
        if action == 'step':
            return action, [rng.choice([0, 1, self.p - 1,
                                        rng.randrange(self.p)])
                            for _ in range(2)]
        return action, []

    def step(self, who, x, c):
        self.value = (self.value * x + c) % self.p
        self.steps += 1
        return None, [], [], None

    def show(self, who):
        self.seen = self.value
        return self.seen, [self.seen], [], None

    def tell(self, who):
        return None, [], [], self.value

    def many(self, who):
        return self.steps > 3, [self.steps > 3], [], None

    def state(self):
        return {'seen': self.seen}
