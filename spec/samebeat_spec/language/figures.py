"""Figures: what a spec has measured, beside what it promises.

A figure is a function with a docstring, as a property is. A *stay* says for how long a situation
lasts, a *tally* how much of something there is when a situation is reached. Nothing is promised
by a figure; the explorer says what the least and the most is over all runs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from samebeat_spec.language.definitions import (
    Claims,
    _check_parentheses,
    _docstring,
    _file,
    _Named,
    _place,
    _signature,
)
from samebeat_spec.language.errors import SpecError
from samebeat_spec.language.recorder import recording
from samebeat_spec.language.sorts import Number
from samebeat_spec.language.terms import Formula, IfThenElse, Name, Term, as_formula, as_term
from samebeat_spec.language.terms import Literal as Numeral


@dataclass(frozen=True)
class Figure:
    """Something to be measured over all runs.

    ``kind`` is one of

    - "stay": how long a run can be, without a break, in states where ``formula`` holds;
    - "tally": what ``amount`` is in the states where ``formula`` holds, for each choice of
      ``parameters``; ``unit`` says of what.
    """

    name: str
    doc: str
    claims: Claims
    kind: Literal["stay", "tally"]
    parameters: tuple[Name, ...]
    formula: Formula
    amount: Term | None
    unit: str
    place: str


def one_if(formula: Formula | bool) -> Any:
    """Return the number 1 where ``formula`` holds and 0 where it does not."""
    return IfThenElse(as_formula(formula, "one_if"), Numeral(Number, 1), Numeral(Number, 0))


def stay(*bare: object, claims: Claims = ()) -> Callable[[Callable[..., Formula]], Figure]:
    """Define a situation whose duration is measured: in ticks, or in steps if nothing ticks.

    The function takes the state and nothing else: who is meant must not change on the way.
    """
    _check_parentheses("stay", bare)

    def decorate(function: Callable[..., Formula]) -> Figure:
        state, sorts = _signature(function, states=1)
        with recording("property"), _Named(f"{state.spec_name}.{function.__name__}"):
            if sorts:
                raise SpecError(
                    f"a stay has no parameters, {', '.join(sorts)} given",
                    advice="quantify: exists(Node, lambda n: ...)",
                )
            formula = as_formula(function(state()), "a stay")
            figure = _figure(function, claims, "stay", (), formula, None, "")
        _file(state, figure)
        return figure

    return decorate


def tally(
    *bare: object, when: Callable[..., Formula], unit: str, claims: Claims = ()
) -> Callable[[Callable[..., Term | int]], Figure]:
    """Define a number that is read in every state where ``when`` holds.

    The function and ``when`` take the state and the same parameters; each choice of them counts.
    The number is made of ``count(...)`` and ``one_if(...)``; ``unit`` says what is counted.
    """
    _check_parentheses("tally", bare)

    def decorate(function: Callable[..., Term | int]) -> Figure:
        state, sorts = _signature(function, states=1)
        with recording("property") as recorder, _Named(f"{state.spec_name}.{function.__name__}"):
            names = tuple(recorder.fresh_name(label, sort) for label, sort in sorts.items())
            formula = as_formula(when(state(), *names), "when")
            amount = as_term(function(state(), *names), Number, "a tally")
            figure = _figure(function, claims, "tally", names, formula, amount, unit)
        _file(state, figure)
        return figure

    return decorate


def _figure(
    function: Callable[..., Any],
    claims: Claims,
    kind: Literal["stay", "tally"],
    parameters: tuple[Name, ...],
    formula: Formula,
    amount: Term | None,
    unit: str,
) -> Figure:
    return Figure(
        name=function.__name__,
        doc=_docstring(function),
        claims=claims,
        kind=kind,
        parameters=parameters,
        formula=formula,
        amount=amount,
        unit=unit,
        place=_place(function),
    )
