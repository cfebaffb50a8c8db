"""std.shuffle: what any permutation gives, since none is known."""
import random


def cases():
    rng = random.Random(1)
    for n in 1, 2, 3, 8, 33:
        body = '''fn f(xs: secret [i9; %d], k: secret [u8; %d])
    -> ([i9; %d], [u8; %d, 2], u30, i30, i9, field) {
    let p = shuffle.permutation(%d);
    let q = shuffle.permutation(%d);
    let x = shuffle.apply(p, xs);
    let both = shuffle.apply(p, [(k[i], [k[i], 1]) for i in 0..%d]);
    let twice = shuffle.apply(q, shuffle.apply(p, k));
    let once = shuffle.undo(q, twice);
    let pairs = shuffle.undo(p, both.1);
    return reveal((shuffle.undo(p, x), pairs, sum(both.0 * once),
                   sum(x * both.0), max(shuffle.shuffle(xs)),
                   sum(shuffle.shuffle(field(k)))));
}
''' % ((n,) * 7)
        xs = [rng.randint(-256, 255) for _ in range(n)]
        k = [rng.randint(0, 255) for _ in range(n)]
        yield body, {'xs': xs, 'k': k}, [
            xs, [[v, 1] for v in k], sum(v * v for v in k),
            sum(x * v for x, v in zip(xs, k)), max(xs), sum(k)]
    turns = '''fn f(xs: secret [u8; 6], n: u5) -> [u8; 6] {
    var r = xs;
    var last = shuffle.permutation(6);
    for _i in 0..n {
        let p = shuffle.permutation(6);
        r = shuffle.undo(p, shuffle.apply(last, shuffle.apply(p, r)));
        r = shuffle.undo(p, shuffle.undo(last, shuffle.apply(p, r)));
        last = p;
    }
    return reveal(r);
}
'''
    for n in 0, 1, 7:
        xs = [rng.randint(0, 255) for _ in range(6)]
        yield turns, {'xs': xs, 'n': n}, xs
