"""``python -m samebeat_cli`` is ``samebeat``."""

import sys

from samebeat_cli.main import main

if __name__ == "__main__":
    sys.exit(main())
