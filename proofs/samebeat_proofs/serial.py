"""A run as the interpreter takes it, one action after the other: the judge of what a search finds.

Nothing of the solver is used here. A run counts only if the interpreter takes every step of it and
finds the promise broken at its end.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from samebeat_spec.language import Instance, StateError
from samebeat_spec.language.instance import Arguments, StateTuple
from samebeat_spec.language.interpreter import Interpreter, Refused

DEADLOCK_FREE = "deadlock_free"
"""The promise that no run gets stuck where it is not meant to end; reports know this name."""

Taken = tuple[str, Arguments]
"""An action by name with its arguments."""


@dataclass(frozen=True)
class Run:
    """A run: its first state, each action with its arguments, and the state after each."""

    initial: StateTuple
    taken: tuple[Taken, ...]
    after: tuple[StateTuple, ...]

    @property
    def last(self) -> StateTuple:
        """The last state."""
        return self.after[-1] if self.after else self.initial

    @property
    def before_last(self) -> StateTuple:
        """The state before the last step."""
        return self.after[-2] if len(self.after) > 1 else self.initial


class Judge:
    """Takes runs of one instance, and says which of some promises a run breaks at its end.

    Args:
        instance: the instance.
        promises: the names of the promises; ``deadlock_free`` may be one.
    """

    def __init__(self, instance: Instance, promises: Sequence[str]) -> None:
        self.interpreter = Interpreter(instance)
        self.spec = instance.spec
        self.promises = tuple(promises)

    def run(self, initial: StateTuple, taken: Sequence[Taken]) -> Run | None:
        """Return the run that takes these actions in turn, or None if one is refused."""
        states = [initial]
        for name, arguments in taken:
            try:
                after = self.interpreter.step(self.spec.find_action(name), arguments, states[-1])
            except (Refused, StateError):
                return None
            states.append(after)
        return Run(initial, tuple(taken), tuple(states[1:]))

    def broken(self, run: Run) -> tuple[str, ...]:
        """Return the promises that a run breaks in its last state, or by its last step."""
        return tuple(name for name in self.promises if self._breaks(run, name))

    def _breaks(self, run: Run, name: str) -> bool:
        holds = self.interpreter.holds
        if name == DEADLOCK_FREE:
            ends = self.spec.of_kind("terminal")
            return not any(holds(p, run.last) for p in ends) and self._is_stuck(run.last)
        prop = self.spec.find_property(name)
        if prop.kind == "step":
            return bool(run.after) and not holds(prop, run.before_last, run.last)
        if prop.kind == "always_reachable":
            return not holds(prop, run.last) and self._is_stuck(run.last)
        return not holds(prop, run.last)

    def _is_stuck(self, state: StateTuple) -> bool:
        try:
            return all(after == state for _, _, after in self.interpreter.successors(state))
        except StateError:
            return False

    def shortened(self, run: Run) -> Run:
        """Return a run that breaks one of the same promises and needs each of its steps.

        It ends where a promise is first broken. Steps are left out one by one, the last first, as
        long as the others can still be taken and break it. A shorter run may go another way.
        """
        run = self._up_to_first(run)
        wanted, i = set(self.broken(run)), len(run.taken) - 1
        while i >= 0:
            fewer = self.run(run.initial, (*run.taken[:i], *run.taken[i + 1 :]))
            if fewer is not None and wanted & set(self.broken(fewer)):
                run, i = fewer, len(fewer.taken)
            i -= 1
        return run

    def _up_to_first(self, run: Run) -> Run:
        for length in range(len(run.taken) + 1):
            part = Run(run.initial, run.taken[:length], run.after[:length])
            if self.broken(part):
                return part
        return run
