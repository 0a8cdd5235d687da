"""``samebeat claims``: each claim element with what shows it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from samebeat_cli.assurance import ladder
from samebeat_cli.output import console
from samebeat_cli.selection import catalog, shipped_spec
from samebeat_spec.specs import SPEC_NAMES

if TYPE_CHECKING:
    from samebeat_models.claims_table import ClaimRow

_LISTS = (
    "actions",
    "properties",
    "witnesses",
    "models",
    "proofs",
    "handlers",
    "exercised",
    "tests",
)
_SHOWN = 3


class ClaimsFormat(StrEnum):
    """The formats of the claims."""

    TEXT = "text"
    JSON = "json"
    MARKDOWN = "markdown"


def claims(
    form: Annotated[
        ClaimsFormat, typer.Option("--format", help="How to print.")
    ] = ClaimsFormat.TEXT,
) -> None:
    """Show each claim element with the actions, properties, models and tests that show it.

    Proofs are those promises that are proved, each with the rung of `samebeat assurance`. Handlers
    are the functions of the implementation that do it; tests in which they run are
    exercised. What the implementation does not do is said after ``core``.

    What is missing is shown as missing, and what is shown in part says what is left out. A witness
    alone shows nothing: it is no property. An element that is not behaviour says what stands for
    it.
    """
    from samebeat_conformance.handlers import implemented
    from samebeat_models.claims_table import cited_in_tests, claim_rows, tests_folder

    folder = tests_folder()
    found = claim_rows(
        [shipped_spec(name) for name in SPEC_NAMES],
        [s.model for s in catalog()],
        cited_in_tests(folder) if folder else None,
        implemented(),
    )
    rows = [replace(row, proofs=_proofs(row.claim.id)) for row in found]
    if form is ClaimsFormat.JSON:
        typer.echo(json.dumps([_data(row) for row in rows], indent=2, ensure_ascii=False))
    elif form is ClaimsFormat.MARKDOWN:
        typer.echo("\n".join(_markdown(rows)))
    else:
        _print(rows)


def _proofs(claim_id: str) -> tuple[str, ...]:
    """Return the promises about an element that are proved, each with its rung."""
    return tuple(
        f"{a.spec}.{a.name}: {a.rung.value}" for a in ladder() if a.proof and claim_id in a.claims
    )


def _data(row: ClaimRow) -> dict[str, Any]:
    return {
        "claim": row.claim.id,
        "text": row.claim.text,
        "behaviour": row.claim.behaviour,
        "stands_for": row.claim.stands_for,
        "left_out": row.claim.left_out,
        "core": row.core,
        "lacks": list(row.lacks),
        **{name: list(getattr(row, name)) for name in _LISTS},
    }


def _cells(row: ClaimRow) -> list[str]:
    """Return the lists of a row as short texts, ``-`` where there is nothing."""
    return [_short(getattr(row, name)) for name in _LISTS]


def _short(names: Sequence[str]) -> str:
    if len(names) > _SHOWN:
        return f"{', '.join(names[:_SHOWN])} and {len(names) - _SHOWN} more"
    return ", ".join(names) or "-"


def _said(row: ClaimRow) -> str:
    claim = row.claim
    if claim.stands_for:
        return f"{claim.text} Not behaviour; {claim.stands_for} stands for it."
    left_out = f" Left out: {claim.left_out}." if claim.left_out else ""
    return claim.text + left_out + (f" Core: {row.core}." if row.core else "")


def _markdown(rows: Sequence[ClaimRow]) -> list[str]:
    columns = ("claim", "text", *_LISTS)
    return [
        "| " + " | ".join(columns) + " |",
        "|" + "---|" * len(columns),
        *("| " + " | ".join([r.claim.id, _said(r), *_cells(r)]) + " |" for r in rows),
        "",
        _count(rows),
    ]


def _print(rows: Sequence[ClaimRow]) -> None:
    from rich.text import Text

    out = console()
    for row in rows:
        out.print(Text.assemble((row.claim.id, "bold"), "  ", row.claim.text), soft_wrap=True)
        if not row.claim.behaviour:
            out.print(f"    not behaviour; {row.claim.stands_for} stands for it", soft_wrap=True)
            continue
        if row.claim.left_out:
            out.print(f"    {'left out':11}{row.claim.left_out}", soft_wrap=True)
        if row.core:
            out.print(f"    {'core':11}{row.core}", soft_wrap=True)
        for name, said in zip(_LISTS, _cells(row), strict=True):
            out.print(Text(f"    {name:11}{said}", "dim" if said == "-" else ""), soft_wrap=True)
    out.print(_count(rows), soft_wrap=True)


def _count(rows: Sequence[ClaimRow]) -> str:
    missing = [row.claim.id + _kind(row.lacks) for row in rows if row.lacks]
    silent = sum(not row.claim.behaviour for row in rows)
    shown = len(rows) - len(missing) - silent
    in_part = sum(row.in_part for row in rows)
    without = sum(row.core.startswith("not in it") for row in rows)
    return (
        f"{len(rows)} claim elements and design notes: {shown} shown by an action and a property "
        f"({in_part} in part, {without} not in the core), {silent} not behaviour, "
        f"{len(missing)} missing: {', '.join(missing) or '-'}"
    )


def _kind(lacks: Sequence[str]) -> str:
    """Return which of the two is missing; nothing if both are."""
    return f" ({lacks[0]})" if len(lacks) == 1 else ""
