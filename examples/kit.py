"""What the run scripts of the examples share: functions on node processes,
contracts on a network, and one line for each comparison with plain Python.

CHI names the command (default: the build's).  Arguments of a run script, as
--nodes 5, are handed to `chi run` or `chi net start`.
"""
import csv
import json
import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
CHI = os.path.abspath(os.environ.get('CHI', HERE + '/../build/bin/chi'))


def path(name):
    return os.path.join(HERE, name)


def table(name):
    """The rows of a CSV file; what looks like an integer is one."""
    with open(path(name), newline='', encoding='utf-8') as f:
        return [{k: int(v) if v.lstrip('-').isdigit() else v
                 for k, v in row.items()} for row in csv.DictReader(f)]


def column(rows, name):
    return [r[name] for r in rows]


def same(what, opened, want):
    """What was opened beside what Python computes of the clear values."""
    print('%s: %s' % (what, opened))
    if opened != want:
        sys.exit('they differ: Python says %s' % (want,))


def plain(x):
    """JSON to Python: integers come as strings, since JSON rounds them."""
    if isinstance(x, dict):
        return {k: plain(v) for k, v in x.items()}
    if isinstance(x, list):
        return [plain(v) for v in x]
    return int(x) if isinstance(x, str) and x.lstrip('-').isdigit() else x


def cost(r):
    if r['rounds'] is None:
        return  # --clear: nothing was sent
    print('  %d rounds, at most %s bytes sent by a node, %.3f s' % (
        r['rounds'], format(max(r['bytes_sent']), ','), r['seconds']))


def run(file, fn, **inputs):
    """Computes fn on node processes.  The result, and what each was told."""
    cmd = [CHI, 'run', path(file), fn, '--json', *sys.argv[1:]]
    for k, v in inputs.items():
        cmd += ['--input', '%s=%s' % (k, json.dumps(v))]
    r = subprocess.run(cmd, stdout=subprocess.PIPE, text=True, check=False)
    if r.returncode != 0:
        sys.exit(r.returncode)
    r = json.loads(r.stdout)
    cost(r)
    for k, v in r['predicted'].items():
        if r[k] not in (v, None):
            sys.exit('%s: %s predicted, %s measured' % (k, v, r[k]))
    told = {}
    for t in r['told']:
        _, _, field = t['name'].partition('.')
        if field:
            told.setdefault(t['to'], {})[field] = plain(t['value'])
        else:
            told[t['to']] = plain(t['value'])
    outputs = plain(r['outputs'])
    return outputs.get('result', outputs or None), told


class Network:
    """A ledger and three nodes in a folder that goes when they stop."""

    def __init__(self, *people):
        self.people = people

    def __enter__(self):
        self.root = tempfile.mkdtemp(prefix='chi-example-')
        self.env = dict(os.environ, XDG_CONFIG_HOME=self.root + '/config')
        try:
            self.chi('net', 'start', *sys.argv[1:])
            for p in self.people:
                self.chi('new', 'identity', p, '--key-file',
                         self.root + '/' + p)
        except RuntimeError:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        subprocess.run([CHI, 'net', 'stop'], cwd=self.root, env=self.env,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                       check=False)
        shutil.rmtree(self.root, ignore_errors=True)

    def chi(self, *args):
        r = subprocess.run([CHI, *args, '--json'], cwd=self.root,
                           env=self.env, stdout=subprocess.PIPE,
                           stderr=subprocess.PIPE, text=True, check=False)
        if r.returncode != 0:
            raise RuntimeError(r.stdout + r.stderr)
        return json.loads(r.stdout) if r.stdout.strip() else {}

    def deploy(self, file, who, **values):
        """Names in capitals are the contract's template parameters."""
        args = []
        for k, v in values.items():
            args += (['--set'] if k.isupper() else []) + ['%s=%s' % (k, v)]
        return self.chi('deploy', path(file), *args, '--as', who)

    def call(self, contract, action, *args, by):
        return self.chi('call', contract, action, *map(str, args), '--as', by)

    def told(self, contract, action, *args, by):
        """What the call told its caller alone."""
        r = self.call(contract, action, *args, by=by)
        return plain(r['told'][0]['value'])

    def refused(self, *args, by):
        """The reason why a call is refused."""
        try:
            self.call(*args, by=by)
        except RuntimeError as e:
            return str(e).strip().split('reverted: ')[-1].split('"')[0]
        sys.exit('not refused: %s' % (args,))

    def view(self, contract, view):
        return plain(self.chi('view', contract, view)['result'])
