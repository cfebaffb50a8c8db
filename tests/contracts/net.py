"""A local network in a folder of its own, driven through the command."""
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.path.append(os.path.join(os.path.dirname(__file__), '../kit'))
import ports


class Refused(Exception):
    """The contract or the ledger said no: exit code 1."""


class Failed(Exception):
    """The network or a node failed: exit code 3."""


class Net:
    def __init__(self, chi, nodes=3, protocol=None, env=None):
        self.chi = os.path.abspath(chi)
        self.root = tempfile.mkdtemp(prefix='chi-net-')
        self.env = dict(os.environ, XDG_CONFIG_HOME=self.root + '/config',
                        NO_COLOR='1', **(env or {}))
        self.nodes = nodes
        self.names = {}
        self.flags = ['--nodes', str(nodes), '--port', str(ports.block())]
        if protocol:
            self.flags += ['--protocol', protocol]

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, kind, *_):
        subprocess.run([self.chi, 'net', 'stop'], cwd=self.root, env=self.env,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                       timeout=60)
        if kind is not None:
            print('logs of the network:')
            self.show_logs()
        faults = self.faults()
        shutil.rmtree(self.root, ignore_errors=True)
        if kind is None and faults:
            raise AssertionError('a process was at fault:\n' + faults)

    def faults(self):
        """What a sanitizer said of a process, or a process that fell over."""
        folder = self.root + '/.chi/log'
        out = []
        for name in sorted(os.listdir(folder)
                           if os.path.isdir(folder) else []):
            with open(os.path.join(folder, name), errors='replace') as f:
                text_ = f.read()
            at = [text_.find(w) for w in ('Sanitizer', 'runtime error:',
                                          'signal 11', 'signal 6')]
            at = [k for k in at if k >= 0]
            if at:
                out.append('%s: %s' % (name, text_[max(0, min(at) - 200):
                                                   min(at) + 3000]))
        return '\n'.join(out)

    def show_logs(self):
        folder = self.root + '/.chi/log'
        for name in sorted(os.listdir(folder)
                           if os.path.isdir(folder) else []):
            with open(os.path.join(folder, name), errors='replace') as f:
                for line in f.readlines()[-15:]:
                    print('  %s: %s' % (name, line.rstrip()))

    def run(self, *args, timeout=120):
        """Standard output as JSON; Refused or Failed with what was said."""
        r = subprocess.run([self.chi, *args, '--json'], cwd=self.root,
                           env=self.env, timeout=timeout,
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                           text=True)
        if r.returncode == 0:
            return json.loads(r.stdout)
        said = (r.stdout + r.stderr).strip()
        if r.returncode == 1:
            raise Refused(said)
        if r.returncode == 3:
            raise Failed(said)
        raise AssertionError('exit %d of %s: %s' % (r.returncode, args, said))

    def start(self):
        return self.run('net', 'start', *self.flags)

    def status(self):
        return self.run('net', 'status')

    def identity(self, name):
        r = self.run('new', 'identity', name, '--key-file',
                     '%s/%s.key' % (self.root, name))
        self.names[r['public']] = name
        return name

    def plain(self, v):
        """Numbers may come as text where a reader could lose digits,
        identities as keys."""
        if isinstance(v, str):
            if v.lstrip('-').isdigit() and v not in self.names:
                return int(v)
            return self.names.get(v, v)
        if isinstance(v, (list, tuple)):
            return type(v)(self.plain(x) for x in v)
        if isinstance(v, dict):
            return {self.plain(k): self.plain(x) for k, x in v.items()}
        return v

    def deploy(self, path, who, *args):
        return self.run('deploy', path, *args, '--as', who)['contract']

    def call(self, contract, action, *args, who, timeout=60):
        return self.run('call', contract, action, *map(text, args), '--as',
                        who, '--timeout', str(timeout))

    def view(self, contract, view, *args, who=None):
        as_ = ['--as', who] if who else []
        return self.run('view', contract, view, *map(text, args),
                        *as_)['result']

    def state(self, contract):
        """name -> value; of a map a dict; of secret state its version."""
        out = {}
        for s in self.run('state', contract)['state']:
            if s['secret']:
                out[s['name']] = s['version']
            elif 'entries' in s:
                out[s['name']] = {tuple(e['key']) if len(e['key']) > 1
                                  else e['key'][0]: e['value']
                                  for e in s['entries']}
            else:
                out[s['name']] = s['value']
        return out

    def log(self, contract):
        return self.run('log', contract)

    def done(self, contract):
        """How many calls of the contract are done, by the log."""
        return sum(r['outcome'] == 'done' and r['kind'] != 'deploy'
                   for r in self.log(contract)['records'])

    def processes(self):
        """name -> pid of everything that runs."""
        return {p['name']: p['pid'] for p in self.status()['processes']
                if p.get('pid')}

    def kill(self, name):
        pid = self.processes().get(name)
        if pid:
            os.kill(pid, signal.SIGKILL)
        return pid

    def wait_up(self, seconds=30):
        """Until all processes answer again."""
        end = time.time() + seconds
        while True:
            try:
                s = self.status()
                if all(p['state'] == 'answers' for p in s['processes']):
                    return s
            except Failed:
                s = None
            if time.time() > end:
                raise AssertionError('the network does not come back: %s' % s)
            time.sleep(0.05)


def text(v):
    return v if isinstance(v, str) else json.dumps(v)


def same(got, want, what):
    if got != want:
        raise AssertionError('%s:\n  got  %r\n  want %r' % (what, got, want))


def refused(why, f, *args, **kw):
    """f is refused for that reason, or by an error of that id."""
    try:
        got = f(*args, **kw)
    except Refused as e:
        if why not in str(e):
            raise AssertionError('refused, but not for %r: %s' % (why, e))
        return str(e)
    raise AssertionError('not refused (%r): %r' % (why, got))
