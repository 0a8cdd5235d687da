"""Local operations: one at a time, watched, and undone where they come too late (note C7)."""

from __future__ import annotations

from samebeat.effects import Decided, Install, Outcome, PairDecided, Purpose, TookItselfOut
from samebeat.ids import ChangeId, PairChangeId
from samebeat.journal import Open, Phase
from samebeat.messages import Closed, Committed, Failure, Ok
from samebeat.parameters import Settings
from samebeat.state import Operation, State, frozen

_WHY_OUT = {
    Purpose.RESTORE: "could not restore its settings when it started",
    Purpose.UNDO: "could not undo a change",
    Purpose.ADOPT: "could not adopt what others have committed",
    Purpose.UNDO_LATE: "could not undo a change that has succeeded too late",
}


def start(s: State, purpose: Purpose, settings: Settings, change: ChangeId | None = None) -> None:
    """Ask the host to make settings effective."""
    s.token += 1
    s.operation = Operation(s.token, purpose, settings, s.now_ms, change)
    s.tell(Install(s.token, settings, purpose))


def finished(s: State, token: int, success: bool) -> None:
    """The host says how an operation went; one that nobody waits for changes nothing."""
    if s.given_up is not None and token == s.given_up.token:
        _finished_late(s, success)
    elif s.operation is not None and token == s.operation.token:
        operation, s.operation = s.operation, None
        if success:
            s.installed = operation.settings
        if operation.purpose is Purpose.APPLY:
            _applied(s, operation, success)
        elif not success:
            take_out(s, _WHY_OUT[operation.purpose])
            close_what_failed(s, operation)
        elif operation.purpose is Purpose.UNDO and operation.change is not None:
            close(s, operation.change)
        elif operation.change is not None:  # it has adopted that
            keep(s, Committed(operation.change, operation.settings))


def watchdog(s: State) -> None:
    """Give up an operation that hangs: a failed status (claim 1(e)), or the node takes itself out.

    An operation that was given up may still succeed; then that is undone.
    """
    operation = s.operation
    if operation is None or s.now_ms < operation.started_ms + s.config.watchdog_ms:
        return
    s.operation = None
    if operation.purpose is Purpose.APPLY:
        s.given_up = operation
        _applied(s, operation, success=False)
    else:
        take_out(s, _WHY_OUT[operation.purpose])
        close_what_failed(s, operation)


def _finished_late(s: State, success: bool) -> None:
    """An operation that was given up is over; if it has succeeded, that is undone."""
    s.given_up = None
    if success:
        start(s, Purpose.UNDO_LATE, s.journal.settings)


def _applied(s: State, operation: Operation, success: bool) -> None:
    """Journal that the change is applied and multicast that status (claims 1(c), 1(d), 5)."""
    change = s.journal.open_change(operation.change) if operation.change else None
    if change is None:
        assert not success, "a change stays open while it is applied"
        return
    if success:
        s.replace_open(change, phase=Phase.APPLIED)
        s.say(Ok(change.id))
    else:
        fail(s, change)


def fail(s: State, change: Open) -> None:
    """The status is a failure: the change is undone, here and everywhere (claims 1(d), 1(e))."""
    s.say(Failure(change.id))
    close(s, change.id)


def close(s: State, change: ChangeId) -> None:
    """Journal that an open change is undone (claim 1(f))."""
    s.mark_undone(change)
    s.tell(Decided(change, Outcome.UNDONE))


def close_what_failed(s: State, operation: Operation) -> None:
    """A change whose undo has failed is closed all the same."""
    if operation.purpose is Purpose.UNDO and operation.change is not None:
        close(s, operation.change)


def turn_down(s: State, change: ChangeId) -> None:
    """Answer busy, which closes the change (note C6)."""
    s.mark_undone(change)
    s.say(Closed(change))


def keep(s: State, committed: Committed) -> None:
    """Journal a commit: the epoch goes up, and what started from earlier ones is over."""
    for o in s.journal.opens:
        rival = Outcome.UNDONE if o.id.base == committed.change.base else Outcome.PASSED
        s.tell(Decided(o.id, Outcome.COMMITTED if o.id == committed.change else rival))
    s.write(
        epoch=committed.epoch,
        last=committed.change,
        settings=committed.settings,
        opens=(),
        undone=(),
    )
    s.heard = frozen({c: h for c, h in s.heard.items() if c.base >= committed.epoch})
    if not s.is_behind:
        s.ahead = None
    drop_pair_changes(s)


def drop_pair_changes(s: State) -> None:
    """What was changed with single peers is over, and a heartbeat that says so is due at once.

    Who had heartbeats of its own must not wait for a whole interval of those to everybody.
    """
    for peer, first in s.firsts.items():
        if first.open:
            asked = PairChangeId(s.journal.boot, first.open)
            s.tell(PairDecided(peer, asked, Outcome.PASSED))
    if any(first.has_own_beats for first in s.firsts.values()):
        s.beat = (s.beat[0], None)
    if s.firsts or s.seconds:
        s.firsts = s.seconds = frozen()  # type: ignore[assignment]


def take_out(s: State, reason: str) -> None:
    """The node takes itself out for good and says why (note C7)."""
    s.write(out=reason)
    s.operation = None
    s.tell(TookItselfOut(reason))
