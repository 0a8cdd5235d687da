"""One target under atheris, in a process of its own: ``python -m ... TARGET CORPUS OPTIONS``."""

from __future__ import annotations

import sys


def main() -> None:
    """Fuzz until libFuzzer has had enough; it ends the process."""
    try:
        import atheris
    except ImportError:
        sys.exit("Error: atheris is not installed here; `make fuzz` installs it where it can be")
    assert "samebeat" not in sys.modules, "the core is loaded where atheris watches"
    with atheris.instrument_imports(include=["samebeat"]):
        import samebeat.node  # noqa: F401
    from samebeat_conformance.fuzz.targets import TARGETS

    atheris.Setup([sys.argv[0], *sys.argv[2:]], TARGETS[sys.argv[1]])
    atheris.Fuzz()


if __name__ == "__main__":
    main()
