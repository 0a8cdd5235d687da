"""``samebeat graph``: a model's states and steps, for tools that draw or analyse graphs."""

from __future__ import annotations

import json
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from samebeat_cli.errors import CommandError
from samebeat_cli.output import check_can_write, emit, path_option
from samebeat_cli.selection import select_one

if TYPE_CHECKING:
    from samebeat_spec.language import Instance
    from samebeat_spec.language.instance import StateTuple

DRAWABLE = 2_000
"""States that a graph may have unless somebody asks for more; no picture is read beyond."""


class GraphFormat(StrEnum):
    """The formats of a graph."""

    DOT = "dot"
    GRAPHML = "graphml"
    JSON = "json"


def graph(
    model: Annotated[str, typer.Argument(metavar="MODEL|FILE", help="One model.")],
    form: Annotated[
        GraphFormat, typer.Option("--format", help="How to write it.")
    ] = GraphFormat.DOT,
    output: Annotated[
        Path | None,
        typer.Option(metavar="FILE", parser=path_option, help="Write it to this file."),
    ] = None,
    max_states: Annotated[
        int, typer.Option(min=1, help="Refuse a model with more states than this.")
    ] = DRAWABLE,
) -> None:
    """Write the state graph of a model: states by what is not as at the start, steps by action.

    Example: samebeat graph MODEL --format dot | dot -Tsvg > model.svg
    """
    if output is not None:
        check_can_write(output)
    selected = select_one(model)
    labelled = _labelled(selected.instance(), max_states)
    emit(_WRITERS[form](labelled), output)


def _labelled(instance: Instance, limit: int) -> Any:
    """Return the graph in NetworkX's form, with labels on its nodes and edges.

    Raises:
        CommandError: it has too many states.
    """
    import networkx

    from samebeat_models.graph import GraphTooLarge, state_graph
    from samebeat_models.render import step_label
    from samebeat_spec.language.interpreter import Interpreter

    try:
        found = state_graph(instance, limit)
    except GraphTooLarge as error:
        raise CommandError(f"{instance.name}: {error}; --max-states takes more") from None
    labelled = networkx.MultiDiGraph(name=instance.name)
    initial = Interpreter(instance).initial_states()
    for node, state in enumerate(found.states):
        label = describe(instance, initial[0], state)
        labelled.add_node(node, label=label, initial=state in initial)
    for source, target, data in found.to_networkx().edges(data=True):
        label = step_label(instance, data["action"], data["arguments"])
        labelled.add_edge(source, target, label=label, action=data["action"])
    return labelled


def describe(instance: Instance, start: StateTuple, state: StateTuple) -> str:
    """Return what is not as in ``start``, one cell a line; a truth value that holds by its name."""
    cells = [
        instance.cell_label(i)
        if instance.cells[i].variable.to is None and value
        else f"{instance.cell_label(i)} = {instance.value_label(i, value)}"
        for i, value in enumerate(state)
        if value != start[i]
    ]
    return "\n".join(cells) or "start"


def _dot(labelled: Any) -> str:
    """Return Graphviz's language; by hand, since NetworkX needs another package for it."""
    lines = [f"digraph {_quoted(labelled.name)} {{", "  node [shape=box];"]
    for node, data in labelled.nodes(data=True):
        style = ", penwidth=2" if data["initial"] else ""
        lines.append(f"  {node} [label={_quoted(data['label'])}{style}];")
    for source, target, data in labelled.edges(data=True):
        lines.append(f"  {source} -> {target} [label={_quoted(data['label'])}];")
    return "\n".join([*lines, "}"]) + "\n"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def _graphml(labelled: Any) -> str:
    import networkx

    return "\n".join(networkx.generate_graphml(labelled)) + "\n"


def _json(labelled: Any) -> str:
    import networkx

    data = networkx.node_link_data(labelled, edges="edges")
    return json.dumps(data, indent=1, ensure_ascii=False) + "\n"


_WRITERS: dict[GraphFormat, Callable[[Any], str]] = {
    GraphFormat.DOT: _dot,
    GraphFormat.GRAPHML: _graphml,
    GraphFormat.JSON: _json,
}
