"""std.sort against Python's own sort, which is stable."""
import random

SIZES = (1, 2, 3, 7, 8, 33)
TYPES = {'u1': (0, 1), 'u8': (0, 255), 'i7': (-64, 63),
         'u32': (0, 2**32 - 1), 'i33': (-2**32, 2**32 - 1)}


def arrays(rng, n, t, few=2):
    """Random keys, many ties, the extremes, all equal, in and against order."""
    lo, hi = TYPES[t]
    up = sorted(rng.randint(lo, hi) for _ in range(n))
    yield [rng.randint(lo, hi) for _ in range(n)]
    for _ in range(few):
        some = [rng.randint(lo, hi) for _ in range(2)]
        yield [rng.choice(some) for _ in range(n)]
    yield [rng.choice((lo, hi)) for _ in range(n)]
    yield [hi] * n
    yield up
    yield up[::-1]


def order(xs):
    return sorted(range(len(xs)), key=lambda i: xs[i])


def ranks(xs):
    r = [0] * len(xs)
    for k, i in enumerate(order(xs)):
        r[i] = k
    return r


def sorting(rng):
    for n in SIZES:
        for t in TYPES:
            one = '''fn f(xs: secret [%s; %d]) -> [%s; %d] {
    return reveal(sort.sort(xs));
}
''' % (t, n, t, n)
            more = '''fn f(xs: secret [%s; %d])
    -> ([%s; %d], [u8; %d], [u9; %d], [u24; %d]) {
    let (k, v) = sort.sort_by(xs, [(i, 2 * i) for i in 0..%d]);
    return reveal((k, v.0, v.1, sort.argsort(xs)));
}
''' % (t, n, t, n, n, n, n, n)
            for xs in arrays(rng, n, t):
                yield one, {'xs': xs}, sorted(xs)
                o = order(xs)
                yield more, {'xs': xs}, [sorted(xs), o, [2 * i for i in o], o]


def ranking(rng):
    for n in (*SIZES, 65):
        for t in 'u8', 'i33':
            body = '''fn f(xs: secret [%s; %d])
    -> ([i25; %d], [i25; %d], bool) {
    return reveal((sort.rank(xs), %s(xs), sort.is_sorted(xs)));
}
''' % (t, n, n, n, 'sort.rank_by_sorting' if n < 40 else 'sort.rank_by_pairs')
            for xs in arrays(rng, n, t):
                r = ranks(xs)
                yield body, {'xs': xs}, [r, r, xs == sorted(xs)]


def by_digits(rng):
    """Any width, odd and even numbers of passes, any n."""
    types = dict(TYPES, u2=(0, 3), u3=(0, 7), u5=(0, 31), u6=(0, 63))
    for n in (1, 2, 3, 8, 33):
        for t, (lo, hi) in types.items():
            body = '''fn f(xs: secret [%s; %d]) -> ([%s; %d], [u8; %d], [u24; %d]) {
    let (k, v) = sort.sort_by_digits(xs, [clamp(i, u8) for i in 0..%d]);
    return reveal((k, v, sort.rank_by_digits(xs)));
}
''' % (t, n, t, n, n, n, n)
            for few in (2, hi - lo + 1):
                some = [rng.randint(lo, hi) for _ in range(few)] \
                    if few == 2 else None
                xs = [rng.choice(some) if some else rng.randint(lo, hi)
                      for _ in range(n)]
                yield body, {'xs': xs}, [sorted(xs), order(xs), ranks(xs)]


def many(rng):
    """Where the library takes digits by itself."""
    for n, t in (64, 'u8'), (65, 'i7'), (100, 'u1'), (130, 'u32'):
        lo, hi = TYPES[t]
        body = '''fn f(xs: secret [%s; %d])
    -> ([%s; %d], [%s; %d], [u8; %d], [u8; %d, 2], [u24; %d], [i25; %d]) {
    let (k, v) = sort.sort_by(xs, [(i, [2 * i, 7]) for i in 0..%d]);
    return reveal((sort.sort(xs), k, [clamp(x, u8) for x in reveal(v.0)],
                   [clamp(x / 2, u8) for x in reveal(v.1)],
                   sort.argsort(xs), sort.rank(xs)));
}
''' % (t, n, t, n, t, n, n, n, n, n, n)
        xs = [rng.randint(lo, hi) for _ in range(n)]
        o = order(xs)
        yield body, {'xs': xs}, [sorted(xs), sorted(xs), o,
                                 [[i, 3] for i in o], o, ranks(xs)]


def selecting(rng):
    for n in SIZES:
        for k in sorted({1, 2, 3, 5, n // 2 + 1, n}):
            if k > n:
                continue
            for t in 'u8', 'i7':
                body = '''fn f(xs: secret [%s; %d])
    -> ([%s; %d], [%s; %d], [u8; %d]) {
    let (keys, rows) = sort.top_by(xs, [i for i in 0..%d], %d);
    return reveal((sort.top(xs, %d), keys, rows));
}
''' % (t, n, t, k, t, k, k, n, k, k)
                for xs in arrays(rng, n, t, 1):
                    o = sorted(range(n), key=lambda i: -xs[i])[:k]
                    top = [xs[i] for i in o]
                    yield body, {'xs': xs}, [top, top, o]


def statistics(rng):
    for n in SIZES:
        for t in 'u8', 'i33':
            for q in 2, 4, 10:
                body = '''fn f(xs: secret [%s; %d]) -> (%s, [%s; %d]) {
    return reveal((sort.median(xs), sort.quantiles(xs, %d)));
}
''' % (t, n, t, t, q - 1, q)
                for xs in arrays(rng, n, t, 1):
                    up = sorted(xs)
                    yield body, {'xs': xs}, [
                        up[(n - 1) // 2],
                        [up[-(-i * n // q) - 1] for i in range(1, q)]]


def merging(rng):
    for n in 1, 2, 3, 5, 8, 11:
        for m in 1, 2, 4, 7, 9:
            body = '''fn f(a: secret [i7; %d], b: secret [i7; %d]) -> [i7; %d] {
    return reveal(sort.merge(a, b));
}
''' % (n, m, n + m)
            for a, b in zip(arrays(rng, n, 'i7', 1), arrays(rng, m, 'i7', 1)):
                a, b = sorted(a), sorted(b)
                yield body, {'a': a, 'b': b}, sorted(a + b)


def cases():
    rng = random.Random(1)
    for part in sorting, ranking, by_digits, many, selecting, statistics, merging:
        yield from part(rng)
