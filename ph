#!/usr/bin/env python3
"""The one command for people: ./ph --help."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent / 'tools'))

from ph.cli import main  # noqa: E402  (the path must be set first)

if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
