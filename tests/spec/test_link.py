"""A channel of the message layer: what each copy and ack says, and where places are counted."""

from typing import Any

import pytest

from samebeat_models.catalog import Model, load_catalog
from samebeat_models.explorer import explore
from samebeat_models.exports import TARGETS, export
from samebeat_models.second_opinion import PEER_NAMES, run_peer, why_unavailable
from samebeat_spec.specs import load_spec

from .walk import Walk

SPEC = load_spec("link")
LAYER = load_spec("transport")
MODELS = [m for m in load_catalog() if m.spec == "link"]
NAMED = {m.name: m for m in MODELS}
RIGHT = [m for m in MODELS if not m.is_control]
SHORT = {"places": "switch_places", "window": "switch_window", "notice": "receive_notice"}
BOTH_SENT = ("submit 0", "submit 1", "send 0", "send 1")
TWO_PLACES = ("places 1", "window 1", "submit 0", "send 0", "submit 1", "send 1")


def walk(name: str, *steps: str) -> Walk:
    """Take steps in a model, by names."""
    return Walk(NAMED[name].instance(SPEC), SHORT)(*steps)


def enabled(at: Walk, action: str) -> set[str]:
    """Return the arguments with which an action changes something now."""
    found = set()
    for a, arguments, after in at.judge.successors(at.state):
        if a.name == action and after != at.state:
            pairs = zip(a.parameters, arguments, strict=True)
            found.add(" ".join(at.instance.label(p.sort, x) for p, x in pairs))
    return found


def named(models: list[Model]) -> list[Any]:
    return [pytest.param(m, id=m.name) for m in models]


# --- counts ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["link-fragments", pytest.param("link-order", marks=pytest.mark.slow)]
)
def test_the_explorer_finds_what_the_interpreter_finds(name, oracle):
    model = NAMED[name]
    truth = oracle(model.instance(SPEC))
    counted = (len(truth.depths), truth.transitions, truth.depth)
    assert counted == (model.states, model.transitions, model.depth)
    assert truth.least_depths() == {}


@pytest.mark.slow
@pytest.mark.second_opinion
@pytest.mark.parametrize("peer", PEER_NAMES)
def test_another_checker_counts_the_same_states(peer):
    if why_unavailable(peer):
        pytest.skip(why_unavailable(peer))
    model = NAMED["link-order"]
    assert run_peer(peer, model.instance(SPEC)).states == model.states


@pytest.mark.parametrize("target", TARGETS)
def test_every_action_is_in_every_export(target):
    text = "\n".join(export(NAMED["link-size"].instance(SPEC), target).values())
    assert all(a.name in text for a in SPEC.actions)


@pytest.mark.parametrize("model", named(RIGHT))
def test_a_number_fits_as_many_messages_in_a_row_as_it_says(model):
    """From message k on, a number of n messages reaches as far as message k + n - 1."""
    rows = {tuple(map(int, row.split(","))) for row in model.constants["fits"]}
    messages = range(model.sizes["Message"])
    for c in range(model.sizes["Count"]):
        n = max(m - k + 1 for d, k, m in rows if d == c)
        own = {(k, m) for d, k, m in rows if d == c}
        assert own == {(k, m) for k in messages for m in messages if k <= m < k + n}


# --- against the message layer -----------------------------------------------------------------


@pytest.mark.parametrize("model", named(RIGHT))
def test_every_right_model_makes_steps_of_the_message_layer_only(model):
    assert model.refines == ("message_layer",)
    assert set(model.projected) == {"message_layer"}


def test_every_step_of_the_message_layer_is_taken_by_a_channel():
    (refined,) = SPEC.refinements
    assert refined.abstract.spec_name == LAYER.name
    never = [set(m.uncovered.get("message_layer", ())) for m in RIGHT]
    assert set.intersection(*never) == set()


# --- what copies and acks say ------------------------------------------------------------------


def test_an_ack_of_a_message_confirms_all_before_it():
    """Claim 3.message_retry_timer."""
    at = walk("link-order", *BOTH_SENT, "receive 0 f1 0 0", "receive 1 f1 0 1", "lose_ack 0")
    at("hear_ack 1")
    assert (at["fate[0]"], at["fate[1]"]) == ("CONFIRMED", "CONFIRMED")


def test_a_copy_of_what_is_known_is_acked_again_with_all_that_is_known():
    at = walk("link-order", *BOTH_SENT, "receive 0 f1 0 0", "receive 1 f1 0 1")
    at("lose_ack 0", "lose_ack 1", "receive 0 f1 0 1")
    assert enabled(at, "hear_ack") == {"1"}


def test_a_copy_delivers_at_once_all_that_is_whole_and_next():
    at = walk("link-order", *BOTH_SENT, "keep 1 f1 0")
    assert enabled(at, "keep") == set()
    assert enabled(at, "receive") == {"0 f1 0 1"}
    at("receive 0 f1 0 1")
    assert (at["delivered[0]"], at["delivered[1]"]) == ("true", "true")


def test_a_copy_that_was_sent_before_a_give_up_does_not_say_so_and_a_later_one_does():
    """Claim 3.maximum_message_retry_time."""
    at = walk("link-order", *BOTH_SENT, "give_up 0")
    assert enabled(at, "keep") == {"1 f1 0"}
    at("send_again 1 f1")
    assert enabled(at, "receive") == {"0 f1 0 0", "1 f1 1 1"}
    at("receive 1 f1 1 1")
    assert (at["delivered[0]"], at["delivered[1]"]) == ("false", "true")


def test_a_notice_says_so_without_a_copy_and_once():
    at = walk("link-order", *BOTH_SENT, "keep 1 f1 0", "lose 0 f1 0", "lose 1 f1 0")
    assert enabled(at, "receive_notice") == set()
    at("give_up 0")
    assert enabled(at, "receive_notice") == {"0 1"}
    at("notice 0 1")
    assert (at["delivered[0]"], at["delivered[1]"]) == ("false", "true")
    assert enabled(at, "receive_notice") == set()


def test_the_member_forgets_when_each_copy_on_its_way_says_that_what_it_knows_is_over():
    """Claim 3.maximum_message_retry_time."""
    at = walk("link-order", *BOTH_SENT, "receive 0 f1 0 0", "hear_ack 0", "lose 0 f1 0")
    assert enabled(at, "forget") == set()  # a copy of the second is on its way from before
    at("lose 1 f1 0", "send_again 1 f1")
    assert enabled(at, "forget") == {""}
    at("forget", "receive 1 f1 1 1")
    assert at["known[0]"] == "true"


# --- changes -----------------------------------------------------------------------------------


def test_fewer_places_wait_for_copies_that_say_less_than_is_true():
    """Claim 3.message_send_window: counted from the first message that the member waits for."""
    at = walk("link-window", *TWO_PLACES, "window 0", "lose 0 f1 0", "give_up 0")
    assert enabled(at, "switch_places") == set()
    at("lose 1 f1 0", "send_again 1 f1")
    assert enabled(at, "switch_places") == {"0"}


def test_late_copies_of_what_is_known_do_not_keep_buffers_large():
    """Claim 3.maximum_fragment_size: they are dropped whatever their size."""
    larger = ("switch_buffers 1", "switch_fragment_size 1", "submit 0", "send 0")
    at = walk("link-size", *larger, "switch_fragment_size 0", "give_up 0")
    assert enabled(at, "switch_buffers") == set()
    at("receive 0 f1 0 0", "switch_buffers 0")
    assert at["under_way[0, f1, 0]"] == "true"
    assert at.holds("in_flight_fits")
    assert enabled(at, "receive") == set()


def test_without_the_wait_for_early_copies_one_finds_no_place():
    model = NAMED["link-window-lowered-undrained"]
    (found,) = explore(model.instance(SPEC), deadlocks=False).violated()
    assert found.property == "no_receiver_drop"
    assert found.trace is not None
    assert found.trace.steps[-1].action == "switch_places"
    assert [s.action for s in found.trace.steps].count("send_again") == 0
