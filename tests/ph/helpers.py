"""What several tests of ph need."""

import os
import tempfile
import unittest
from pathlib import Path
from unittest import mock

from ph import paths, qemu

FAKE = Path(__file__).with_name('fake_qemu.py')


def fake_program(folder, name='prog'):
    """An executable file of the host; what is in it does not matter."""
    path = Path(folder) / name
    path.write_bytes(b'#!/bin/false\n')
    path.chmod(0o755)
    return path


class FakeQemuTest(unittest.TestCase):
    """A test in which QEMU is the fake, and the build tree is a folder of its own."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        kernel = self.folder / 'polyhedron.elf'
        kernel.write_bytes(b'')
        manifest = self.folder / 'manifest'
        manifest.write_text('')
        self.program = str(fake_program(self.folder))
        for target, name, value in ((qemu, 'BINARY', str(FAKE)), (paths, 'KERNEL', kernel),
                                    (paths, 'BUILD', self.folder), (paths, 'MANIFEST', manifest),
                                    (paths, 'NATIVE', {}), (paths, 'CACHE', self.folder)):
            patch = mock.patch.object(target, name, value)
            patch.start()
            self.addCleanup(patch.stop)

    def act(self, script):
        """Chooses what the fake does."""
        patch = mock.patch.dict(os.environ, FAKE_QEMU=script)
        patch.start()
        self.addCleanup(patch.stop)
