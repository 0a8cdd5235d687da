"""The kill matrix: printed, and as data."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from typing import Any

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
                    k.layer: {"by": k.by or None, "seconds": k.seconds} for k in row.asked or ()
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


def by_layer(rows: Sequence[Row], alone: bool = False) -> str:
    """Return how many mutants each layer has noticed; with `alone`, those that no other has."""
    noticed = [[k.layer for k in row.asked or () if k.by] for row in rows]
    layers = Counter(name for names in noticed for name in names if not alone or len(names) == 1)
    return ", ".join(f"{name} {n}" for name, n in layers.items()) or "-"


def print_matrix(rows: Sequence[Row], each: bool = False) -> None:
    """Print a line for each mutant and layer that has noticed it, and the totals.

    Args:
        rows: the mutants.
        each: each layer was asked about each, so it can be told what one has noticed alone.
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
    out.print(f"noticed by: {by_layer(rows)}", highlight=False)
    if each:
        out.print(f"noticed by one layer alone: {by_layer(rows, alone=True)}", highlight=False)
