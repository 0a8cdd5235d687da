"""Replay: a recorded run, step by step against the spec.

The interpreter is the judge. A run is refused at the first step that the spec does not allow;
the refusal says which guards are against it, what was enabled instead, or what differs.

On a model with other constants or sizes the *steps* are followed: actions and arguments by name.
There too the first step counts that is refused, or that has another effect: the two part ways.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from samebeat_models.catalog import Model
from samebeat_models.elsewhere import Elsewhere, differences
from samebeat_models.itf import ItfTrace, TraceFileError, decode
from samebeat_models.liveness.lasso import why_not_broken
from samebeat_models.refinement.naive import breaking, broken_by
from samebeat_models.render import Change, changes, step_label
from samebeat_models.results import DEADLOCK_FREE, Step, Trace
from samebeat_spec.language import InstanceError, Property, Spec, StateError
from samebeat_spec.language.instance import StateTuple
from samebeat_spec.language.interpreter import Interpreter, Refused


@dataclass(frozen=True)
class Refusal:
    """The first step that the spec does not allow.

    Args:
        step: its number; 0 is the initial state.
        label: the action with its arguments.
        reasons: what the refusing guards ask for; empty if all hold.
        differences: cells that the step sets otherwise, as the spec says -> as recorded.
        enabled: the steps that were enabled and change something.
        parts: the step is allowed, but has another effect on this other model.
    """

    step: int
    label: str
    reasons: tuple[str, ...] = ()
    differences: tuple[Change, ...] = ()
    enabled: tuple[str, ...] = ()
    parts: bool = False

    def __str__(self) -> str:
        if self.parts:
            here = ", ".join(f"{c.cell} is {c.old}, not {c.new}" for c in self.differences)
            return f"step {self.step}, {self.label}, does something else: {here}"
        where = f"step {self.step}, {self.label}, is refused" if self.step else "it cannot start"
        if self.reasons:
            return f"{where}: not so: {'; '.join(self.reasons)}"
        cells = ", ".join(f"{c.cell} is {c.new}, not {c.old}" for c in self.differences)
        return f"{where}: {cells or 'the recorded state is no initial state'}"


@dataclass(frozen=True)
class ReplayResult:
    """What came of a replay.

    ``accepted`` counts the steps before the refusal, or all of them. ``broken`` says for each
    invariant, step property and refinement that fails on the way after which step it first does; a
    run that is accepted and ends in a deadlock says that too. Of a run that goes on for ever,
    ``for_ever`` says for each promise about such runs why it is not broken, "" if it is.
    ``instead`` has the constants and sizes that are other ones than where the run was recorded.
    """

    trace: Trace
    accepted: int
    refusal: Refusal | None = None
    broken: dict[str, int] = field(default_factory=dict)
    for_ever: dict[str, str] = field(default_factory=dict)
    instead: tuple[Change, ...] = ()


def replay(trace_file: ItfTrace, model: Model, spec: Spec, elsewhere: bool = True) -> ReplayResult:
    """Replay a trace file on a model, which may be another one than it was recorded on.

    Args:
        trace_file: the run.
        model: the model to replay it on.
        spec: the model's spec as written, no guard taken out.
        elsewhere: the model may have other constants and sizes.

    Raises:
        TraceFileError: the file does not fit the model (see ``itf.decode``), or a step is about
            an element that the model does not have.
    """
    there = trace_file.meta.recorded_on()
    if elsewhere and trace_file.meta.fingerprint == spec.fingerprint:
        try:
            instead = differences(there.instance(spec), model.instance(spec))
        except InstanceError as error:
            raise TraceFileError(f"{trace_file.source}: #meta: {error}") from None
        if instead:
            return _replay_elsewhere(trace_file, model, spec, instead)
    trace = decode(trace_file, model, spec)
    return replay_trace(trace, trace_file.loop, model.refines, model.live)


def replay_trace(
    trace: Trace,
    loop: int | None = None,
    refines: Sequence[str] = (),
    live: Sequence[str] = (),
) -> ReplayResult:
    """Replay a run.

    Args:
        trace: the run.
        loop: the index of the state that the last one must lead back to.
        refines: the refinements to look at on the way.
        live: the promises about infinite runs to hold it against, if it is one.
    """
    judge = Interpreter(trace.instance)
    broken: dict[str, int] = {}
    if trace.initial not in judge.initial_states():
        return ReplayResult(trace, 0, _refused_start(judge, trace))
    _note_broken(judge, broken, 0, trace.initial, None)
    states = trace.states
    for number, step in enumerate(trace.steps, 1):
        refusal = _refusal(judge, number, step, states[number - 1])
        if refusal:
            return ReplayResult(trace, number - 1, refusal, broken)
        _note_broken(judge, broken, number, step.state, states[number - 1])
    broken.update(_broken_refinements(trace, refines))
    if _is_deadlock(judge, states[-1]):
        broken[DEADLOCK_FREE] = len(trace.steps)
    refusal = None if loop is None else _refused_loop(judge, trace, loop)
    for_ever: dict[str, str] = {}
    if loop is not None and refusal is None:
        run = replace(trace, loop=loop)
        promises = {name: judge.spec.find_liveness(name) for name in live}
        for_ever = {name: why_not_broken(run, promise) for name, promise in promises.items()}
    return ReplayResult(trace, len(trace.steps), refusal, broken, for_ever)


def _replay_elsewhere(
    trace_file: ItfTrace, model: Model, spec: Spec, instead: tuple[Change, ...]
) -> ReplayResult:
    """Follow the steps of a run on a model with other constants or sizes."""
    trace = decode(trace_file, trace_file.meta.recorded_on(), spec)
    own = replay_trace(trace, trace_file.loop)
    if own.refusal is not None:
        raise TraceFileError(
            f"{trace_file.source}: not a run of {trace.instance.name}: {own.refusal}"
        )
    bridge = Elsewhere(trace.instance, model.instance(spec))
    judge = Interpreter(bridge.here)
    starts = [s for s in judge.initial_states() if not bridge.changes(s, trace.initial)]
    if not starts:
        nearest = min((bridge.changes(s, trace.initial) for s in judge.initial_states()), key=len)
        refusal = Refusal(0, "init", differences=nearest)
        return ReplayResult(trace, 0, refusal, instead=instead)
    found = (_follow(bridge, judge, trace, start, trace_file.source) for start in starts)
    run, parting = max(found, key=lambda f: len(f[0].steps))
    loop = None if parting else trace_file.loop
    result = replay_trace(run, loop, model.refines, () if parting else model.live)
    if parting:
        result.broken.pop(DEADLOCK_FREE, None)
    return replace(result, trace=trace, refusal=parting or result.refusal, instead=instead)


def _follow(
    bridge: Elsewhere, judge: Interpreter, trace: Trace, start: StateTuple, source: str
) -> tuple[Trace, Refusal | None]:
    """Take the steps of a run recorded elsewhere, as far as they go; return why no further."""
    run = Trace(judge.instance, start, ())
    for number, step in enumerate(trace.steps, 1):
        action, state = judge.spec.find_action(step.action), run.states[-1]
        label = step_label(trace.instance, step.action, step.arguments)
        try:
            arguments = bridge.arguments(step)
            after = judge.step(action, arguments, state)
            bridge.check_effect(trace.states[number - 1], step.state)
        except InstanceError as error:
            raise TraceFileError(f"{source}: step {number}, {label}: {error}") from None
        except (Refused, StateError) as error:
            refusing = error.guards if isinstance(error, Refused) else []
            reasons = tuple(g.why for g in refusing) or (str(error),)
            return run, Refusal(number, label, reasons, enabled=_enabled(judge, state))
        others = bridge.changes(after, step.state)
        if others:
            return run, Refusal(number, label, differences=others, parts=True)
        run = replace(run, steps=(*run.steps, Step(step.action, arguments, after)))
    return replace(run, loop=trace.loop), None


def contradiction(trace_file: ItfTrace, model: Model, result: ReplayResult) -> str:
    """Return how the run is not what its file says that it is, or an empty text.

    A file says how many steps it has, and which property fails after them. The latter is looked
    at on the model that the run was recorded on, for an invariant or a step property.
    """
    meta, steps = trace_file.meta, result.trace.steps
    if meta.steps != len(steps):
        return f"the file says that it has {_steps(meta.steps)}; it has {_steps(len(steps))}"
    same = (model.name, model.without, model.unfair) == (meta.model, meta.without, meta.unfair)
    if result.refusal or result.instead or not same:
        return ""
    judge = Interpreter(result.trace.instance)
    after = _steps(meta.steps)
    for refinement in judge.spec.refinements:
        if refinement.name == meta.property and broken_by(result.trace, refinement) is None:
            return f"the file says that {refinement.name} is violated after {after}; it is not"
    for promise in judge.spec.liveness:
        why = why_not_broken(result.trace, promise) if promise.name == meta.property else ""
        if why:
            return f"the file says that {promise.name} is violated; it is not: {why}"
    for prop in judge.spec.properties:
        if prop.name == meta.property and _holds_at_the_end(judge, prop, result.trace):
            return f"the file says that {prop.name} is violated after {after}; it is not"
    return ""


def _steps(count: int) -> str:
    return f"{count} step{'' if count == 1 else 's'}"


def _holds_at_the_end(judge: Interpreter, prop: Property, trace: Trace) -> bool:
    """Return whether an invariant holds in the last state, or a step property in the last step."""
    if prop.kind == "invariant":
        return judge.holds(prop, trace.states[-1])
    if prop.kind == "step":
        return not trace.steps or judge.holds(prop, *trace.states[-2:])
    return False


def _refusal(judge: Interpreter, number: int, step: Step, before: StateTuple) -> Refusal | None:
    """Return why a step is not one of the spec's, or None."""
    instance = judge.instance
    action = instance.spec.find_action(step.action)
    label = step_label(instance, step.action, step.arguments)
    try:
        refusing = judge.refusals(action, step.arguments, before)
        if not refusing:
            after = judge.step(action, step.arguments, before)
            if after == step.state:
                return None
            return Refusal(number, label, differences=changes(instance, after, step.state))
        reasons = tuple(g.why for g in refusing)
    except StateError as error:
        reasons = (str(error),)
    return Refusal(number, label, reasons=reasons, enabled=_enabled(judge, before))


def _enabled(judge: Interpreter, state: StateTuple) -> tuple[str, ...]:
    found: list[str] = []
    for action in judge.spec.actions:
        for arguments in judge.instance.choices(action.parameters):
            try:
                moves = judge.step(action, arguments, state) != state
            except (Refused, StateError):
                continue
            if moves:
                found.append(step_label(judge.instance, action.name, arguments))
    return tuple(found)


def _is_deadlock(judge: Interpreter, state: StateTuple) -> bool:
    """Return whether nothing can change here and no terminal definition intends that."""
    intended = any(judge.holds(p, state) for p in judge.spec.of_kind("terminal"))
    return not intended and not _enabled(judge, state)


def _refused_start(judge: Interpreter, trace: Trace) -> Refusal:
    """Say how the first state differs from the initial state that comes closest."""
    instance = trace.instance
    nearest = min(
        (changes(instance, state, trace.initial) for state in judge.initial_states()),
        key=len,
        default=(),
    )
    return Refusal(0, "init", differences=nearest)


def _refused_loop(judge: Interpreter, trace: Trace, loop: int) -> Refusal | None:
    last, back = trace.states[-1], trace.states[loop]
    if last == back or any(after == back for _, _, after in judge.successors(last)):
        return None
    reason = f"a step leads from the last state back to state {loop}"
    return Refusal(len(trace.steps) + 1, "loop", (reason,), enabled=_enabled(judge, last))


def _broken_refinements(trace: Trace, refines: Sequence[str]) -> dict[str, int]:
    """Return for each refinement that fails on the way after which step it first does."""
    broken: dict[str, int] = {}
    for name in refines:
        projections = trace.instance.spec.find_refinement(name).projections(trace.instance)
        before: StateTuple | None = None
        for number, state in enumerate(trace.states):
            if breaking(projections, before, state) is not None:
                broken[name] = number
                break
            before = state
    return broken


def _note_broken(
    judge: Interpreter,
    broken: dict[str, int],
    number: int,
    state: StateTuple,
    before: StateTuple | None,
) -> None:
    for prop in judge.spec.of_kind("invariant"):
        if prop.name not in broken and not judge.holds(prop, state):
            broken[prop.name] = number
    for prop in judge.spec.of_kind("step") if before is not None else ():
        if prop.name not in broken and before and not judge.holds(prop, before, state):
            broken[prop.name] = number
