#!/usr/bin/env python3
"""chi new identity: files, passphrases, key files.

    identities.py CHI PROGRAMS_DIR [GROUP..]
"""
import json
import os
import stat

import home
from home import Home


def mode(path):
    return stat.S_IMODE(os.stat(path).st_mode)


class New(Home):
    def phrase(self, text='correct horse\n'):
        return self.file('phrase', text)

    def test_passphrase_file(self):
        j = self.json('new', 'identity', 'ann', '--passphrase-file',
                      self.phrase())
        self.assertEqual(j['identity'], 'ann')
        self.assertRegex(j['public'], '^[0-9a-f]{64}$')
        self.assertEqual(j['file'], self.id_file('ann'))
        self.assertEqual(mode(j['file']), 0o600)
        self.assertEqual(mode(os.path.dirname(j['file'])), 0o700)
        self.assertEqual(os.listdir(os.path.dirname(j['file'])), ['ann.id'])
        f = json.load(open(j['file']))
        self.assertEqual(f['public'], j['public'])
        self.assertEqual(f['seal']['kind'], 'passphrase')
        self.assertNotIn('horse', open(j['file']).read())
        self.assertNotEqual(self.key('bob'), j['public'])

    def test_text(self):
        out = self.ok('new', 'identity', 'ann', '--key-file', 'k')
        self.assertRegex(out, '^ann  [0-9a-f]{64}\nkept in .*/ann.id\n$')

    def test_no_overwrite(self):
        self.key('ann')
        before = open(self.id_file('ann')).read()
        self.wrong(1, 'E0741', 'new', 'identity', 'ann', '--key-file',
                   self.tmp + '/key')
        self.wrong(1, 'E0741', 'new', 'identity', 'ann', '--passphrase-file',
                   self.phrase())
        self.assertEqual(open(self.id_file('ann')).read(), before)

    def test_names(self):
        for bad in ('a/b', '../x', '123', '.x', 'ä', 'x' * 65, 'ab' * 32, '',
                    'a b', 'a=b', 'a"b'):
            self.wrong(1, 'E0740', 'new', 'identity', bad, '--key-file', 'k')
        self.assertFalse(os.path.exists(self.tmp + '/k'))
        for good in 'a', 'Ann-2', 'x' * 64, 'a.b', '_', 'ab' * 31:
            self.ok('new', 'identity', good, '--key-file', 'k')

    def test_usage(self):
        self.usage('new', says=['missing argument'])
        self.usage('new', 'identity', says=['missing argument'])
        self.usage('new', 'contract', 'x', says=["'contract'"])
        self.usage('new', 'identity', 'a', 'b', says=["unexpected"])
        self.usage('new', 'identity', 'a', '--key-file', 'k',
                   '--passphrase-file', 'p', says=['exclude'])

    def test_no_terminal(self):
        self.wrong(1, 'E0745', 'new', 'identity', 'ann',
                   says=['no terminal', '--passphrase-file'])
        self.assertFalse(os.path.exists(self.id_file('ann')))

    def test_passphrase_files(self):
        for text, why in ((b'', 'empty'), (b'\n', 'empty'),
                          (b'\r\nx', 'empty'), (b'a\0b\n', 'zero byte'),
                          (b'x' * 1025, '1024'), (b'x' * 5000, '1024')):
            self.wrong(1, 'E0745', 'new', 'identity', 'ann',
                       '--passphrase-file', self.phrase(text), says=[why])
        self.wrong(1, 'E0745', 'new', 'identity', 'ann', '--passphrase-file',
                   self.tmp + '/none', says=['No such file'])
        self.wrong(1, 'E0745', 'new', 'identity', 'ann', '--passphrase-file',
                   self.tmp, says=['directory'])
        for k, text in enumerate((b'x' * 1024, b'a\r\nb', b'a')):
            self.ok('new', 'identity', 'n%d' % k, '--passphrase-file',
                    self.phrase(text))

    def test_key_file(self):
        key = self.tmp + '/some.key'
        self.ok('new', 'identity', 'ann', '--key-file', 'some.key')
        self.assertEqual(mode(key), 0o600)
        self.assertEqual(os.path.getsize(key), 32)
        first = open(key, 'rb').read()
        self.ok('new', 'identity', 'bob', '--key-file', key)
        self.assertEqual(open(key, 'rb').read(), first)
        f = json.load(open(self.id_file('ann')))
        self.assertEqual(f['seal'], {'kind': 'key-file',
                                     'path': os.path.realpath(key)})
        os.chmod(key, 0o640)
        self.wrong(1, 'E0746', 'new', 'identity', 'carl', '--key-file', key,
                   says=['0600'])
        for size in 0, 31, 33:
            path = self.file('bad.key', b'k' * size)
            os.chmod(path, 0o600)
            self.wrong(1, 'E0746', 'new', 'identity', 'carl', '--key-file',
                       path, says=['32 bytes'])
        self.wrong(1, 'E0746', 'new', 'identity', 'carl', '--key-file',
                   self.tmp)
        self.wrong(1, 'E0746', 'new', 'identity', 'carl', '--key-file',
                   '/no/such/folder/key')
        self.assertFalse(os.path.exists(self.id_file('carl')))

    def test_documented_place(self):
        """~/.config/chirograph/key works before there is anything."""
        self.ok('new', 'identity', 'ann', '--key-file',
                self.tmp + '/config/chirograph/key')

    def test_folder(self):
        self.file('config', 'a file')
        self.wrong(3, 'E0727', 'new', 'identity', 'ann', '--key-file', 'k')

    def test_terminal(self):
        code, text = self.terminal(
            'new', 'identity', 'ann',
            types=[('passphrase of ann: ', 'open sesame\n'),
                   ('the same again: ', 'open sesame\n')])
        self.assertEqual(code, 0, text)
        self.assertNotIn('sesame', text)
        self.assertTrue(os.path.exists(self.id_file('ann')))
        code, text = self.terminal(
            'new', 'identity', 'bob',
            types=[('passphrase of bob: ', 'open sesame\n'),
                   ('the same again: ', 'open sesam\n')])
        self.assertEqual(code, 1, text)
        self.assertIn('E0745', text)
        self.assertNotIn('sesam', text)
        code, text = self.terminal('new', 'identity', 'bob',
                                   types=[('passphrase of bob: ', '\n')])
        self.assertEqual(code, 1, text)
        self.assertFalse(os.path.exists(self.id_file('bob')))

    def test_interrupted(self):
        code, text = self.terminal('new', 'identity', 'ann', interrupt=True)
        self.assertEqual(code, -2, text)
        self.assertFalse(os.path.exists(self.id_file('ann')))


if __name__ == '__main__':
    home.run(dict(identities=New))
