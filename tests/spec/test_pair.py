"""The heartbeat pair: what it needs to keep its promises, and what one bit cannot say."""

from dataclasses import replace
from typing import Any

import pytest

from samebeat_models.catalog import load_catalog
from samebeat_models.claims_table import claim_rows
from samebeat_models.explorer import explore
from samebeat_models.second_opinion import PEER_NAMES, run_peer, why_unavailable
from samebeat_spec.claims import CLAIMS
from samebeat_spec.language import Instance, Spec
from samebeat_spec.language.instance import StateTuple
from samebeat_spec.language.interpreter import Interpreter
from samebeat_spec.parameters import BY_NAME, PARAMETERS, needs_synchronisation
from samebeat_spec.specs import load_spec

PAIR = load_spec("pair")
MODELS = [m for m in load_catalog() if m.spec == "pair"]
NAMED = {m.name: m for m in MODELS}
RIGHT = {"ack_names_change": True, "heartbeat_names_change": True, "record_per_direction": True}

USUAL = {"p1": "heartbeat_interval", "p2": "heartbeat_ack_timeout"}
"""Which parameter stands behind a label of the catalog."""
OF_ONE_NODE = {"pair-local", "open-without-global-parameter", "modify-at-once-without-new-id"}
"""The models where p1 stands for the ack time-out."""


def pair(changes: int, spec: Spec = PAIR, **constants: Any) -> Instance:
    """Return the pair with changes of one parameter, global unless the constants say otherwise."""
    ids = [f"c{i + 1}" for i in range(changes)]
    return Instance(
        f"pair_{changes}",
        spec,
        {"Node": 2, "Change": changes, "Parameter": 1, "Value": changes + 1},
        {
            "start_value": "v1",
            "asked": {c: f"v{i + 2}" for i, c in enumerate(ids)},
            "parameter": dict.fromkeys(ids, "p1"),
            "is_global": ["p1"],
            **RIGHT,
            **constants,
        },
    )


def only(*properties: str, without: tuple[str, ...] = ()) -> Spec:
    """Return the pair with these properties, and without some actions."""
    return replace(
        PAIR,
        properties=tuple(p for p in PAIR.properties if p.name in properties),
        actions=tuple(a for a in PAIR.actions if a.name not in without),
    )


def least(instance: Instance) -> dict[str, int | None]:
    """Return what is violated nearest to the start, and how near."""
    return {f.property: f.depth for f in explore(instance, deadlocks=False).violated()}


def run(instance: Instance, *labels: str) -> list[str]:
    """Take the first enabled step for each action name; return what follows the last one."""
    state = reach(instance, *labels)
    return [a.name for a, _, t in Interpreter(instance).successors(state) if t != state]


def reach(instance: Instance, *labels: str) -> StateTuple:
    """Take the first enabled step for each action name; return the state it ends in."""
    judge = Interpreter(instance)
    (state,) = judge.initial_states()
    for label in labels:
        state = next(t for a, _, t in judge.successors(state) if a.name == label and t != state)
    return state


# --- as claimed ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "states", "transitions"),
    [(1, 29, 76), pytest.param(2, 561, 2_584, marks=pytest.mark.slow)],
)
def test_the_explorer_finds_what_the_interpreter_finds(changes, states, transitions, oracle):
    truth, outcome = oracle(pair(changes)), explore(pair(changes))
    assert (len(truth.depths), truth.transitions) == (states, transitions)
    assert (outcome.states, outcome.transitions) == (states, transitions)
    assert (truth.depth, truth.terminals()) == (outcome.depth, outcome.terminals)
    assert truth.least_depths() == {}


@pytest.mark.slow
@pytest.mark.second_opinion
@pytest.mark.parametrize("peer", PEER_NAMES)
def test_another_checker_counts_the_same_states(peer):
    if why_unavailable(peer):
        pytest.skip(why_unavailable(peer))
    assert run_peer(peer, pair(2)).states == 561


def test_the_first_node_defers_until_the_ack_has_a_set_indicator():
    """Claims 19(b), 24, 25(b), 26(b).defer, 30 and 31(a).defer."""
    asked = ("open_change", "set_indicator", "send_heartbeat", "receive_heartbeat")
    acked = (*asked, "modify_as_second", "set_for_ack", "send_ack")
    for done in range(len(acked) + 1):
        assert "modify_as_first" not in run(pair(1), *acked[:done])
    assert "modify_as_first" in run(pair(1), *acked, "receive_ack")


def test_a_refusal_leaves_the_first_node_nothing_but_to_close():
    """Claims 22, 23(b), 24 and 30."""
    asked = ("open_change", "set_indicator", "send_heartbeat", "receive_heartbeat")
    after = run(pair(1), *asked, "refuse", "clear_for_ack", "send_ack", "receive_ack")
    assert "close_refused" in after
    assert "modify_as_first" not in after


def test_each_step_of_the_claims_waits_for_the_one_before():
    """The indicator first, then the message.

    Claims 19(a), 23.record, 23(a), 23(b), 26(b).send, 29 and 31(a).send.
    """
    assert run(pair(1), "open_change") == ["set_indicator"]
    assert run(pair(1), "open_change", "set_indicator") == ["send_heartbeat"]
    heard = ("open_change", "set_indicator", "send_heartbeat", "receive_heartbeat")
    assert run(pair(1), *heard) == ["modify_as_second", "refuse"]
    assert run(pair(1), *heard, "modify_as_second") == ["set_for_ack"]
    assert run(pair(1), *heard, "refuse") == ["clear_for_ack"]
    assert run(pair(1), *heard, "refuse", "clear_for_ack") == ["send_ack"]


def test_the_second_node_modifies_its_own_value_while_the_first_waits_for_its_ack():
    """Claims 19.preamble and 25(a)."""
    model = pair(1)
    place = model.cell_index["value"]
    heard = ("open_change", "set_indicator", "send_heartbeat", "receive_heartbeat")
    before, after = reach(model, *heard), reach(model, *heard, "modify_as_second")
    moved = [at for at, cell in place.items() if before[cell] != after[cell]]
    assert [(at, before[place[at]], after[place[at]]) for at in moved] == [((1, 1, 0), 0, 1)]
    assert "send_ack" in run(model, *heard, "modify_as_second", "set_for_ack")


def test_a_heartbeat_that_asks_although_nobody_set_the_indicator_is_noticed_at_once():
    """Claims 19(a), 23(a) and 29: and what it does in the end is a value that nobody asked for."""
    wrong = PAIR.without("send_heartbeat", "the indicator is set")
    promise = "indicator_set_before_heartbeat"
    assert least(pair(1, replace(wrong, properties=only(promise).properties))) == {promise: 1}
    harm = only("value_known", "all_or_nothing").properties
    found = least(pair(1, replace(wrong, properties=harm)))
    assert found == {"value_known": 3, "all_or_nothing": 3}


def is_of_the_pair(claim_id: str) -> bool:
    return claim_id[:2].isdigit() and 19 <= int(claim_id[:2]) <= 31


@pytest.mark.parametrize(
    "row", [c for c in CLAIMS if is_of_the_pair(c.id) and c.behaviour], ids=lambda c: c.id
)
def test_every_element_of_claims_19_to_31_has_an_action_and_a_property(row):
    (found,) = [r for r in claim_rows([PAIR], ()) if r.claim is row]
    assert found.actions
    assert found.properties


# --- local or global -------------------------------------------------------------------------


@pytest.mark.parametrize("parameter", PARAMETERS, ids=lambda p: p.name)
def test_a_parameter_changes_at_once_unless_it_is_global(parameter):
    """Claims 20, 21, 27 and 28, for each parameter of claim 3."""
    needed = needs_synchronisation(parameter)
    first = run(pair(1, is_global=["p1"] if needed else []))
    assert set(first) == {"open_change" if needed else "modify_at_once"}


@pytest.mark.parametrize("model", MODELS, ids=lambda m: m.name)
def test_what_is_global_in_the_catalog_is_what_the_registry_derives(model):
    """Claims 21 and 28."""
    meant = {"p1": USUAL["p2"]} if model.name in OF_ONE_NODE else USUAL
    used = sorted(set(model.constants["parameter"].values()))
    derived = [p for p in used if needs_synchronisation(BY_NAME[meant[p]])]
    assert model.constants["is_global"] == derived


# --- what one bit cannot say (C4) --------------------------------------------------------------

ANONYMOUS_ACK: dict[str, Any] = {"ack_names_change": False}
ANONYMOUS_HEARTBEAT: dict[str, Any] = {"heartbeat_names_change": False}
SHARED: dict[str, Any] = {"record_per_direction": False}


@pytest.mark.slow
@pytest.mark.parametrize("name", [m.name for m in MODELS if m.violates and not m.without])
def test_with_ids_and_a_record_for_each_direction_the_same_model_keeps_its_promises(name):
    """Note C4: the change id and the second record close every hazard of the catalog."""
    model = NAMED[name]
    mended = replace(model.instance(PAIR), constants={**model.constants, **RIGHT})
    assert least(mended) == {}


def test_a_late_ack_confirms_a_change_that_was_not_even_asked_for():
    """Note C4: the second node has not been sent the request."""
    outcome = explore(pair(2, **ANONYMOUS_ACK), deadlocks=False)
    found = {f.property: f for f in outcome.violated()}
    broken = ("announced_before_modified", "tightener_defers", "all_or_nothing")
    assert {p: f.depth for p, f in found.items()} == dict.fromkeys(broken, 12)
    trace = found["tightener_defers"].trace
    assert trace is not None
    last = [(s.action, s.arguments[1:]) for s in trace.steps[-3:]]
    assert last == [("open_change", (1,)), ("receive_ack", (1, 0, 1)), ("modify_as_first", (1,))]


def test_a_late_refusal_closes_a_change_that_the_second_node_has_made():
    """Note C4: the other half of the hazard, seen where every ack with a set indicator is lost."""
    no_set_ack = only("all_or_nothing", without=("set_for_ack",))
    assert least(pair(2, no_set_ack, **ANONYMOUS_ACK)) == {"all_or_nothing": 16}
    assert least(pair(2, no_set_ack)) == {}


def test_a_repeated_request_is_taken_for_a_new_one():
    """Note C4: the id is needed in heartbeats too, even if acks carry it."""
    assert least(pair(1, **ANONYMOUS_HEARTBEAT)) == {"decision_stable": 7}
    harm = only("all_or_nothing", "tightener_defers")
    assert least(pair(1, harm, **ANONYMOUS_HEARTBEAT)) == {
        "all_or_nothing": 11,
        "tightener_defers": 11,
    }


@pytest.mark.slow
def test_a_late_request_undoes_a_later_change():
    """Note C4: the second node never refuses here; the first node has long closed the change."""
    willing = only("kept_until_replaced", "all_or_nothing", without=("refuse",))
    assert least(pair(2, willing, **ANONYMOUS_HEARTBEAT)) == {"kept_until_replaced": 16}
    willing = only("all_or_nothing", without=("refuse",))
    assert least(pair(2, willing, **ANONYMOUS_HEARTBEAT)) == {"all_or_nothing": 20}
    assert least(pair(2, willing)) == {}


def test_an_answer_in_a_shared_record_goes_out_as_a_request():
    """Note C4: the change ids do not help, and no request needs to cross another."""
    assert least(pair(1, only("value_known"), **SHARED)) == {"value_known": 9}
    assert least(pair(1, only("all_or_nothing"), **SHARED)) == {"all_or_nothing": 12}


@pytest.mark.slow
def test_a_request_in_a_shared_record_goes_out_as_an_answer():
    """Note C4: crossing requests; with ids the answer is lost, without them it is believed."""
    found = least(pair(2, only("set_means_modified"), **SHARED))
    assert found == {"set_means_modified": 9}
    assert least(pair(2, only("quiescence_reachable"), **SHARED)) == {"quiescence_reachable": 8}
    assert least(pair(2, only("tightener_defers"), **SHARED)) == {}
    believed = least(pair(2, only("tightener_defers"), **SHARED, **ANONYMOUS_ACK))
    assert believed == {"tightener_defers": 11}
