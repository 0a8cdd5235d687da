"""The message layer below a group change: in a cluster of cores (claims 3 and 6)."""

from __future__ import annotations

from typing import Any

import pytest

from samebeat.codec import VERSION, decode, encode
from samebeat.config import Config, Transport
from samebeat.effects import Install, NotDelivered, Outcome, Persist, Purpose, Rejected
from samebeat.ids import ChangeId, View, ViewId
from samebeat.journal import Report
from samebeat.messages import (
    AnyBody,
    Closed,
    Fragment,
    FragmentAck,
    Heartbeat,
    Join,
    Message,
    Request,
    Told,
)
from samebeat.node import Node, Refused
from samebeat.parameters import Settings
from samebeat.sending import Failure

from .net import Net
from .test_faults import storm

NOW = 1_000
HOME = View(ViewId(0, "a"), ("a", "b", "c"))
CHANGE = ChangeId(0, "b", 1, 1)
CALM: dict[str, Any] = {"message_retry_timer": 200, "maximum_message_retry_time": 5_000}


def cluster(seed: int | None = None, **values: Any) -> Net:
    """Three members that start with these settings and watch each other."""
    net = Net(3, seed, start=Settings(**{**CALM, **values}))  # type: ignore[arg-type]
    net.pass_time(net.now + 2_500)
    return net


def pieces(net: Net, source: str, to: str) -> list[Fragment]:
    """The fragments that are on their way from one member to another."""
    bodies = [decode(data).body for s, t, data, _ in net.flying if (s, t) == (source, to)]
    return [body for body in bodies if isinstance(body, Fragment)]


# --- changes of the five parameters ----------------------------------------------------------

CHANGES = {
    "maximum_fragment_size": (64, 1_400),
    "message_retry_timer": (100, 400),
    "maximum_message_retry_time": (3_000, 9_000),
    "send_queue_overflow_threshold": (20, 2_000),
    "message_send_window": (4, 64),
}


@pytest.mark.slow
@pytest.mark.parametrize("raised", [True, False], ids=["raised", "lowered"])
@pytest.mark.parametrize("name", CHANGES)
def test_a_group_change_of_the_layer_that_carries_it_goes_through(name: str, raised: bool) -> None:
    """Claims 2 and 3.combinations: under loss, nothing fails, and nobody is suspected."""
    low, high = CHANGES[name]
    old, new = (low, high) if raised else (high, low)
    for seed in range(5):
        net = cluster(seed, **{name: old})
        net.loss = net.copies = 0.2
        for values in ({"heartbeat_interval": 900}, {name: new}, {"heartbeat_interval": 800}):
            change = net.ask("abc"[seed % 3], **values)
            net.run_until(net.all_quiet)
            assert net.outcome(change) is Outcome.COMMITTED
        net.check_all_or_nothing()
        assert getattr(net.hosts["c"].installed, name) == new
        assert (net.failures, net.suspicions) == ([], [])


@pytest.mark.parametrize("size", [64, 100, 1_400])
def test_no_fragment_of_a_group_change_is_larger_than_the_parameter_says(size: int) -> None:
    """Claim 3.maximum_fragment_size."""
    net = cluster(maximum_fragment_size=size)
    change = net.ask("a")
    request = pieces(net, "a", "b")[: len(pieces(net, "a", "b")) - 1]
    assert max(len(p.data) for p in request) <= size
    assert (len(request) > 1) is (size < request[0].length)
    net.settle()
    assert net.outcome(change) is Outcome.COMMITTED


def test_who_has_been_away_learns_larger_fragments_in_small_ones() -> None:
    """Note C5: it takes what its own settings say, until it has adopted the new ones."""
    net = cluster(maximum_fragment_size=64, message_send_window=1)
    net.partition("ab", "c")
    net.run_until(lambda: net.node("a").view.members == ("a", "b"))
    for window in (64, 2):
        net.ask("a", maximum_fragment_size=1_400, message_send_window=window)
        net.run_until(lambda: net.node("a").is_quiet and net.node("b").is_quiet)
    net.partition("abc")
    net.run_to_the_end()
    assert net.hosts["c"].installed == net.hosts["a"].installed
    assert net.node("c").journal.settings.maximum_fragment_size == 1_400


# --- one layer repeats, not two --------------------------------------------------------------


def test_what_is_on_its_way_to_a_member_is_not_said_to_it_again() -> None:
    """The channel sends the one message again and again; the change layer adds none."""
    net = cluster()
    net.loses = lambda source, to, body: (source, to) == ("a", "c")
    seen: list[int] = []
    lose = net.loses

    def watching(source: str, to: str, body: AnyBody) -> bool:
        if (source, to) == ("a", "c") and isinstance(body, Request):
            seen.append(net.now)
        return lose(source, to, body)

    net.loses = watching
    start = net.now
    net.ask("a")
    net.pass_time(start + 3_000)
    assert seen == [start + 200 * i for i in range(16)]
    channel = net.node("a").state.channels["c"].sending
    said = [decode(m.data).body for m in channel.flight]
    assert [type(body) for body in said].count(Request) == 1


def test_a_member_that_hears_everything_is_told_again_at_a_slower_pace() -> None:
    """Once in four retry timers, for as long as the change is open."""
    net = cluster()
    net.hosts["c"].holds = {Purpose.APPLY}
    net.ask("a")
    net.settle()
    before = net.node("a").state.channels["b"].sending.last
    net.pass_time(net.now + 799)
    assert net.node("a").state.channels["b"].sending.last == before
    net.pass_time(net.now + 1)
    assert net.node("a").state.channels["b"].sending.last > before


def test_what_a_member_has_lost_in_a_crash_is_said_to_it_again() -> None:
    """Note C5: what others have said is in no journal, and a channel delivers it once."""
    net = cluster()
    net.hosts["c"].holds = {Purpose.APPLY}
    change = net.ask("a")
    net.settle()
    net.crash("b")
    net.restart("b")
    net.hosts["c"].holds = set()
    net.run_to_the_end()
    assert net.outcome(change) is Outcome.COMMITTED


# --- errors ----------------------------------------------------------------------------------


def test_a_request_that_finds_a_full_send_queue_is_refused_and_sent_to_nobody() -> None:
    """Claim 3.send_queue_overflow_threshold: one message waits, and two more are to go out."""
    net = cluster(message_send_window=4, send_queue_overflow_threshold=2)
    net.loses = lambda source, to, body: (
        (source, to) == ("c", "a") and isinstance(body, FragmentAck)
    )
    first = net.ask("a")
    net.settle()
    assert net.outcome(first) is Outcome.COMMITTED
    with pytest.raises(
        Refused, match=r"queue to c is full.*threshold is 2; the request was sent to"
    ):
        net.ask("a", heartbeat_interval=3_000)
    assert net.flying == []
    net.loses = lambda source, to, body: False
    net.pass_time(net.now + 200)
    second = net.ask("a", heartbeat_interval=3_000)
    net.settle()
    assert net.outcome(second) is Outcome.COMMITTED


def test_what_a_full_send_queue_turns_down_and_what_is_given_up_is_told_to_the_host() -> None:
    """Claims 3.send_queue_overflow_threshold and 3.maximum_message_retry_time."""
    net = cluster(message_send_window=1, send_queue_overflow_threshold=1)
    net.crash("c")
    net.ask("a")
    net.run_until(lambda: net.node("a").view.members == ("a", "b"))
    net.pass_time(net.now + 5_000)
    assert ("a", NotDelivered("c", "Vote", Failure.OVERFLOW)) in net.failures
    assert ("a", NotDelivered("c", "Request", Failure.GIVEN_UP)) in net.failures
    net.restart("c")
    net.run_to_the_end()
    assert net.node("a").view.members == ("a", "b", "c")


def test_what_is_under_way_to_a_member_that_restarts_is_told_to_the_host() -> None:
    net = cluster()
    net.crash("c")
    change = net.ask("a")
    net.settle()
    net.restart("c")
    net.settle()
    assert ("a", NotDelivered("c", "Request", Failure.RESTARTED)) in net.failures
    net.run_to_the_end()
    assert net.outcome(change) is Outcome.COMMITTED


TINY = Settings(
    maximum_fragment_size=64,
    message_send_window=2,
    send_queue_overflow_threshold=3,
    message_retry_timer=100,
    maximum_message_retry_time=1_000,
)


@pytest.mark.slow
def test_storms_on_a_layer_that_fails_all_the_time_end_in_agreement() -> None:
    """Notes C5 to C8: queues overflow, messages are given up, and members restart."""
    nets = [storm(seed, start=TINY) for seed in range(12)]
    assert {f.reason for net in nets for _, f in net.failures} == set(Failure)
    outcomes = {o for net in nets for decided in net.outcomes.values() for o in decided.values()}
    assert {Outcome.COMMITTED, Outcome.UNDONE} <= outcomes


# --- what does not belong --------------------------------------------------------------------


def alone(transport: Transport = Transport.CHANNEL) -> Node:
    """The core of `a`, whose journal is durable at once."""
    node = Node.first_start(Config("test", "a", HOME.members, transport=transport), NOW)
    for event in node.events():
        if isinstance(event, Persist):
            node.persisted(event.number)
        if isinstance(event, Install):
            node.apply_finished(event.token, True, NOW)
    node.data_to_send()
    return node


def as_bytes(body: AnyBody, cluster: str = "test") -> bytes:
    """A message of `b`."""
    return encode(Message(VERSION, cluster, HOME.id, 0, body))


def in_a_fragment(data: bytes, sequence: int = 1) -> bytes:
    """A message in one fragment."""
    return as_bytes(Fragment(1, 1, 0, 1, sequence, 0, 1_400, len(data), data))


REQUEST = as_bytes(Request(CHANGE, HOME, Settings()))


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (REQUEST, "Request does not come as a datagram"),
        (in_a_fragment(as_bytes(Heartbeat(1, 1, None))), "Heartbeat does not come in fragments"),
        (in_a_fragment(in_a_fragment(REQUEST)), "Fragment does not come in fragments"),
        (in_a_fragment(as_bytes(Join(), cluster="other")), "Join does not come in fragments"),
        (in_a_fragment(b"garbage"), "Expected"),
        (as_bytes(Fragment(1, 1, 0, 1, 1, 0, 64, 100, b"short")), "contradicts itself"),
    ],
    ids=["bare", "heartbeat", "nested", "other cluster", "garbage", "unsound"],
)
def test_what_does_not_come_as_it_should_is_an_event_and_no_step(data: bytes, word: str) -> None:
    node = alone()
    before = node.journal
    node.receive(data, "b", NOW)
    (event,) = node.events()
    assert isinstance(event, Rejected)
    assert word in event.reason
    assert node.journal == before
    assert len(node.data_to_send()) <= 1


def test_fragments_are_none_of_the_messages_on_bare_datagrams() -> None:
    node = alone(Transport.DATAGRAMS)
    node.receive(in_a_fragment(REQUEST), "b", NOW)
    assert [type(event) for event in node.events()] == [Rejected]


def test_a_message_is_acked_when_the_journal_that_it_has_led_to_is_durable() -> None:
    """Note C5: the journal goes first, for the message layer too."""
    node = alone()
    node.receive(in_a_fragment(REQUEST), "b", NOW)
    (persist,) = node.events()
    assert isinstance(persist, Persist)
    assert node.data_to_send() == ()
    node.persisted(persist.number)
    sent = [(s.to, decode(s.data).body) for s in node.data_to_send()]
    assert [to for to, body in sent if isinstance(body, FragmentAck)] == ["b"]
    assert [to for to, body in sent if isinstance(body, Fragment)] == ["b", "c"]


def test_a_node_takes_what_an_open_change_asks_for_until_it_is_closed_and_the_peer_agrees() -> None:
    """Claims 3.maximum_message_retry_time and 20.preamble: the peer may commit at any moment."""
    node = alone()
    larger = Settings(maximum_fragment_size=2_000, maximum_message_retry_time=50_000)
    node.receive(in_a_fragment(as_bytes(Request(CHANGE, HOME, larger))), "b", NOW)
    takes = [node.state.channels[m].receiving.takes for m in "bc"]
    assert {(t.size, t.memory_ms) for t in takes} == {(2_000, 50_000)}
    node.receive(in_a_fragment(as_bytes(Closed(CHANGE)), sequence=2), "b", NOW)
    assert node.journal.opens == ()
    node.receive(in_a_fragment(as_bytes(Join()), sequence=3), "b", NOW)
    after = {m: node.state.channels[m].receiving.takes.memory_ms for m in "bc"}
    assert after == {"b": 30_000, "c": 50_000}


def test_messages_that_come_at_once_are_taken_one_after_the_other() -> None:
    """Each in the state that the one before has led to: the view begins, and then comes a request.

    Without that the request would be of a view that has not begun, and no answer to it.
    """
    node = alone()
    view = View(ViewId(1, "b"), ("a", "b"))
    told = Told(Report(view, 0, None, Settings()), wants=False)
    request = Request(CHANGE, view, Settings(heartbeat_interval=2_000))
    node.receive(in_a_fragment(as_bytes(request), sequence=2), "b", NOW)
    assert node.view == HOME
    node.receive(in_a_fragment(as_bytes(told)), "b", NOW)
    assert node.view == view
    assert node.journal.open_change(CHANGE) is not None


def test_a_cluster_on_bare_datagrams_makes_the_same_change() -> None:
    """The group change needs nothing of the message layer to be safe."""
    for seed in range(3):
        net = Net(3, seed, transport=Transport.DATAGRAMS)  # type: ignore[arg-type]
        net.settle()
        net.loss = net.copies = 0.3
        change = net.ask("a")
        net.pass_time(net.now + 3_000)
        net.loss = 0.0
        net.run_to_the_end()
        assert net.outcome(change) is Outcome.COMMITTED


def test_what_is_over_is_told_to_the_host_at_the_next_input_whatever_that_is() -> None:
    """Claim 3.maximum_message_retry_time: not only when a timer of that channel is called."""
    node = alone()
    node.request_change({"heartbeat_interval": 2_000}, NOW)
    node.events()
    over_ms = NOW + node.journal.settings.maximum_message_retry_time
    beat = Message(VERSION, "test", HOME.id, 0, Heartbeat(1, 1, None))
    node.receive(encode(beat), "b", over_ms)
    told = [e for e in node.events() if isinstance(e, NotDelivered)]
    assert {e.member for e in told} == {"b", "c"}
    assert {e.reason for e in told} == {Failure.GIVEN_UP}
    assert all(not c.failures for c in node.state.channels.values())
