"""What a proof consists of: facts, each with the part that it plays and what it rests on.

The solver never sees a property and a spec, and finds a proof: somebody has to say by which facts
the property is kept. Those that the spec itself does not promise are recorded here with
``@strengthening``, over the spec's own state class; the spec does not know of them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cached_property

from samebeat_spec.language import Formula, Property, Spec
from samebeat_spec.language.definitions import record_property
from samebeat_spec.language.terms import Name, Term


class ProofError(Exception):
    """A proof is ill-formed, or its spec says something that proofs do not understand."""


class Role(StrEnum):
    """What a fact does in a proof."""

    INDUCTIVE = "inductive"
    """true at the start, and every action keeps it"""
    IMPLIED = "implied"
    """follows from the inductive facts and from implied facts before it"""
    STEP = "step"
    """true of every step from a state in which the facts hold"""
    RUN = "run"
    """a run leads somewhere, part by part; it needs no other fact"""


@dataclass(frozen=True)
class Part:
    """A part of a run: where it begins, steps that can be taken one after the other, where it ends.

    Args:
        name: what it is called.
        names: elements that the formulas speak of, any.
        given: what is so where it begins.
        steps: actions by name, each with its arguments, read in the state before the step.
        reached: what is so where it ends.
        at_start: it begins in an initial state.
    """

    name: str
    names: tuple[Name, ...]
    given: Formula
    steps: tuple[tuple[str, tuple[Term, ...]], ...]
    reached: Formula
    at_start: bool = False


@dataclass(frozen=True)
class Fact:
    """A formula with its role.

    A fact that says "there is" is used only where ``uses`` names it; all others are used wherever
    they may be. So each obligation has as few existential hypotheses as it needs, and the sorts
    stay free of cycles (see ``fragment``).

    Args:
        prop: the recorded formula, with its name and docstring.
        role: what it does.
        uses: names of existential facts that its obligations may use beside itself; of an inductive
            fact, also of facts about steps, which are shown without it.
        why: why the proof needs it, one sentence; empty for what the spec promises.
        lemma: why it stays though the proof would go through without it; usually empty.
        total: of the proof's relational functions, those whose values everywhere its obligations
            need; that is always so, and costs a dependence of sorts.
        only: beside itself and ``uses``, the facts that its obligations may assume; nothing: all.
            Assuming less is always sound, and the solver is not led astray.
        parts: of a run, its parts.
        without: the axioms that are not assumed.
    """

    prop: Property
    role: Role
    uses: tuple[str, ...] = ()
    why: str = ""
    lemma: str = ""
    total: tuple[str, ...] = ()
    only: tuple[str, ...] = ()
    parts: tuple[Part, ...] = ()
    without: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The name of the formula."""
        return self.prop.name

    @property
    def is_strengthening(self) -> bool:
        """Whether only the proof needs it."""
        return bool(self.why)

    @property
    def is_lemma(self) -> bool:
        """Whether only the proof needs it, and it follows from what else is there.

        What is implied, and what is true of steps, is shown from other facts; so it says nothing
        that they do not. Of an inductive fact ``lemma`` says why it follows.
        """
        return self.is_strengthening and (bool(self.lemma) or self.role is not Role.INDUCTIVE)


@dataclass(frozen=True)
class Proof:
    """A spec and the facts that show its promises.

    Args:
        spec: the spec.
        facts: the facts; an implied one may rest on those before it.
        axioms: what is assumed of the constants, with the sentence that says so.
        left_out: promises that this proof does not show, and why.
        relational: names of functions that are read as relations, where sorts that depend on each
            other in a circle would make an obligation undecidable.
        reals: names of sorts of whole numbers that are read as all real numbers.
        shows: the name of the shipped spec whose promises these are; nothing: of ``spec`` itself.
        rlimit: what one obligation may cost, in the solver's unit of work; nothing: as usual.
        hints: for an obligation by name, labels of assumptions that are enough: they are tried
            first, alone. Wrong ones cost a little time, and nothing else.
    """

    spec: Spec
    facts: tuple[Fact, ...]
    axioms: tuple[Property, ...] = ()
    left_out: Mapping[str, str] = field(default_factory=dict)
    relational: tuple[str, ...] = ()
    reals: tuple[str, ...] = ()
    shows: str = ""
    rlimit: int | None = None
    hints: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        names = [f.name for f in self.facts]
        for name in names:
            if names.count(name) > 1:
                raise ProofError(f"{self.spec.name}: two facts are called {name}")
        for fact in self.facts:
            for used in (*fact.uses, *fact.only):
                self._check_use(fact, used)
        promised = {p.name for p in self.spec.of_kind("invariant", "step")}
        missing = promised - set(names) - set(self.left_out)
        if missing:
            raise ProofError(
                f"{self.spec.name}: the proof says nothing of {', '.join(sorted(missing))}; "
                "give it a role, or leave it out with a reason"
            )
        variables = {v.name: v for v in (*self.spec.variables, *self.spec.constants)}
        for name in self.relational:
            v = variables.get(name)
            if v is None or v.to is None or not v.arguments or v.to.elements:
                raise ProofError(
                    f"{self.spec.name}: {name} is no function to a sort without named elements, so "
                    "it cannot be read as a relation"
                )
        for fact in self.facts:
            for name in fact.total:
                if name not in self.relational:
                    raise ProofError(f"{self.spec.name}: {fact.name}: {name} is not relational")
        for name in self.left_out:
            if name not in promised or name in names:
                raise ProofError(f"{self.spec.name}: {name} cannot be left out")

    def _check_use(self, fact: Fact, used: str) -> None:
        names = [f.name for f in self.facts]
        if used not in names:
            raise ProofError(f"{self.spec.name}: {fact.name} uses {used}, which is no fact")
        other = self.find(used)
        if other.role is Role.STEP:
            if fact.role is Role.INDUCTIVE:
                return
            raise ProofError(f"{self.spec.name}: {fact.name} uses {used}, which is about steps")
        if fact.role is Role.IMPLIED and not self.may_use(fact, other):
            raise ProofError(
                f"{self.spec.name}: {fact.name} uses {used}, which comes later: put it first"
            )

    def find(self, name: str) -> Fact:
        """Return the fact called ``name``.

        Raises:
            KeyError: there is none.
        """
        for fact in self.facts:
            if fact.name == name:
                return fact
        raise KeyError(name)

    def may_use(self, fact: Fact, other: Fact) -> bool:
        """Return whether the obligations of ``fact`` may rest on ``other`` without a circle.

        An inductive fact and a step may rest on all that holds in the state before the step, an
        implied fact on what is inductive and on what is implied before it.
        """
        if other.role in (Role.STEP, Role.RUN):
            return False
        if fact.role is not Role.IMPLIED or other.role is Role.INDUCTIVE:
            return True
        return self.facts.index(other) < self.facts.index(fact)

    @cached_property
    def fingerprint(self) -> str:
        """16 hex digits that change when the spec, a fact or what is assumed changes."""
        parts = [
            self.spec.fingerprint,
            *(repr((a.name, a.formula.key())) for a in self.axioms),
            *(repr(_fact_key(f)) for f in self.facts),
            repr((self.relational, self.reals, self.shows, self.rlimit)),
        ]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]

    @property
    def strengthenings(self) -> tuple[Fact, ...]:
        """The facts that only the proof needs."""
        return tuple(f for f in self.facts if f.is_strengthening)

    def without_fact(self, name: str) -> Proof:
        """Return this proof without one strengthening fact: too little, to be caught.

        Raises:
            KeyError: there is no such strengthening fact.
        """
        if not self.find(name).is_strengthening:
            raise KeyError(name)
        kept = (f for f in self.facts if f.name != name)
        return replace(
            self,
            facts=tuple(
                replace(
                    f,
                    uses=tuple(u for u in f.uses if u != name),
                    only=tuple(u for u in f.only if u != name),
                )
                for f in kept
            ),
        )

    def about(self, spec: Spec) -> Proof:
        """Return the same facts about another spec with the same promises, such as a control."""
        return replace(self, spec=spec)


def strengthening(
    why: str,
    *,
    uses: Sequence[str] = (),
    role: Role = Role.INDUCTIVE,
    lemma: str = "",
    total: Sequence[str] = (),
    only: Sequence[str] = (),
) -> Callable[[Callable[..., Formula]], Fact]:
    """Record a fact that the spec does not promise; ``why`` says what the proof needs it for."""
    if not why.strip():
        raise ProofError("a strengthening fact needs a sentence that says why it is needed")

    def decorate(function: Callable[..., Formula]) -> Fact:
        prop = record_property(function, "step" if role is Role.STEP else "invariant")
        return Fact(prop, role, tuple(uses), why, lemma, tuple(total), tuple(only))

    return decorate


def axiom(function: Callable[..., Formula]) -> Property:
    """Record what a proof assumes of the constants of a spec; it must read no variable."""
    return record_property(function, "axiom")


def promised(spec: Spec, role: Role, /, **uses: Sequence[str]) -> tuple[Fact, ...]:
    """Return promises of a spec as facts of one role, each by its name with what it uses.

    Raises:
        ProofError: the spec promises no such thing.
    """
    facts = []
    for name, used in uses.items():
        try:
            prop = spec.find_property(name)
        except KeyError:
            raise ProofError(f"{spec.name} promises no {name}") from None
        kind = "step" if role is Role.STEP else "invariant"
        if prop.kind != kind:
            raise ProofError(f"{spec.name}: {name} is {prop.kind}, not {kind}")
        facts.append(Fact(prop, role, tuple(used)))
    return tuple(facts)


def _fact_key(fact: Fact) -> tuple[object, ...]:
    """What a fact means, and what its obligations may use."""
    used = (fact.uses, fact.only, fact.total, fact.without)
    parts = [_part_key(p) for p in fact.parts]
    return fact.name, fact.role.value, used, fact.prop.formula.key(), parts


def _part_key(part: Part) -> tuple[object, ...]:
    """What a part of a run means."""
    steps = [(name, [a.key() for a in arguments]) for name, arguments in part.steps]
    names = [(n.label, n.sort.__name__) for n in part.names]
    return part.name, names, part.given.key(), steps, part.reached.key(), part.at_start
