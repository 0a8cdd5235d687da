"""A run that ends in a divergence, as people and other tools read it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from samebeat_models.itf import FORMAT_DESCRIPTION, encode_variable, type_of_variable
from samebeat_models.version import samebeat_version
from samebeat_spec.language import Instance
from samebeat_spec.language.instance import StateTuple


@dataclass(frozen=True)
class Shown:
    """What is shown beside the variables of the spec.

    Attributes:
        type: its type, in the words of ITF.
        values: its value in each state.
    """

    type: str
    values: Sequence[Any]


def changed_cells(instance: Instance, here: StateTuple, there: StateTuple) -> list[str]:
    """Return in words which cells differ between two states, and how."""
    return [
        f"{instance.cell_label(i)}: {instance.value_label(i, a)} -> {instance.value_label(i, b)}"
        for i, (a, b) in enumerate(zip(here, there, strict=True))
        if a != b
    ]


def itf_text(
    instance: Instance,
    states: Sequence[StateTuple],
    beside: Mapping[str, Shown],
    description: str,
    not_a_step: Sequence[str],
) -> str:
    """Return the text of an ITF file; why the last state is no step from the one before is in it.

    Args:
        instance: whose states these are.
        states: from the first one on.
        beside: what else is shown, by name.
        description: what kind of run this is, as a sentence.
        not_a_step: why the last step is none, in words.
    """
    variables = instance.spec.variables
    types = {v.name: type_of_variable(v) for v in variables}
    types |= {name: shown.type for name, shown in beside.items()}
    written: list[dict[str, Any]] = [
        {
            "#meta": {"index": index},
            **{v.name: encode_variable(instance, v, state) for v in variables},
            **{name: shown.values[index] for name, shown in beside.items()},
        }
        for index, state in enumerate(states)
    ]
    written[-1]["#meta"]["not_a_step"] = list(not_a_step)
    head = {
        "#meta": {
            "format": "ITF",
            "format-description": FORMAT_DESCRIPTION,
            "description": description,
            "varTypes": types,
            "spec": instance.spec.name,
            "instance": instance.name,
            "samebeat": samebeat_version(),
        },
        "vars": list(types),
        "states": written,
    }
    return json.dumps(head, indent=1, ensure_ascii=False) + "\n"
