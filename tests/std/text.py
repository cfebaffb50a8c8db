"""std.text against bytes and a table of distances."""
import random

SIZES = ((1, 1), (2, 1), (3, 2), (7, 7), (8, 3), (33, 5))


def string(rng, n, letters=(97, 98)):
    return [rng.choice(letters) for _ in range(n)]


def texts(rng, n, m):
    """A text and a pattern: often inside, at an end, almost the same."""
    for letters in (97, 98), (0, 255), range(256):
        t = string(rng, n, letters)
        at = rng.randint(0, n - m)
        yield t, t[at:at + m]
        yield t, t[:m]
        yield t, t[n - m:]
        p = t[at:at + m]
        p[rng.randrange(m)] ^= 1 << rng.randrange(8)
        yield t, p
        yield t, string(rng, m, letters)
    yield [97] * n, [97] * m


def places(t, p):
    return [t[i:i + len(p)] == p for i in range(len(t) - len(p) + 1)]


def first(holds):
    return holds.index(True) if True in holds else len(holds)


def searching(rng):
    for n, m in SIZES:
        body = '''fn f(t: secret [u8; %d], p: secret [u8; %d])
    -> (bool, bool, bool, bool, u24, u24, [bool; %d]) {
    return reveal((text.equal(t[0..%d], p), text.starts_with(t, p),
                   text.ends_with(t, p), text.contains(t, p),
                   text.index_of(t, p), text.occurrences(t, p),
                   text.found(t, p)));
}
''' % (n, m, n - m + 1, m)
        for t, p in texts(rng, n, m):
            at = places(t, p)
            yield body, {'t': t, 'p': p}, [
                at[0], at[0], at[-1], any(at), first(at), sum(at), at]


def lengths(rng):
    for n, m in SIZES:
        body = '''fn f(t: secret [u8; %d], p: secret [u8; %d], tl: secret u6,
     pl: secret u6) -> (bool, bool, bool, u24, bool) {
    return reveal((text.equal_upto(t, tl, p, pl),
                   text.starts_with_upto(t, tl, p, pl),
                   text.contains_upto(t, tl, p, pl),
                   text.index_of_upto(t, tl, p, pl),
                   text.equal_upto(t, tl, t, tl)));
}
''' % (n, m)
        for t, p in texts(rng, n, m):
            for tl, pl in ((n, m), (rng.randint(0, n), rng.randint(0, m)),
                           (0, 0), (n, 0), (0, m), (min(n, m), m)):
                at = [i + pl <= tl and t[i:i + pl] == p[:pl]
                      for i in range(n + 1)]
                yield body, {'t': t, 'p': p, 'tl': tl, 'pl': pl}, [
                    t[:tl] == p[:pl], at[0], any(at), first(at), True]


def distance(a, b):
    row = list(range(len(b) + 1))
    for i, x in enumerate(a):
        new = [i + 1]
        for j, y in enumerate(b):
            new.append(min(row[j] + (x != y), row[j + 1] + 1, new[j] + 1))
        row = new
    return row[-1]


def distances(rng):
    for n, m in SIZES + ((1, 8), (3, 7), (12, 20)):
        body = '''fn f(a: secret [u8; %d], b: secret [u8; %d]) -> i25 {
    return reveal(text.edit_distance(a, b));
}
''' % (n, m)
        for letters in (97, 98), (97, 98, 99), range(256):
            for _ in range(4):
                a, b = string(rng, n, letters), string(rng, m, letters)
                yield body, {'a': a, 'b': b}, distance(a, b)
        yield body, {'a': [0] * n, 'b': [0] * m}, abs(n - m)
        yield body, {'a': [0] * n, 'b': [255] * m}, max(n, m)


def cases():
    rng = random.Random(3)
    for part in searching, lengths, distances:
        yield from part(rng)
