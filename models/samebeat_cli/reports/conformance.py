"""What ``samebeat conform`` found out, for people and for programs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from samebeat_cli.reports import MEANING, count_of
from samebeat_conformance.run import Outcome
from samebeat_models.results import Exit, Verdict
from samebeat_models.version import samebeat_version

_EXIT = {
    Verdict.HOLDS: Exit.OK,
    Verdict.VIOLATED: Exit.SAFETY,
    Verdict.UNDETERMINED: Exit.UNDETERMINED,
}
_SAID = {
    Exit.OK: "the core conforms",
    Exit.SAFETY: "the core does not conform",
    Exit.UNDETERMINED: MEANING[Exit.UNDETERMINED],
}
_STYLE = {
    Verdict.HOLDS: "green",
    Verdict.VIOLATED: "bold red",
    Verdict.UNDETERMINED: "yellow",
}


def exit_code(outcomes: Sequence[Outcome]) -> Exit:
    """Return the worst exit code."""
    codes = {_EXIT[o.verdict] for o in outcomes}
    return next((c for c in (Exit.SAFETY, Exit.UNDETERMINED) if c in codes), Exit.OK)


def rate(outcome: Outcome) -> int:
    """Return how many inputs were checked in a second."""
    found = outcome.found
    return round(found.checks / found.seconds) if found.seconds else 0


# --- for people ----------------------------------------------------------------------------------


def show(outcomes: Sequence[Outcome], console: Console) -> None:
    """Print what came of each instance, and what that says nothing about."""
    console.print(_table(outcomes))
    for outcome in outcomes:
        for line in _remarks(outcome):
            console.print(line, soft_wrap=True)
    left_out = dict.fromkeys(line for o in outcomes for line in o.left_out)
    console.print("Left out:", soft_wrap=True)
    for line in left_out:
        console.print(f"  {line}", soft_wrap=True)
    code = exit_code(outcomes)
    seconds = sum(o.found.seconds for o in outcomes)
    line = f"{count_of(len(outcomes), 'instance')} in {seconds:.1f} s; exit {int(code)}"
    style = "bold green" if code is Exit.OK else "bold red"
    console.print(Text(f"{line}: {_SAID[code]}", style), soft_wrap=True)


def _table(outcomes: Sequence[Outcome]) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False, header_style="bold")
    table.add_column("instance", no_wrap=True)
    table.add_column("verdict", no_wrap=True)
    for name in ("states", "edges", "covered", "pairs", "stutters", "seconds", "checks/s"):
        table.add_column(name, justify="right", no_wrap=True)
    for o in outcomes:
        found = o.found
        table.add_row(
            o.listed.name,
            Text(o.verdict, _STYLE[o.verdict]),
            f"{found.states:,}",
            f"{found.edges:,}",
            f"{found.edges_covered:,}",
            f"{found.pairs:,}",
            f"{o.stutter_checks:,}",
            f"{found.seconds:.1f}",
            f"{rate(o):,}",
        )
    return table


def _remarks(o: Outcome) -> Iterator[str]:
    if o.divergence:
        yield f"{o.listed.name}: the core does what the spec does not:"
        yield from (f"  {line}" for line in o.divergence)
    if o.grains:
        by = ", ".join(f"{count:,} where cores take {grain}" for grain, count in o.grains.items())
        yield f"{o.listed.name}: edges covered: {by}"
    for (action, reason), count in sorted(o.uncovered.items()):
        yield f"{o.listed.name}: {count_of(count, 'step')} {action} not taken: {reason}"
    if not o.found.complete:
        yield f"{o.listed.name}: not all was explored; what is left is undetermined"


# --- for programs --------------------------------------------------------------------------------


def data(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Return what was found as plain data."""
    return {
        "tool": "samebeat",
        "version": samebeat_version(),
        "exit_code": int(exit_code(outcomes)),
        "instances": [_instance(o) for o in outcomes],
    }


def _instance(o: Outcome) -> dict[str, Any]:
    found = o.found
    return {
        "name": o.listed.name,
        "about": o.listed.about,
        "spec": o.listed.spec,
        "verdict": str(o.verdict),
        "knowledge": "full" if o.listed.full else "on demand",
        "states": found.states,
        "edges": found.edges,
        "edges_covered": found.edges_covered,
        "edges_covered_by": dict(o.grains),
        "pairs": found.pairs,
        "moves": found.moves,
        "at_once": {str(n): count for n, count in sorted(found.at_once.items())},
        "stutter_checks": o.stutter_checks,
        "foreign": o.noise.foreign,
        "garbage": o.noise.garbage,
        "garbage_rejected": o.noise.rejected,
        "garbage_that_is_a_message": o.noise.other_messages,
        "checks_per_second": rate(o),
        "seconds": round(found.seconds, 6),
        "complete": found.complete,
        "uncovered": [
            {"action": action, "reason": reason, "edges": count}
            for (action, reason), count in sorted(o.uncovered.items())
        ],
        "divergence": list(o.divergence),
        "not_ignored": list(o.noise.failures),
        "left_out": list(o.left_out),
    }
