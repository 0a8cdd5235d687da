"""A run as an ITF file: what the cores hold after each input that changes something of it.

The faults of the run stand in `#meta`, so that the run can be made again from the file alone, and
a digest of all that happens in it. `again` does that, and holds each line against the run.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from samebeat.ids import ChangeId, View
from samebeat.parameters import NAMES, Settings
from samebeat_conformance.simulator.cluster import Cluster, Observer
from samebeat_conformance.simulator.faults import Item
from samebeat_conformance.simulator.run import Result, from_items
from samebeat_models.itf import ACTION_TAKEN, FORMAT_DESCRIPTION, INITIAL, NONDET_PICKS
from samebeat_models.version import samebeat_version

VARIABLES = {
    "up": "Set(Str)",
    "epoch": "Str -> Int",
    "settings": "Str -> Str",
    "installed": "Str -> Str",
    "view": "Str -> Str",
    "promised": "Str -> Str",
    "open": "Set(<<Str, Str, Str, Str>>)",
    "undone": "Set(<<Str, Str>>)",
}
"""What is written of each state; `open` has node, change, phase and vote."""
Held = dict[str, Any]


@dataclass(frozen=True)
class Moment:
    """What the cores hold after an input, in words, by a node."""

    at_us: int
    node: str
    what: str
    held: Held


class Recorder(Observer):
    """Keeps what the cores hold each time that it has changed."""

    def __init__(self) -> None:
        self.moments: list[Moment] = []
        self._settings: dict[Settings, str] = {}
        self._changes: dict[ChangeId, str] = {}

    def asked(self, cluster: Cluster, node: str, change: ChangeId, settings: Settings) -> None:
        """Name a change in the order in which they are asked for."""
        self._changes.setdefault(change, f"c{len(self._changes) + 1}")

    def settled(self, cluster: Cluster, node: str, what: str) -> None:
        """Note what has changed."""
        held = self._held(cluster)
        if not self.moments or self.moments[-1].held != held:
            self.moments.append(Moment(cluster.now_us, node, what, held))

    def _held(self, cluster: Cluster) -> Held:
        nodes = {n: m.node for n, m in cluster.machines.items() if m.node is not None}
        journals = {n: node.journal for n, node in nodes.items()}
        return {
            "up": _set(nodes),
            "epoch": _map({n: {"#bigint": str(j.epoch)} for n, j in journals.items()}),
            "settings": _map({n: self._name(j.settings) for n, j in journals.items()}),
            "installed": _map(
                {n: self._name(m.installed) for n, m in cluster.machines.items() if m.installed}
            ),
            "view": _map({n: _view(node.view) for n, node in nodes.items()}),
            "promised": _map({n: _view(j.promise.view) for n, j in journals.items()}),
            "open": _set(
                _tuple(n, self._change(o.id), o.phase.name, _vote(o.ballot))
                for n, j in journals.items()
                for o in j.opens
            ),
            "undone": _set(
                _tuple(n, f"{m.initiator} up to {m.boot}.{m.sequence}")
                for n, j in journals.items()
                for m in j.undone
            ),
        }

    def _name(self, settings: Settings) -> str:
        return self._settings.setdefault(settings, f"v{len(self._settings) + 1}")

    def _change(self, change: ChangeId) -> str:
        return self._changes.get(change, "unknown")

    def meaning(self) -> dict[str, dict[str, Any]]:
        """Return what the names of settings stand for."""
        return {
            name: {p: getattr(s, p) for p in NAMES if getattr(s, p) != getattr(Settings(), p)}
            for s, name in self._settings.items()
        }


def _set(values: Any) -> dict[str, Any]:
    return {"#set": list(values)}


def _map(values: dict[str, Any]) -> dict[str, Any]:
    return {"#map": [[k, v] for k, v in values.items()]}


def _tuple(*values: str) -> dict[str, Any]:
    return {"#tup": list(values)}


def _view(view: View) -> str:
    return f"{view.id.number} of {view.id.proposer}: {' '.join(view.members)}"


def _vote(ballot: Any) -> str:
    if ballot is None:
        return "no vote"
    return f"{'commit' if ballot.commit else 'undo'} in {ballot.view.number} {ballot.view.proposer}"


def item_data(item: Item) -> dict[str, Any]:
    """Return a fault as plain data."""
    return {"fault": type(item).__name__, **asdict(item)}


def recorded(result: Result) -> tuple[Result, list[Moment], Recorder]:
    """Run a result again, and return it with what the cores hold on the way."""
    recorder = Recorder()
    again = from_items(result.plan, result.items, (recorder,))
    assert again.digest == result.digest, "the same faults make the same run"
    return again, recorder.moments, recorder


def dumps(result: Result) -> str:
    """Return a run as the text of an ITF file; equal runs give equal bytes."""
    again, moments, recorder = recorded(result)
    meta = {
        "format": "ITF",
        "format-description": FORMAT_DESCRIPTION,
        "description": again.text or "a run that breaks no promise",
        "varTypes": VARIABLES,
        "spec": "",
        "promise": again.promise,
        "seed": again.plan.seed,
        "nodes": len(again.plan.setup.names),
        "faults": [item_data(i) for i in again.items],
        "settings": recorder.meaning(),
        "steps": len(moments) - 1,
        "digest": again.digest,
        "samebeat": samebeat_version(),
    }
    head = {"#meta": meta, "params": [], "vars": [*VARIABLES, ACTION_TAKEN, NONDET_PICKS]}
    rows = ",\n".join(f"    {_dump(_state(i, m))}" for i, m in enumerate(moments))
    top = ",\n".join(f"  {_dump(key)}: {_dump(value)}" for key, value in head.items())
    return f'{{\n{top},\n  "states": [\n{rows}\n  ]\n}}\n'


def _state(index: int, moment: Moment) -> dict[str, Any]:
    meta = {"index": index, "action": moment.what, "actor": moment.node, "at_us": moment.at_us}
    taken = moment.what if index else INITIAL
    return {"#meta": meta, **moment.held, ACTION_TAKEN: taken, NONDET_PICKS: {}}


def _dump(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def story(result: Result, most: int = 40) -> list[str]:
    """Return a run in lines: its faults, then who did what that changed something."""
    again, moments, _ = recorded(result)
    lines = [f"fault: {_words(item)}" for item in again.items]
    shown: Sequence[Moment] = moments[-most:]
    if len(moments) > most:
        lines.append(f"... {len(moments) - most} earlier steps: add --out-itf DIR")
    return [*lines, *(f"{m.at_us / 1_000_000:10.3f} s  {m.what}" for m in shown)]


def _words(item: Item) -> str:
    given = ", ".join(f"{k} {_plain(v)}" for k, v in asdict(item).items())
    return f"{type(item).__name__}: {given}"


def _plain(value: object) -> str:
    return str(getattr(value, "value", value))
