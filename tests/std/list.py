"""std.list against Python's lists, also where they are full."""
import random

SIZES = ((1, 1), (2, 5), (4, 3), (8, 12))


def padded(xs, n, none):
    return list(xs) + [none] * (n - len(xs))


def state(xs, n, none):
    return [padded(xs, n, none), len(xs), [i < len(xs) for i in range(n)],
            len(xs) == n]


BODY = '''fn f(xs: secret [i9; %d], when: secret [bool; %d], less: secret [bool; %d])
    -> ([i9; %d], u24, [bool; %d], bool, i16) {
    var l = list.empty([-7; %d]);
    var sum = 0;
    for i in 0..%d {
        l = list.append(l, xs[i], when[i]);
        let (m, x) = list.pop(l, less[i]);
        l = m;
        sum += x;
    }
    return reveal((l.items, l.length, list.valid(l), list.is_full(l), sum));
}
'''


def one_by_one(rng):
    for n, m in SIZES:
        for k in range(12):
            xs = [rng.randint(-256, 255) for _ in range(m)]
            when = [rng.random() < (1, .7, .3)[k % 3] for _ in xs]
            less = [rng.random() < (0, .2, .6)[k % 3] for _ in xs]
            held, total = [], 0
            for x, w, p in zip(xs, when, less):
                if w and len(held) < n:
                    held.append(x)
                total += held.pop() if p and held else -7
            yield (BODY % (m, m, m, n, n, n, m),
                   {'xs': xs, 'when': when, 'less': less},
                   state(held, n, -7) + [total])


ROWS = '''struct Row { id: u8, at: (bool, i5) }
fn f(xs: secret [u8; %d], y: secret [i5; %d], when: secret [bool; %d],
     first: secret u8) -> ([u8; %d], [bool; %d], [i5; %d], u24) {
    var l: secret list.List<Row, %d> =
        list.empty([Row { id: 3, at: (true, -1) }; %d]);
    l = list.append(l, Row { id: first, at: (false, 9) }, first > 9);
    l = list.append_all(l, [Row { id: xs[i], at: (y[i] > 0, y[i]) }
                            for i in 0..%d], when);
    return reveal((l.items.id, [x.at.0 for x in l.items],
                   [x.at.1 for x in l.items], l.length));
}
'''


def many(rng):
    for n, m in SIZES + ((40, 40), (90, 10)):
        for k in range(6):
            xs = [rng.randint(0, 255) for _ in range(m)]
            y = [rng.randint(-16, 15) for _ in xs]
            when = [rng.random() < (1, .7, .2)[k % 3] for _ in xs]
            first = rng.choice((3, 200))
            held = [(first, False, 9)] if first > 9 else []
            held += [(a, b > 0, b) for a, b, w in zip(xs, y, when) if w]
            held = held[:n]
            rows = padded(held, n, (3, True, -1))
            yield (ROWS % (m, m, m, n, n, n, n, n, m),
                   {'xs': xs, 'y': y, 'when': when, 'first': first},
                   [list(c) for c in zip(*rows)] + [len(held)])


def cases():
    rng = random.Random(6)
    for part in one_by_one, many:
        yield from part(rng)
