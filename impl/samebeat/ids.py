"""What names a member, a view and a change.

Ids are ordered: views by number and then by who proposed them, changes of one initiator by the
epoch that they start from and then by when they were asked for.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, TypeAlias

from msgspec import Meta, Struct

MAX_MEMBERS = 16
"""How many members a cluster may have; what a node remembers is bounded by it."""

Name: TypeAlias = Annotated[str, Meta(min_length=1, max_length=32, pattern=r"\A[a-z0-9.-]+\Z")]
LARGEST = 2**53
"""No number is larger. A member that lies could use them up; then there is no next one."""

Natural: TypeAlias = Annotated[int, Meta(ge=0, le=LARGEST)]
Members: TypeAlias = Annotated[tuple[Name, ...], Meta(min_length=1, max_length=MAX_MEMBERS)]
"""Names of members, each once, in order."""


class ViewId(Struct, frozen=True, array_like=True, order=True, forbid_unknown_fields=True):
    """A view id: whoever proposes a view takes a number that is higher than all it has seen."""

    number: Natural
    proposer: Name


class View(Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """A view: a numbered set of members, which are more than half of those configured."""

    id: ViewId
    members: Members


class ChangeId(Struct, frozen=True, array_like=True, order=True, forbid_unknown_fields=True):
    """A change id: the epoch that it starts from, who asks for it, in which boot, and a count."""

    base: Annotated[int, Meta(ge=0, lt=LARGEST)]
    initiator: Name
    boot: Natural
    sequence: Annotated[int, Meta(ge=1, le=LARGEST)]


class PairChangeId(Struct, frozen=True, array_like=True, order=True, forbid_unknown_fields=True):
    """Names one change of a heartbeat pair: the boot of who asks for it, and a count in that."""

    boot: Natural
    number: Annotated[int, Meta(ge=1, le=LARGEST)]


def ordered(names: Iterable[str]) -> tuple[str, ...]:
    """Return each name once, in order."""
    return tuple(sorted(set(names)))


def is_quorum(names: Iterable[str], configured: Iterable[str]) -> bool:
    """Return whether more than half of the configured members are among `names`."""
    all_of_them = set(configured)
    return 2 * len(all_of_them & set(names)) > len(all_of_them)
