"""Chooses the accelerator: KVM only where our own kernel has been seen to work with it."""

import json
import os
from pathlib import Path

from . import paths, session
from .errors import PhError
from .guest import Guest
from .qemu import Machine

PROBE_SECONDS = 5
CACHE_FILE = paths.CACHE / 'kvm.json'


def default():
    """'kvm' or 'tcg'."""
    if not os.access('/dev/kvm', os.R_OK | os.W_OK):
        return 'tcg'
    works = cached()
    if works is None:
        works = probe('kvm')
        # A system that runs with neither says nothing about KVM.
        if works or probe('tcg'):
            paths.CACHE.mkdir(exist_ok=True)
            CACHE_FILE.write_text(json.dumps({'host': host(), 'works': works}), encoding='utf-8')
    return 'kvm' if works else 'tcg'


def host():
    """What identifies this boot of this host."""
    return Path('/proc/sys/kernel/random/boot_id').read_text(encoding='ascii').strip()


def cached():
    """True, False, or None if it was not tried since the host booted."""
    try:
        data = json.loads(CACHE_FILE.read_text(encoding='utf-8'))
    except (OSError, ValueError):
        return None
    return data.get('works') if data.get('host') == host() else None


def probe(accel):
    """Boots our kernel with this accelerator and runs hello."""
    try:
        result = session.run(Machine(accel=accel), Guest('hello'), PROBE_SECONDS, capture=True,
                             stdin=None)
    except PhError:
        return False
    return result.status == 0 and b'Hello' in result.stdout


def forget():
    """Tries again at the next run."""
    CACHE_FILE.unlink(missing_ok=True)
