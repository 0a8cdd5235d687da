"""Liveness: what must happen in the end, and which steps somebody takes if they stay possible.

A run is infinite, and in every state it may wait for as long as it likes; so nothing has to happen
unless some step is *fair*. Fairness is stated beside each property, and is meant for each choice
of an action's parameters by itself:

- ``weak``: a step that stays enabled for ever is taken in the end,
- ``strong``: a step that is enabled again and again is taken in the end.

Enabled and taken is only what changes the state, as in TLA+.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from samebeat_spec.language.definitions import (
    Action,
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
from samebeat_spec.language.terms import Element, Formula, Name, Truth, as_formula
from samebeat_spec.language.terms import Literal as Numeral


@dataclass(frozen=True)
class Fair:
    """Fairness of one action: of each choice of its parameters in which ``fixed`` are as given.

    ``fixed`` pairs the label of a parameter with that of an element.
    """

    action: str
    strong: bool = False
    fixed: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        rest = ", ".join(f"{name} = {label}" for name, label in self.fixed)
        return self.action + (f"({rest})" if rest else "")


@dataclass(frozen=True)
class Liveness:
    """A promise about infinite runs, for each choice of ``parameters``.

    ``kind`` is one of

    - "eventually": every run comes to a state where ``goal`` holds (``given`` is true);
    - "leads_to": after every state where ``given`` holds, or in it, ``goal`` holds.

    Only runs that are ``fair`` count.
    """

    name: str
    doc: str
    claims: Claims
    kind: Literal["eventually", "leads_to"]
    parameters: tuple[Name, ...]
    given: Formula
    goal: Formula
    fair: tuple[Fair, ...]
    place: str

    def without_fairness_of(self, actions: Sequence[str]) -> Liveness:
        """Return this promise with nothing to rely on of some actions."""
        return replace(self, fair=tuple(f for f in self.fair if f.action not in actions))


FairActions = Sequence[Action | str | Fair]


def only(action: Action | str, **fixed: Any) -> Fair:
    """Return an action for some choices of its parameters: ``only(send, f=Fate.ARRIVES)``."""
    labels = {name: _label(value) for name, value in fixed.items()}
    return Fair(_name(action), fixed=tuple(sorted(labels.items())))


def eventually(
    *bare: object, weak: FairActions = (), strong: FairActions = (), claims: Claims = ()
) -> Callable[[Callable[..., Formula]], Liveness]:
    """Define what every run comes to, if the actions in ``weak`` and ``strong`` are fair.

    The function takes the state, and parameters: there is one promise for each choice of them.
    """
    _check_parentheses("eventually", bare)

    def decorate(function: Callable[..., Formula]) -> Liveness:
        return _file_liveness(function, "eventually", (weak, strong), claims)

    return decorate


def leads_to(
    *bare: object, weak: FairActions = (), strong: FairActions = (), claims: Claims = ()
) -> Callable[[Callable[..., tuple[Formula, Formula]]], Liveness]:
    """Define what follows from what: the function returns a pair, what is given and the goal.

    It takes the state, and parameters: there is one promise for each choice of them.
    """
    _check_parentheses("leads_to", bare)

    def decorate(function: Callable[..., tuple[Formula, Formula]]) -> Liveness:
        return _file_liveness(function, "leads_to", (weak, strong), claims)

    return decorate


def check_fairness(promise: Liveness, actions: Sequence[Action], within: str) -> None:
    """Refuse fairness of an action, or of a parameter, that a spec does not have."""
    known = {a.name: {p.label for p in a.parameters} for a in actions}
    for f in promise.fair:
        if f.action not in known:
            raise SpecError(
                f"{promise.name}: no action is called {f.action!r}",
                within=within,
                at=promise.place,
                advice=f"there are {', '.join(known)}",
            )
        for name, _ in f.fixed:
            if name not in known[f.action]:
                raise SpecError(
                    f"{promise.name}: {f.action} has no parameter {name!r}",
                    within=within,
                    at=promise.place,
                    advice=f"it has {', '.join(sorted(known[f.action])) or 'none'}",
                )


def _file_liveness(
    function: Callable[..., Any],
    kind: Literal["eventually", "leads_to"],
    fair: tuple[FairActions, FairActions],
    claims: Claims,
) -> Liveness:
    state, sorts = _signature(function, states=1)
    with recording("property") as recorder, _Named(f"{state.spec_name}.{function.__name__}"):
        names = tuple(recorder.fresh_name(label, sort) for label, sort in sorts.items())
        given, goal = _pair(kind, function(state(), *names))
        promise = Liveness(
            name=function.__name__,
            doc=_docstring(function),
            claims=claims,
            kind=kind,
            parameters=names,
            given=given,
            goal=goal,
            fair=_all_fair(*fair),
            place=_place(function),
        )
    _file(state, promise)
    return promise


def _pair(kind: str, said: object) -> tuple[Formula, Formula]:
    if kind == "eventually":
        return Truth(True), as_formula(said, "what happens eventually")
    if not isinstance(said, tuple) or len(said) != 2:
        raise SpecError("it returns no pair", advice="return what is given, and what follows")
    return as_formula(said[0], "what is given"), as_formula(said[1], "what follows")


def _all_fair(weak: FairActions, strong: FairActions) -> tuple[Fair, ...]:
    found = tuple(
        replace(a, strong=s) if isinstance(a, Fair) else Fair(_name(a), s)
        for s, group in ((False, weak), (True, strong))
        for a in group
    )
    seen: set[tuple[str, Any]] = set()
    for f in found:
        if (f.action, f.fixed) in seen:
            raise SpecError(f"{f} is called fair twice", advice="weak or strong, and once")
        seen.add((f.action, f.fixed))
    return found


def _name(action: Action | str) -> str:
    return action.name if isinstance(action, Action) else action


def _label(value: object) -> str:
    if isinstance(value, Element):
        return str(value.index if value.sort.ordered else value.label)
    if isinstance(value, (str, int)):
        return str(value)
    if isinstance(value, Numeral):
        return str(value.value)
    raise SpecError(
        "only(...) fixes a parameter to something that is no element",
        advice="name one: Fate.ARRIVES, Epoch.first, a number, or a label such as 'n1'",
    )
