"""Runs that lead somewhere, part by part, from anywhere that the part begins.

An induction shows that something never happens. That a hypothesis is needed is shown by a run: each
part says where it begins, which steps are taken, and where it ends. The solver shows, for all
values of the constants, that the steps can be taken and do end there.
"""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import z3

from samebeat_proofs.facts import Part
from samebeat_proofs.translate import Reader, Scope
from samebeat_spec.language import Formula, Term, Variable
from samebeat_spec.language.recorder import recording

if TYPE_CHECKING:
    from samebeat_proofs.obligations import Generator, Step
    from samebeat_proofs.universe import Z3

Told = tuple[Formula, Sequence[Sequence[Term]], Formula]
"""Where a part begins, the arguments of each of its steps, and where it ends."""


def part(*actions: str, at_start: bool = False) -> Callable[[Callable[..., Told]], Part]:
    """Record a part of a run from a function of the state and of any elements."""

    def decorate(function: Callable[..., Told]) -> Part:
        hints = typing.get_type_hints(function)
        state, *labels = inspect.signature(function).parameters
        with recording("property") as recorder:
            names = tuple(recorder.fresh_name(label, hints[label]) for label in labels)
            given, arguments, reached = function(hints[state](), *names)
        steps = tuple(zip(actions, map(tuple, arguments), strict=True))
        return Part(function.__name__, names, given, steps, reached, at_start)

    return decorate


def course(generator: Generator, part: Part) -> tuple[dict[str, Z3], Z3]:
    """Return what a part is given, and that it does not lead to its end."""
    translator = generator.translator
    names = {
        n.label: generator.universe.constant(f"{part.name}.{n.label}", n.sort) for n in part.names
    }
    given: dict[str, Z3] = {}
    state = generator.before
    if part.at_start:
        (start,) = generator.starts
        given |= {f"guard {why}": formula for why, formula in start.needs.items()}
        state = start.after
    given["where it begins"] = translator.closed(part.given, Scope(state, None, names))
    needs: list[Z3] = []
    for name, arguments in part.steps:
        values = [translator.term(a, Scope(state, None, names)) for a in arguments]
        taken = generator.step(generator.spec.find_action(name), state)
        pairs = list(zip(taken.parameters, values, strict=True))
        needs += (z3.substitute(formula, *pairs) for formula in taken.needs.values())
        state = _with(taken, pairs)
    reached = translator.closed(part.reached, Scope(state, None, names))
    return given, z3.Not(translator.all_of([*needs, reached]))


def _with(step: Step, pairs: Sequence[tuple[Z3, Z3]]) -> Reader:
    """Return the state after a step with these arguments."""

    def read(v: Variable, place: tuple[Z3, ...]) -> Z3:
        return z3.substitute(step.after(v, place), *pairs)

    return read
