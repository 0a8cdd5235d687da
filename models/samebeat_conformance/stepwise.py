"""A core that takes one step at a time, so that others can act in between.

The production core takes every step that it can on each input, then journals once and sends. This
one is the same code but for when it takes a step: an input records what it says, and each step that
the facts then allow is an input of its own, with its own journal and its own datagrams. It may take
them in any order, and anything else may come first. So each run of the production core is one of
its runs but for what a crash loses: a crash within an input of the production core undoes the whole
of it, and that is the crash before its first step.
"""

from __future__ import annotations

from samebeat import change
from samebeat.effects import Purpose
from samebeat.node import Node, Refused, steps


class StepwiseNode(Node):
    """A node that takes a step when it is told to.

    One it takes by itself: what its host has installed because others have committed it, it keeps.
    To adopt a value is one step, and not two.
    """

    _adopted = False

    def apply_finished(self, token: int, success: bool, now_ms: int) -> None:
        """Record how the local operation went."""
        operation = self._state.operation
        if operation is not None and operation.token == token:
            self._adopted = success and operation.purpose is Purpose.ADOPT
        super().apply_finished(token, success, now_ms)

    def _take_steps(self) -> None:
        if self._adopted:
            self._adopted = False
            change.commit(self._state)

    def take_step(self, place: int, now_ms: int) -> None:
        """Take one step, by its place among all steps.

        Raises:
            Refused: there is no such step, or the facts do not allow it.
        """
        s = self._at(now_ms)
        all_steps = () if s.journal.out else tuple(steps(s))
        if place >= len(all_steps) or not all_steps[place]():
            raise Refused("this step is not possible now")
        self._finish()
