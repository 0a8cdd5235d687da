"""A run of the spec `group`, read as one of `cluster` in its first view, to be followed on cores.

The core has the hardened group change, and does some things at once that `group` does one by one:

- who asks for a change acks it in the same step, so it asks when somebody receives the request, and
  its own receipt and ack are nothing new; it cannot ask while it is busy;
- a request is received as it is answered, and a message as somebody acts upon it;
- who fails to apply says so and has closed the change, in one step;
- before the first commit every member that has applied, and heard so of all, votes to commit.

The guards are left out here: what a wrong run does is refused by the cores, or not at all. After
each step both readings must agree on who holds and has decided what; where they do not, the run
cannot be followed any further, and that is said.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from samebeat_conformance.instances import group_change
from samebeat_models.results import Step, Trace
from samebeat_spec.language import Instance, StateError
from samebeat_spec.language.instance import Arguments, StateTuple
from samebeat_spec.language.interpreter import Interpreter
from samebeat_spec.language.terms import SortClass

_ALIKE = {
    "IDLE": ("IDLE", "ACKED"),  # an initiator has acked as it has asked
    "RECEIVED": ("IDLE", "ACKED"),
    "ACKED": ("ACKED",),
    "APPLIED": ("APPLIED",),
    "FAILED": ("UNDONE",),
    "COMMITTED": ("COMMITTED",),
    "UNDONE": ("UNDONE",),
}
"""For each phase of `group` those that a member can be in in `cluster`."""

Move = tuple[str, Arguments]


@dataclass(frozen=True)
class Read:
    """A run of `cluster` without guards, and where its steps come from.

    Attributes:
        trace: the run.
        numbers: for each of its steps, and its end, the number of the given run's step.
        until: so many steps of the given run were read; the next one, `parts`, cannot be.
        parts: why not; empty: all were.
    """

    trace: Trace
    numbers: tuple[int, ...]
    until: int
    parts: str = ""


def as_cluster(trace: Trace) -> Read:
    """Read a run of `group` as one of `cluster`."""
    return _Reader(trace).read()


class _Reader:
    def __init__(self, trace: Trace) -> None:
        self._trace = trace
        self.group = trace.instance
        sizes = {s.__name__: len(self.group.domain(s)) for s in self.group.spec.sorts}
        plain = group_change(sizes["Node"], sizes["Change"])
        actions = tuple(replace(a, guards=()) for a in plain.spec.actions)
        spec = replace(plain.spec, actions=actions)
        of_value, of_change = self._sort("Value"), self._sort("Change")
        value = {x: self.group.label(of_value, x) for x in self.group.domain(of_value)}
        asked = self.group.constant_values["asked"]
        constants = {
            **plain.constants,
            "asked": {self.group.label(of_change, c): value[v] for (c,), v in asked.items()},
            "start_value": value[self.group.constant_values["start_value"][()]],
        }
        same = {name: sizes[name] for name in ("Node", "Change", "Epoch", "Value")}
        self.instance = Instance(self.group.name, spec, {**plain.sizes, **same}, constants)
        self._judge = Interpreter(self.instance)
        (self.state,) = self._judge.initial_states()
        self._nodes = range(sizes["Node"])
        self._changes = range(sizes["Change"])
        self._asked: dict[int, int] = {}
        self._own_ack: set[tuple[int, int]] = set()
        self._failed: set[tuple[int, int]] = set()

    def _sort(self, name: str) -> SortClass:
        return next(s for s in self.group.spec.sorts if s.__name__ == name)

    def read(self) -> Read:
        """Read step by step, as far as both agree."""
        steps: list[Step] = []
        numbers: list[int] = []
        first, parts, until = self.state, "", 0
        for i, step in enumerate(self._trace.steps):
            try:
                for name, arguments in self._moves(step.action, step.arguments):
                    action = self.instance.spec.find_action(name)
                    self.state = self._judge.step(action, arguments, self.state)
                    steps.append(Step(name, arguments, self.state))
                    numbers.append(i)
            except StateError as error:
                parts = str(error)
                break
            parts = self._difference(step.state)
            if parts:
                break
            until = i + 1
        return Read(Trace(self.instance, first, tuple(steps)), (*numbers, until), until, parts)

    def _moves(self, action: str, arguments: Arguments) -> Iterator[Move]:
        """Yield the steps of `cluster` that a step of `group` is, from where the run is now."""
        place = arguments[0], arguments[-1]
        if action == "receive":
            return
        c = arguments[1]
        if action == "request" and not self._is_asked(c):
            self._asked[c] = arguments[0]
            return
        if c in self._asked:
            n = self._asked.pop(c)
            self._own_ack.add((n, c))
            yield "request", (n, c)
        match action:
            case "receive_request":
                return
            case "send_ack" if place in self._own_ack:
                self._own_ack.discard(place)
            case "send_failure" if place in self._failed:
                return
            case "undo" if place in self._failed:
                self._failed.discard(place)
            case "fail_to_apply" | "send_failure":
                self._failed.add(place)
                yield "fail_to_apply", arguments
            case "close_busied":
                yield "undo", arguments
            case "commit":
                yield from (("hold", (m, c)) for m in self._votes(*place))
                yield "commit", arguments
            case _:
                yield action, arguments

    def _is_asked(self, c: int) -> bool:
        return c in self._asked or bool(self._cell("requested", c))

    def _votes(self, n: int, c: int) -> list[int]:
        """Return who votes to commit just before: all who can, or who commits alone."""
        ok = self._message("OK")
        if not all(self._cell("sent", m, c, ok) for m in self._nodes):
            return [n]
        order = [n, *(m for m in self._nodes if m != n)]
        return [m for m in order if self._label("vote", m, c, 0) == "NONE"]

    def _message(self, label: str) -> int:
        sort = next(s for s in self.instance.spec.sorts if s.__name__ == "Message")
        return self.instance.element(sort, label)

    def _cell(self, variable: str, *place: int) -> int:
        return self.state[self.instance.cell_index[variable][place]]

    def _label(self, variable: str, *place: int) -> str:
        return _label(self.instance, self.state, variable, place)

    def _difference(self, state: StateTuple) -> str:
        """Return where both readings do not agree on who holds and has decided what."""
        for n in self._nodes:
            for variable in ("value", "epoch"):
                theirs, ours = _label(self.group, state, variable, (n,)), self._label(variable, n)
                if theirs != ours:
                    return _differ(f"{variable}[n{n + 1}]", theirs, ours)
            for c in self._changes:
                base, own = _label(self.group, state, "base", (c,)), self._label("base", c)
                if self._cell("requested", c) and base != own:
                    return _differ(f"base[c{c + 1}]", base, own)
                theirs, ours = (
                    _label(self.group, state, "phase", (n, c)),
                    self._label("phase", n, c),
                )
                if ours not in _ALIKE[theirs]:
                    return _differ(f"phase[n{n + 1}, c{c + 1}]", theirs, ours)
        return ""


def _differ(cell: str, theirs: str, ours: str) -> str:
    return f"{cell} is {theirs} in the trace, {ours} in the core"


def _label(instance: Instance, state: StateTuple, variable: str, place: Arguments) -> str:
    cell = instance.cell_index[variable][place]
    return instance.value_label(cell, state[cell])
