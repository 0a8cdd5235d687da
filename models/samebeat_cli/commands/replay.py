"""``samebeat replay``: a recorded trace, step by step against the spec."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Annotated

import typer

from samebeat_cli.errors import CommandError
from samebeat_cli.output import check_can_write, emit, path_option
from samebeat_cli.reports import Outcome, count_of
from samebeat_cli.reports.as_json import data
from samebeat_cli.selection import Selected, catalog, is_file, select_models, select_one
from samebeat_models import itf
from samebeat_models.catalog import Tier
from samebeat_models.render import trace_lines
from samebeat_models.replay import Refusal, ReplayResult, contradiction
from samebeat_models.replay import replay as replay_file
from samebeat_models.results import Exit, Report, Row, Verdict
from samebeat_models.times import duration, has_time, step_times, time_data
from samebeat_spec.language.pretty import text as expression_text

if TYPE_CHECKING:
    from samebeat_conformance.followed import Followed

INSTEAD_SHOWN = 12
"""How many other constants and sizes the text names; JSON has all."""
ENABLED_SHOWN = 12
"""How many of the steps that were enabled instead the text names; JSON has all."""


class Against(StrEnum):
    """What a trace is replayed on."""

    SPEC = "spec"
    IMPL = "impl"
    BOTH = "both"


class ReplayFormat(StrEnum):
    """The formats of a replay."""

    TEXT = "text"
    JSON = "json"


AgainstOption = Annotated[
    Against | None,
    typer.Option(
        "--against",
        help="What to replay it on: the spec, the production core (as far as it has the "
        "protocol), or both. Nothing: the spec; for a run of simulate --impl the core.",
        show_default=False,
    ),
]


def replay(
    trace: Annotated[
        Path,
        typer.Argument(metavar="TRACE.itf.json", exists=True, dir_okay=False, help="A trace file."),
    ],
    model: Annotated[
        str | None,
        typer.Option(
            metavar="MODEL|FILE",
            help="Replay on this model of the same spec, not on the recorded one. It says where "
            "the right protocol refuses what a wrong one did, or does something else.",
        ),
    ] = None,
    against: AgainstOption = None,
    form: Annotated[
        ReplayFormat, typer.Option("--format", help="How to report.")
    ] = ReplayFormat.TEXT,
    output: Annotated[
        Path | None,
        typer.Option(metavar="FILE", parser=path_option, help="Write the report to this file."),
    ] = None,
) -> None:
    """Replay a trace on its spec; exit 10 and say why at the first step that is refused.

    Also 10: a step has another effect on another model, or the file says what is not so, or the
    production core takes a step in no way. Exit 3: not all ways to take it were looked at.

    What is no run of its own model is not followed on cores at all.

    A run that simulate --impl has written is made again on cores, from its faults. Exit 10: some
    line of it, or its end, does not come out again.
    """
    begin = perf_counter()
    if output is not None:
        check_can_write(output)
    if _is_made_again(trace, model, against, form, output):
        return
    recorded = itf.load(trace)
    own = _recorded_on(recorded) if model is None else _found_in_its_file(recorded, model)
    selected = own or select_one(str(model))
    on_cores = against in (Against.IMPL, Against.BOTH)
    if on_cores and own is None:
        raise CommandError("--against impl follows a trace of its own model: leave out --model")
    result: ReplayResult | None
    result = replay_file(recorded, selected.model, selected.spec, elsewhere=own is None)
    wrong = contradiction(recorded, selected.model, result)
    found = None
    if on_cores and result.refusal is None and not wrong:
        found = _on_cores(recorded, selected)
        result = None if against is Against.IMPL else result
    if form is ReplayFormat.JSON:
        emit(_as_json(selected, result, found, wrong, perf_counter() - begin), output)
    else:
        emit(_as_text(recorded, selected, result, found, wrong), output)
    if code := _code(result, found, wrong):
        raise typer.Exit(int(code))


def _code(result: ReplayResult | None, found: Followed | None, wrong: str) -> Exit:
    """Return the exit code that says what came of it."""
    if (result is not None and result.refusal is not None) or wrong:
        return Exit.NOT_AS_PINNED
    if found is not None and not found.complete:
        return Exit.UNDETERMINED
    is_refused = found is not None and (found.refused or found.breaks)
    return Exit.NOT_AS_PINNED if is_refused else Exit.OK


def _is_made_again(
    trace: Path, model: str | None, against: Against | None, form: ReplayFormat, output: Path | None
) -> bool:
    """Make a run of cores again, if the file has one; return whether it has."""
    from samebeat_cli.commands import replay_run

    recorded = replay_run.recorded_run(trace)
    if recorded is None:
        return False
    if model is not None or against in (Against.SPEC, Against.BOTH):
        raise CommandError(
            f"{trace}: a run of cores: it has no model, and is held against the spec as it is made "
            "again; leave out --model, and --against or say --against impl"
        )
    found = replay_run.made_again(recorded)
    as_text = replay_run.as_json if form is ReplayFormat.JSON else replay_run.text
    emit(as_text(recorded, found), output)
    if not found.is_same:
        raise typer.Exit(int(Exit.NOT_AS_PINNED))
    return True


def _on_cores(recorded: itf.ItfTrace, own: Selected) -> Followed:
    """Follow a trace on the production core, on its own model."""
    from samebeat_cli.reports.followed import followed
    from samebeat_conformance.followed import CannotFollow

    try:
        return followed(recorded, own.model, own.spec)
    except CannotFollow as error:
        raise CommandError(f"{recorded.source}: {error}") from None


def _as_text(
    recorded: itf.ItfTrace,
    selected: Selected,
    result: ReplayResult | None,
    found: Followed | None,
    wrong: str,
) -> str:
    from samebeat_cli.reports.followed import text

    parts = [] if result is None else [_text(recorded, selected, result, wrong)]
    if found is not None:
        about = f"{recorded.source}: {count_of(found.steps, 'step')} of {recorded.meta.model}"
        parts += [f"{about}\n"] if result is None else []
        parts.append(text(found, recorded.meta.property or ""))
    return "\n".join(parts)


def _as_json(
    selected: Selected,
    result: ReplayResult | None,
    found: Followed | None,
    wrong: str,
    seconds: float,
) -> str:
    from samebeat_cli.reports.followed import data as followed_data

    report = {} if result is None else json.loads(_json(selected, result, wrong, seconds))
    if found is not None:
        report["implementation"] = followed_data(found)
    return json.dumps(report, indent=2, ensure_ascii=False) + "\n"


def _recorded_on(recorded: itf.ItfTrace) -> Selected:
    """Return the catalog's model that a trace was recorded on."""
    name = recorded.meta.model
    selected = next((s for s in catalog() if s.name == name), None)
    if selected is None:
        raise itf.TraceFileError(
            f"{recorded.source}: #meta: a trace of the model {name!r}, which is not in the "
            "catalog; say where it is: --model my_protocol.py"
        )
    return _check_same(recorded, selected)


def _found_in_its_file(recorded: itf.ItfTrace, name: str) -> Selected | None:
    """Return the model that the trace names, if ``--model`` means a whole file that has it."""
    if is_file(name) and "::" not in name:
        for selected in select_models([name], Tier.NIGHTLY):
            if selected.name == recorded.meta.model:
                return _check_same(recorded, selected)
    return None


def _check_same(recorded: itf.ItfTrace, selected: Selected) -> Selected:
    """Refuse a trace that names a model which now leaves out another guard or fairness."""
    for what, theirs, ours in (
        ("guard", recorded.meta.without, selected.model.without),
        ("fairness", recorded.meta.unfair, selected.model.unfair),
    ):
        if theirs != ours:
            raise itf.TraceFileError(
                f"{recorded.source}: #meta: a trace of another version of the model "
                f"{selected.name}: it leaves out another {what}; say on which model to replay: "
                "--model"
            )
    return selected


def _text(recorded: itf.ItfTrace, selected: Selected, result: ReplayResult, wrong: str) -> str:
    name, total = selected.name, len(result.trace.steps)
    steps = count_of(total, "step")
    lines = [f"{recorded.source}: {steps} of {recorded.meta.model}, replayed on {name}"]
    if recorded.meta.description:
        lines.append(recorded.meta.description)
    lines += _instead(result)
    lines += ["", *trace_lines(result.trace, result.accepted, selected.model.tick_ms)]
    if result.refusal is not None:
        lines += ["", *_refusal(selected, result, result.refusal)]
    for prop, number in result.broken.items():
        lines.append(f"{prop} is violated after step {number}{_at(selected, result, number)}")
    for prop, why in result.for_ever.items():
        if why:
            lines.append(f"{prop} is not violated: {why}")
        else:
            lines.append(f"{prop} is violated: its goal is never met, and the run is fair")
    if result.refusal is None:
        all_of_them = "its only step is a step" if total == 1 else f"all {steps} are steps"
        lines.append(f"{all_of_them} of {name}")
        if _is_kept(selected, result, recorded.meta.property):
            lines.append(f"{recorded.meta.property} is not violated here")
    if wrong:
        lines.append(f"not what it should be: {wrong}")
    return "\n".join(lines) + "\n"


def _instead(result: ReplayResult) -> list[str]:
    """Return which constants and sizes are other ones than where the trace was recorded."""
    shown, more = result.instead[:INSTEAD_SHOWN], len(result.instead) - INSTEAD_SHOWN
    lines = [f"{c.cell} = {c.new} instead of {c.old}" for c in shown]
    lines += [f"{more} more"] if more > 0 else []
    return [f"{'         and' if i else 'replayed with'} {line}" for i, line in enumerate(lines)]


def _is_kept(selected: Selected, result: ReplayResult, name: str | None) -> bool:
    """Return whether another model takes the same steps and keeps what they break elsewhere."""
    looked_at = {p.name for p in selected.instance().spec.of_kind("invariant", "step")}
    return bool(result.instead) and name in looked_at and name not in result.broken


def _at(selected: Selected, result: ReplayResult, number: int) -> str:
    """Return ``, at 3 ticks`` for a step, nothing if the spec has no time."""
    if not has_time(selected.spec):
        return ""
    return f", at {duration(step_times(result.trace)[number], selected.model.tick_ms)}"


def _refusal(selected: Selected, result: ReplayResult, refusal: Refusal) -> list[str]:
    """Return the guards that refuse, what differs, and what was enabled instead."""
    if refusal.step == 0:
        head = f"{selected.name} cannot start in the first state"
    else:
        when = _at(selected, result, refusal.step)
        what = "does something else in" if refusal.parts else "is refused by"
        head = f"step {refusal.step}, {refusal.label}{when}, {what} {selected.name}"
    lines = [head]
    judge = selected.name if result.instead else "the spec"
    formulas = {
        g.why: expression_text(g.condition)
        for a in selected.spec.actions
        for g in a.guards
        if refusal.label.startswith(f"{a.name}(")
    }
    lines += [
        f"  not so: {why}" + (f"  [{formulas[why]}]" if why in formulas else "")
        for why in refusal.reasons
    ]
    lines += [
        f"  {change.cell} is {change.new} in the trace; {judge} says {change.old}"
        for change in refusal.differences
    ]
    if refusal.enabled:
        shown = refusal.enabled[:ENABLED_SHOWN]
        more = len(refusal.enabled) - len(shown)
        lines.append("  enabled instead:" + ("" if not more else f" ({more} more)"))
        lines += [f"    {label}" for label in shown]
    elif refusal.reasons:
        lines.append("  nothing was enabled instead")
    return lines


def _json(selected: Selected, result: ReplayResult, wrong: str, seconds: float) -> str:
    refusal, trace = result.refusal, result.trace
    detail = "; ".join(filter(None, [str(refusal or ""), wrong]))
    row = Row(
        model=selected.name,
        property="replay",
        kind="replay",
        claims=(),
        verdict=Verdict.VIOLATED if detail else Verdict.HOLDS,
        expected=Verdict.HOLDS,
        states=len(trace.states),
        transitions=len(trace.steps),
        depth=refusal.step if refusal else len(trace.steps),
        seconds=seconds,
        exit=Exit.NOT_AS_PINNED if detail else Exit.OK,
        detail=detail,
        trace=trace,
    )
    times = step_times(trace) if has_time(selected.spec) else ()
    broken_at = {
        prop: time_data(times[number], selected.model.tick_ms)
        for prop, number in result.broken.items()
        if times
    }
    found = data(Outcome(Report((row,)), {selected.name: selected}, seconds))
    found["results"][0]["replay"] = {
        "accepted": result.accepted,
        "instead": [{"name": c.cell, "recorded": c.old, "here": c.new} for c in result.instead],
        "broken": result.broken,
        "broken_at": broken_at,
        "for_ever": result.for_ever,
        "contradiction": wrong or None,
        "refusal": refusal
        and {
            "step": refusal.step,
            "label": refusal.label,
            "parts_ways": refusal.parts,
            "reasons": refusal.reasons,
            "differences": [
                {"cell": c.cell, "spec": c.old, "trace": c.new} for c in refusal.differences
            ],
            "enabled": refusal.enabled,
        },
    }
    return json.dumps(found, indent=2, ensure_ascii=False) + "\n"
