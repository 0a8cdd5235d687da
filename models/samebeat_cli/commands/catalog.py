"""``samebeat list`` and ``samebeat show``: what there is to check, and what it says."""

from __future__ import annotations

import json
from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated, Any

import typer

from samebeat_cli.output import console
from samebeat_cli.selection import Selected, is_file, select_models, shipped_spec
from samebeat_models.catalog import Model, Tier
from samebeat_spec.language import Spec
from samebeat_spec.specs import SPEC_NAMES


class ListFormat(StrEnum):
    """The formats of a list."""

    TEXT = "text"
    JSON = "json"


def list_models(
    models: Annotated[
        list[str] | None,
        typer.Argument(metavar="[MODEL|FILE]...", help="Only these.", show_default=False),
    ] = None,
    tier: Annotated[Tier, typer.Option(help="Only models up to this tier.")] = Tier.NIGHTLY,
    form: Annotated[ListFormat, typer.Option("--format", help="How to print.")] = ListFormat.TEXT,
) -> None:
    """List the models: tier, spec, what is expected of each, what it shows; and the specs."""
    selection = select_models(models or (), tier)
    if form is ListFormat.JSON:
        typer.echo(json.dumps(_data(selection), indent=2, ensure_ascii=False))
        return
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD, pad_edge=False, header_style="bold")
    table.add_column("model", no_wrap=True, style="bold")
    for name in ("tier", "spec"):
        table.add_column(name, no_wrap=True)
    table.add_column("expected", overflow="fold")
    table.add_column("what it shows", overflow="fold", ratio=1)
    for s in selection:
        table.add_row(s.name, s.model.tier, s.spec.name, expectation(s.model), purpose(s.model))
    out = console()
    out.print(table)
    for spec in _specs(selection):
        out.print(f"spec {spec.name}: {summary(spec)}", soft_wrap=True)


def expectation(model: Model) -> str:
    """Return what a model pins, in a few words."""
    counts = [
        f"{value:,} {name}"
        for name, value in (("states", model.states), ("transitions", model.transitions))
        if value is not None
    ]
    depth = [] if model.depth is None else [f"depth {model.depth}"]
    if model.is_control:
        return ", ".join([f"violates {', '.join(model.violates) or 'something'}", *depth])
    return ", ".join([*counts, *depth]) or "nothing pinned"


def purpose(model: Model) -> str:
    """Return what a model shows: its own sentence, or the guard that it leaves out."""
    out, unfair = model.without, ", ".join(model.unfair)
    guard = f"Without the guard of {out.action}: {out.guard}." if out else ""
    return model.about or guard or (f"Without fairness of {unfair}." if unfair else "")


def summary(spec: Spec) -> str:
    """Return the counts of a spec and the first sentence of what it says."""
    counts = (
        f"{len(spec.variables)} variables, {len(spec.actions)} actions, "
        f"{len(list(spec.guards()))} guards, {len(spec.properties)} properties"
    )
    return f"{counts}; fingerprint {spec.fingerprint}"


def show(
    name: Annotated[
        str,
        typer.Argument(metavar="MODEL|SPEC|FILE", help="A model, a spec, or a file of yours."),
    ],
) -> None:
    """Print a spec as text: sorts, state, actions with guards and effects, properties, claims.

    For a model, its sizes, constants and pins as well, and the guard that it leaves out.
    """
    from samebeat_cli.spec_text import model_text, spec_text

    if name in SPEC_NAMES:
        typer.echo(spec_text(shipped_spec(name)))
        return
    selection = select_models([name], Tier.NIGHTLY)
    parts = [model_text(s.model, s.instance()) for s in selection]
    if len(selection) == 1:
        instance = selection[0].instance()
        parts.append(spec_text(instance.spec, instance))
    elif is_file(name) or len(_specs(selection)) == 1:
        parts += [spec_text(spec) for spec in _specs(selection)]
    typer.echo("\n\n".join(parts))


def _specs(selection: Sequence[Selected]) -> list[Spec]:
    return list({s.spec.name: s.spec for s in selection}.values())


def _data(selection: Sequence[Selected]) -> dict[str, Any]:
    import msgspec

    return {
        "models": [msgspec.to_builtins(s.model) for s in selection],
        "specs": [
            {
                "name": spec.name,
                "fingerprint": spec.fingerprint,
                "actions": [a.name for a in spec.actions],
                "properties": [p.name for p in spec.properties],
                "liveness": [p.name for p in spec.liveness],
                "refinements": [r.name for r in spec.refinements],
            }
            for spec in _specs(selection)
        ],
    }
