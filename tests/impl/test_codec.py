"""Messages as bytes: they come back as they were, and anything else is one error (claim 6)."""

from __future__ import annotations

from typing import get_args

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from samebeat import messages
from samebeat.codec import MAX_BYTES, ProtocolError, decode, encode
from samebeat.ids import MAX_MEMBERS, ChangeId, PairChangeId, View, ViewId
from samebeat.journal import Ballot, Mark, Open, Phase, Report
from samebeat.messages import MAX_PAYLOAD, Message
from samebeat.parameters import Settings

LONG = tuple(f"{i:02}".ljust(32, "x") for i in range(MAX_MEMBERS))
LARGE = 2**53
HOME = View(ViewId(LARGE, LONG[0]), LONG)
CHANGES = [ChangeId(LARGE - 1, name, LARGE, LARGE) for name in LONG]
SETTINGS = Settings(receive_send_timer_ratio=1.5)
REPORT = Report(
    HOME,
    LARGE,
    CHANGES[0],
    SETTINGS,
    tuple(Open(c, HOME, SETTINGS, Phase.APPLIED, Ballot(HOME.id, True)) for c in CHANGES),
    tuple(Mark(name, LARGE, LARGE) for name in LONG),
)
BODIES: tuple[messages.AnyBody, ...] = (
    messages.Request(CHANGES[0], HOME, SETTINGS),
    messages.Ack(CHANGES[0]),
    messages.Ok(CHANGES[0]),
    messages.Failure(CHANGES[0]),
    messages.Vote(CHANGES[0], Ballot(HOME.id, False)),
    messages.Closed(CHANGES[0]),
    messages.Committed(CHANGES[0], SETTINGS),
    messages.Told(REPORT, True),
    messages.Join(),
    messages.Heartbeat(
        LARGE,
        LARGE,
        CHANGES[0],
        messages.HeartbeatRecord(LARGE, True, SETTINGS.rhythm, SETTINGS.rhythm),
    ),
    messages.HeartbeatAck(LARGE, LARGE, messages.AckRecord(PairChangeId(LARGE, LARGE), True)),
    messages.Fragment(
        LARGE, LARGE, LARGE, LARGE - 1, LARGE - 1, 251, 65_507, MAX_PAYLOAD, bytes(MAX_PAYLOAD)
    ),
    messages.FragmentAck(LARGE, LARGE, LARGE, LARGE, LARGE, 251, 65_507, 65_535),
    messages.Notice(LARGE, LARGE, LARGE, LARGE - 1),
)


def message(body: messages.AnyBody) -> Message:
    """A message with the longest header there can be."""
    return Message(1, LONG[0], HOME.id, LARGE, body)


def test_every_kind_of_message_is_among_the_examples() -> None:
    assert {type(b) for b in BODIES} == set(get_args(messages.AnyBody))


@pytest.mark.parametrize("body", BODIES, ids=lambda b: type(b).__name__)
def test_the_largest_message_of_each_kind_comes_back_as_it_was(body: messages.AnyBody) -> None:
    data = encode(message(body))
    assert len(data) <= MAX_BYTES
    assert decode(data) == message(body)


def test_the_largest_message_that_goes_in_fragments_is_as_long_as_a_channel_takes() -> None:
    whole = [b for b in BODIES if not isinstance(b, messages.Fragment)]
    assert max(len(encode(message(b))) for b in whole) <= MAX_PAYLOAD


@pytest.mark.parametrize("body", BODIES, ids=lambda b: type(b).__name__)
def test_a_message_that_is_cut_or_too_long_is_an_error(body: messages.AnyBody) -> None:
    data = encode(message(body))
    for cut in range(0, len(data), max(1, len(data) // 97)):
        with pytest.raises(ProtocolError):
            decode(data[:cut])
    for more in (b"\x00", b"\xc0", data, bytes(MAX_BYTES)):
        with pytest.raises(ProtocolError):
            decode(data + more)


@pytest.mark.parametrize(
    "wrong",
    [
        [2, "test", [0, "a"], 0, ["join"]],
        [1, "", [0, "a"], 0, ["join"]],
        [1, "test\n", [0, "a"], 0, ["join"]],
        [1, "test", [-1, "a"], 0, ["join"]],
        [1, "test", [0, "a"], 2**60, ["join"]],
        [1, "test", [0, "a"], True, ["join"]],
        [1, "test", [0, "a"], 0.0, ["join"]],
        [1, "test", [0, "a"], 0, ["leave"]],
        [1, "test", [0, "a"], 0, ["join", 1]],
        [1, "test", [0, "a"], 0, ["join"], 1],
        [1, "test", [0, "a", 1], 0, ["join"]],
        [1, "test", [0, "a"], 0, ["heartbeat", 1, 1]],
        [1, "test", [0, "a"], 0, ["fragment", 1, 1, 0, 0, 1, 0, 64, 1, b"x"]],
        [1, "test", [0, "a"], 0, ["fragment", 1, 1, 0, 1, 0, 0, 64, 1, b"x"]],
        [1, "test", [0, "a"], 0, ["fragment", 1, 1, 0, 1, 1, 252, 64, 1, b"x"]],
        [1, "test", [0, "a"], 0, ["fragment", 1, 1, 0, 1, 1, 0, 63, 1, b"x"]],
        [1, "test", [0, "a"], 0, ["fragment", 1, 1, 0, 1, 1, 0, 65_508, 1, b"x"]],
        [1, "test", [0, "a"], 0, ["fragment", 1, 1, 0, 1, 1, 0, 64, 16_129, b"x"]],
        [1, "test", [0, "a"], 0, ["fragment", 1, 1, 0, 1, 1, 0, 64, 1, b""]],
        [1, "test", [0, "a"], 0, ["fragment", 1, 1, 0, 1, 1, 0, 64, 1, "x"]],
        [1, "test", [0, "a"], 0, ["fragment-ack", 1, 1, 1, 1, 1, 252, 64, 1]],
        [1, "test", [0, "a"], 0, ["fragment-ack", 1, 1, 1, 1, 1, 0, 63, 1]],
        [1, "test", [0, "a"], 0, ["fragment-ack", 1, 1, 1, 1, 1, 0, 64, 0]],
        [1, "test", [0, "a"], 0, ["fragment-ack", 1, 1, 1, 1, 1, 0, 64, 65_536]],
        [1, "test", [0, "a"], 0],
        {"version": 1},
        None,
    ],
    ids=str,
)
def test_what_is_out_of_bounds_is_an_error(wrong: object) -> None:
    with pytest.raises(ProtocolError):
        decode(msgspec.msgpack.encode(wrong))


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -1.0, 0.5, 1_001.0])
def test_a_ratio_that_is_none_is_an_error(value: float) -> None:
    bad = encode(message(messages.Request(CHANGES[0], HOME, Settings())))
    data = bad.replace(msgspec.msgpack.encode(2.0), msgspec.msgpack.encode(value))
    assert data != bad
    with pytest.raises(ProtocolError):
        decode(data)


@pytest.mark.parametrize(
    "opening", [b"\x91", b"\x81\x01", b"\xdd\x00\x00\x00\x01", b"\xc7\xff\x01"]
)
def test_deep_nesting_is_an_error_like_any_other(opening: bytes) -> None:
    with pytest.raises(ProtocolError):
        decode(opening * 4_000)


def reason(data: bytes) -> str:
    """Return why the bytes are no message; a message comes back the same once it is encoded."""
    try:
        found = decode(data)
    except ProtocolError as error:
        return str(error)
    assert decode(encode(found)) == found
    return ""


@given(st.binary(max_size=300))
def test_any_bytes_are_a_message_or_one_error(data: bytes) -> None:
    assert "\n" not in reason(data)


@settings(max_examples=60)
@given(st.sampled_from(BODIES), st.data())
def test_a_message_with_some_bytes_changed_is_a_message_or_one_error(
    body: messages.AnyBody, data: st.DataObject
) -> None:
    changed = bytearray(encode(message(body)))
    for _ in range(data.draw(st.integers(1, 4))):
        changed[data.draw(st.integers(0, len(changed) - 1))] = data.draw(st.integers(0, 255))
    assert "\n" not in reason(bytes(changed))


_anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats()
    | st.sampled_from([*(str(b.__struct_config__.tag) for b in BODIES), "", "a"]),
    lambda inner: st.lists(inner, max_size=6) | st.dictionaries(st.integers(0, 9), inner),
    max_leaves=12,
)


@settings(max_examples=40)
@given(_anything)
def test_any_well_formed_messagepack_is_a_message_or_one_error(value: object) -> None:
    assert "\n" not in reason(msgspec.msgpack.encode([1, "test", [0, "a"], 0, value]))
