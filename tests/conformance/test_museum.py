"""The museum on cores: at which step each counterexample of the catalog is refused, and why.

The table `museum.txt` has a line for each: the model, the property, how many steps the cores take
of how many, the step that they refuse, and what the right spec, with what the cores have, says of
it. After a change of a spec, write it again, and read what is different::

    python -m tests.conformance.test_museum
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from samebeat_conformance.followed import FOLLOWED, CannotFollow, Followed, follow_trace
from samebeat_models.catalog import Model, Tier, load_catalog
from samebeat_models.explorer import explore
from samebeat_models.results import Trace
from samebeat_spec.language import Instance
from samebeat_spec.language.interpreter import Interpreter
from samebeat_spec.specs import load_spec

TABLE = Path(__file__).with_name("museum.txt")
NOT_FOLLOWED = ("acks", "composed", "limits", "pair", "retries", "timed_link", "transport")
TAKEN = {
    "without-state-transfer",  # the cores are not done there
    "domain-both-tighten-direction-aware",  # no step is wrong: the change stalls
    "direction-aware-both-tighten",
}
"""Models whose counterexamples cores take to their ends."""
COARSER = {
    "send-ack-without-nothing-else-open",
    "send-ack-without-same-epoch",
}
"""Here a core does not take a step of the right spec, before the one that is wrong."""
EARLIER = {"ack-before-rearming", "withdraw-without-failure"}
"""Here the core follows another rule, before the step whose guard is missing."""


def _museum(spec: str) -> list[Model]:
    tiers = (Tier.FAST, Tier.FULL) if spec == "cluster" else (Tier.FAST,)
    return [
        m
        for m in load_catalog()
        if m.spec == spec and m.violates and not m.live and m.tier in tiers
    ]


def _counterexamples(model: Model) -> Iterator[tuple[str, Trace]]:
    findings = explore(model.instance(load_spec(model.spec))).findings
    for found in findings:
        if found.property in model.violates and found.trace is not None:
            yield found.property, found.trace


def _line(name: str, prop: str, found: Followed) -> str:
    taken = f"{found.accepted} of {found.steps}"
    if not found.refused:
        return f"{name} | {prop} | {taken} | all are taken"
    reason = found.reason
    assert reason is not None
    said = [f"already {reason.since}"] if reason.since else []
    said += [f"core: {words}" for words in reason.instead]
    said += [f"not so: {why}" for why in reason.guards] + list(reason.parts)
    if reason.is_right:
        said = ["the right spec takes it"]
    return f"{name} | {prop} | {taken} | {found.refused} | {'; '.join(said)}"


def _followed(spec: str) -> Iterator[tuple[Model, Trace, Followed | str, str]]:
    """Yield each counterexample, what came of following it, and its line of the table."""
    for model in _museum(spec):
        for prop, trace in _counterexamples(model):
            try:
                found = follow_trace(trace, prop)
            except CannotFollow as error:
                words = str(error).removeprefix(model.name).lstrip(": ")
                yield model, trace, words, f"{model.name} | {prop} | turned away | {words}"
            else:
                yield model, trace, found, _line(model.name, prop, found)


def _first_wrong_step(trace: Trace) -> int | None:
    """Return the number of the first step that a guard which is missing there is against."""
    instance = trace.instance
    right = Instance("", load_spec(instance.spec.name), instance.sizes, instance.constants)
    judge = Interpreter(right)
    for i, step in enumerate(trace.steps):
        if judge.refusals(judge.spec.find_action(step.action), step.arguments, trace.states[i]):
            return i
    return None


@pytest.mark.slow
@pytest.mark.parametrize("spec", FOLLOWED)
def test_each_counterexample_is_refused_where_it_is_wrong_and_for_that_reason(spec: str) -> None:
    """Claims 1, 3 and 19 to 21, notes C1 to C8: what only a wrong protocol does, no core does."""
    names = {m.name for m in _museum(spec)}
    lines = []
    for model, trace, found, line in _followed(spec):
        lines.append(line)
        if isinstance(found, str):
            continue
        assert found.complete, line
        assert (model.name in TAKEN) == (not found.refused), line
        if not found.refused:
            continue
        assert found.reason is not None
        is_coarser = model.name in COARSER
        assert found.reason.is_right == is_coarser, line
        wrong = _first_wrong_step(trace)
        if wrong is not None and not is_coarser:
            assert (found.accepted < wrong) == (model.name in EARLIER), line
    pinned = [x for x in TABLE.read_text(encoding="utf-8").splitlines() if x]
    assert lines == [x for x in pinned if x.split(" | ")[0] in names]


@pytest.mark.parametrize("spec", NOT_FOLLOWED)
def test_a_spec_that_no_core_is_held_against_is_said_in_one_line(spec: str) -> None:
    model = next(m for m in load_catalog() if m.spec == spec and m.violates)
    instance = model.instance(load_spec(spec))
    start = Interpreter(instance).initial_states()[0]
    with pytest.raises(CannotFollow, match=f"no core can follow runs of {spec}") as error:
        follow_trace(Trace(instance, start, ()))
    assert "\n" not in str(error.value)


def test_each_spec_is_followed_or_turned_away() -> None:
    assert {m.spec for m in load_catalog()} == {*FOLLOWED, *NOT_FOLLOWED}


def write() -> None:
    """Write the table."""
    lines = [line for spec in FOLLOWED for *_, line in _followed(spec)]
    TABLE.write_text("\n".join([*lines, ""]), encoding="utf-8")


if __name__ == "__main__":
    write()
