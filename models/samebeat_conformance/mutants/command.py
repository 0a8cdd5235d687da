"""The command `make mutants`: which mutants, which layers, and how the matrix is printed."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console
from rich.table import Table

from samebeat_conformance.mutants.generated import generated
from samebeat_conformance.mutants.layers import LAYERS
from samebeat_conformance.mutants.runner import Row, Runner, WrongUnchanged
from samebeat_conformance.mutants.table import Mutant, explained, written

OK, USAGE, SURVIVES = 0, 2, 10
_WIDTH = 200


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the mutants and print the matrix; return 0, or 10 if one survives without a reason."""
    options = _options().parse_args(arguments)
    mutants = _chosen(options)
    if not mutants:
        print("mutants: no name has this in it; `--list` prints all", file=sys.stderr)  # noqa: T201
        return USAGE
    if options.list:
        print("\n".join(m.name for m in mutants))  # noqa: T201
        return OK
    layers = [LAYERS[name] for name in options.layer or LAYERS]
    runner = Runner(layers, explained(), options.all_layers)
    rows: list[Row] = []
    try:
        for row in runner.judge_all(mutants):
            rows.append(row)
            _tell(len(rows), len(mutants), row)
    except WrongUnchanged as error:
        print(f"mutants: {error}; mend that first", file=sys.stderr)  # noqa: T201
        return SURVIVES
    if options.json:
        options.json.write_bytes(msgspec.json.format(msgspec.json.encode(data(rows)), indent=1))
    _print(rows)
    return OK if all(row.is_right for row in rows) else SURVIVES


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make mutants ARGS=", description=__doc__)
    parser.add_argument("--only", default="", metavar="TEXT", help="those with this in their name")
    parser.add_argument("--kind", choices=("all", "written", "generated"), default="all")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="each N-th of them")
    parser.add_argument("--first", type=int, default=0, metavar="N", help="from the N-th on")
    parser.add_argument("--layer", action="append", choices=list(LAYERS), help="only these layers")
    parser.add_argument("--all-layers", action="store_true", help="go on after the first kill")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the matrix there, too")
    parser.add_argument("--list", action="store_true", help="print names and run nothing")
    return parser


def _chosen(options: argparse.Namespace) -> list[Mutant]:
    found: list[Mutant] = []
    if options.kind != "generated":
        found += written()
    if options.kind != "written":
        found += generated()
    named = [m for m in found if options.only in m.name]
    return named[max(0, options.first) :: max(1, options.every)]


def _tell(number: int, of: int, row: Row) -> None:
    """Say on the error output what is known of one mutant."""
    kill = row.kill
    by = f"{kill.layer}: {kill.by}" if kill else row.because
    print(f"{number}/{of} {row.verdict}: {row.mutant.name} [{by}]", file=sys.stderr)  # noqa: T201


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
                "layers": {k.layer: {"by": k.by or None, "seconds": k.seconds} for k in row.asked},
            }
            for row in rows
        ],
    }


def _print(rows: Sequence[Row]) -> None:
    out = Console(width=None if sys.stdout.isatty() else _WIDTH)
    table = Table(box=None, pad_edge=False)
    for column in ("mutant", "about", "noticed by", "test, edge or promise", "seconds"):
        table.add_column(column, justify="right" if column == "seconds" else "left")
    for row in rows:
        about = row.mutant.property or row.mutant.file
        for kill in (k for k in row.asked if k.by):
            table.add_row(row.mutant.name, about, kill.layer, kill.by, f"{kill.seconds:.1f}")
        if row.kill is None:
            table.add_row(row.mutant.name, about, "nothing", row.because or "SURVIVES", "")
    out.print(table, highlight=False, markup=False)
    counts = Counter(row.verdict for row in rows)
    said = ", ".join(f"{n} {verdict}" for verdict, n in sorted(counts.items()))
    layers = Counter(row.kill.layer for row in rows if row.kill)
    by = ", ".join(f"{name} {n}" for name, n in layers.items())
    out.print(f"{len(rows)} mutants: {said}; first noticed by: {by or '-'}", highlight=False)
