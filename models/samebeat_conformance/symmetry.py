"""Members are alike: a cluster whose members change names is the same cluster.

So of product states that differ in nothing but names one is explored: the least of its images.

A core compares names only to order things: members of a view, and view ids of the same number. The
first is put in order again here. Where two views have the same number, and where there are several
changes, nothing is renamed, so that no order is ever turned round.

What is renamed goes through the codec, so that a datagram stays a datagram.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from enum import Enum
from itertools import permutations
from typing import Any

import msgspec

from samebeat import codec
from samebeat.ids import ViewId
from samebeat.journal import Mark
from samebeat.node import Node
from samebeat.parameters import Settings
from samebeat.state import State, frozen
from samebeat_conformance.concrete import Local, Nodes
from samebeat_conformance.network import Network


class Renaming:
    """Gives each member the name of another one."""

    def __init__(self, names: Mapping[str, str]) -> None:
        self.names = names
        self._datagrams: dict[bytes, bytes] = {}
        self._structs: dict[msgspec.Struct, Any] = {}

    def of(self, thing: Any) -> Any:
        """Return a value with all names in it changed.

        Raises:
            TypeError: it has a part of a kind that is not known here.
        """
        if thing is None or isinstance(thing, Enum | int):
            return thing
        if isinstance(thing, str):
            return self.names.get(thing, thing)
        if isinstance(thing, bytes):
            return self._datagram(thing)
        if isinstance(thing, Node):
            return self._node(thing)
        if isinstance(thing, Settings) or (isinstance(thing, ViewId) and not thing.number):
            return thing  # the first view was proposed by nobody
        if isinstance(thing, msgspec.Struct):
            return self._struct(thing)
        if is_dataclass(thing) and not isinstance(thing, type):
            parts = {f.name: self.of(getattr(thing, f.name)) for f in fields(thing)}
            return replace(thing, **parts)
        if isinstance(thing, Mapping):
            return frozen({self.of(k): self.of(v) for k, v in thing.items()})
        if isinstance(thing, frozenset):
            return frozenset(self.of(part) for part in thing)
        if isinstance(thing, tuple):
            return self._tuple(tuple(self.of(part) for part in thing))
        raise TypeError(f"nobody knows how to rename in a {type(thing).__name__}")

    def _struct(self, thing: msgspec.Struct) -> Any:
        """Structs are met again and again."""
        if thing not in self._structs:
            parts = {f: self.of(getattr(thing, f)) for f in thing.__struct_fields__}
            self._structs[thing] = type(thing)(**parts)
        return self._structs[thing]

    def _tuple(self, parts: tuple[Any, ...]) -> tuple[Any, ...]:
        """Members stand in order of their names, and marks in that of their initiators."""
        if all(isinstance(p, str) and p in self.names for p in parts):
            return tuple(sorted(parts))
        if all(isinstance(p, Mark) for p in parts):
            return tuple(sorted(parts, key=lambda m: m.initiator))
        return parts

    def _datagram(self, data: bytes) -> bytes:
        if data not in self._datagrams:
            self._datagrams[data] = codec.encode(self.of(codec.decode(data)))
        return self._datagrams[data]

    def _node(self, node: Node) -> Node:
        assert not node._waiting, "between two inputs nothing waits"
        assert not node._events, "between two inputs nothing waits"
        other = node.copy()
        other._state = self._state(node._state)
        other._handed_out = self.of(node._handed_out)
        return other

    def _state(self, s: State) -> State:
        """Return a node's state renamed; its configuration changes only in who it is."""
        other = s.copy()
        for f in fields(State):
            if f.name != "config":
                setattr(other, f.name, self.of(getattr(s, f.name)))
        other.config = replace(s.config, me=self.of(s.config.me))
        return other


class Symmetry:
    """All ways to rename the members of one exploration, each by its number; 0 renames nobody."""

    def __init__(self, names: list[str], nodes: Nodes, network: Network) -> None:
        self.names = names
        self.nodes = nodes
        self.network = network
        self.orders = list(permutations(range(len(names))))
        """for each renaming the place to which each member moves"""
        self._numbers = {order: r for r, order in enumerate(self.orders)}
        self._renamings = [
            Renaming({n: names[i] for n, i in zip(names, order, strict=True)})
            for order in self.orders
        ]
        self._kinds: dict[str, int] = {}
        self._kind_of: dict[int, int] = {}
        self._sorting: dict[tuple[int, ...], tuple[int, ...]] = {}
        self._locals: list[dict[int, int]] = [{} for _ in self.orders]
        self._bits: list[dict[int, int]] = [{} for _ in self.orders]

    def sorting(self, locals_: tuple[int, ...]) -> tuple[int, ...]:
        """Return the renamings after which members of one kind follow those of another.

        The kind of a local state has no name in it. So all images of a cluster have the same kinds,
        and of each of them the same images are in that order.
        """
        kinds = tuple(self._kind(number) for number in locals_)
        if kinds not in self._sorting:
            images = [sorted(zip(order, kinds, strict=True)) for order in self.orders]
            self._sorting[kinds] = tuple(
                r for r, image in enumerate(images) if [k for _, k in image] == sorted(kinds)
            )
        return self._sorting[kinds]

    def _kind(self, number: int) -> int:
        if number not in self._kind_of:
            kind = _without_names(self.nodes.locals[number])
            self._kind_of[number] = self._kinds.setdefault(kind, len(self._kinds))
        return self._kind_of[number]

    def of(self, r: int, thing: Any) -> Any:
        """Return a value renamed."""
        return self._renamings[r].of(thing)

    def locals_of(self, r: int, locals_: tuple[int, ...]) -> tuple[int, ...]:
        """Return the numbers of the local states of a cluster that is renamed."""
        images, known = [0] * len(locals_), self._locals[r]
        for place, number in zip(self.orders[r], locals_, strict=True):
            if number not in known:
                known[number] = self.nodes.number(self.of(r, self.nodes.locals[number]))
            images[place] = known[number]
        return tuple(images)

    def network_of(self, r: int, bits: int) -> int:
        """Return what was sent in a cluster that is renamed."""
        known = self._bits[r]
        if bits not in known:
            image = 0
            for datagram in self.network.of(bits):
                image |= self.network.bit(self.of(r, datagram))
            known[bits] = image
        return known[bits]

    def after(self, first: int, second: int) -> int:
        """Return the renaming that is `first` and then `second`."""
        order = self.orders[second]
        return self._numbers[tuple(order[place] for place in self.orders[first])]

    def back(self, r: int) -> int:
        """Return the renaming that takes one back."""
        order = self.orders[r]
        return self._numbers[tuple(order.index(place) for place in range(len(order)))]


def _without_names(local: Local) -> str:
    """Return some of what tells a local state from others, and no name."""
    a, s = local.account, local.node._state
    return repr(
        (
            (a.up, a.out, a.late, a.epoch, a.view.number, a.value.heartbeat_interval),
            sorted(phase for _, phase in a.phases),
            sorted(kind for kind, _ in a.sent),
            sorted((view.number, commit) for _, view, commit in a.votes),
            (len(a.requests), sorted(view.id.number for view, _ in a.reports)),
            (len(local.leaving), local.applied is None),
            None if s.operation is None else s.operation.purpose.name,
            sorted((len(h.acks), len(h.oks), len(h.ballots)) for h in s.heard.values()),
            (s.journal.promise.view.id.number, len(s.reports)),
        )
    )
