"""std.set against Python's sets and dicts; both ways of each, small sizes."""
import random

SIZES = ((1, 1), (1, 4), (2, 2), (3, 7), (8, 5), (33, 20))
TYPES = {'u8': (0, 255), 'i7': (-64, 63), 'u32': (0, 2**32 - 1)}


def pick(rng, t, n, unique, near):
    """n keys, half of them out of `near`, extremes among them."""
    lo, hi = TYPES[t]
    pool = list(dict.fromkeys([lo, hi, 0] + near))
    rng.shuffle(pool)
    out = pool[:rng.randint(0, n)]
    while len(out) < n:
        x = rng.randint(lo, hi)
        if not unique or x not in out:
            out.append(x)
    if not unique:
        out = [rng.choice(out) for _ in range(n)]
    rng.shuffle(out)
    return out


def padded(xs, n, zero=0):
    return list(xs) + [zero] * (n - len(xs))


def pairs(rng, unique):
    for n, m in SIZES:
        for t in TYPES:
            for _ in range(4):
                a = pick(rng, t, n, unique, [])
                yield t, n, m, a, pick(rng, t, m, unique, a)


def members(rng):
    for t, n, m, a, b in pairs(rng, False):
        body = '''fn f(a: secret [%s; %d], b: secret [%s; %d])
    -> ([bool; %d], [bool; %d], u24, u25, i60, i60) {
    var v: secret [i33; %d] = [0; %d];
    v[0..%d] = a;
    let (keys, of_a, v) = set.together(a, b, v);
    return reveal((set.member_by_pairs(a, b), set.member_by_sorting(a, b),
                   set.intersection_size(a, b), set.union_size(a, b),
                   set.intersection_sum(a, a, b),
                   dot(v, int(set.met(keys, of_a)))));
}
''' % (t, n, t, m, n, n, n + m, n + m, n)
        hit = [x in b for x in a]
        total = sum(x for x in a if x in b)
        yield body, {'a': a, 'b': b}, [
            hit, hit, sum(hit), m + n - sum(hit), total, total]


def sets(rng):
    for t, n, m, a, b in pairs(rng, True):
        body = '''fn f(a: secret [%s; %d], b: secret [%s; %d])
    -> ([%s; %d], [bool; %d], [%s; %d], [bool; %d]) {
    let (i, j) = set.intersection(a, b);
    let (u, v) = set.union(a, b);
    return reveal((i, j, u, v));
}
''' % (t, n, t, m, t, n, n, t, n + m, n + m)
        i, u = sorted(set(a) & set(b)), sorted(set(a) | set(b))
        yield body, {'a': a, 'b': b}, [
            padded(i, n), padded([1] * len(i), n),
            padded(u, n + m), padded([1] * len(u), n + m)]


def tables(rng):
    for t, n, m, a, b in pairs(rng, False):
        b = list(dict.fromkeys(b))
        m = len(b)
        rows = [rng.randint(-128, 127) for _ in b]
        body = '''fn f(a: secret [%s; %d], b: secret [%s; %d],
     v: secret [i8; %d])
    -> ([i8; %d], [bool; %d], [i8; %d], [bool; %d], [i8; %d, 2]) {
    let (x, p) = set.join_by_pairs(a, b, v);
    let (y, q) = set.join_by_sorting(a, b, v);
    let (z, _r) = set.join(a, b, [[0, w] for w in v]);
    return reveal((x, p, y, q, z));
}
''' % (t, n, t, m, m, n, n, n, n, n)
        of = dict(zip(b, rows))
        x, p = [of.get(k, 0) for k in a], [k in of for k in a]
        yield body, {'a': a, 'b': b, 'v': rows}, [
            x, p, x, p, [[0, y] for y in x]]


def groups(rng):
    for t, n, _m, a, _b in pairs(rng, False):
        v = [rng.randint(-128, 127) for _ in a]
        body = '''fn f(a: secret [%s; %d], v: secret [i8; %d])
    -> ([%s; %d], [bool; %d], [%s; %d], [i60; %d], [i25; %d], [bool; %d]) {
    let (d, e) = set.distinct(a);
    let (k, s, c, g) = set.group_by(a, v);
    return reveal((d, e, k, s, c, g));
}
''' % (t, n, n, t, n, n, t, n, n, n, n)
        keys = sorted(set(a))
        yield body, {'a': a, 'v': v}, [
            padded(keys, n), padded([1] * len(keys), n), padded(keys, n),
            padded([sum(y for x, y in zip(a, v) if x == k) for k in keys], n),
            padded([a.count(k) for k in keys], n),
            padded([1] * len(keys), n)]


def large(rng):
    """So many that the functions sort by themselves."""
    n = 450
    pool = rng.sample(range(2**32), 700)
    a, b = pool[:n], pool[-n:]
    rng.shuffle(a)
    both = sorted(set(a) & set(b))
    head = 'fn f(a: secret [u32; %d], b: secret [u32; %d])\n    -> ' % (n, n)
    yield head + '''(u24, u25, i60) {
    return reveal((set.intersection_size(a, b), set.union_size(a, b),
                   set.intersection_sum(a, a, b)));
}
''', {'a': a, 'b': b}, [len(both), len(set(a) | set(b)), sum(both)]
    yield head + '''([u32; 450], [bool; 450], [bool; 450]) {
    let (i, j) = set.intersection(a, b);
    return reveal((i, j, set.member(a, b)));
}
''', {'a': a, 'b': b}, [padded(both, n), padded([1] * len(both), n),
                        [x in both for x in a]]
    yield head + '''([u32; 450], [bool; 450]) {
    return reveal(set.join(a, b, b));
}
''', {'a': a, 'b': b}, [[x if x in both else 0 for x in a],
                        [x in both for x in a]]


def cases():
    rng = random.Random(2)
    for part in members, sets, tables, groups, large:
        yield from part(rng)
