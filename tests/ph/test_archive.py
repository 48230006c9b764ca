"""The boot archive: a standard tar, aligned, the same bytes each time."""

import io
import os
import shutil
import subprocess
import tarfile
import tempfile
import unittest
from pathlib import Path

from ph.archive import BLOCK, PAGE, Archive, Member, comment, record, split_name


def written(archive):
    """The bytes of an archive."""
    file = io.BytesIO()
    archive.write(file)
    return file.getvalue()


def opened(archive):
    """An archive as Python's own tar reader sees it."""
    return tarfile.open(fileobj=io.BytesIO(written(archive)))


class ArchiveTest(unittest.TestCase):
    """Writing and reading back with tarfile."""

    def test_contents_and_modes_come_back(self):
        archive = Archive()
        archive.add_bytes('/etc/passwd', b'root\n', 0o640)
        archive.add_directory('tmp', 0o1777)
        archive.add('bin/sh', Member('link', 0o777, 'busybox'))
        tar = opened(archive)
        self.assertEqual(tar.extractfile('etc/passwd').read(), b'root\n')
        self.assertEqual(tar.getmember('etc/passwd').mode, 0o640)
        self.assertEqual(tar.getmember('tmp').mode, 0o1777)
        self.assertTrue(tar.getmember('etc').isdir())
        self.assertEqual(tar.getmember('bin/sh').linkname, 'busybox')

    def test_contents_begin_on_pages_for_every_gap(self):
        # Empty files move what follows by one block each.
        for blocks in range(PAGE // BLOCK + 1):
            archive = Archive()
            for number in range(blocks):
                archive.add_bytes(f'a{number}', b'')
            archive.add_bytes('b', b'x' * 5000)
            archive.add_bytes('c', b'y')
            archive.add_bytes('d', b'z' * 4096)
            tar = opened(archive)
            for name in 'bcd':
                self.assertEqual(tar.getmember(name).offset_data % PAGE, 0, (blocks, name))
            self.assertEqual(tar.extractfile('b').read(), b'x' * 5000)
            self.assertEqual(len(tar.getnames()), blocks + 3)

    def test_long_names_and_links(self):
        archive = Archive()
        names = ['d' * 90 + '/' + 'e' * 90, 'f' * 200, 'g' * 100, 'h' * 99 + '/i',
                 '/'.join(['j' * 60] * 5)]
        for name in names:
            archive.add_bytes(name, name.encode())
        archive.add('link', Member('link', 0o777, 't' * 300))
        tar = opened(archive)
        for name in names:
            self.assertEqual(tar.extractfile(name).read(), name.encode())
            self.assertEqual(tar.getmember(name).offset_data % PAGE, 0)
        self.assertEqual(tar.getmember('link').linkname, 't' * 300)

    def test_gnu_tar_lists_it(self):
        archive = Archive()
        archive.add_bytes('a', b'1')
        archive.add_bytes('b/c', b'2' * 9999)
        if not shutil.which('tar'):
            self.skipTest('no tar')
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / 'a.tar'
            path.write_bytes(written(archive))
            done = subprocess.run(['tar', 'tf', path], capture_output=True, text=True, check=True)
        self.assertEqual((done.stdout, done.stderr), ('a\nb/\nb/c\n', ''))

    def test_same_input_same_bytes(self):
        one, two = Archive(), Archive()
        one.add_bytes('x', b'1')
        one.add_bytes('a', b'2')
        two.add_bytes('a', b'2')
        two.add_bytes('x', b'1')
        self.assertEqual(written(one), written(two))

    def test_boot_comes_first(self):
        archive = Archive()
        archive.add_bytes('bin/a', b'1')
        archive.add_bytes('boot/init', b'2')
        self.assertEqual(opened(archive).getnames(), ['boot', 'boot/init', 'bin', 'bin/a'])

    def test_host_folder_with_link_and_mtime(self):
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder) / 'r'
            (root / 'sub').mkdir(parents=True)
            (root / 'sub' / 'file').write_text('text')
            os.utime(root / 'sub' / 'file', (1000, 1000))
            (root / 'link').symlink_to('sub/file')
            archive = Archive()
            archive.add_host(str(root), '/data')
            tar = opened(archive)
        self.assertEqual(tar.getmember('data/sub/file').mtime, 1000)
        self.assertEqual(tar.getmember('data/link').linkname, 'sub/file')
        self.assertEqual(tar.getmember('data/sub/file').uid, 0)


class PartsTest(unittest.TestCase):
    """The pieces of headers."""

    def test_record_counts_itself(self):
        for length in range(1, 200):
            text = record('path', b'x' * length)
            self.assertEqual(int(text.split(b' ')[0]), len(text))

    def test_comment_has_the_length_asked_for(self):
        for length in range(16, 5000):
            self.assertEqual(len(comment(length)), length)

    def test_split_name(self):
        self.assertEqual(split_name('a/b'), (b'', b'a/b'))
        self.assertEqual(split_name('x' * 101), (None, None))
        prefix, name = split_name('p' * 150 + '/' + 'n' * 100)
        self.assertEqual((len(prefix), len(name)), (150, 100))


if __name__ == '__main__':
    unittest.main()
