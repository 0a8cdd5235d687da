"""What runs of the cores in virtual time had in them, in reports: for people, and as plain data."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from samebeat.config import Transport
from samebeat_cli.reports import count_of
from samebeat_conformance.simulator.campaign import Campaign
from samebeat_conformance.simulator.faults import Kind
from samebeat_conformance.simulator.promises import PROMISES
from samebeat_conformance.simulator.trace import item_data, story
from samebeat_models.results import Exit, Row, Verdict

MODEL = "impl"
"""What stands for the implementation where a report has the name of a model."""
_EXITS = {
    "violated": Exit.SAFETY,
    "undetermined": Exit.UNDETERMINED,
}
NOT_EXHAUSTIVE = "every kind of fault has happened, and no run broke a promise; others may"
WAYS = {Transport.CHANNEL: "in channels", Transport.DATAGRAMS: "on bare datagrams"}
"""How the messages of a change go."""
_LIVENESS = ("change_decided", "no_fault_commits")


def rows(found: Campaign) -> tuple[Row, ...]:
    """Return a row for each promise; if one is broken, nothing is said of the others."""
    return tuple(_row(found, promise) for promise in PROMISES + _others(found))


def _others(found: Campaign) -> tuple[str, ...]:
    broken = found.failed.promise if found.failed else ""
    return (broken,) if broken and broken not in PROMISES else ()


def _row(found: Campaign, promise: str) -> Row:
    broken = found.failed is not None and found.failed.promise == promise
    verdict = Verdict("violated" if broken else "undetermined")
    code = _EXITS[verdict.value]
    if broken and promise in _LIVENESS:
        code = Exit.LIVENESS
    best = found.shrunk.result if found.shrunk else found.failed
    return Row(
        model=MODEL,
        property=promise,
        kind="liveness" if promise in _LIVENESS else "invariant",
        claims=(),
        verdict=verdict,
        expected=Verdict.HOLDS,
        states=found.events,
        transitions=found.events,
        depth=len(best.items) if best is not None and broken else None,
        seconds=found.seconds,
        exit=code,
        detail=best.text if best is not None and broken else "",
        notes=tuple(story(best)) if best is not None and broken else (),
    )


def why_undetermined(found: Campaign) -> str:
    """Return why runs that broke no promise are no proof, and what has not even happened."""
    if found.failed is not None:
        return ""
    if found.never:
        return f"no run had {', '.join(found.never)}; take more runs (--walks)"
    return NOT_EXHAUSTIVE


def show(found: Campaign, console: Console) -> None:
    """Print how much was run, and how often each thing has gone wrong."""
    console.print(Text(said(found), "bold"))
    lines = Table.grid(padding=(0, 2))
    lines.add_column(no_wrap=True)
    lines.add_column()
    for label, text in _lines(found):
        style = "bold red" if label == "NEVER" else ""
        lines.add_row(Text(f"  {label}", style), Text(text, style))
    console.print(lines)
    if found.shrunk is not None:
        s = found.shrunk
        least = "no fault can be left out" if s.is_minimal else "the budget for shrinking ran out"
        before = len(found.failed.items) if found.failed else 0
        console.print(
            f"  shrunk from {count_of(before, 'fault')} to {len(s.result.items)} "
            f"in {count_of(s.tries, 'run')}: {least}"
        )
    console.print()


def said(found: Campaign) -> str:
    """Return in one line how much was run."""
    first, last = found.wanted.seed, found.wanted.seed + found.runs - 1
    seeds = f"seeds {first} to {last}" if last > first else f"seed {first}"
    return (
        f"{MODEL}: {count_of(found.runs, 'run')}, {seeds}, "
        f"{found.virtual_hours:.2f} virtual hours, {count_of(found.events, 'input')} of cores"
    )


def _lines(found: Campaign) -> list[tuple[str, str]]:
    sizes = ", ".join(f"{n} of {size} nodes" for size, n in sorted(found.sizes.items()))
    ends = ", ".join(f"{o} {n:,}" for o, n in sorted(found.outcomes.items()))
    faults = ", ".join(f"{k.value} {found.counts[k]:,}" for k in Kind if found.counts[k])
    steps = ", ".join(f"{name} {n:,}" for name, n in sorted(found.spec_steps.items()))
    ways = ", ".join(f"{found.transports[way]} {words}" for way, words in WAYS.items())
    lines = [
        ("how", f"{sizes}; {found.calm} calm; {found.seconds:.2f} s, {found.rate:,.0f} inputs/s"),
        ("messages", f"{ways}; each event is held against the spec as it happens"),
        ("changes", ends or "none"),
        ("faults", faults or "none"),
        ("spec", f"steps taken: {steps or 'none'}"),
    ]
    if found.never and found.failed is None:
        lines.append(("NEVER", ", ".join(found.never)))
    return lines


def data(found: Campaign) -> dict[str, Any]:
    """Return a campaign for JSON; only times and rates depend on the machine."""
    failed, shrunk = found.failed, found.shrunk
    return {
        "seed": found.wanted.seed,
        "runs": found.runs,
        "calm": found.calm,
        "sizes": {str(size): n for size, n in sorted(found.sizes.items())},
        "virtual_hours": round(found.virtual_hours, 6),
        "inputs": found.events,
        "changes": dict(sorted(found.outcomes.items())),
        "faults": {k.value: found.counts[k] for k in Kind},
        "transports": {way.name.lower(): found.transports[way] for way in WAYS},
        "spec_steps": dict(sorted(found.spec_steps.items())),
        "never": list(found.never),
        "failed": failed
        and {
            "seed": failed.plan.seed,
            "nodes": len(failed.plan.setup.names),
            "promise": failed.promise,
            "text": failed.text,
            "faults": len(failed.items),
        },
        "shrunk": shrunk
        and {
            "runs": shrunk.tries,
            "minimal": shrunk.is_minimal,
            "text": shrunk.result.text,
            "faults": [item_data(i) for i in shrunk.result.items],
        },
        "seconds": round(found.seconds, 6),
        "steps_per_second": round(found.rate),
    }
