"""The steps of the spec `transport` that an input of a channel may be: all shortest paths."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

from samebeat_conformance.specgraph import SpecGraph
from samebeat_spec.language import Instance
from samebeat_spec.language.instance import Arguments

Lost: TypeAlias = frozenset[tuple[int, int]]
"""Fragments of messages, of which a step may lose all copies."""

_SENT = ("send", "switch_capacity")
MAY = {
    "submit": ("submit", "turn_down", *_SENT),
    "hear": ("hear_ack", "switch_fragment_size", "switch_window", *_SENT),
    "retry": ("send_again",),
    "give_up": ("give_up", "send_again", *_SENT),
    "commit": ("switch_fragment_size", "switch_window", "switch_threshold", *_SENT),
    "receive": ("receive", "deliver", "ack_again", "switch_buffers", "switch_places"),
    "forget": ("forget",),
    "follow": ("switch_buffers", "switch_places"),
    "lose": ("lose",),
    "lose_ack": ("lose_ack",),
}
"""For each kind of input the actions that it may be; copies are lost as `Lost` says."""


class Steps(SpecGraph):
    """The steps of one instance with one member."""

    def __init__(self, instance: Instance) -> None:
        super().__init__(instance)
        self._allowed: dict[tuple[str, Lost], frozenset[int]] = {}

    def allowed(self, kind: str, lost: Lost) -> frozenset[int]:
        """Return the labels of the steps that an input of a kind may be."""
        known = self._allowed.get((kind, lost))
        if known is None:
            known = self._allowed[kind, lost] = frozenset(
                label
                for label, (action, arguments) in enumerate(self._actions)
                if action in MAY[kind] or (action == "lose" and arguments[1:] in lost)
            )
        return known

    def take(self, here: int, there: int, allowed: frozenset[int], most: int) -> int:
        """Cover all shortest paths of allowed steps; return their length, 0 if there is none."""
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

    def taken(self) -> set[tuple[str, Arguments]]:
        """Return the actions with their arguments that are taken from some state."""
        labels = {self._label[e] for e, covered in enumerate(self.covered) if covered}
        return {self._actions[label] for label in labels}

    def instances_of(self, state: int) -> Iterable[tuple[str, Arguments]]:
        """Yield the steps that start at a state."""
        row = range(self._start[state], self._start[state + 1])
        return (self._actions[self._label[e]] for e in row)
