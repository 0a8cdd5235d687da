"""For each claim element, the function of the core that does it, and the test that shows it.

Elements that the core does not have say why. Those that are no behaviour are not in here: the
registry of claims names the thing that stands for them.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from samebeat_models.claims_table import Implemented


@dataclass(frozen=True)
class Handled:
    """How the core does an element.

    Attributes:
        functions: their names, as they are imported.
        test: the test in which they run, as pytest names it.
        only: what of the element the core does, where that is not all; empty: all.
    """

    functions: tuple[str, ...]
    test: str
    only: str = ""


def _by(*functions: str, test: str, only: str = "") -> Handled:
    return Handled(tuple(f"samebeat.{f}" for f in functions), f"tests/impl/{test}", only)


_ADOPTS = "test_group_change.py::test_all_members_adopt_a_value_that_all_could_apply"
_ACKED = "test_group_change.py::test_nobody_applies_before_every_member_has_acked"
_FAILS = "test_group_change.py::test_one_failure_undoes_the_change_everywhere"
_MULTICAST = "test_group_change.py::test_request_acks_and_statuses_are_multicast"
_TOGETHER = (
    "test_group_change.py::"
    "test_values_that_do_not_suit_each_other_are_refused_before_anybody_hears_of_them"
)
_KILL = "test_heartbeats.py::test_the_deadline_is_from_kill_to_suspicion"
_GAP = "test_heartbeats.py::test_the_interval_is_the_gap_between_heartbeats"
_MISSED = "test_heartbeats.py::test_acks_that_stop_are_missed_as_often_as_the_threshold_says"
_LATE = "test_heartbeats.py::test_an_ack_that_is_late_by_less_than_its_time_out_is_not_missed"
_AGAIN = "test_heartbeats.py::test_the_retry_timer_is_when_something_is_said_again"
_ENVELOPE = (
    "test_heartbeats.py::"
    "test_while_a_change_is_open_nobody_sends_less_often_and_who_has_applied_waits_longer"
)
_UNDONE = (
    "test_heartbeats.py::"
    "test_an_undo_keeps_the_longer_deadline_until_a_heartbeat_states_the_old_epoch"
)
_PAIR = "test_pair_changes.py::"
_ASKS = _by(
    *("asking.set_indicator", "heartbeats.send_if_due"),
    test=f"{_PAIR}test_the_first_node_sets_the_indicator_and_asks_in_its_next_heartbeat",
)
_DEFERS = _by(
    *("asking.hear_ack", "asking.modify_as_first"),
    test=f"{_PAIR}test_the_first_node_defers_until_an_ack_says_that_the_second_has_modified",
)
_DECIDES = _by(
    *("asking.begin", "parameters.needs_peer"),
    test=f"{_PAIR}test_what_is_local_changes_at_once_and_nobody_is_asked",
)
_CLASS = _by(
    "parameters.needs_peer",
    test=f"{_PAIR}test_what_needs_the_peer_is_read_off_the_constraints",
)
_REFUSES = f"{_PAIR}test_the_second_node_refuses_what_does_not_suit_and_clears_the_indicator"
_MODIFIES = f"{_PAIR}test_the_second_node_modifies_waits_longer_and_then_acks_with_a_set_indicator"
_RECEIPT = _by("change.all_acked", test=_ACKED)
_APPLIES = _by("change.apply", "operations.start", test=_ADOPTS)
_STATUS = _by("operations._applied", test=_ADOPTS)
_CONFIRMS = _by("change.hear", "change.all_applied", test=_ADOPTS)
_UNDOES = _by("change.is_to_be_undone", "change.undo", test=_FAILS)
_ROUND = _by("change.open_change", test=_ADOPTS)

HANDLED: Mapping[str, Handled] = MappingProxyType(
    {
        "1.preamble": _by("node.Node.request_change", test=_ADOPTS),
        "1(a)": _by("change.ask", test=_ADOPTS),
        "1(b)": _RECEIPT,
        "1(c)": _APPLIES,
        "1(d)": _STATUS,
        "1(e)": _by("change.hear", "change.is_to_be_undone", test=_FAILS),
        "1(f)": _UNDOES,
        "2": _by("heartbeats.next_beat_ms", test=_GAP),
        "3.heartbeat_message_timeout": _by("parameters.Settings.deadline_ms", test=_KILL),
        "3.heartbeat_ack_timeout": _by("heartbeats.send_if_due", "pair.AckWatch.sent", test=_LATE),
        "3.heartbeat_interval": _by("heartbeats.next_beat_ms", test=_GAP),
        "3.heartbeat_failure_threshold": _by("parameters.Settings.deadline_ms", test=_KILL),
        "3.heartbeat_ack_failure_threshold": _by("pair.AckWatch.suspects_at", test=_MISSED),
        "3.receive_send_timer_ratio": _by("parameters.Settings.deadline_ms", test=_KILL),
        "3.maximum_fragment_size": _by(
            "fragments.cut",
            "sending.Sending.news",
            test="test_channel_in_cluster.py::"
            "test_no_fragment_of_a_group_change_is_larger_than_the_parameter_says",
        ),
        "3.message_retry_timer": _by("sending.Sending.retry", test=_AGAIN),
        "3.maximum_message_retry_time": _by(
            "sending.Sending.give_up",
            test="test_channel.py::"
            "test_what_is_not_acked_in_time_is_reported_and_what_comes_after_it_is_delivered",
        ),
        "3.send_queue_overflow_threshold": _by(
            "sending.Sending.enqueue",
            test="test_channel.py::test_a_full_queue_says_so_and_nothing_has_changed",
        ),
        "3.message_send_window": _by(
            "sending.Sending.send",
            test="test_channel.py::"
            "test_what_the_window_does_not_let_out_waits_and_goes_when_acks_come",
        ),
        "3.combinations": _by("parameters.problems", test=_TOGETHER),
        "4": _ROUND,
        "5": _STATUS,
        "6": _by("node._datagrams", "state.State.say", test=_MULTICAST),
        "7(b).modify": _APPLIES,
        "7(b).receipt": _RECEIPT,
        "7(b).status": _CONFIRMS,
        "7(b).undo": _UNDOES,
        "8": _RECEIPT,
        "9": _ROUND,
        "10": _STATUS,
        "11": _STATUS,
        "12(b).modify": _APPLIES,
        "12(b).receipt": _RECEIPT,
        "12(b).status": _CONFIRMS,
        "12(b).undo": _UNDOES,
        "13(a).modify": _APPLIES,
        "13(a).receipt": _RECEIPT,
        "13(a).status": _CONFIRMS,
        "13(a).undo": _UNDOES,
        "15": _RECEIPT,
        "16": _ROUND,
        "17": _STATUS,
        "18": _STATUS,
        "19.preamble": _by(
            "heartbeats.send_if_due", "heartbeats.receive", "heartbeats.receive_ack", test=_LATE
        ),
        **dict.fromkeys(("19(a)", "23(a)", "26(b).send", "29", "31(a).send"), _ASKS),
        **dict.fromkeys(("19(b)", "24", "25(b)", "26(b).defer", "30", "31(a).defer"), _DEFERS),
        **dict.fromkeys(("20", "27"), _DECIDES),
        **dict.fromkeys(("21", "28"), _CLASS),
        "22": _by("asking.refuse", "asking.answer", "asking.acknowledge", test=_REFUSES),
        "23.record": _by(
            *("asking.set_indicator", "asking.answer"),
            test=f"{_PAIR}test_requests_that_cross_do_not_meet",
        ),
        "23(b)": _by("asking.answer", "asking.acknowledge", test=_MODIFIES),
        "25(a)": _by("asking.modify_as_second", test=_MODIFIES),
        "C1": _by(
            "heartbeats.next_beat_ms", "pair.Watch.holding", "pair.Watch.heard", test=_UNDONE
        ),
        "C2": _by("pair.Watch.heard", "change.undo", test=_UNDONE),
        "C3": _by("heartbeats.follow", "heartbeats.next_beat_ms", test=_ENVELOPE),
        "C4": _by(
            "heartbeats.receive",
            test="test_views.py::"
            "test_a_heartbeat_confirms_by_the_change_and_not_by_the_epoch_alone",
        ),
        "C5": _by(
            *("views.promise", "views.receive_report", "views.begin", "views.vote_in_flush"),
            test="test_faults.py::test_survivors_of_a_crash_decide_in_a_view_of_their_own",
        ),
        "C6": _by(
            "operations.turn_down",
            test="test_group_change.py::test_a_change_after_one_that_was_turned_down_goes_through",
        ),
        "C7": _by(
            *("operations.watchdog", "operations._finished_late"),
            test="test_faults.py::"
            "test_an_operation_that_hangs_is_a_failed_status_and_its_late_success_is_undone",
        ),
        "C8": _by(
            "change.may_ask",
            test="test_faults.py::test_a_minority_decides_nothing_and_refuses_new_changes",
        ),
    }
)

NOT_IN_THE_CORE: Mapping[str, str] = MappingProxyType({})
"""Why the core does not do an element: a gap that is known, and not a thing that was forgotten."""


def implemented() -> dict[str, Implemented]:
    """Return for each element what the implementation has of it, by its id."""
    done = {
        claim_id: Implemented(h.functions, (h.test,), h.only) for claim_id, h in HANDLED.items()
    }
    missing = {c: Implemented(core=f"not in it: {why}") for c, why in NOT_IN_THE_CORE.items()}
    return done | missing


def function(name: str) -> Callable[..., Any]:
    """Return the function of the core with this name.

    Raises:
        LookupError: there is none; the message says at which part of the name.
    """
    package, module, *rest = name.split(".")
    try:
        found: Any = importlib.import_module(f"{package}.{module}")
    except ImportError as error:
        raise LookupError(f"{name}: there is no module {package}.{module}") from error
    for part in rest:
        if not hasattr(found, part):
            raise LookupError(f"{name}: there is no {part}")
        found = getattr(found, part)
    if isinstance(found, property) and found.fget is not None:
        found = found.fget
    if not callable(found):
        raise LookupError(f"{name}: this is no function")
    result: Callable[..., Any] = found
    return result
