"""The kill matrix: printed, and as data."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from statistics import median
from typing import Any, NamedTuple

from rich.console import Console
from rich.table import Table

from samebeat_conformance.mutants.runner import Row

_WIDTH = 200


def data(rows: Sequence[Row]) -> dict[str, Any]:
    """Return the matrix as plain data."""
    return {
        "counts": dict(sorted(Counter(row.verdict for row in rows).items())),
        "by_layer": dict(Counter(row.kill.layer for row in rows if row.kill)),
        "mutants": [
            {
                "name": row.mutant.name,
                "file": row.mutant.file,
                "breaks": row.mutant.breaks,
                "property": row.mutant.property,
                "verdict": row.verdict,
                "because": row.because,
                "layers": {
                    k.layer: {"by": k.by or None, "seconds": k.seconds}
                    for k in row.asked or ()
                    if k.runs
                },
            }
            for row in rows
        ],
    }


def totals(rows: Sequence[Row]) -> list[str]:
    """Return how many there are of which verdict: of those thought of, of the generated, of all."""
    written = [row for row in rows if row.mutant.at is None]
    generated = [row for row in rows if row.mutant.at is not None]
    parts = [("thought of", written), ("generated", generated), ("in all", rows)]
    return [
        f"{len(some)} mutants {name}: {_counted(some)}"
        for name, some in parts
        if some and (name != "in all" or (written and generated))
    ]


def _counted(rows: Sequence[Row]) -> str:
    counts = Counter(row.verdict for row in rows)
    return ", ".join(f"{n} {verdict}" for verdict, n in sorted(counts.items()))


def by_layer(rows: Sequence[Row]) -> str:
    """Return how many mutants each layer was the first to notice."""
    layers = Counter(row.kill.layer for row in rows if row.kill is not None)
    return ", ".join(f"{name} {n}" for name, n in layers.items()) or "-"


class Share(NamedTuple):
    """What one layer notices of the mutants that each layer was asked about.

    Attributes:
        layer: its name.
        asked: how many it was asked about: those in functions that it runs.
        notices: how many of these it notices.
        alone: how many of these no other layer notices.
        seconds: the median of what it took.
    """

    layer: str
    asked: int
    notices: int
    alone: int
    seconds: float


def shares(rows: Sequence[Row], layers: Sequence[str]) -> tuple[int, list[Share]]:
    """Return how many mutants all of these layers were asked about, and what each notices."""
    full = [r for r in rows if set(layers) <= {k.layer for k in r.asked or () if not k.unknown}]
    found = []
    for name in layers:
        asked = [k for r in full for k in r.asked or () if k.layer == name and k.runs]
        alone = sum([k.layer for k in r.asked or () if k.by] == [name] for r in full)
        seconds = median(k.seconds for k in asked) if asked else 0.0
        found.append(Share(name, len(asked), sum(bool(k.by) for k in asked), alone, seconds))
    return len(full), found


def print_matrix(rows: Sequence[Row], layers: Sequence[str] = ()) -> None:
    """Print a line for each mutant and layer that has noticed it, and the totals.

    Args:
        rows: the mutants.
        layers: if some mutants have answers of all of these, how many each layer notices.
    """
    out = Console(width=None if sys.stdout.isatty() else _WIDTH)
    table = Table(box=None, pad_edge=False)
    for column in ("mutant", "about", "noticed by", "test, edge or promise", "seconds"):
        table.add_column(column, justify="right" if column == "seconds" else "left")
    for row in rows:
        about = row.mutant.property or row.mutant.file
        for kill in (k for k in row.asked or () if k.by):
            table.add_row(row.mutant.name, about, kill.layer, kill.by, f"{kill.seconds:.1f}")
        if row.kill is None:
            said = {"survives": "SURVIVES", "undetermined": f"undetermined: {row.unknown}"}
            why = said.get(row.verdict, row.verdict)
            why = f"{why}: {row.because}" if row.because and row.asked is not None else why
            table.add_row(row.mutant.name, about, "nothing", why, "")
    out.print(table, highlight=False, markup=False)
    for line in totals(rows):
        out.print(line, highlight=False, markup=False)
    out.print(f"noticed first by: {by_layer(rows)}", highlight=False)
    old = sum(bool(k.unknown) for r in rows if r.kill is not None for k in r.asked or ())
    if old:
        out.print(f"{old} more answers say nothing, or are old: --judge --all-layers asks again")
    number, found = shares(rows, layers)
    if number and layers:
        out.print(f"\nof {number} that each layer was asked about:", highlight=False)
        out.print(_shares_table(found), highlight=False, markup=False)


def _shares_table(found: Sequence[Share]) -> Table:
    table = Table(box=None, pad_edge=False)
    for column in ("layer", "asked about", "notices", "alone", "seconds"):
        table.add_column(column, justify="left" if column == "layer" else "right")
    for one in found:
        numbers = (one.asked, one.notices, one.alone)
        table.add_row(one.layer, *map(str, numbers), f"{one.seconds:.1f}")
    return table
