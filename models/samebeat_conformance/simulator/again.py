"""A run of cores that was written to a file, made again from its faults, and held against the file.

Nothing of the file is believed but for the cluster and the faults: the same faults make the same
run, so each of its lines must come out again, and so must its end.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from itertools import zip_longest
from typing import Any, get_args

import msgspec

from samebeat_conformance.simulator.faults import Item
from samebeat_conformance.simulator.limits import LEAST_NODES, MOST_NODES
from samebeat_conformance.simulator.plans import plan_of
from samebeat_conformance.simulator.run import Result, from_items
from samebeat_conformance.simulator.trace import dumps
from samebeat_models.itf import TraceFileError

_FAULTS: dict[str, type[Item]] = {kind.__name__: kind for kind in get_args(Item)}
_META = "#meta"
_END = ("promise", "description", "steps", "settings", "varTypes", "digest")
"""What the top ``#meta`` says of a run that follows from its faults."""


@dataclass(frozen=True)
class Recorded:
    """A file, as far as it makes sense by itself."""

    source: str
    text: str
    meta: Mapping[str, Any]
    states: tuple[Mapping[str, Any], ...]
    items: tuple[Item, ...]


@dataclass(frozen=True)
class Again:
    """What came of making a run again.

    Attributes:
        result: the run as it is made here.
        steps: of the file: for each when it happens, in microseconds, and what it is.
        accepted: how many states, from the first on, are as the file says.
        refused: what the file says at the first that is not; empty: all are.
        line: its line in the file; 0: the file is laid out in another way.
        differences: what differs there, or in what the file says of the whole run.
    """

    result: Result
    steps: tuple[tuple[int, str], ...]
    accepted: int
    refused: str = ""
    line: int = 0
    differences: tuple[str, ...] = ()

    @property
    def is_same(self) -> bool:
        """Everything in the file has come out again."""
        return not self.refused and not self.differences


def is_run(text: str) -> bool:
    """Return whether a text is a run of cores, and not of a spec."""
    try:
        raw = json.loads(text)
    except (ValueError, RecursionError):
        return False
    meta = raw.get(_META) if isinstance(raw, dict) else None
    return isinstance(meta, dict) and meta.get("spec") == "" and "faults" in meta


def read(text: str, source: str) -> Recorded:
    """Read a run of cores.

    Raises:
        TraceFileError: a part is missing, or makes no sense; the message names it.
    """
    raw = json.loads(text)
    meta, states = raw[_META], raw.get("states")
    for name, kind in (("seed", int), ("nodes", int), ("faults", list), ("samebeat", str)):
        if not isinstance(meta.get(name), kind):
            raise TraceFileError(f"{source}: #meta: {name} is missing, or no {kind.__name__}")
    if not LEAST_NODES <= meta["nodes"] <= MOST_NODES:
        raise TraceFileError(f"{source}: #meta: nodes is none of {LEAST_NODES} to {MOST_NODES}")
    if not isinstance(states, list) or not states:
        raise TraceFileError(f"{source}: the trace has no states")
    for i, state in enumerate(states):
        own = state.get(_META) if isinstance(state, dict) else None
        if not isinstance(own, dict) or not {"at_us", "action"} <= set(own):
            raise TraceFileError(f"{source}: state {i}: it has no #meta with at_us and action")
    names = plan_of(meta["seed"], meta["nodes"]).setup.names
    items = tuple(_item(x, f"{source}: fault {i}", names) for i, x in enumerate(meta["faults"], 1))
    return Recorded(source, text, meta, tuple(states), items)


def _item(data: Any, where: str, names: tuple[str, ...]) -> Item:
    kind = _FAULTS.get(data.get("fault", "")) if isinstance(data, dict) else None
    if kind is None:
        raise TraceFileError(f"{where}: no fault is called so; there are {', '.join(_FAULTS)}")
    given = {k: v for k, v in data.items() if k != "fault"}
    if set(given) != {f.name for f in fields(kind)}:
        raise TraceFileError(f"{where}: a {kind.__name__} says other things of itself")
    try:
        item: Item = msgspec.convert(given, kind)
    except msgspec.ValidationError as error:
        raise TraceFileError(f"{where}: {error}") from None
    nodes = [given[k] for k in ("node", "source", "to") if k in given and isinstance(given[k], str)]
    unknown = [n for n in (*nodes, *given.get("sources", ()), *given.get("targets", ()))
               if n not in names]  # fmt: skip
    if unknown:
        raise TraceFileError(f"{where}: there is no node {unknown[0]} in this run")
    return item


def again(recorded: Recorded) -> Again:
    """Make a run again from its faults, and hold each line of the file against it."""
    meta = recorded.meta
    result = from_items(plan_of(meta["seed"], meta["nodes"]), recorded.items)
    made = json.loads(dumps(result))
    steps = tuple((s[_META]["at_us"], str(s[_META]["action"])) for s in recorded.states)
    for i, (theirs, ours) in enumerate(zip_longest(recorded.states, made["states"])):
        if theirs != ours:
            what = "the end of the file" if theirs is None else steps[i][1]
            differ = tuple(_differences(theirs, ours))
            return Again(result, steps, i, what, _line(recorded, i), differ)
    end = tuple(
        f"the file says {name} {_short(meta.get(name))}; the run has {_short(made[_META][name])}"
        for name in _END
        if meta.get(name) != made[_META][name]
    )
    return Again(result, steps, len(steps), differences=end)


def _differences(theirs: Mapping[str, Any] | None, ours: Mapping[str, Any] | None) -> Iterator[str]:
    if theirs is None:
        assert ours is not None, "they differ"
        yield f"the run goes on: {ours[_META]['action']}"
    elif ours is None:
        yield "the run has ended before"
    else:
        flat, made = _flat(theirs), _flat(ours)
        for name in dict.fromkeys((*made, *flat)):
            if flat.get(name) != made.get(name):
                said, does = _short(flat.get(name)), _short(made.get(name))
                yield f"{name} is {said} in the file; the run has {does}"


def _flat(state: Mapping[str, Any]) -> dict[str, Any]:
    """Return a state with what its ``#meta`` says first."""
    own = state[_META] if isinstance(state.get(_META), dict) else {}
    return {**own, **{k: v for k, v in state.items() if k != _META}}


def _short(value: Any, most: int = 120) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= most else f"{text[:most]} ..."


def _line(recorded: Recorded, index: int) -> int:
    """Return the line on which a state stands, if each has a line of its own; or else 0."""
    lines = recorded.text.splitlines()
    first = next((i for i, line in enumerate(lines) if line.strip() == '"states": ['), None)
    if first is None or index >= len(recorded.states):
        return 0
    try:
        stands_there = json.loads(lines[first + 1 + index].strip().rstrip(","))
    except (ValueError, IndexError):
        return 0
    return first + 2 + index if stands_there == recorded.states[index] else 0
