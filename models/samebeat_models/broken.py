"""Whether some run of an instance breaks a formula, whether or not its spec promises it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from samebeat_models.explorer.search import explore
from samebeat_models.progress import Budget
from samebeat_models.results import Trace, Verdict
from samebeat_spec.language import Instance, InstanceError, Property, StateError

ROOM = 4
"""How often an ordered sort gets one more element, so that no run ends for want of them."""


@dataclass(frozen=True)
class Broken:
    """What came of looking for a run that breaks a formula.

    ``trace`` is a shortest one. Without it, ``verdict`` is "holds" if no run of the instance does
    so, and "undetermined" if the search ended before it was over; ``why`` says why.
    """

    verdict: Verdict
    instance: Instance
    states: int
    trace: Trace | None = None
    why: str = ""


def look_for(instance: Instance, prop: Property, budget: Budget) -> Broken:
    """Look for a run that breaks an invariant or a step property.

    Where runs need more elements of an ordered sort than the instance has, it gets some more.
    """
    why = ""
    for more in range(ROOM):
        try:
            wide = wider(instance, (prop,), more)
            found = explore(wide, deadlocks=False, budget=budget)
        except (StateError, InstanceError) as error:
            why = str(error)
            continue
        (finding,) = (f for f in found.findings if f.property == prop.name)
        why = "" if finding.trace else found.incomplete_reason
        return Broken(finding.verdict, wide, found.states, finding.trace, why)
    return Broken(Verdict.UNDETERMINED, instance, 0, None, why)


def wider(instance: Instance, promises: tuple[Property, ...], more: int) -> Instance:
    """Return the instance with these promises only, and more elements of each ordered sort."""
    spec = replace(instance.spec, properties=promises, refinements=(), liveness=())
    ordered = {s.__name__ for s in spec.sorts if s.ordered}
    sizes = {
        name: size + more if name in ordered and isinstance(size, int) else size
        for name, size in instance.sizes.items()
    }
    return Instance(instance.name, spec, sizes, instance.constants)
