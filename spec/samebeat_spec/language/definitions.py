"""What a spec is made of: actions, initial states, properties, witnesses, terminal states.

Each is a function with a docstring and type hints. Its decorator runs it once on symbolic values
and files the recorded definition with the state class that its first parameter names.
"""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from samebeat_spec.language.errors import SpecError, frame_outside_the_language
from samebeat_spec.language.recorder import Assignment, Guard, recording
from samebeat_spec.language.sorts import check_sort
from samebeat_spec.language.state import State
from samebeat_spec.language.terms import Formula, Name, Term, as_formula

if TYPE_CHECKING:
    from samebeat_spec.language.figures import Figure
    from samebeat_spec.language.liveness import Liveness

Claims = tuple[str, ...]

_REPORTED = ("deadlock_free", "as_pinned")
"""Names that every report has beside those of the spec."""


@dataclass(frozen=True)
class Action:
    """A kind of step: for each choice of ``parameters`` that passes the guards, one step.

    The first parameter is the acting element, in our specs the acting node. ``tick`` says that
    one tick of time passes in it; all other steps take no time. It does not change what a step
    does, only how reports count time.

    Called inside another action, it records its guards and effects there: so a spec whose state
    extends another's says "as before, and also ...".
    """

    name: str
    doc: str
    claims: Claims
    parameters: tuple[Name, ...]
    guards: tuple[Guard, ...]
    assignments: tuple[Assignment, ...]
    place: str
    tick: bool = False
    function: Callable[..., object] | None = field(default=None, compare=False, repr=False)

    def __call__(self, s: State, *arguments: Term) -> None:
        """Record this action as a part of the one that is being recorded."""
        if self.function is not None:
            self.function(s, *arguments)


@dataclass(frozen=True)
class Initial(Action):
    """A set of initial states, one for each choice of the parameters (and of ``anything``)."""


@dataclass(frozen=True)
class Property:
    """A named formula.

    ``kind`` is one of

    - "invariant": holds in every reachable state,
    - "step": holds of every step (reads with ``after`` see the later state),
    - "always_reachable": from every reachable state, a state where it holds can be reached,
    - "witness": holds in some reachable state (a check that the model is not vacuous),
    - "terminal": an intended state in which nothing more happens; any other is a deadlock.

    ``internal`` marks an invariant that restates how the protocol works inside; breaking it is
    not yet harm to a user, so no negative control may rest on it.
    """

    name: str
    doc: str
    claims: Claims
    kind: str
    formula: Formula
    internal: bool
    place: str


def action(
    *bare: object, claims: Claims = (), tick: bool = False
) -> Callable[[Callable[..., None]], Action]:
    """Define an action; the function's body is its guards, a blank line, its effects.

    ``tick``: one tick of time passes in it.
    """
    _check_parentheses("action", bare)

    def decorate(function: Callable[..., None]) -> Action:
        return _file_transition(Action, function, claims, tick)

    return decorate


def initial(function: Callable[..., None]) -> Initial:
    """Define initial states; parameters and ``anything`` give several.

    Relations start false and functions at their first element, unless assigned here.
    """
    return typing.cast(Initial, _file_transition(Initial, function, ()))


def invariant(
    *bare: object, claims: Claims = (), internal: bool = False
) -> Callable[[Callable[..., Formula]], Property]:
    """Define what holds in every reachable state, stated positively."""
    _check_parentheses("invariant", bare)
    return _property_decorator("invariant", claims, internal)


def step_property(
    *bare: object, claims: Claims = ()
) -> Callable[[Callable[..., Formula]], Property]:
    """Define what holds of every step; the function takes the state before and the one after."""
    _check_parentheses("step_property", bare)
    return _property_decorator("step", claims)


def always_reachable(
    *bare: object, claims: Claims = ()
) -> Callable[[Callable[..., Formula]], Property]:
    """Define a condition that stays within reach from every reachable state."""
    _check_parentheses("always_reachable", bare)
    return _property_decorator("always_reachable", claims)


def witness(*bare: object, claims: Claims = ()) -> Callable[[Callable[..., Formula]], Property]:
    """Define a situation that some reachable state must show."""
    _check_parentheses("witness", bare)
    return _property_decorator("witness", claims)


def terminal(function: Callable[..., Formula]) -> Property:
    """Define the intended terminal states; a state without a step that is none is a deadlock."""
    return _property_decorator("terminal", ())(function)


def _check_parentheses(name: str, bare: tuple[object, ...]) -> None:
    if bare:
        raise SpecError(f"@{name} needs parentheses", advice=f"write @{name}()")


def _property_decorator(
    kind: str, claims: Claims, internal: bool = False
) -> Callable[[Callable[..., Formula]], Property]:
    def decorate(function: Callable[..., Formula]) -> Property:
        return _file_property(function, kind, claims, internal)

    return decorate


def _file_transition(
    cls: type[Action], function: Callable[..., None], claims: Claims, tick: bool = False
) -> Action:
    state, sorts = _signature(function, states=1)
    within = f"{state.spec_name}.{function.__name__}"
    with recording("initial" if cls is Initial else "action") as recorder, _Named(within):
        parameters = tuple(recorder.fresh_name(label, sort) for label, sort in sorts.items())
        body: Callable[..., object] = function
        if body(state(), *parameters) is not None:
            raise SpecError("an action returns nothing", advice="use guard(...) and assignments")
        definition = cls(
            name=function.__name__,
            doc=_docstring(function),
            claims=claims,
            parameters=parameters,
            guards=tuple(recorder.guards),
            assignments=tuple(recorder.assignments),
            place=_place(function),
            tick=tick,
            function=function,
        )
    _file(state, definition)
    return definition


def _file_property(
    function: Callable[..., Formula], kind: str, claims: Claims, internal: bool
) -> Property:
    definition = record_property(function, kind, claims, internal)
    state, _ = _signature(function, 2 if kind == "step" else 1)
    _file(state, definition)
    return definition


def record_property(
    function: Callable[..., Formula], kind: str, claims: Claims = (), internal: bool = False
) -> Property:
    """Return a function of a state as a named formula, without filing it with the state class.

    For readers that say more about a spec than it promises, such as proofs.
    """
    states = 2 if kind == "step" else 1
    state, sorts = _signature(function, states)
    with recording("property"), _Named(f"{state.spec_name}.{function.__name__}"):
        if sorts:
            raise SpecError(
                f"a property has no parameters, {', '.join(sorts)} given",
                advice="quantify: forall(Node, lambda n: ...)",
            )
        formula = as_formula(function(*(state(after=i > 0) for i in range(states))), "a property")
        return Property(
            name=function.__name__,
            doc=_docstring(function),
            claims=claims,
            kind=kind,
            formula=formula,
            internal=internal,
            place=_place(function),
        )


def _file(state: type[State], definition: Action | Property | Figure | Liveness) -> None:
    if any(d.name == definition.name for d in (*state.definitions, *state.refinements)):
        raise SpecError(
            f"{definition.name} is defined twice",
            within=state.spec_name,
            at=definition.place,
            advice="give each action and property a name of its own",
        )
    if definition.name in _REPORTED:
        raise SpecError(
            f"nothing can be called {definition.name}",
            within=state.spec_name,
            at=definition.place,
            advice="reports use that name; choose another",
        )
    state.definitions.append(definition)


class _Named:
    """Put the name of the spec and of the definition into front of every error inside."""

    def __init__(self, within: str) -> None:
        self.within = within

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, SpecError):
            error.args = (f"{self.within}: {error.args[0]}",)


def _signature(function: Callable[..., Any], states: int) -> tuple[type[State], dict[str, Any]]:
    """Return the state class of the first parameter and the sorts of those after the states."""
    name, hints = function.__name__, _type_hints(function)
    labels = list(inspect.signature(function).parameters)
    state: Any = hints.get(labels[0]) if labels else None
    known = isinstance(state, type) and issubclass(state, State) and state is not State
    with _Named(f"{state.spec_name}.{name}" if known else name):
        missing = [label for label in labels if label not in hints]
        if missing or not labels:
            raise SpecError(
                f"it has a parameter without a type: {', '.join(missing) or 'the state'}",
                advice="write def name(s: MyState, n: Node) -> None",
            )
        if not known:
            raise SpecError("the first parameter must be the state", advice="write s: MyState")
        if any(hints[label] is not state for label in labels[:states]) or len(labels) < states:
            raise SpecError(
                "it takes the state before and the state after",
                advice="write def name(s: MyState, t: MyState) -> Formula",
            )
        sorts = {label: hints[label] for label in labels[states:]}
        for label, sort in sorts.items():
            check_sort(sort, f"parameter {label}")
    return state, sorts


def _type_hints(function: Callable[..., Any]) -> dict[str, Any]:
    """Return the type of each parameter that has one."""
    try:
        caller = frame_outside_the_language()  # for sorts declared inside a function
        return typing.get_type_hints(function, localns=dict(caller.f_locals) if caller else None)
    except NameError as error:
        raise SpecError(
            str(error), within=function.__name__, advice="declare the sort before the action"
        ) from None


def _docstring(function: Callable[..., Any]) -> str:
    doc = inspect.getdoc(function)
    if not doc:
        raise SpecError("it has no docstring", advice="say in one sentence what it is")
    return doc


def _place(function: Callable[..., Any]) -> str:
    code = function.__code__
    return f"{Path(code.co_filename).name}:{code.co_firstlineno}"
