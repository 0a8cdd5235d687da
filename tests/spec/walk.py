"""Runs by names, for the tests that walk through a protocol step by step."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from samebeat_spec.language import Instance
from samebeat_spec.language.interpreter import Interpreter


class Walk:
    """A run by names: ``apply n1 c1``; a number lets so many ticks pass.

    ``short`` has abbreviations of action names. Reading ``walk["phase[n1, c1]"]`` gives the label
    of a cell's value.
    """

    def __init__(self, instance: Instance, short: Mapping[str, str] = MappingProxyType({})) -> None:
        self.instance, self.judge, self._short = instance, Interpreter(instance), short
        (self.state,) = self.judge.initial_states()

    def __call__(self, *steps: str | int) -> Walk:
        """Take the steps and return this walk."""
        for step in steps:
            for words in ["tick"] * step if isinstance(step, int) else [step]:
                name, *labels = words.split()
                action = self.instance.spec.find_action(self._short.get(name, name))
                arguments = tuple(
                    self.instance.element(p.sort, x)
                    for p, x in zip(action.parameters, labels, strict=True)
                )
                self.state = self.judge.step(action, arguments, self.state)
        return self

    def __getitem__(self, cell: str) -> str:
        i = self.instance
        return {i.cell_label(k): i.value_label(k, x) for k, x in enumerate(self.state)}[cell]

    def holds(self, name: str) -> bool:
        """Return whether a property of states holds now."""
        return self.judge.holds(self.instance.spec.find_property(name), self.state)

    def broken(self) -> set[str]:
        """Return the invariants that do not hold now."""
        invariants = self.instance.spec.of_kind("invariant")
        return {p.name for p in invariants if not self.judge.holds(p, self.state)}
