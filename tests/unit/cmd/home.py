"""What the tests of identities, networks and contracts share: a folder of its
own for configuration and network, and the command in it."""
import json
import os
import pty
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.append(os.path.join(os.path.dirname(__file__), '../../kit'))

CHI = PROGRAMS = ''


class Home(unittest.TestCase):
    """self.tmp holds the configuration and is the current folder."""

    def setUp(self):
        self.tmp = tempfile.mkdtemp(prefix='chi-home-')
        self.addCleanup(shutil.rmtree, self.tmp, True)

    def env(self):
        return dict(os.environ, XDG_CONFIG_HOME=self.tmp + '/config')

    def chi(self, *args, cwd=None, timeout=120, **kw):
        """Never with a terminal."""
        return subprocess.run(
            [CHI, *args], capture_output=True, text=True, env=self.env(),
            timeout=timeout, cwd=cwd or self.tmp, stdin=subprocess.DEVNULL,
            start_new_session=True, **kw)

    def ok(self, *args, **kw):
        r = self.chi(*args, **kw)
        self.assertEqual(r.returncode, 0, (args, r.stdout, r.stderr))
        return r.stdout

    def json(self, *args, **kw):
        return json.loads(self.ok(*args, '--json', **kw))

    def wrong(self, code, ident, *args, says=(), **kw):
        """One error, as text and as JSON."""
        r = self.chi(*args, **kw)
        self.assertEqual(r.returncode, code, (args, r.stdout, r.stderr))
        self.assertEqual(r.stdout, '', args)
        self.assertEqual(r.stderr.count('error[') + r.stderr.count('failure['),
                         1, r.stderr)
        self.assertIn(ident, r.stderr)
        for s in says:
            self.assertIn(s, r.stderr)
        j = self.chi(*args, '--json', **kw)
        self.assertEqual(j.returncode, code, j.stdout)
        self.assertEqual([d['id'] for d in json.loads(j.stdout)['diagnostics']],
                         [ident], j.stdout)

    def usage(self, *args, says=()):
        r = self.chi(*args)
        self.assertEqual(r.returncode, 2, (args, r.stdout, r.stderr))
        for s in says:
            self.assertIn(s, r.stderr)

    def file(self, name, text):
        path = os.path.join(self.tmp, name)
        with open(path, 'wb') as f:
            f.write(text if isinstance(text, bytes) else text.encode())
        return path

    def key(self, name):
        """An identity that opens without asking; its public key."""
        return self.json('new', 'identity', name, '--key-file',
                         self.tmp + '/key')['public']

    def id_file(self, name):
        return '%s/config/chirograph/identities/%s.id' % (self.tmp, name)

    def terminal(self, *args, types=(), interrupt=False):
        """The command with a terminal of its own: its exit code and what the
        terminal showed.  types: (what it waits for, what is typed then)."""
        pid, fd = pty.fork()
        if pid == 0:
            os.chdir(self.tmp)
            os.environ['XDG_CONFIG_HOME'] = self.tmp + '/config'
            os.execv(CHI, [CHI, *args])
        text, left, end = b'', list(types), time.time() + 30
        while select.select([fd], [], [], max(0, end - time.time()))[0]:
            try:
                part = os.read(fd, 4096)
            except OSError:
                break
            if not part:
                break
            text += part
            if left and left[0][0] in text.decode(errors='replace'):
                os.write(fd, left.pop(0)[1].encode())
            elif interrupt and b'passphrase' in text:
                os.write(fd, b'\x03')
                interrupt = False
        else:
            kill(pid)
        _, status = os.waitpid(pid, 0)
        os.close(fd)
        code = os.waitstatus_to_exitcode(status)
        return code, text.decode(errors='replace')


def alive(pid):
    try:
        with open('/proc/%d/stat' % pid) as f:
            return f.read().rsplit(')', 1)[1].split()[0] != 'Z'
    except OSError:
        return False


def wait_for(what, seconds=20):
    end = time.time() + seconds
    while time.time() < end:
        if what():
            return True
        time.sleep(0.02)
    return False


def kill(pid):
    os.kill(pid, signal.SIGKILL)


def run(groups):
    global CHI, PROGRAMS
    CHI, PROGRAMS = (os.path.abspath(a) for a in sys.argv[1:3])
    suite = unittest.TestSuite()
    for g in sys.argv[3:] or groups:
        suite.addTests(
            unittest.defaultTestLoader.loadTestsFromTestCase(groups[g]))
    r = unittest.TextTestRunner(verbosity=2).run(suite)
    sys.exit(0 if r.wasSuccessful() else 1)
