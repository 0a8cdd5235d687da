"""The steps of the spec `link` that an input of a channel may be: all shortest paths."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from samebeat_conformance.specgraph import SpecGraph, Step
from samebeat_spec.language import Instance
from samebeat_spec.language.instance import Arguments

_TAKES = ("switch_buffers", "switch_places")
_SENDS_BY = ("switch_fragment_size", "switch_window")
MAY = {
    "submit": ("submit", "turn_down", "send"),
    "send": ("send",),
    "hear": ("hear_ack", *_SENDS_BY, "send"),
    "retry": ("send_again",),
    "give_up": ("give_up", "send_again", "send"),
    "commit": (*_SENDS_BY, "switch_threshold", "send"),
    "receive": ("keep", "receive", *_TAKES),
    "notice": ("receive_notice", *_TAKES),
    "forget": ("forget",),
    "follow": _TAKES,
    "lose": ("lose",),
    "lose_ack": ("lose_ack",),
}
"""For each kind of input the actions that it may be."""
ABOUT = frozenset(
    {
        *("submit", "turn_down", "hear_ack", "keep", "receive", "receive_notice"),
        *("lose", "lose_ack"),
    }
)
"""The actions whose first arguments are what the input is about, as the others' are not."""


SWITCHES = {
    "switch_fragment_size": "fragment_size",
    "switch_buffers": "buffer_size",
    "switch_window": "window",
    "switch_places": "places",
    "switch_threshold": "threshold",
}
"""The actions that set a limit to their argument."""


class Steps(SpecGraph):
    """The steps of one instance."""

    kinds: ClassVar[dict[str, tuple[str, ...]]] = MAY
    about = ABOUT
    switches: ClassVar[dict[str, str]] = SWITCHES

    def __init__(self, instance: Instance) -> None:
        super().__init__(instance)
        self._allowed: dict[tuple[str, Arguments], frozenset[int]] = {}
        at = instance.cell_index
        self._switches = {
            label: (at[self.switches[action]][()], arguments[0])
            for label, (action, arguments) in enumerate(self._actions)
            if action in self.switches
        }

    def allowed(self, kind: str, about: Arguments = ()) -> frozenset[int]:
        """Return the labels of the steps that an input of a kind may be that is about something."""
        known = self._allowed.get((kind, about))
        if known is None:
            known = self._allowed[kind, about] = frozenset(
                label
                for label, (action, arguments) in enumerate(self._actions)
                if action in self.kinds[kind]
                and (action not in self.about or arguments[: len(about)] == about)
            )
        return known

    def take(self, here: int, there: int, allowed: frozenset[int], most: int) -> int:
        """Cover all shortest paths of allowed steps; return their length, 0 if there is none.

        A limit is switched only to what it is in the end: no detour by another value.
        """
        final = self._states[there]
        detours = {label for label, (cell, to) in self._switches.items() if final[cell] != to}
        allowed -= detours
        before: dict[int, list[tuple[int, int]]] = {here: []}
        layer = [here]
        for length in range(1, most + 1):
            found: dict[int, list[tuple[int, int]]] = {}
            for state in layer:
                for e in range(self._start[state], self._start[state + 1]):
                    after = self._target[e]
                    if self._label[e] in allowed and after not in before:
                        found.setdefault(after, []).append((state, e))
            before |= found
            if there in found:
                self._cover_back(before, there)
                return length
            layer = list(found)
        return 0

    def _cover_back(self, before: dict[int, list[tuple[int, int]]], there: int) -> None:
        layer = {there}
        while layer:
            sources = set()
            for state in layer:
                for source, e in before[state]:
                    self.covered[e] = 1
                    sources.add(source)
            layer = sources

    def uncovered(self) -> Iterator[Step]:
        """Yield the steps that no input has taken."""
        return (self.step(e) for e, taken in enumerate(self.covered) if not taken)
