"""What an ack says, in parts: what is delivered, which piece has come, and what is taken.

A sender takes each part for itself, so the product lets the parts come one by one; of what a
production channel sends two may decide that come together, so these come together, too. That an ack
is no more and no less than its parts is checked of each one, in each state of a sender (`noise`).
"""

from __future__ import annotations

from msgspec import structs

from samebeat.messages import MIN_FRAGMENT, FragmentAck
from samebeat_conformance.layer.ends import BOOT

_NOTHING = FragmentAck(BOOT, BOOT, 0, 0, 0, 0, MIN_FRAGMENT, 1)


def delivered_of(below: int) -> FragmentAck:
    """Return the part that says what is delivered."""
    return structs.replace(_NOTHING, below=below)


def piece_of(sequence: int, index: int) -> FragmentAck:
    """Return the part that says which piece has come."""
    return structs.replace(_NOTHING, sequence=sequence, index=index)


def taken_of(number: int, size: int, window: int) -> FragmentAck:
    """Return the part that says what is taken: a greeting."""
    return structs.replace(_NOTHING, to=0, number=number, size=size, window=window)


def together(a: FragmentAck, takes: FragmentAck) -> FragmentAck:
    """Return the ack that says what is delivered and what is taken at once."""
    return structs.replace(a, number=takes.number, size=takes.size, window=takes.window)
