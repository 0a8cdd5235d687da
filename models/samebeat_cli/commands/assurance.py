"""``samebeat assurance``: for each promise, how it is known, and what that rests on."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Annotated, Any

import typer

from samebeat_cli.assurance import Assurance, Rung, ladder
from samebeat_cli.errors import CommandError
from samebeat_cli.output import console


class AssuranceFormat(StrEnum):
    """The formats of the ladder."""

    TEXT = "text"
    JSON = "json"
    MARKDOWN = "markdown"


def assurance(
    specs: Annotated[
        list[str] | None,
        typer.Argument(metavar="[SPEC]...", help="Only these specs.", show_default=False),
    ] = None,
    form: Annotated[
        AssuranceFormat, typer.Option("--format", help="How to print.")
    ] = AssuranceFormat.TEXT,
) -> None:
    """Show how each promise is known: explored in small clusters, or proved for every size.

    What is proved, `samebeat prove` proves again; what is explored, `samebeat check` explores.

    Example: samebeat assurance group heartbeat
    """
    rows = _select(specs or ())
    if form is AssuranceFormat.JSON:
        typer.echo(json.dumps([data(row) for row in rows], indent=2, ensure_ascii=False))
    elif form is AssuranceFormat.MARKDOWN:
        typer.echo("\n".join(_markdown(rows)))
    else:
        _print(rows)


def _select(names: Sequence[str]) -> tuple[Assurance, ...]:
    known = list(dict.fromkeys(row.spec for row in ladder()))
    for name in names:
        if name not in known:
            raise CommandError(f"no spec is called {name!r}; there are: {', '.join(known)}")
    return tuple(row for row in ladder() if not names or row.spec in names)


def data(row: Assurance) -> dict[str, Any]:
    """Return a row as plain data."""
    return {
        "spec": row.spec,
        "property": row.name,
        "kind": row.kind,
        "claims": list(row.claims),
        "rung": row.rung.value,
        "proof": row.proof or None,
        "rests_on": list(row.rests_on),
        "why_not_proved": row.why,
        "largest_model": row.models[0].name if row.models else None,
        "models": [m.name for m in row.models],
    }


_COLUMNS = ("spec", "promise", "known by", "largest model explored")


def _cells(row: Assurance) -> tuple[str, ...]:
    return (row.spec, row.name, row.rung.words, row.largest or "-")


def _markdown(rows: Iterable[Assurance]) -> list[str]:
    return [
        "| " + " | ".join(_COLUMNS) + " |",
        "|" + "---|" * len(_COLUMNS),
        *("| " + " | ".join(_cells(row)) + " |" for row in rows),
    ]


def _print(rows: Sequence[Assurance]) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD, pad_edge=False, header_style="bold")
    for name in _COLUMNS:
        table.add_column(name, no_wrap=True)
    spec = ""
    for row in rows:
        if spec and row.spec != spec:
            table.add_section()
        first, *rest = _cells(row)
        table.add_row(first if row.spec != spec else "", *rest)
        spec = row.spec
    out = console()
    out.print(table)
    for line in [*_assumed(rows), *_reasons(rows), _count(rows)]:
        out.print(line, soft_wrap=True)


def _assumed(rows: Sequence[Assurance]) -> Iterable[str]:
    """Say once for each proof what it rests on."""
    assumed = {row.proof: row.rests_on for row in rows if row.proof}
    for proof, axioms in assumed.items():
        if axioms:
            yield f"The proof {proof} assumes: {' '.join(axioms)}"


def _reasons(rows: Sequence[Assurance]) -> Iterable[str]:
    """Say once for each spec why what is only explored is not proved."""
    reasons = {row.spec: row.why for row in rows if row.why and row.is_safety}
    for spec, why in reasons.items():
        yield f"{spec}: not proved for all sizes: {why}"
    if any(row.why and not row.is_safety for row in rows):
        yield "What is promised of the end is explored only: induction is about states and steps."


def _count(rows: Sequence[Assurance]) -> str:
    counts = Counter(row.rung for row in rows)
    found = [f"{counts[rung]} {rung.words}" for rung in reversed(Rung) if counts[rung]]
    return f"{len(rows)} promises: {', '.join(found)}"
