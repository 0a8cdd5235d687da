"""What can go wrong with files that an engine keeps; in a module of its own, quick to import."""

from __future__ import annotations


class DiskError(Exception):
    """A file cannot be written; the message says which and why."""


class CheckpointError(Exception):
    """A checkpoint cannot be used; the message says why and what to do."""
