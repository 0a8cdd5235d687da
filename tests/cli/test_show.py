"""`samebeat list` and `samebeat show`: what there is, as people read it."""

import json
from collections.abc import Callable
from pathlib import Path

from samebeat_models import Model

from .conftest import Run


def test_a_spec_is_shown_with_its_guards_effects_claims_and_formulas(run: Run) -> None:
    ran = run("show", "group")
    assert ran.code == 0
    assert "SPEC group\n\n  The group change as claimed" in ran.out
    assert (
        "  apply(n: Node, c: Change)\n"
        "    `n` confirms for itself that all have acked, and runs the local operation: it "
        "succeeds.\n"
        "    claims 1(b), 7(b).receipt, 8, 12(b).receipt, 13(a).receipt, 15, 1(c), 7(b).modify,\n"
        "           12(b).modify, 13(a).modify\n"
        "    needs  n has acked c and not applied it\n"
        "             phase[n, c] == ACKED\n"
        "    needs  n has heard every ack\n"
        "             forall m: Node. heard[n, m, ACK]\n"
        "    then   phase[n, c] := APPLIED\n"
        "           value[n] := asked[c]\n"
    ) in ran.out
    assert "base[Change]: Epoch " in ran.out
    assert "the epoch of the initiator when it sent the request" in ran.out


def test_every_definition_of_a_spec_is_shown(run: Run) -> None:
    from samebeat_spec.specs import load_spec

    shown = run("show", "group").out
    spec = load_spec("group")
    names = [a.name for a in (*spec.initials, *spec.actions)] + [p.name for p in spec.properties]
    for name in names:
        assert f"  {name}" in shown
    for action, why in spec.guards():
        assert f"    needs  {why}\n" in shown, action.name


def test_a_users_file_is_shown_with_its_models(run: Run, room: Path) -> None:
    shown = run("show", room).out
    assert "MODEL room (spec room, tier fast)\n  Two clients.\n  Client: 2\n" in shown
    assert "MODEL room-open" in shown
    assert "without the guard of enter: the room is free" in shown
    assert "expected violates: alone" in shown
    assert "Clients enter a room, one at a time." in shown
    assert "Where\n    OUT   has not been inside\n" in shown


def test_a_control_is_shown_without_the_guard_that_it_leaves_out(run: Run, room: Path) -> None:
    shown = run("show", f"{room}::room-open").out
    assert "Client: 2 elements (c1, c2), symmetric. Who wants in." in shown
    assert "needs  the room is free" not in shown
    assert "needs  c is outside" in shown


def test_the_list_says_what_is_expected_of_each_model_and_names_the_specs(
    run: Run, room: Path
) -> None:
    ran = run("list", room)
    assert ran.code == 0
    assert "nothing pinned" in ran.out
    assert "violates alone" in ran.out
    assert "spec room: 2 variables, 2 actions, 3 guards, 3 properties" in ran.out


def test_the_list_shows_pins(run: Run, catalog: Callable[..., None]) -> None:
    sizes: dict[str, int | tuple[int, int]] = {"Node": 2, "Change": 1, "Value": 2, "Epoch": 2}
    catalog(
        Model(
            name="g",
            spec="group",
            sizes=sizes,
            constants={"asked": {"c1": "v2"}, "start_value": "v1"},
            states=1000,
            transitions=2000,
            depth=7,
        )
    )
    listed = " ".join(run("list").out.split())
    assert "1,000 states, 2,000 transitions, depth 7" in listed


def test_the_list_as_json_has_models_and_specs(run: Run, room: Path) -> None:
    found = json.loads(run("list", room, "--format", "json").out)
    assert [m["name"] for m in found["models"]] == ["room", "room-open"]
    assert found["specs"][0]["actions"] == ["enter", "leave"]


def test_an_unknown_name_is_a_usage_error_with_close_matches(
    fails: Callable[..., str], room: Path
) -> None:
    assert "close: room-open" in fails(2, "show", f"{room}::rom-open")
    assert "has no model 'grup'" in fails(2, "show", "grup")
