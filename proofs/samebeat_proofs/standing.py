"""What a run shows of each fact: a fact stands if everything that it rests on does.

That each obligation of a fact is proved is not enough. It assumes other facts of the state before
the step, and these must be proved too, and those that they assume.
"""

from __future__ import annotations

from dataclasses import dataclass

from samebeat_proofs.engine import Answer, Discharged, Run
from samebeat_proofs.facts import Fact
from samebeat_proofs.obligations import ONE_VALUE

_FACT, _AXIOM = "fact ", "axiom "


@dataclass(frozen=True)
class Standing:
    """What a run shows of one fact.

    Args:
        fact: the fact.
        own: its obligations.
        uses: every other fact that they use, in the proof's order.
        rests_on: those, and the facts that these use, and so on.
        axioms: what is assumed of constants, by all of these.
        open: what is not proved, of its own and of what it rests on.
        possible: whether nothing is missing in the run, all facts can hold at once, and then every
            action can be taken.
    """

    fact: Fact
    own: tuple[Discharged, ...]
    uses: tuple[str, ...]
    rests_on: tuple[str, ...]
    axioms: tuple[str, ...]
    open: tuple[Discharged, ...]
    possible: bool

    @property
    def answer(self) -> Answer:
        """Whether the fact is proved."""
        if any(d.answer is Answer.FAILED for d in self.open):
            return Answer.FAILED
        return Answer.UNDETERMINED if self.open or not self.possible else Answer.PROVED

    @property
    def seconds(self) -> float:
        """The time that its own obligations took."""
        return sum(d.seconds for d in self.own)


def standings(run: Run) -> tuple[Standing, ...]:
    """Return what a run shows of each fact, in the proof's order."""
    direct = {f.name: _used(run.of(f.name), _FACT) for f in run.proof.facts}
    axioms = {f.name: _used(run.of(f.name), _AXIOM) for f in run.proof.facts}
    one_value = run.of(ONE_VALUE)
    for name in _used(one_value, _FACT):  # what is assigned twice would be no step at all
        direct = {fact: used | {name} for fact, used in direct.items()}
    found = []
    for fact in run.proof.facts:
        closure = _closure(fact.name, direct)
        needed = [*one_value, *(d for name in closure for d in run.of(name))]
        found.append(
            Standing(
                fact,
                run.of(fact.name),
                tuple(f.name for f in run.proof.facts if f.name in direct[fact.name] - {fact.name}),
                tuple(f.name for f in run.proof.facts if f.name in closure - {fact.name}),
                tuple(sorted(set().union(*(axioms[name] for name in closure)))),
                tuple(d for d in needed if d.answer is not Answer.PROVED),
                not run.impossible and not run.missing,
            )
        )
    return tuple(found)


def _used(discharged: tuple[Discharged, ...], kind: str) -> set[str]:
    labels = {label for d in discharged for label in d.used}
    return {label.removeprefix(kind) for label in labels if label.startswith(kind)}


def _closure(name: str, direct: dict[str, set[str]]) -> set[str]:
    found, pending = {name}, [name]
    while pending:
        new = direct[pending.pop()] - found
        found |= new
        pending += new
    return found
