"""``python -m samebeat_conformance.fuzz``: what `make fuzz` runs."""

from __future__ import annotations

import sys

from samebeat_conformance.fuzz.command import main

if __name__ == "__main__":
    sys.exit(main())
