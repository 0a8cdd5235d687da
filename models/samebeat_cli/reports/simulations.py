"""What walks covered, in reports: lines for people, plain data for programs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from samebeat_cli.reports import Outcome, count_of
from samebeat_models.simulation.results import Simulation

_COLUMNS = ("model", "steps", "walks", "states (about)", "seed", "never taken", "not reached")


def show(outcome: Outcome, console: Console) -> None:
    """Print for each model how far its walks went, what they took, and what they never took."""
    for s in outcome.simulations or ():
        console.print(Text(said(s), "bold"))
        lines = Table.grid(padding=(0, 2))
        lines.add_column(no_wrap=True)
        lines.add_column()
        for label, text, style in _coverage(outcome, s):
            lines.add_row(Text(f"  {label}", style), Text(text, style))
        console.print(lines)
        console.print()


def said(s: Simulation) -> str:
    """Return in one line how far the walks of a model went."""
    about = "more than" if s.many else "about"
    return (
        f"{s.instance.name}: {count_of(s.steps, 'step')} in {count_of(s.walks, 'walk')}, "
        f"{about} {count_of(s.distinct, 'state')}; {s.ended}"
    )


def _coverage(outcome: Outcome, s: Simulation) -> Iterator[tuple[str, str, str]]:
    """Yield lines as (label, text, style). What a control lacks is no news: it ends early."""
    model = outcome.models[s.instance.name].model
    longest = f"the longest walk has {count_of(s.longest, 'step')}"
    longest += ", the limit" if s.longest == s.options.depth else ""
    yield "how", f"seed {s.options.seed}, {longest}, {s.seconds:.2f} s, {s.rate:,.0f} steps/s", ""
    taken = (f"{name} {count:,}" for name, count in s.taken.items() if count)
    yield "taken", ", ".join(taken) or "no action at all", ""
    if missing := [name for name in s.never_taken if name not in model.idle]:
        loud = not model.is_control
        label, style = ("NEVER TAKEN", "bold red") if loud else ("never taken", "")
        yield label, ", ".join(missing), style
    possible = [name for name in (*s.reached, *s.not_reached) if name not in model.unreached]
    if possible:
        missing = [name for name in possible if name in s.not_reached]
        which = f"; not: {', '.join(missing)}" if missing else ""
        yield "witnesses", f"{len(possible) - len(missing)} of {len(possible)} reached{which}", ""
    if missing := [name for name in s.unseen if name not in model.vacuous]:
        yield "no case of", ", ".join(missing), ""
    for why, names in _not_looked_at(s).items():
        yield "undecided", f"{', '.join(names)}: {why}", ""


def _not_looked_at(s: Simulation) -> dict[str, list[str]]:
    """Return by reason the properties that walks cannot decide."""
    reasons: dict[str, list[str]] = {}
    for f in s.findings:
        if f.why:
            reasons.setdefault(f.why, []).append(f.property)
    return reasons


def data(outcome: Outcome) -> list[dict[str, Any]]:
    """Return what the walks covered for JSON; only times and rates depend on the machine."""
    return [
        {
            "model": s.instance.name,
            "seed": s.options.seed,
            "depth_limit": s.options.depth,
            "walks": s.walks,
            "steps": s.steps,
            "longest_walk": s.longest,
            "states_about": s.distinct,
            "states_more_than_that": s.many,
            "ended": s.ended,
            "taken": dict(s.taken),
            "never_taken": list(s.never_taken),
            "reached": list(s.reached),
            "not_reached": list(s.not_reached),
            "no_case": list(s.unseen),
            "seconds": round(s.seconds, 6),
            "steps_per_second": round(s.rate),
        }
        for s in outcome.simulations or ()
    ]


def markdown(outcome: Outcome) -> Iterator[str]:
    """Yield what the walks covered as a Markdown table."""
    yield f"| {' | '.join(_COLUMNS)} |"
    yield "|---|--:|--:|--:|--:|---|---|"
    for s in outcome.simulations or ():
        cells = (
            s.instance.name,
            f"{s.steps:,}",
            f"{s.walks:,}",
            f"{'more than ' if s.many else ''}{s.distinct:,}",
            str(s.options.seed),
            ", ".join(f"`{name}`" for name in s.never_taken),
            ", ".join(f"`{name}`" for name in s.not_reached),
        )
        yield f"| {' | '.join(cells)} |"
