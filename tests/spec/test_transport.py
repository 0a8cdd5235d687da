"""The message layer: what it does, step by step, and that its sizes and numbers are arithmetic."""

from typing import Any

import pytest

from samebeat_models.catalog import Model, load_catalog
from samebeat_models.claims_table import claim_rows
from samebeat_models.explorer import explore
from samebeat_models.exports import TARGETS, export
from samebeat_models.second_opinion import PEER_NAMES, run_peer, why_unavailable
from samebeat_spec.limits import LIMITS
from samebeat_spec.specs import load_spec

from .walk import Walk

SPEC = load_spec("transport")
MODELS = [m for m in load_catalog() if m.spec == "transport"]
NAMED = {m.name: m for m in MODELS}
SHORT = {"fragments": "switch_fragment_size", "buffers": "switch_buffers"}
LARGER = ("transport-fragments", "transport-live-2")
DELIVER = ("receive n1 0 f1", "deliver n1 0")
"""A member receives the first message, of one fragment."""


def named(models: list[Model]) -> list[Any]:
    return [pytest.param(m, id=m.name) for m in models]


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


# --- counts and constants ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    ["transport-live", *(pytest.param(n, marks=pytest.mark.slow) for n in LARGER)],
)
def test_the_explorer_finds_what_the_interpreter_finds(name, oracle):
    model = NAMED[name]
    instance = model.instance(SPEC)
    truth, outcome = oracle(instance), explore(instance)
    assert (len(truth.depths), truth.transitions) == (outcome.states, outcome.transitions)
    assert (truth.depth, truth.terminals()) == (outcome.depth, outcome.terminals)
    assert truth.least_depths() == {}
    assert model.symmetry or len(truth.depths) == model.states


@pytest.mark.slow
@pytest.mark.second_opinion
@pytest.mark.parametrize("peer", PEER_NAMES)
def test_another_checker_counts_the_same_states(peer):
    if why_unavailable(peer):
        pytest.skip(why_unavailable(peer))
    model = NAMED["transport-one-by-one"]
    assert run_peer(peer, model.instance(SPEC)).states == model.states


@pytest.mark.parametrize("target", TARGETS)
def test_every_action_is_in_every_export(target):
    text = "\n".join(export(NAMED["transport-size-2"].instance(SPEC), target).values())
    assert all(a.name in text for a in SPEC.actions)


@pytest.mark.parametrize("model", named(MODELS))
def test_a_number_fits_as_many_messages_in_a_row_as_it_says(model):
    """From message k on, a number of n messages reaches as far as message k + n - 1."""
    rows = {tuple(map(int, row.split(","))) for row in model.constants["fits"]}
    messages = range(model.sizes["Message"])
    lengths = []
    for c in range(model.sizes["Count"]):
        n = max(m - k + 1 for d, k, m in rows if d == c)
        lengths.append(n)
        assert {(k, m) for d, k, m in rows if d == c} == {
            (k, m) for k in messages for m in messages if k <= m < k + n
        }
    assert lengths == sorted(set(lengths))


@pytest.mark.parametrize("model", named(MODELS))
def test_larger_fragments_are_fewer(model):
    """Claim 3.maximum_fragment_size: a message is cut into the same length over the size."""
    sizes = range(model.sizes["Size"])
    pieces = [[p for p in model.constants["pieces"] if p.startswith(f"{z},")] for z in sizes]
    counts = [len(p) for p in pieces]
    assert min(counts) > 0
    assert counts == sorted(counts, reverse=True)
    if "size" in model.name and not model.is_control:
        assert counts == [2, 1]  # half a message and a whole one


@pytest.mark.parametrize("claim", LIMITS)
def test_every_limit_steers_messages_and_has_promises(claim):
    (found,) = [r for r in claim_rows([SPEC], MODELS) if r.claim.id == claim]
    assert found.actions
    assert found.properties
    assert found.models


# --- messages ----------------------------------------------------------------------------------


def test_a_message_is_delivered_once_every_fragment_is_there_and_confirmed_with_the_last_ack():
    sent = ("submit 0", "send 0", "receive n1 0 f1")
    at = walk("transport-fragments", *sent)
    assert enabled(at, "deliver") == set()
    at("receive n1 0 f2", "deliver n1 0", "hear_ack n1 0")
    assert at["fate[0]"] == "SENT"
    at("receive n2 0 f2", "receive n2 0 f1", "deliver n2 0", "hear_ack n2 0")
    assert at["fate[0]"] == "CONFIRMED"
    assert enabled(at, "hear_ack") == set()


def test_what_is_lost_is_sent_again_and_a_copy_of_it_is_dropped_and_acked_again():
    """Claim 3.message_retry_timer."""
    at = walk("transport-live", "submit 0", "send 0", "lose n1 0 f2", "receive n1 0 f1")
    assert enabled(at, "receive") == set()
    at("send_again n1 0", "receive n1 0 f2", "deliver n1 0", "lose_ack n1 0")
    assert enabled(at, "receive") == set()
    assert enabled(at, "hear_ack") == set()
    assert walk("transport-live").holds("never_silently_lost")
    at("ack_again n1 0", "hear_ack n1 0")
    assert at["fate[0]"] == "CONFIRMED"


def test_a_later_message_waits_for_an_earlier_one_until_that_is_given_up():
    """Claim 3.maximum_message_retry_time."""
    at = walk("transport-live-2", "submit 0", "submit 1", "send 0", "send 1", "receive n1 1 f1")
    assert enabled(at, "deliver") == set()
    at("give_up 0")
    assert enabled(at, "deliver") == set()  # the member does not know yet
    at("send_again n1 1", "receive n1 1 f1")
    assert enabled(at, "deliver") == {"n1 1"}
    assert enabled(at, "receive") == set()  # of the first, copies are dropped


def test_a_member_may_hear_without_a_copy_that_a_message_was_given_up():
    """Claim 3.maximum_message_retry_time."""
    at = walk("transport-live-2", "submit 0", "submit 1", "send 0", "send 1", "receive n1 1 f1")
    assert enabled(at, "skip") == set()
    at("give_up 0", "skip n1 0")
    assert enabled(at, "deliver") == {"n1 1"}


def test_a_copy_that_says_less_than_is_true_closes_nothing_and_needs_a_place():
    """Claim 3.message_send_window."""
    one_by_one = ("submit 0", "send 0", "give_up 0", "submit 1", "send 1")
    at = walk("transport-one-by-one", *one_by_one)
    assert enabled(at, "receive_early") == set()  # two messages come, and there is one place
    at("lose n1 0 f1", "lose n1 0 f2", "receive_early n1 1 f1")
    assert at["known[n1, 0]"] == "false"


def test_a_full_window_keeps_messages_in_the_queue_and_a_full_queue_turns_them_down():
    """Claims 3.message_send_window and 3.send_queue_overflow_threshold."""
    at = walk("transport-window", "submit 0", "send 0", "submit 1")
    assert enabled(at, "send") == set()
    assert enabled(at, "submit") == set()
    assert enabled(at, "turn_down") == {"2"}
    at("turn_down 2", *DELIVER, "hear_ack n1 0", "send 1")
    assert enabled(at, "submit") == {"2"}  # the caller may try again


# --- changes -----------------------------------------------------------------------------------


def test_fragments_grow_once_every_member_has_larger_buffers():
    at = walk("transport-size-2", "fragments 0", "buffers n1 0", "buffers n2 0")
    assert enabled(at, "switch_fragment_size") == set()
    at("buffers n2 1")
    assert enabled(at, "switch_fragment_size") == set()
    at("buffers n1 1")
    assert enabled(at, "switch_fragment_size") == {"1"}


def test_buffers_shrink_once_larger_fragments_are_acked_and_none_is_under_way():
    at = walk("transport-size-2", "submit 0", "send 0", "fragments 0")
    assert enabled(at, "switch_buffers") == set()
    at("lose n1 0 f1")
    assert enabled(at, "switch_buffers") == set()  # it may be sent again
    at("give_up 0")
    assert enabled(at, "switch_buffers") == {"n1 0"}  # to n2 one is still under way
    at("lose n2 0 f1")
    assert enabled(at, "switch_buffers") == {"n1 0", "n2 0"}


def test_a_message_keeps_its_cut_when_the_size_of_fragments_changes():
    at = walk("transport-size", "buffers n1 1", "fragments 1", "submit 0", "send 0", "fragments 0")
    assert at["cut[0]"] == "1"
    at("lose n1 0 f1", "send_again n1 0", *DELIVER)
    assert at["delivered[n1, 0]"] == "true"


def test_a_lower_threshold_turns_new_messages_down_and_keeps_those_that_are_queued():
    """Claim 3.send_queue_overflow_threshold."""
    longer = ("switch_capacity 1", "switch_threshold 1")
    at = walk("transport-window", *longer, "submit 0", "submit 1", "switch_threshold 0")
    assert enabled(at, "submit") == set()
    assert (at["fate[0]"], at["fate[1]"]) == ("QUEUED", "QUEUED")
    assert enabled(at, "switch_capacity") == set()
    at("send 0")
    assert enabled(at, "switch_capacity") == {"0"}


def test_without_the_drain_a_fragment_finds_no_buffer():
    """Claim 3.maximum_fragment_size: everything was done in order, and nobody waited."""
    model = NAMED["transport-size-lowered-undrained"]
    (found,) = explore(model.instance(SPEC), deadlocks=False).violated()
    assert found.property == "in_flight_fits"
    assert found.trace is not None
    steps = [s.action for s in found.trace.steps]
    assert steps[0] == "switch_buffers"
    assert steps[-1] == "switch_buffers"
    assert set(steps[1:-1]) == {"submit", "switch_fragment_size", "send", "give_up"}
