"""One listed channel, explored and judged: what ``samebeat conform`` reports of it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from typing import Any

from samebeat_conformance.layer.instances import Listed
from samebeat_conformance.layer.noise import make_noise
from samebeat_conformance.layer.product import Found, Product, Run
from samebeat_conformance.layer.steps import Steps
from samebeat_conformance.noise import Noise
from samebeat_conformance.reasons import NEVER
from samebeat_conformance.run import Outcome, nothing
from samebeat_models.itf import FORMAT_DESCRIPTION, encode_variable, type_of_variable
from samebeat_models.version import samebeat_version

DIVERGES = "which is no step of the spec:"
LEFT_OUT = (
    "messages: more of them, and more members than the one that a channel has",
    "messages: time; retry timers run out whenever the explorer likes, and W when it may",
    "messages: streams that start, since both ends know each other's boot",
    "messages: a change begins when the one before it is over at both ends",
)
PRODUCTION, STEPWISE = "production", "stepwise"
"""The channel as it is, and the same one that takes one step at a time."""


def conform(
    listed: Listed,
    most_pairs: int = 2_000_000,
    watch: Callable[[int, int], None] = nothing,
) -> Outcome:
    """Explore a listed channel in both grains, disturb it, and judge what came of it.

    Each input of either must be steps of the spec, or nothing; and each step must be one of either.
    """
    spec = Steps(listed.instance)
    covered, all_found, noise = bytearray(spec.edges), Found(), Noise()
    for grain in (PRODUCTION, STEPWISE):
        product = Product(listed, most_pairs, watch, stepwise=grain == STEPWISE, spec=spec)
        found = product.run()
        if found.run is not None:
            words = (*found.run.words, DIVERGES, *_changed(product, found.run))
            itf = _itf(product, found.run)
            return Outcome(listed, found, noise, Counter(), LEFT_OUT, words, itf)
        all_found.add(grain, found)
        covered = bytearray(a | b for a, b in zip(covered, spec.covered, strict=True))
        make_noise(product, noise)
    spec.covered = covered
    all_found.edges_covered = sum(covered)
    uncovered = Counter((step.action, NEVER) for step in spec.uncovered())
    return Outcome(listed, all_found, noise, uncovered, LEFT_OUT)


def _changed(product: Product, run: Run) -> list[str]:
    instance = product.mapping.instance
    return [
        f"{instance.cell_label(i)}: {instance.value_label(i, a)} -> {instance.value_label(i, b)}"
        for i, (a, b) in enumerate(zip(*run.states[-2:], strict=True))
        if a != b
    ]


def _itf(product: Product, run: Run) -> str:
    """Return a divergence as the text of an ITF file: the last state is none of the spec's."""
    instance = product.mapping.instance
    variables = instance.spec.variables
    types = {v.name: type_of_variable(v) for v in variables}
    states: list[dict[str, Any]] = [
        {
            "#meta": {"index": index},
            **{v.name: encode_variable(instance, v, state) for v in variables},
            "input": words,
        }
        for index, (state, words) in enumerate(zip(run.states, ("", *run.words), strict=True))
    ]
    states[-1]["#meta"]["not_a_step"] = _changed(product, run)
    head = {
        "#meta": {
            "format": "ITF",
            "format-description": FORMAT_DESCRIPTION,
            "description": "A run of a channel whose last step is no step of the spec.",
            "varTypes": {**types, "input": "Str"},
            "spec": instance.spec.name,
            "instance": instance.name,
            "samebeat": samebeat_version(),
        },
        "vars": [*types, "input"],
        "states": states,
    }
    return json.dumps(head, indent=1, ensure_ascii=False) + "\n"
