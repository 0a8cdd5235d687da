"""Fair loops in a labelled graph: where a run can stay for ever and be fair all the same.

Each label may be weakly or strongly fair. In every state a run may also wait. A state offers a
label if an edge with it leads out, wherever to; a label is taken by going along such an edge, or
along another one between the same two states.

A part that owes something to a weak label has no fair run at all, and one that owes something to a
strong label only without the states that offer it: that is looked at anew (the emptiness test of
Streett automata).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from samebeat_models.liveness.labelled import Labelled
from samebeat_models.liveness.parts import debts, parts_of, without_what_is_owed
from samebeat_models.liveness.tour import tour
from samebeat_models.liveness.walk import Walk, shortest_way, walk_from
from samebeat_models.runs import Bools


@dataclass(frozen=True)
class Lasso:
    """An infinite run: edges of the way into a loop, and of the loop.

    ``first`` is the state that it begins in; a loop without edges is one in which nothing happens.
    """

    first: int
    way: tuple[int, ...]
    loop: tuple[int, ...]


def fair_lasso(graph: Labelled, begin: Bools, inside: Bools) -> Lasso | None:
    """Return a fair run that from a state of ``begin`` on never leaves ``inside``, if there is one.

    ``begin`` lies inside. A run in which nothing happens any more is preferred, and then one with
    a shortest way to its loop.
    """
    if not begin.any():
        return None
    walk = walk_from(graph, np.flatnonzero(begin), inside)
    found = walk.found
    still = found & ~graph.offering(np.flatnonzero(found))
    if still.any():
        return _lasso(graph, walk, walk.nearest(still), ())
    nearest = _nearest_part(graph, walk)
    if nearest is None:
        return None
    entry, part = nearest
    return _lasso(graph, walk, entry, tour(graph, part, entry))


def _nearest_part(graph: Labelled, walk: Walk) -> tuple[int, Bools] | None:
    """Return the nearest state of all in which a fair run can stay, and the part it stays in."""
    best: tuple[int, Bools] | None = None
    left = walk.found
    while left.any():
        parts = parts_of(graph, left)  # waiting alone was looked at before
        owed = debts(graph, parts)
        good = parts.states_of(~owed.weak & ~owed.strong)
        if good.any():
            entry = walk.nearest(good)
            if best is None or walk.distance[entry] < walk.distance[best[0]]:
                best = entry, parts.of == parts.of[entry]
        left = without_what_is_owed(graph, parts, owed)
        if best is not None and not (left & (walk.distance < walk.distance[best[0]])).any():
            break
    return best


def _lasso(graph: Labelled, walk: Walk, entry: int, loop: tuple[int, ...]) -> Lasso:
    """Return the run by a shortest way to ``entry``, and round the loop from there."""
    own = walk.way(entry)
    begun = graph.source(own[0]) if own else entry
    anywhere = np.ones(graph.states, np.bool_)
    way = (*shortest_way(graph, graph.initial, begun, anywhere), *own)
    return Lasso(graph.source(way[0]) if way else entry, way, loop)
