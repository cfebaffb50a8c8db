"""Ports that no other test has: blocks below those that chi chooses itself, so
that a network which is down for a moment finds its own again.  A block is held
by a lock on a file as long as the process lives; tests/unit/node/net.c does the
same in C.
"""
import fcntl
import os
import random
import socket

FIRST, SIZE, BLOCKS = 4096, 16, 384
FOLDER = '/tmp/chi-test-ports-%d' % os.getuid()
held = []


def free(port):
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            s.bind(('127.0.0.1', port))
        except OSError:
            return False
    return True


def block():
    """The first of SIZE free ports."""
    os.makedirs(FOLDER, exist_ok=True)
    for k in random.sample(range(BLOCKS), BLOCKS):
        f = open('%s/%d' % (FOLDER, k), 'w')
        try:
            fcntl.flock(f, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            f.close()
            continue
        base = FIRST + SIZE * k
        if all(map(free, range(base, base + SIZE))):
            held.append(f)
            return base
        f.close()
    raise AssertionError('no free ports')
