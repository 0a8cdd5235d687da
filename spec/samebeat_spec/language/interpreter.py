"""The interpreter: what a spec means, one concrete state at a time.

Slow and plain on purpose. It is the oracle of replay and of every faster engine: it says which
guard refuses a step and why.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product

from samebeat_spec.language.definitions import Action, Property
from samebeat_spec.language.errors import StateError
from samebeat_spec.language.instance import Arguments, Instance, StateTuple
from samebeat_spec.language.recorder import Assignment, Guard
from samebeat_spec.language.terms import (
    And,
    Apply,
    CountOf,
    Element,
    Equal,
    Exists,
    Expr,
    Following,
    ForAll,
    Holds,
    Iff,
    IfThenElse,
    Implies,
    Less,
    Literal,
    Name,
    Not,
    Or,
    Sum,
    Truth,
)

Environment = Mapping[str, int]


class Refused(Exception):  # noqa: N818  (`except Refused` is the sentence)
    """A step is not enabled; ``guards`` are those that refuse it."""

    def __init__(self, guards: list[Guard]) -> None:
        super().__init__("; ".join(f"not so: {g.why}" for g in guards))
        self.guards = guards


class Interpreter:
    """Evaluates one instance of a spec.

    States are tuples of ints, one a cell (see ``Instance.cells``).
    """

    def __init__(self, instance: Instance) -> None:
        self.instance = instance
        self.spec = instance.spec

    # --- evaluation ------------------------------------------------------------------------

    def evaluate(
        self, expr: Expr, names: Environment, state: StateTuple, after: StateTuple | None = None
    ) -> int:
        """Return the value of ``expr``: 0 or 1 for a formula, an element for a term.

        Raises:
            StateError: a variable is read outside its bounds.
        """

        def value(e: Expr) -> int:
            return self.evaluate(e, names, state, after)

        match expr:
            case Truth(constant):
                return int(constant)
            case Holds(_, arguments, late) | Apply(_, arguments, late):
                place = tuple(value(a) for a in arguments)
                return self._read(expr, place, after if late else state)
            case Equal(left, right):
                return int(value(left) == value(right))
            case Less(left, right):
                return int(value(left) < value(right))
            case Not(body):
                return 1 - value(body)
            case And(parts):
                return int(all(value(p) for p in parts))
            case Or(parts):
                return int(any(value(p) for p in parts))
            case Implies(antecedent, consequent):
                return int(not value(antecedent) or bool(value(consequent)))
            case Iff(left, right):
                return int(value(left) == value(right))
            case IfThenElse(condition, then, otherwise):
                return value(then) if value(condition) else value(otherwise)
            case Name(label):
                return names[label]
            case Element(_, _, index):
                return index
            case Literal(_, number):
                return number
            case Sum(left, right, sign):
                return value(left) + sign * value(right)
            case Following(body):
                return value(body) + 1  # past the last element it equals nothing, and fits nowhere
            case ForAll(name, body) | Exists(name, body) | CountOf(_, name, body):
                truths = (
                    self.evaluate(body, {**names, name.label: x}, state, after)
                    for x in self.instance.domain(name.sort)
                )
                return sum(truths) if isinstance(expr, CountOf) else self._quantify(expr, truths)
        raise TypeError(f"no meaning for {type(expr).__name__}")

    @staticmethod
    def _quantify(expr: Expr, truths: Iterator[int]) -> int:
        return int(all(truths) if isinstance(expr, ForAll) else any(truths))

    def _read(self, expr: Holds | Apply, place: Arguments, state: StateTuple | None) -> int:
        v = expr.variable
        table = self.instance.constant_values if v.constant else self.instance.cell_index
        try:
            found = table[v.name][place]
        except KeyError:
            raise StateError(f"{v.name} is read outside its bounds, at {place}") from None
        if v.constant:
            return found
        if state is None:
            raise TypeError("a formula about a step needs the state after it")
        return state[found]

    # --- steps -----------------------------------------------------------------------------

    def initial_states(self) -> list[StateTuple]:
        """Return every initial state, in a fixed order, without repetition."""
        zero = tuple(cell.values[0] for cell in self.instance.cells)
        found: dict[StateTuple, None] = {}
        for definition in self.spec.initials:
            for arguments in self.instance.choices(definition.parameters):
                if not self.refusals(definition, arguments, zero):
                    for state in self._assign(definition, arguments, zero):
                        found[state] = None
        return list(found)

    def refusals(self, action: Action, arguments: Arguments, state: StateTuple) -> list[Guard]:
        """Return the guards that refuse this step; none if it is enabled.

        Guards are read in order, and one that a failed guard protects may make no sense, so a
        ``StateError`` in a guard after a failed one is not an error.
        """
        names = self._names(action, arguments)
        refusing: list[Guard] = []
        for g in action.guards:
            try:
                holds = self.evaluate(g.condition, names, state)
            except StateError:
                if refusing:
                    continue
                raise
            if not holds:
                refusing.append(g)
        return refusing

    def step(self, action: Action, arguments: Arguments, state: StateTuple) -> StateTuple:
        """Return the state after a step.

        Raises:
            Refused: a guard does not hold.
            StateError: the state after it does not fit.
        """
        refusing = self.refusals(action, arguments, state)
        if refusing:
            raise Refused(refusing)
        return next(self._assign(action, arguments, state))

    def successors(self, state: StateTuple) -> Iterator[tuple[Action, Arguments, StateTuple]]:
        """Yield every enabled step as (action, arguments, state after), stuttering ones too."""
        for action in self.spec.actions:
            for arguments in self.instance.choices(action.parameters):
                if not self.refusals(action, arguments, state):
                    yield action, arguments, next(self._assign(action, arguments, state))

    def holds(self, prop: Property, state: StateTuple, after: StateTuple | None = None) -> bool:
        """Return whether a property's formula is true of a state, or of a step."""
        return bool(self.evaluate(prop.formula, {}, state, after))

    def _names(self, action: Action, arguments: Arguments) -> dict[str, int]:
        return {p.label: x for p, x in zip(action.parameters, arguments, strict=True)}

    def _assign(
        self, action: Action, arguments: Arguments, state: StateTuple
    ) -> Iterator[StateTuple]:
        """Yield the states after the assignments: one, or many where one says ``anything``."""
        names = self._names(action, arguments)
        new: dict[int, range | int] = {}
        for assignment in action.assignments:
            where = f"{self.spec.name}.{action.name}, {assignment.place}"
            for index, value in self._effects(assignment, names, state, where):
                if new.setdefault(index, value) != value:
                    cell = self.instance.cell_label(index)
                    raise StateError(f"{where}: {cell} gets two values in one step")
        free = [i for i, value in new.items() if isinstance(value, range)]
        for picks in product(*(self.instance.cells[i].values for i in free)):
            chosen = {**new, **dict(zip(free, picks, strict=True))}
            yield tuple(chosen.get(i, old) for i, old in enumerate(state))  # type: ignore[misc]

    def _effects(
        self, assignment: Assignment, names: Environment, state: StateTuple, where: str
    ) -> Iterator[tuple[int, range | int]]:
        for picks in self.instance.choices(assignment.bound):
            labels = (name.label for name in assignment.bound)
            env = {**names, **dict(zip(labels, picks, strict=True))}
            place = tuple(self.evaluate(a, env, state) for a in assignment.arguments)
            try:
                index = self.instance.cell_index[assignment.variable.name][place]
            except KeyError:
                raise StateError(
                    f"{where}: {assignment.variable.name} is set outside its bounds, at {place}"
                ) from None
            allowed = self.instance.cells[index].values
            if assignment.value is None:
                yield index, allowed
                continue
            value = self.evaluate(assignment.value, env, state)
            if value not in allowed:
                raise StateError(
                    f"{where}: {self.instance.cell_label(index)} would become {value}, "
                    f"outside {allowed[0]}..{allowed[-1]}; add a guard or widen the sort"
                )
            yield index, value
