"""An instance, every reachable state of it, as the solver sees it and as the interpreter does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from samebeat_spec.language import Instance, Property
from samebeat_spec.language.instance import Arguments, StateTuple
from samebeat_spec.language.interpreter import Interpreter

from .relation import Relation

Step = tuple[str, Arguments, StateTuple]


@dataclass
class Compared:
    """An instance as the solver sees it and as the interpreter does."""

    instance: Instance
    reached: dict[StateTuple, list[Step]]

    def __post_init__(self) -> None:
        self.relation = Relation(self.instance)
        self.judge = Interpreter(self.instance)
        self.models = {s: self.relation.model(s) for s in self.reached}

    def steps(self, action: str) -> int:
        """Hold every step by an action against the interpreter's, also the refused ones."""
        taken = 0
        own = [key for key in self.relation.steps if key[0] == action]
        for state, model in self.models.items():
            expected = {(a, x): [after] for a, x, after in self.reached[state]}
            taken += sum(a == action for a, _ in expected)
            for key in own:
                assert self.relation.after(model, state, *key) == expected.get(key, []), (
                    key,
                    state,
                )
        return taken

    def formulas(self, props: Sequence[Property]) -> int:
        """Hold formulas about one state against the interpreter, in every reachable state."""
        for state, model in self.models.items():
            for prop in props:
                assert self.relation.holds(model, prop) == self.judge.holds(prop, state), prop.name
        return len(props)

    def everything(self) -> int:
        """Hold all of it against the interpreter, and return how many steps that were."""
        spec = self.instance.spec
        assert self.relation.initial_states_differ_from(self.judge.initial_states()) == []
        self.formulas(spec.of_kind("invariant", "terminal", "witness", "always_reachable"))
        return sum(self.steps(a.name) for a in spec.actions)
