"""What an export checks, what it leaves out, and the comment at its top that says so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from samebeat_models.results import DEADLOCK_FREE
from samebeat_spec.language import Instance, Liveness, Property, Refinement, Variable, header

EXPORTED = ("invariant", "step")


@dataclass(frozen=True)
class Selection:
    """The properties that an export checks; ``deadlock`` is about unintended last states."""

    invariants: tuple[Property, ...]
    steps: tuple[Property, ...]
    terminal: tuple[Property, ...]
    deadlock: bool
    left_out: tuple[Property | Liveness | Refinement, ...]
    liveness: tuple[Liveness, ...] = ()

    @property
    def temporal(self) -> list[str]:
        """The names of what is said of more than one state at a time."""
        return [*(p.name for p in self.steps), *(p.name for p in self.liveness)]


def select(
    instance: Instance,
    properties: Sequence[str] | None,
    promises: Sequence[str] = (),
    *,
    temporal: bool = False,
) -> Selection:
    """Return what to export: by default every invariant and step property, and deadlocks.

    Args:
        instance: the instance.
        properties: names of invariants and step properties, and "deadlock_free".
        promises: names of promises about infinite runs; they may be among the properties too.
        temporal: whether the language can say such promises.

    Raises:
        KeyError: a name that the spec does not define.
        ValueError: a property of a kind that is not exported.
    """
    spec = instance.spec
    about_infinite_runs = {p.name for p in spec.liveness}.intersection(properties or ())
    wanted = about_infinite_runs.union(spec.find_liveness(name).name for name in promises)
    liveness = tuple(p for p in spec.liveness if p.name in wanted)
    if liveness and not temporal:
        raise ValueError(f"{liveness[0].name} is about infinite runs: only TLA+ can say that")
    names = [p.name for p in spec.of_kind(*EXPORTED)] if properties is None else list(properties)
    names = [name for name in names if name not in about_infinite_runs]
    for name in names:
        if name != DEADLOCK_FREE and spec.find_property(name).kind not in EXPORTED:
            raise ValueError(f"{name} is neither an invariant nor a step property")
    chosen = [p for p in spec.of_kind(*EXPORTED) if p.name in names]
    deadlock = properties is None or DEADLOCK_FREE in names
    return Selection(
        invariants=tuple(p for p in chosen if p.kind == "invariant"),
        steps=tuple(p for p in chosen if p.kind == "step"),
        terminal=spec.of_kind("terminal") if deadlock else (),
        deadlock=deadlock,
        left_out=(
            *(p for p in spec.properties if p not in chosen and p.kind != "terminal"),
            *(p for p in spec.liveness if p.name not in wanted),
            *spec.refinements,
        ),
        liveness=liveness,
    )


def title(instance: Instance, chosen: Selection, how_to_run: Sequence[str]) -> str:
    """Return the comment at the top of an export, without comment marks."""
    spec = instance.spec
    lines = [
        f"{spec.name}, instance {instance.name}, exported by samebeat.",
        f"Spec fingerprint {spec.fingerprint}. Do not edit: change the spec and export again.",
        "",
        header(spec),
        "",
        *(f"{s.__name__}: {_extent(instance, s)}" for s in spec.sorts),
        *(_constant_line(instance, v) for v in spec.constants),
        "",
        f"Invariants: {_names(chosen.invariants)}.",
        f"Step properties: {_names(chosen.steps)}.",
        f"Deadlocks: {_deadlocks(chosen)}.",
        *(_about_infinite_runs(chosen) if chosen.liveness else ()),
        f"Not checked here: {_names(chosen.left_out)}.",
        "A step that changes nothing is left out: it adds no state and is no way out of a",
        "deadlock. A value outside its bounds is reported; an index or a following(...) past the",
        "last element, and a place set to two values in one step, are for the interpreter.",
        "",
        *how_to_run,
    ]
    return "\n".join(lines)


def about(doc: str, claims: Sequence[str]) -> str:
    """Return a definition's docstring with its claim ids."""
    return f"{doc} (claims {', '.join(claims)})" if claims else doc


def signature(variable: Variable) -> str:
    """Return the sorts of a variable: ``Node x Change -> Phase``."""
    value = "truth value" if variable.to is None else variable.to.__name__
    arguments = " x ".join(s.__name__ for s in variable.arguments)
    return f"{arguments} -> {value}" if arguments else value


def _names(properties: Sequence[Property | Liveness | Refinement]) -> str:
    return ", ".join(p.name for p in properties) or "none"


def _about_infinite_runs(chosen: Selection) -> tuple[str, ...]:
    return (
        f"Of infinite runs: {_names(chosen.liveness)}.",
        "If one of them is broken, TLC does not say which; it does not see either where a limit of",
        "the model cuts off steps of the system, and samebeat gives no verdict then.",
    )


def _deadlocks(chosen: Selection) -> str:
    if not chosen.deadlock:
        return "not checked"
    if not chosen.terminal:
        return "every last state is one"
    return f"every last state is one, except where {' or '.join(p.name for p in chosen.terminal)}"


def _extent(instance: Instance, sort: type) -> str:
    domain = instance.domain(sort)
    if getattr(sort, "integer", False) or getattr(sort, "ordered", False):
        return f"{domain[0]}..{domain[-1]}"
    return ", ".join(instance.label(sort, i) for i in domain)


def _constant_line(instance: Instance, variable: Variable) -> str:
    table = instance.constant_values[variable.name]
    if not variable.arguments:
        return f"{variable.name} = {instance.label(variable.to, table[()])}"
    parts = []
    for place, value in sorted(table.items()):
        labels = ", ".join(map(instance.label, variable.arguments, place))
        parts.append(f"{labels}: {instance.label(variable.to, value)}")
    return f"{variable.name} = {{{'; '.join(parts)}}}"
