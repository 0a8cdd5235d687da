"""A core of which each thing that it does is noted, one by one, while it deals with an input.

In a channel one datagram may deliver several messages, and what a core says in answer leaves in
fragments, later, or never. So what it says is noted where it says it, and what it does after each
message that it is delivered. Nothing else about the core is different.
"""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

from samebeat.effects import Event
from samebeat.messages import AnyBody
from samebeat.node import Node
from samebeat.state import State

Bodies: TypeAlias = tuple[tuple[str | None, AnyBody], ...]
"""To whom (None: all others), and what."""


class Part(NamedTuple):
    """What a core does about one message, one timer, or one request of its host.

    Attributes:
        before, after: the core, before and after it.
        said: what it says.
        events: what it tells its host.
    """

    before: Node
    after: Node
    said: Bodies
    events: tuple[Event, ...]


class Overheard(Node):
    """A core whose parts can be taken out after each input, once."""

    def __init__(self, state: State) -> None:
        super().__init__(state)
        self._parts: list[Part] = []
        self._before = Node(state.copy())
        self._noted = (0, 0)

    def parts(self) -> tuple[Part, ...]:
        """Return what the core has done since this was last asked; a dead one says nothing."""
        parts, self._parts = self._parts, []
        if self.journal.out:
            return tuple(p._replace(said=()) for p in parts)
        return tuple(parts)

    def _take_steps(self) -> None:
        super()._take_steps()
        state = self._state
        words, events = self._noted
        said, told = state.sends[words:], state.events[events:]
        if not said and not told and _looks_alike(self._before._state, state):
            return
        self._noted = (len(state.sends), len(state.events))
        after = Node(state.copy())
        self._parts.append(Part(self._before, after, said, told))
        self._before = after

    def _finish(self) -> None:
        super()._finish()
        self._noted = (0, 0)


def _looks_alike(s: State, t: State) -> bool:
    """Return whether nothing has changed that the spec says anything of."""
    return (
        s.journal is t.journal
        and s.operation is t.operation
        and s.given_up is t.given_up
        and s.installed is t.installed
    )
