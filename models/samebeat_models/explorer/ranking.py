"""Ranking: a proof that no run goes on for ever, from the ground actions alone.

If some variables can be put in an order such that every step that changes the state moves the
first of them that it changes forwards (or every such step moves it backwards), then the graph has
no cycle: along a run the tuple of their sums only grows. Every run then ends in a state without a
step, and "a goal stays within reach" is the same as "every such last state is at the goal".
The search is greedy and complete for ranks of this shape; finding none proves nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

from samebeat_models.explorer.formulas import FALSE, Ground
from samebeat_models.explorer.grounding import GroundAction, Grounding


def every_run_ends(grounding: Grounding, actions: Sequence[GroundAction]) -> bool:
    """Return whether a rank exists; False says only that none of this shape was found."""
    f = grounding.formulas
    # For each action, where it changes something and no chosen variable yet.
    unranked = {i: f.all_of((a.guard, a.changes)) for i, a in enumerate(actions)}
    unranked = {i: where for i, where in unranked.items() if where is not FALSE}
    variables = [v.name for v in grounding.instance.spec.variables]
    while unranked and variables:
        chosen = next((v for v in variables if _one_way(grounding, actions, unranked, v)), None)
        if chosen is None:
            return False
        variables.remove(chosen)
        for i, where in list(unranked.items()):
            unranked[i] = f.all_of((where, _stays(grounding, actions[i], chosen)))
            if unranked[i] is FALSE:
                del unranked[i]
    return not unranked


def _one_way(
    grounding: Grounding, actions: Sequence[GroundAction], unranked: dict[int, Ground], name: str
) -> bool:
    """Return whether all unranked steps move a variable in one direction, if they move it."""
    directions = [True, False]  # may all moves be forwards? backwards?
    moved = False
    for i, where in unranked.items():
        for cell in _cells(grounding, actions[i], name):
            for forwards in (True, False):
                if _moves(grounding, actions[i], where, cell, forwards):
                    moved = True
                    directions[0 if not forwards else 1] = False
    return moved and any(directions)


def _cells(grounding: Grounding, action: GroundAction, name: str) -> list[int]:
    cells = grounding.instance.cells
    return [cell for cell in action.effects if cells[cell].variable.name == name]


def _moves(
    grounding: Grounding, action: GroundAction, where: Ground, cell: int, forwards: bool
) -> bool:
    """Return whether a step can move a cell in the given direction."""
    f = grounding.formulas
    old = grounding.cell_cases(cell)
    return any(
        f.all_of((where, new_if, old_if)) is not FALSE
        for new, new_if in action.effects[cell].items()
        for before, old_if in old.items()
        if (new > before if forwards else new < before)
    )


def _stays(grounding: Grounding, action: GroundAction, name: str) -> Ground:
    return grounding.formulas.all_of(
        grounding.equal(action.effects[cell], grounding.cell_cases(cell))
        for cell in _cells(grounding, action, name)
    )
