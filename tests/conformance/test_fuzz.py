"""Whatever arrives is a message or one error, and what a node remembers is bounded.

The seconds-long share, without guidance; `make fuzz` has the ten million.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any, NoReturn, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from samebeat import codec
from samebeat.codec import ProtocolError
from samebeat.ids import MAX_MEMBERS
from samebeat.messages import AnyBody
from samebeat.node import Node
from samebeat.state import Heard, State, frozen
from samebeat_conformance.fuzz import targets
from samebeat_conformance.fuzz.stories import Datagram, first_node, story
from samebeat_conformance.fuzz.targets import Found, out_of_bounds
from samebeat_conformance.fuzz.unguided import without_guidance


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_nothing_is_found_in_some_thousand_executions(seed: int) -> None:
    assert without_guidance(5_000, seed) == ""


@settings(max_examples=30)
@given(st.binary(max_size=200))
def test_any_bytes_are_a_message_or_one_error_and_a_story_that_a_node_survives(
    data: bytes,
) -> None:
    tried = []
    for name, target in targets.TARGETS.items():
        target(data)
        tried.append(name)
    assert tried == ["decode", "receive", "story"]


def test_stories_have_every_kind_of_message_and_of_event() -> None:
    """Otherwise the targets would look at less than they seem to."""
    rng = Random(1)
    told = [what for _ in range(60) for what in story(rng.randbytes(300))]
    events = {"Datagram", "Ask", "AskPeer", "Finish", "Later"}
    assert {type(what).__name__ for what in told} == events
    kinds: set[type] = set()
    for what in told:
        if isinstance(what, Datagram):
            try:
                kinds.add(type(codec.decode(what.data).body))
            except ProtocolError:
                kinds.add(ProtocolError)
    assert kinds == {*get_args(AnyBody), ProtocolError}


def _raises_another_error(data: bytes) -> NoReturn:
    raise KeyError(data)


def _says_too_much(data: bytes) -> NoReturn:
    raise ProtocolError("two\nlines")


@pytest.mark.parametrize(
    ("wrong", "found"),
    [
        (_raises_another_error, "one_protocol_error: decode raises KeyError"),
        (_says_too_much, "one_protocol_error: a reason that is not one short line"),
        (iter((1, 2)).__next__, "a message is another one once it was encoded"),
    ],
)
def test_a_codec_that_is_wrong_is_found(
    wrong: Callable[..., Any], found: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: the target can fail."""
    takes_bytes = wrong in (_raises_another_error, _says_too_much)
    monkeypatch.setattr(targets, "encode", lambda message: b"")
    monkeypatch.setattr(targets, "decode", wrong if takes_bytes else lambda data: wrong())
    with pytest.raises(Found, match=found):
        targets.decodes(b"")


def test_a_node_that_garbage_changes_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def receive(self: Node, data: bytes, source: str, now_ms: int) -> None:
        self._state.sequence += 1

    monkeypatch.setattr(Node, "receive", receive)
    with pytest.raises(Found, match="garbage changes the node, or is 0 events and not one"):
        targets.receives(b"\xc1")


def test_a_node_that_remembers_too_much_is_found() -> None:
    state: State = first_node().state
    assert list(out_of_bounds(state)) == []
    state.heard = frozen({i: Heard() for i in range(MAX_MEMBERS + 4)})  # type: ignore[misc]
    assert list(out_of_bounds(state)) == ["20 heard, at most 19"]
    state.heard = frozen({0: Heard(acks=frozenset("abcd"))})  # type: ignore[dict-item]
    assert list(out_of_bounds(state)) == ["4 said of one change, at most 3"]


def test_a_node_that_its_watchdog_takes_out_says_nothing_more_on_that_timer() -> None:
    """Note C7. Found by the fuzzer: what was still put into channels then stayed there for ever."""
    found = (
        "01000000000000000000000000000000000000000000010000000000007d00000000000000010000"
        "00000100010000000000009f00000000000000c90000000001010001000000000001bcd7"
    )
    targets.survives(bytes.fromhex(found))
