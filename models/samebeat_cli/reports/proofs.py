"""What ``samebeat prove`` found out, for people and for programs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from samebeat_cli.reports import MEANING, count_of, counterexamples
from samebeat_cli.reports.counterexamples import Counterexample
from samebeat_models.results import Exit, Verdict
from samebeat_models.version import samebeat_version
from samebeat_proofs.engine import Answer, Discharged, Run
from samebeat_proofs.facts import Role
from samebeat_proofs.fragment import describe
from samebeat_proofs.standing import Standing, standings

if TYPE_CHECKING:
    from samebeat_cli.assurance import Assurance
    from samebeat_models.classify import Classified
    from samebeat_proofs.examples import Example

ALL_N = "all-n"
"""The rung of the ladder of assurance: proved for every number of elements."""
ALL_REALS = "all-reals"
"""Proved for every number of elements and for all real numbers, where the proof has numbers."""
FACTS_SHOWN = 2


@dataclass(frozen=True)
class Proved:
    """A run of one proof.

    Each obligation that is not met has a counterexample, if a small one was found, and what that
    is worth: whether runs of the same instance come there, or break the same fact.
    """

    run: Run
    counterexamples: dict[str, Example | None]
    classified: dict[str, Classified]
    seconds: float

    @property
    def name(self) -> str:
        """The name of the spec whose promises are proved."""
        return self.run.proof.shows or self.run.proof.spec.name

    @property
    def rung(self) -> str:
        """The rung of the ladder of assurance for what is proved."""
        return ALL_REALS if self.run.proof.reals else ALL_N

    def counterexample(self, d: Discharged) -> Counterexample | None:
        """Return the counterexample to an obligation, if one was found."""
        example, fact = self.counterexamples.get(d.name), d.obligation.fact
        if example is None:
            return None
        known = next((f for f in self.run.proof.facts if f.name == fact), None)
        own = known is not None and known.is_strengthening
        prop = known.prop if known and known.role is not Role.RUN else None
        return Counterexample(d.name, fact, own, example, prop, self.classified.get(d.name))

    @property
    def exit_code(self) -> Exit:
        """The exit code that this proof alone would give."""
        return {
            Answer.PROVED: Exit.OK,
            Answer.FAILED: Exit.SAFETY,
            Answer.UNDETERMINED: Exit.UNDETERMINED,
        }[self.run.answer]


def exit_code(proved: Sequence[Proved]) -> Exit:
    """Return the worst exit code."""
    codes = {p.exit_code for p in proved}
    worst_first = (Exit.SAFETY, Exit.UNDETERMINED)
    return next((code for code in worst_first if code in codes), Exit.OK)


# --- for people ----------------------------------------------------------------------------


def show(
    proved: Sequence[Proved],
    console: Console,
    obligations: bool = False,
    explored: Sequence[Assurance] = (),
) -> None:
    """Print what was proved; with ``obligations``, each of them; and what is only ``explored``."""
    for p in proved:
        console.print(_heading(p), soft_wrap=True)
        console.print(_table(p))
        if obligations:
            console.print(_obligations(p))
        for line in _remarks(p):
            console.print(line, soft_wrap=True)
    for line in _explored(explored):
        console.print(line, soft_wrap=True)
    code = exit_code(proved)
    total = sum(len(p.run.discharged) for p in proved)
    said = "all proved" if code is Exit.OK else _MEANING.get(code, MEANING[code])
    seconds = sum(p.seconds for p in proved)
    line = f"{count_of(len(proved), 'proof')}, {count_of(total, 'obligation')} in {seconds:.2f} s"
    style = "bold green" if code is Exit.OK else "bold red"
    console.print(Text(f"{line}; exit {int(code)}: {said}", style), soft_wrap=True)


_HOLDS = {ALL_N: "holds for all N", ALL_REALS: "holds for all reals"}
_MEANING = {Exit.SAFETY: "an obligation is not met"}


def _explored(rows: Sequence[Assurance]) -> Iterator[str]:
    """Say of each spec which promises are only explored, up to what size, and why."""
    for row in rows:
        if row is next(r for r in rows if (r.spec, r.why) == (row.spec, row.why)):
            names = [r.name for r in rows if (r.spec, r.why) == (row.spec, row.why)]
            size = row.largest or "no model"
            yield f"Only explored, up to {size}: {row.spec}.{', '.join(names)}: {row.why}"


def _heading(p: Proved) -> Text:
    spec = p.run.proof.spec
    names = [s.__name__ for s in spec.sorts if not (s.elements or s.integer)]
    listed = ", ".join(names[:-1]) + (" and " if names[:-1] else "") + names[-1]
    times = f" and all real {', '.join(p.run.proof.reals)}" if p.run.proof.reals else ""
    read = "" if p.name == spec.name else f", read as {spec.name}"
    return Text.assemble((p.name, "bold"), f", for any number of {listed}{times}{read}")


def _table(p: Proved) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False, header_style="bold")
    for name in ("property", "verdict"):
        table.add_column(name, no_wrap=True)
    for name in ("obligations", "seconds"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("uses", overflow="fold")
    found = standings(p.run)
    for s in found:
        if not s.fact.is_strengthening:
            _add(table, s.fact.name, [s], p.rung)
    own = [s for s in found if s.fact.is_strengthening]
    if own:
        table.add_section()
        _add(table, count_of(len(own), "fact") + " that only the proof needs", own, p.rung)
    return table


def _add(table: Table, name: str, rows: Sequence[Standing], rung: str) -> None:
    answers = [s.answer for s in rows]
    worst = next((a for a in (Answer.FAILED, Answer.UNDETERMINED) if a in answers), Answer.PROVED)
    said, style = {
        Answer.PROVED: (_HOLDS[rung], "green"),
        Answer.FAILED: ("not proved (see below)", "bold red"),
        Answer.UNDETERMINED: ("undetermined (see below)", "yellow"),
    }[worst]
    alone = rows[0] if len(rows) == 1 else None
    table.add_row(
        name,
        Text(said, style),
        str(sum(len(s.own) for s in rows)),
        f"{sum(s.seconds for s in rows):.2f}",
        _some([*alone.axioms, *alone.uses]) if alone else "",
    )


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - FACTS_SHOWN} more" if len(names) > FACTS_SHOWN else ""
    return ", ".join(names[:FACTS_SHOWN]) + more


def _obligations(p: Proved) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False, header_style="bold")
    table.add_column("obligation", no_wrap=True)
    table.add_column("answer", no_wrap=True)
    for name in ("cost", "seconds"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("uses", overflow="fold")
    for d in p.run.discharged:
        uses = "what it reads is not set" if d.obligation.untouched else "; ".join(d.used)
        if d.circle:
            uses += "; may be undecidable"
        table.add_row(d.name, str(d.answer), f"{d.cost:,}", f"{d.seconds:.3f}", uses)
    return table


def _remarks(p: Proved) -> Iterator[Text | str]:
    for d in p.run.discharged:
        if d.answer is not Answer.PROVED:
            yield from _open(p, d)
    outside = [d for d in p.run.discharged if d.circle]
    for found in _by_sorts(outside):
        more = f", and {len(found) - 1} more" if found[1:] else ""
        yield f"{found[0].name}{more} may be undecidable: {describe(found[0].circle)}"
    for name in p.run.impossible:
        yield Text(f"{name}: no example was found, so the proof may be about nothing", "bold red")
    for name in p.run.missing:
        yield Text(f"{name}: missing, so this is no induction", "bold red")
    untouched = sum(d.obligation.untouched for d in p.run.discharged)
    proved = sum(d.answer is Answer.PROVED for d in p.run.discharged)
    yield (
        f"{proved:,} of {len(p.run.discharged):,} obligations proved, {untouched:,} of them "
        "because the action sets nothing that the fact reads"
    )
    most = max(d.cost for d in p.run.discharged)
    yield f"Each may cost {p.run.rlimit:,} of the solver's units of work; the most was {most:,}."
    if not p.run.missing:
        yield "They are complete: the start and every action for each fact, whatever its role asks."
    if not outside:
        yield "All are decidable: no sort depends on itself."
    if not p.run.impossible:
        actions = count_of(len(p.run.possible) - 1, "action")
        yield f"There is a state with all facts at once, and from such a state each of {actions}."
    for name, why in p.run.proof.left_out.items():
        yield f"Left out: {name}, {why}"
    yield f"Fingerprint of spec and proof: {p.run.proof.fingerprint}"
    others = [x.name for x in p.run.proof.spec.promises if not _is_safety(x)]
    if others:
        yield f"Not safety, so not here (samebeat check): {', '.join(others)}"


def _by_sorts(outside: Sequence[Discharged]) -> list[list[Discharged]]:
    """Put together those obligations in which the same sorts depend on themselves."""
    found: dict[frozenset[str], list[Discharged]] = {}
    for d in outside:
        found.setdefault(frozenset(edge.source for edge in d.circle), []).append(d)
    return list(found.values())


def _is_safety(promise: Any) -> bool:
    shown = ("invariant", "step", "witness", "terminal")
    return getattr(promise, "kind", "") in shown


def _open(p: Proved, d: Discharged) -> Iterator[Text | str]:
    """Say why an obligation is not proved."""
    if d.answer is Answer.UNDETERMINED:
        yield Text(f"{d.name} is undetermined: {d.why} (--rlimit gives it more)", "yellow")
        return
    yield Text(f"{d.name} is not met", "bold red")
    found = p.counterexample(d)
    if found is None:
        yield "  no small counterexample was found"
        return
    yield from counterexamples.lines(found)
    if found.classified is not None:
        style = "" if found.classified.trace is None else "bold red"
        yield Text(f"  {found.verdict}", style)
        yield from (f"    {line}" for line in counterexamples.run_lines(found))


# --- for programs --------------------------------------------------------------------------


def data(proved: Sequence[Proved], explored: Sequence[Assurance] = ()) -> dict[str, Any]:
    """Return what was proved, and what is only ``explored``, as plain data.

    A result has the shape of those of ``check``.
    """
    return {
        "tool": "samebeat",
        "version": samebeat_version(),
        "exit_code": int(exit_code(proved)),
        "results": [_result(p, s) for p in proved for s in standings(p.run)],
        "proofs": [_proof(p) for p in proved],
        "explored_only": [
            {"spec": row.spec, "property": row.name, "up_to": row.largest, "why": row.why}
            for row in explored
        ],
    }


def _result(p: Proved, s: Standing) -> dict[str, Any]:
    holds = s.answer is Answer.PROVED
    return {
        "spec": p.name,
        "property": s.fact.name,
        "kind": s.fact.prop.kind,
        "claims": list(s.fact.prop.claims),
        "verdict": str(Verdict.HOLDS if holds else Verdict.UNDETERMINED),
        "rung": p.rung if holds else None,
        "role": str(s.fact.role),
        "why": s.fact.why,
        "seconds": round(s.seconds, 6),
        "uses": list(s.uses),
        "rests_on": list(s.rests_on),
        "axioms": list(s.axioms),
        "open": [d.name for d in s.open],
        "obligations": [_obligation(p, d) for d in s.own],
    }


def _obligation(p: Proved, d: Discharged) -> dict[str, Any]:
    found = p.counterexample(d)
    return {
        "name": d.name,
        "answer": str(d.answer),
        "uses": list(d.used),
        "untouched": d.obligation.untouched,
        "decidable": not d.circle,
        "circle": [str(edge) for edge in d.circle],
        "cost": d.cost,
        "seconds": round(d.seconds, 6),
        "why": d.why,
        "counterexample": counterexamples.data(found) if found else None,
    }


def _proof(p: Proved) -> dict[str, Any]:
    proof = p.run.proof
    return {
        "spec": p.name,
        "read_as": proof.spec.name,
        "fingerprint": proof.spec.fingerprint,
        "proof_fingerprint": proof.fingerprint,
        "obligations": len(p.run.discharged),
        "rlimit": p.run.rlimit,
        "undecidable": [d.name for d in p.run.discharged if d.circle],
        "missing": list(p.run.missing),
        "impossible": list(p.run.impossible),
        "left_out": dict(proof.left_out),
        "seconds": round(p.seconds, 6),
    }
