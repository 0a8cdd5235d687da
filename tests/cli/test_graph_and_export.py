"""`samebeat graph` and `samebeat export`: a model for other tools."""

import json
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from samebeat_models.exports import TARGETS

from .conftest import Run

Fails = Callable[..., str]


def test_dot_has_every_state_and_step_with_labels_that_matter(run: Run, room: Path) -> None:
    ran = run("graph", f"{room}::room")
    assert ran.code == 0
    lines = ran.out.splitlines()
    assert lines[0] == 'digraph "room" {'
    assert lines[-1] == "}"
    assert '  0 [label="start", penwidth=2];' in lines
    assert sum("->" not in line and "[label=" in line for line in lines) == 8
    assert any('[label="where[c1] = IN\\ntaken"]' in line for line in lines)
    assert any(line.startswith("  0 -> ") and '[label="enter(c1)"]' in line for line in lines)


def test_json_is_networkx_node_link_data(run: Run, room: Path) -> None:
    import networkx

    found = json.loads(run("graph", f"{room}::room", "--format", "json").out)
    graph = networkx.node_link_graph(found, edges="edges")
    assert (graph.number_of_nodes(), graph.number_of_edges()) == (8, 8)
    assert {data["action"] for *_, data in graph.edges(data=True)} == {"enter", "leave"}


def test_graphml_is_xml_with_nodes_and_edges(run: Run, room: Path) -> None:
    ran = run("graph", f"{room}::room", "--format", "graphml", "--output", "room.graphml")
    assert (ran.code, ran.out) == (0, "")
    space = {"g": "http://graphml.graphdrawing.org/xmlns"}
    top = ET.fromstring(Path("room.graphml").read_text())
    assert len(top.findall("g:graph/g:node", space)) == 8


def test_a_graph_that_is_too_large_is_refused_with_its_limit(fails: Fails, room: Path) -> None:
    said = fails(2, "graph", f"{room}::room", "--max-states", "7")
    assert "room: " in said
    assert "7" in said
    assert "--max-states takes more" in said


def test_a_graph_needs_one_model(fails: Fails, room: Path) -> None:
    assert "means several models (room, room-open); name one" in fails(2, "graph", room)


@pytest.mark.parametrize("target", TARGETS)
def test_an_export_is_printed_or_written_to_a_folder(run: Run, room: Path, target: str) -> None:
    printed = run("export", f"{room}::room", "--to", target)
    written = run("export", f"{room}::room", "--to", target, "--out", "other")
    assert (printed.code, written.code) == (0, 0)
    files = [Path(line) for line in written.out.splitlines()]
    assert sorted(files) == sorted(Path("other").iterdir())
    assert all(path.read_text().strip() in printed.out for path in files)


def test_for_tlc_the_promises_of_the_model_are_exported_too(run: Run) -> None:
    model = f"{Path(__file__).parents[1] / 'specs' / 'semaphore.py'}::semaphore-2"
    assert run("export", model, "--to", "tla", "--out", "there").code == 0
    configuration = Path("there/semaphore_2.cfg").read_text()
    assert configuration.endswith("PROPERTIES\n  somebody_gets_in\n  everybody_gets_in\n")
    module = Path("there/semaphore_2.tla").read_text()
    assert "\\* Of infinite runs: somebody_gets_in, everybody_gets_in." in module
    assert "everybody_gets_in ==\n  fair_everybody_gets_in =>" in module
    others = run("export", model, "--to", "murphi").out
    assert "Not checked here: somebody_gets_in, everybody_gets_in." in others


def test_an_unknown_language_is_a_usage_error(fails: Fails, room: Path) -> None:
    assert "'alloy' is not one of 'tla', 'murphi', 'promela'" in fails(
        2, "export", f"{room}::room", "--to", "alloy"
    )


def test_the_help_says_that_an_export_goes_into_a_folder(run: Run) -> None:
    shown = " ".join(run("export", "--help").out.split())
    assert "--out DIR Write the files into this folder; without it, print them." in shown
