"""``python -m samebeat_conformance.mutants``: run the mutants and print the kill matrix."""

from __future__ import annotations

import sys

from samebeat_conformance.mutants.command import main

if __name__ == "__main__":
    sys.exit(main())
