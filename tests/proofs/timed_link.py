"""A state of an explored heartbeat pair as a state of the proof's pair, and its steps likewise."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from samebeat_proofs.timed_model import real_pair
from samebeat_spec.heartbeat import Flight, Heartbeat
from samebeat_spec.language import Instance
from samebeat_spec.language.instance import Arguments, StateTuple
from samebeat_spec.language.interpreter import Interpreter, Refused
from samebeat_spec.specs import load_spec

HEARTBEAT = load_spec("heartbeat")
REAL = real_pair()
BEATS = 3
"""The heartbeat that was sent before the last one, the last one, and one that is sent next."""
GHOST = "longest_used"
IN_FLIGHT = Flight.IN_FLIGHT.index  # type: ignore[attr-defined]  # an element knows its number
PREVIOUS = Heartbeat.PREVIOUS.index  # type: ignore[attr-defined]
LATEST = Heartbeat.LATEST.index  # type: ignore[attr-defined]
JUNK = 1
"""What is written where nothing may depend on it."""


BASE: Mapping[str, Any] = {
    "policy": "SECOND_ENVELOPE",
    "rearming": "SHIFT",
    "second_rearms": True,
    "announced": False,
    "bounded_acks": False,
    "ack_delay_ticks": 0,
    "may_fail": False,
    "crashes_early": True,
    "states_requests": False,
    "values_count": True,
}


def pair(
    intervals: tuple[int, ...],
    deadlines: tuple[int, ...],
    drift: int = 0,
    delay: int = 0,
    tolerated: int = 0,
    **others: Any,
) -> Instance:
    """Return an instance of ``heartbeat`` with one change for each interval but the first."""
    constants = {
        **BASE,
        "interval_ticks": {str(i): t for i, t in enumerate(intervals)},
        "deadline_ticks": {str(i): t for i, t in enumerate(deadlines)},
        "drift_ticks": {str(i): drift for i, _ in enumerate(intervals)},
        "delay_ticks": delay,
        "tolerated": tolerated,
        **others,
    }
    sizes = {"Change": len(intervals), "Ticks": max(deadlines) + delay + 2}
    return Instance("pair", HEARTBEAT, sizes, constants)


class Link:
    """An explored instance, and the instance of the proof's spec with the same constants."""

    def __init__(self, explored: Instance) -> None:
        self.explored = explored
        self.cells = explored.cell_index
        own = explored.constant_values
        changes = range(int(explored.sizes["Change"]))  # type: ignore[arg-type]
        losses = range(own["tolerated"][()] + 1)
        lasts = {c: own["interval_ticks"][c,] + own["drift_ticks"][c,] for c in changes}
        constants = {
            "loss_ticks": {f"{k},{c}": k * lasts[c] for k in losses for c in changes},
            "tolerated_losses": losses[-1],
        }
        for v in REAL.constants:
            if v.name not in constants:
                constants[v.name] = explored.constants[v.name]
        highest = max(explored.domain(next(s for s in REAL.sorts if s.integer)))
        self.most = max(*lasts.values(), *own["deadline_ticks"].values(), highest)
        sizes = {
            "Change": len(changes),
            "Loss": len(losses),
            "Beat": BEATS,
            "Ticks": 4 * self.most + 8,
        }
        self.real = Instance(explored.name, REAL, sizes, constants)
        self.judge = Interpreter(self.real)

    # --- states ------------------------------------------------------------------------------

    def read(self, state: StateTuple, name: str, *place: int) -> int:
        """Return a value of the explored state."""
        return state[self.cells[name][place]]

    def state(self, state: StateTuple, junk: int = 0) -> StateTuple:
        """Return the state of the proof's pair; where nothing may depend on it, ``junk``."""
        beats = {0: PREVIOUS, 1: LATEST}
        found = []
        for cell in self.real.cells:
            name, place = cell.variable.name, cell.arguments
            if name in ("on_its_way", "age_ticks", "beat_recorded", "beat_asked"):
                h = beats.get(place[0])
                value = self.beat(state, name, h) if h is not None else None
                found.append(value if value is not None else 0 if name == "on_its_way" else junk)
            elif name == "losses_left":
                found.append(
                    self.explored.constant_values["tolerated"][()]
                    - self.read(state, "lost_in_a_row")
                )
            elif name == GHOST or self.is_idle(state, name):
                found.append(junk)
            else:
                found.append(self.read(state, name, *place))
        return tuple(found)

    def beat(self, state: StateTuple, name: str, h: int) -> int | None:
        """Return what is known of a heartbeat; nothing of one that is not on its way."""
        on_its_way = self.read(state, "flight", h) == IN_FLIGHT
        if name == "on_its_way":
            return int(on_its_way)
        if not on_its_way:
            return None
        if name == "age_ticks":
            delay = self.explored.constant_values["delay_ticks"][()]
            return delay - self.read(state, "until_arrival_ticks", h)
        return self.read(state, name.replace("beat_", "says_"), h)

    def is_idle(self, state: StateTuple, name: str) -> bool:
        """Return whether a clock is one that stands still in the explored instance."""
        suspected = self.read(state, "suspected")
        return name in ("since_heard_ticks", "since_crash_ticks") and bool(suspected)

    def same(self, one: StateTuple, other: StateTuple, explored: StateTuple) -> bool:
        """Return whether two states of the proof's pair differ only where nothing depends on it.

        ``one`` comes from a step, ``other`` from the explored state.
        """
        way = self.real.cell_index["on_its_way"]
        for i, cell in enumerate(self.real.cells):
            name, place = cell.variable.name, cell.arguments
            content = name in ("age_ticks", "beat_recorded", "beat_asked")
            if content and not other[way[place]]:
                continue
            if name == GHOST or self.is_idle(explored, name):
                continue
            if one[i] != other[i]:
                return False
        return True

    # --- steps -------------------------------------------------------------------------------

    def step(self, state: StateTuple, action: str, arguments: Arguments) -> tuple[str, Arguments]:
        """Return the step of the proof's pair that a step of the explored one is."""
        if action == "send_heartbeat":
            left = self.state(state)[self.real.cell_index["losses_left"][()]]
            return (
                ("send_heartbeat", (2,)) if arguments == (0,) else ("lose_heartbeat", (left - 1,))
            )
        if action == "receive_heartbeat":
            return "receive_heartbeat", (1 if arguments == (LATEST,) else 0,)
        return action, (1,) if action == "tick" else arguments

    def differs(
        self, state: StateTuple, action: str, arguments: Arguments, after: StateTuple
    ) -> str:
        """Return why a step of the explored pair is none of the proof's pair; nothing if it is."""
        name, own = self.step(state, action, arguments)
        for junk in (0, JUNK):
            before = self.state(state, junk)
            try:
                reached = self.judge.step(REAL.find_action(name), own, before)
            except Refused as refused:
                return f"{name}{own}: {refused}"
            if action == "send_heartbeat":
                reached = self.shifted(reached)
            if not self.same(reached, self.state(after, junk), after):
                return f"{name}{own} leads elsewhere"
        return ""

    def shifted(self, state: StateTuple) -> StateTuple:
        """Return a state with each heartbeat in the place of the one before it: as the last two.

        The oldest of three is forgotten; the explored instance has none on its way.
        """
        index, new = self.real.cell_index, list(state)
        assert not state[index["on_its_way"][0,]]
        for name in ("on_its_way", "age_ticks", "beat_recorded", "beat_asked"):
            for b in range(BEATS):
                new[index[name][b,]] = state[index[name][b + 1,]] if b + 1 < BEATS else 0
        return tuple(new)
