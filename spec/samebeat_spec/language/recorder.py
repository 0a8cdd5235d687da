"""The recorder: what an action's body says while it runs, once, on symbolic values."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

from samebeat_spec.language.errors import SpecError, place_outside_the_language
from samebeat_spec.language.terms import Expr, Formula, Name, SortClass, Term, as_formula

if TYPE_CHECKING:
    from samebeat_spec.language.state import Variable

Limit = Literal["", "system", "environment"]


class Every:
    """The type of the wildcard index ``every``."""


@dataclass(frozen=True)
class Guard:
    """A condition that an action needs, and why; ``why`` is also its name in reports.

    ``limit`` is "system" or "environment" if the guard is there to keep models small, and says
    whose steps it cuts off; "" if it belongs to the protocol.
    """

    condition: Formula
    why: str
    place: str
    limit: Limit = ""


@dataclass(frozen=True)
class Assignment:
    """``variable[arguments] = value`` for every element that the names in ``bound`` can stand for.

    ``value`` is None where an initial state may hold anything.
    """

    variable: Variable
    arguments: tuple[Term, ...]
    bound: tuple[Name, ...]
    value: Expr | None
    place: str


class Recorder:
    """Collects the guards and assignments of one definition.

    ``kind`` is "action", "initial", "property" or "refinement"; it decides what may be said.
    """

    def __init__(self, kind: str = "property") -> None:
        self.kind = kind
        self.guards: list[Guard] = []
        self.assignments: list[Assignment] = []
        self._labels: set[str] = set()

    def fresh_name(self, label: str, sort: SortClass) -> Name:
        """Return a name that no other name of this definition has: ``m``, then ``m2``, ``m3``."""
        candidate, i = label, 2
        while candidate in self._labels:
            candidate, i = f"{label}{i}", i + 1
        self._labels.add(candidate)
        return Name(candidate, sort)

    def release(self, names: tuple[Name, ...]) -> None:
        """Let siblings use these names again; only nested binders must differ."""
        self._labels.difference_update(name.label for name in names)

    def add_guard(self, condition: Formula, why: str, limit: Limit = "") -> None:
        """Record a guard; guards come before effects, so that a body reads top down."""
        if self.kind == "property":
            raise SpecError("guard(...) belongs into an action or an initial state")
        if self.assignments:
            raise SpecError("a guard comes after an assignment", advice="put all guards first")
        if not why.strip():
            raise SpecError("a guard needs a reason", advice='write guard(condition, "why")')
        if any(g.why == why for g in self.guards):
            raise SpecError(f"two guards have the reason {why!r}", advice="name them apart")
        if limit not in get_args(Limit):
            raise SpecError(
                f"nobody is called {limit!r}", advice='limit is "system" or "environment"'
            )
        if limit and self.kind == "initial":
            raise SpecError(
                "a limit cuts off steps, and this is an initial state",
                advice="leave limit= out: how a run begins is the spec's own business",
            )
        self.guards.append(Guard(condition, why, place_outside_the_language(), limit))

    def record_assignment(
        self,
        variable: Variable,
        arguments: tuple[Term, ...],
        bound: tuple[Name, ...],
        value: Expr | None,
    ) -> None:
        """Record an assignment; the same place is never set twice."""
        if self.kind == "property":
            raise SpecError("a property sets nothing", advice="compare with == instead of =")
        for earlier in self.assignments:
            if _same_place(earlier, variable, arguments, bound):
                raise SpecError(
                    f"{variable.name} is assigned twice at the same place",
                    advice="updates are simultaneous: give each place one value, "
                    "with ite(c, a, b) if it depends",
                )
        place = place_outside_the_language()
        self.assignments.append(Assignment(variable, arguments, bound, value, place))

    def check_not_assigned(self, variable: Variable, arguments: tuple[Term, ...]) -> None:
        """Refuse to read a place that this action has assigned: reads see the state before.

        A refinement reads one state and assigns another.
        """
        for earlier in self.assignments if self.kind != "refinement" else ():
            if _same_place(earlier, variable, arguments, ()):
                raise SpecError(
                    f"{variable.name} is read after it was assigned",
                    advice="reads see the state before the step: read it into a Python variable "
                    "first, or compute the value again",
                )

    def allow_anything(self) -> None:
        """Check that ``anything`` is used in an initial state only (its recorded form is None)."""
        if self.kind != "initial":
            raise SpecError(
                "`anything` is only for initial states",
                advice="add a parameter to the action: every choice of it is a step",
            )


def _same_place(
    earlier: Assignment, variable: Variable, arguments: tuple[Term, ...], bound: tuple[Name, ...]
) -> bool:
    """Return whether two indexings surely overlap: equal terms, or one side covers the column."""
    if earlier.variable is not variable:
        return False
    covered = {name.label for name in (*earlier.bound, *bound)}

    def overlaps(a: Term, b: Term) -> bool:
        wild = any(isinstance(t, Name) and t.label in covered for t in (a, b))
        return wild or a.key() == b.key()

    return all(overlaps(a, b) for a, b in zip(earlier.arguments, arguments, strict=True))


_active: list[Recorder] = [Recorder()]


def recorder() -> Recorder:
    """Return the recorder of the definition that is being read now."""
    return _active[-1]


@contextmanager
def recording(kind: str) -> Iterator[Recorder]:
    """Make a new recorder the active one while a definition's body runs."""
    _active.append(Recorder(kind))
    try:
        yield _active[-1]
    finally:
        _active.pop()


def guard(condition: Formula | bool, why: str = "", limit: Limit = "") -> None:
    """State a condition that the action needs, with its reason as a short sentence.

    A guard that only keeps models small says whose steps it cuts off: ``limit="environment"`` for
    what nobody has to do, such as a request or a crash, ``limit="system"`` for all else. Where
    the latter cuts off a step, nothing is said about liveness.

    Raises:
        SpecError: outside an action, after an assignment, without a reason, or not a formula.
    """
    recorder().add_guard(as_formula(condition, "guard"), why, limit)
