"""The version of this distribution, as files and reports state it."""

from __future__ import annotations

from functools import cache


@cache
def samebeat_version() -> str:
    """Return the installed version, or "0+source" where samebeat runs without being installed."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("samebeat")
    except PackageNotFoundError:
        return "0+source"
