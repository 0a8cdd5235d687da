"""Traces as files: the Informal Trace Format of Apalache and Quint (``.itf.json``).

A file holds the states of one run of one instance, and for each step the action by name with its
arguments: in the state's ``#meta``, and again in ``mbt::actionTaken`` and ``mbt::nondetPicks`` as
Quint writes them. The top ``#meta`` says which spec, model and sizes the run belongs to, so that
a file is never read against another protocol by mistake. Equal runs give equal bytes.

In a value, elements of ordered and integer sorts are ``{"#bigint": "1"}``, other elements their
labels; a relation is the ``#set`` of what it holds of, a function a ``#map`` of all its places.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from samebeat_models.catalog import Model, Without
from samebeat_models.render import actor_of
from samebeat_models.render import labels as labels_of
from samebeat_models.results import DEADLOCK_FREE, Step, Trace
from samebeat_models.version import samebeat_version
from samebeat_spec.language import Instance, InstanceError, Spec, Variable
from samebeat_spec.language.instance import Arguments, StateTuple
from samebeat_spec.language.terms import SortClass

SUFFIX = ".itf.json"
FORMAT_DESCRIPTION = "https://apalache-mc.org/docs/adr/015adr-trace.html"
INITIAL = "init"
"""What stands for an action in the first state, as in Quint."""
ACTION_TAKEN = "mbt::actionTaken"
NONDET_PICKS = "mbt::nondetPicks"
_META = "#meta"
_T = TypeVar("_T")


class TraceFileError(Exception):
    """A trace file cannot be used; the message is one line that names the file and the place."""


class Meta(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The top ``#meta``: what the run is a run of, and what it shows.

    ``property`` is the one that the run violates, if any, after as many steps as ``steps`` says;
    no promise relies on the actions in ``unfair``.
    """

    format: str
    format_description: str = msgspec.field(name="format-description")
    description: str
    var_types: dict[str, str] = msgspec.field(name="varTypes")
    spec: str
    fingerprint: str
    model: str
    sizes: dict[str, int | tuple[int, int]]
    constants: dict[str, Any]
    without: Without | None
    property: str | None
    steps: int
    samebeat: str
    unfair: tuple[str, ...] = ()

    def recorded_on(self) -> Model:
        """Return the model that the run was recorded on, without pins."""
        return Model(
            name=self.model,
            sizes=self.sizes,
            constants=self.constants,
            without=self.without,
            unfair=self.unfair,
        )


class StateMeta(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The ``#meta`` of a state: the step that led here, with its arguments by parameter."""

    index: int
    action: str
    arguments: dict[str, str]
    actor: str | None


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    meta: Any = msgspec.field(name=_META)
    params: list[str]
    vars: list[str]
    states: list[Any]
    loop: int | None = None


@dataclass(frozen=True)
class RecordedState:
    """One state of a file: its ``#meta``, its variables as ITF values, and the ``mbt::`` ones."""

    meta: StateMeta
    values: Mapping[str, Any]
    action_taken: str
    picks: Mapping[str, Any]


@dataclass(frozen=True)
class ItfTrace:
    """A well-formed trace file that has not been read against a spec yet (see ``decode``).

    ``loop`` is the index of the state to which the last one leads back, if the run is infinite.
    """

    source: str
    meta: Meta
    states: tuple[RecordedState, ...]
    loop: int | None = None


# --- writing ---------------------------------------------------------------------------------


def dumps(
    trace: Trace,
    model: Model,
    spec: Spec,
    description: str = "",
    loop: int | None = None,
    shows: str | None = None,
) -> str:
    """Return a trace as the text of an ITF file, always the same for the same run.

    Args:
        trace: the run.
        model: the catalog entry that it is a run of.
        spec: the model's spec as written, no guard taken out.
        description: one sentence on what the run shows.
        loop: the index of the state to which the last one leads back; if not given, the run's.
        shows: the property that the run violates.
    """
    meta = Meta(
        format="ITF",
        format_description=FORMAT_DESCRIPTION,
        description=description,
        var_types={v.name: type_of_variable(v) for v in spec.variables},
        spec=spec.name,
        fingerprint=spec.fingerprint,
        model=model.name,
        sizes=model.sizes,
        constants=model.constants,
        without=model.without,
        property=shows,
        steps=len(trace.steps),
        samebeat=samebeat_version(),
        unfair=model.unfair,
    )
    loop = trace.loop if loop is None else loop
    names = [v.name for v in spec.variables]
    head = {
        _META: msgspec.to_builtins(meta),
        "params": [],
        "vars": [*names, ACTION_TAKEN, NONDET_PICKS],
        **({} if loop is None else {"loop": loop}),
    }
    states = [_encode_state(trace, i) for i in range(len(trace.steps) + 1)]
    top = ",\n".join(f"  {_dump(key)}: {_dump(value)}" for key, value in head.items())
    rows = ",\n".join(f"    {_dump(state)}" for state in states)
    return f'{{\n{top},\n  "states": [\n{rows}\n  ]\n}}\n'


def _dump(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def type_of_variable(v: Variable) -> str:
    """Return a variable's type in Apalache's notation."""
    arguments = [_sort_type(s) for s in v.arguments]
    domain = arguments[0] if len(arguments) == 1 else f"<<{', '.join(arguments)}>>"
    if not arguments:
        return _sort_type(v.to)
    return f"Set({domain})" if v.to is None else f"{domain} -> {_sort_type(v.to)}"


def _sort_type(sort: SortClass) -> str:
    if sort is None:
        return "Bool"
    return "Int" if sort.ordered or sort.integer else "Str"


def _encode_state(trace: Trace, index: int) -> dict[str, Any]:
    instance, state = trace.instance, trace.states[index]
    step = trace.steps[index - 1] if index else None
    labels = labels_of(instance, step.action, step.arguments) if step else {}
    meta = StateMeta(
        index=index,
        action=step.action if step else INITIAL,
        arguments=labels,
        actor=actor_of(instance, step) if step else None,
    )
    return {
        _META: msgspec.to_builtins(meta),
        **{v.name: encode_variable(instance, v, state) for v in instance.spec.variables},
        ACTION_TAKEN: meta.action,
        NONDET_PICKS: _picks(instance, step),
    }


def _picks(instance: Instance, step: Step | None) -> dict[str, Any]:
    """Return Quint's record of choices: every parameter of any action, ``Some`` if it was used."""
    names = {p.label for a in instance.spec.actions for p in a.parameters}
    picks: dict[str, Any] = {name: {"tag": "None", "value": {"#tup": []}} for name in sorted(names)}
    if step:
        parameters = instance.spec.find_action(step.action).parameters
        for p, x in zip(parameters, step.arguments, strict=True):
            picks[p.label] = {"tag": "Some", "value": _element(instance, p.sort, x)}
    return picks


def _element(instance: Instance, sort: SortClass, value: int) -> Any:
    if sort is None:
        return bool(value)
    if sort.ordered or sort.integer:
        return {"#bigint": str(value)}
    return instance.label(sort, value)


def _place(instance: Instance, v: Variable, arguments: Arguments) -> Any:
    parts = [_element(instance, s, x) for s, x in zip(v.arguments, arguments, strict=True)]
    return parts[0] if len(parts) == 1 else {"#tup": parts}


def encode_variable(instance: Instance, v: Variable, state: StateTuple) -> Any:
    """Return a variable's value in a state, as ITF has it."""
    cells = instance.cell_index[v.name]
    if not v.arguments:
        return _element(instance, v.to, state[cells[()]])
    if v.to is None:
        return {"#set": [_place(instance, v, a) for a, i in cells.items() if state[i]]}
    values = ((a, _element(instance, v.to, state[i])) for a, i in cells.items())
    return {"#map": [[_place(instance, v, a), x] for a, x in values]}


# --- reading ---------------------------------------------------------------------------------


def load(path: Path) -> ItfTrace:
    """Read a trace file.

    Raises:
        TraceFileError: it cannot be read, or see ``loads``.
    """
    try:
        text = path.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise TraceFileError(f"{path}: not text: byte {error.start} is not UTF-8") from None
    except OSError as error:
        raise TraceFileError(f"{path}: {error.strerror}") from None
    return loads(text, str(path))


def loads(text: str, source: str) -> ItfTrace:
    """Return the trace that an ITF text holds; ``source`` names it in errors.

    Raises:
        TraceFileError: it is truncated, not JSON, not ITF, not a trace of samebeat, or its parts
            contradict each other.
    """
    raw = _parse(text, source)
    if not isinstance(raw, dict) or not isinstance(raw.get(_META), dict):
        raise TraceFileError(f"{source}: not an ITF trace: it has no #meta at the top")
    if raw[_META].get("format") != "ITF":
        raise TraceFileError(f"{source}: not an ITF trace: #meta has no format ITF")
    if "samebeat" not in raw[_META]:
        raise TraceFileError(
            f"{source}: an ITF trace, but not of samebeat: #meta names no spec, model and version"
        )
    meta = _convert(raw[_META], Meta, f"{source}: #meta")
    file = _convert(raw, _File, source)
    if not file.states:
        raise TraceFileError(f"{source}: the trace has no states")
    expected = [*meta.var_types, ACTION_TAKEN, NONDET_PICKS]
    _same_names(file.vars, expected, f"{source}: vars")
    states = tuple(
        _read_state(state, i, expected, f"{source}: state {i}")
        for i, state in enumerate(file.states)
    )
    if file.loop is not None and not 0 <= file.loop < len(states):
        raise TraceFileError(f"{source}: loop: there is no state {file.loop}")
    return ItfTrace(source, meta, states, file.loop)


def _parse(text: str, source: str) -> Any:
    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            names = [name for name, _ in pairs]
            twice = next(name for name in names if names.count(name) > 1)
            raise TraceFileError(f"{source}: not an ITF trace: {twice!r} stands twice in an object")
        return found

    try:
        return json.loads(text, object_pairs_hook=unique)
    except json.JSONDecodeError as error:
        ends = error.pos >= len(text.rstrip()) or error.msg.startswith("Unterminated string")
        what = "truncated: it ends" if ends else f"not JSON: {error.msg}"
        raise TraceFileError(
            f"{source}: {what} at line {error.lineno} column {error.colno}"
        ) from None
    except (RecursionError, ValueError) as error:
        raise TraceFileError(f"{source}: not JSON that can be read: {error}") from None


def _convert(raw: Any, kind: type[_T], where: str) -> _T:
    try:
        return msgspec.convert(raw, kind)
    except msgspec.ValidationError as error:
        raise TraceFileError(f"{where}: {str(error).replace('$.', '')}") from None


def _same_names(given: Iterable[str], expected: list[str], where: str) -> None:
    names = list(given)
    for name in names:
        if name not in expected:
            raise TraceFileError(f"{where}: unknown variable {name!r}")
        if names.count(name) > 1:
            raise TraceFileError(f"{where}: {name!r} stands there twice")
    for name in expected:
        if name not in names:
            raise TraceFileError(f"{where}: the variable {name!r} is missing")


def _read_state(raw: Any, index: int, expected: list[str], where: str) -> RecordedState:
    if not isinstance(raw, dict):
        raise TraceFileError(f"{where}: not an object")
    values = dict(raw)
    meta = _convert(values.pop(_META, None), StateMeta, f"{where}: #meta")
    _same_names(values, expected, where)
    taken, picks = values.pop(ACTION_TAKEN), values.pop(NONDET_PICKS)
    if meta.index != index:
        raise TraceFileError(f"{where}: #meta: its index is {meta.index}")
    if taken != meta.action:
        raise TraceFileError(f"{where}: #meta says {meta.action!r}, {ACTION_TAKEN} {taken!r}")
    if (index == 0) != (meta.action == INITIAL and not meta.arguments):
        raise TraceFileError(f"{where}: {INITIAL!r} stands in the first state and only there")
    if not isinstance(picks, dict):
        raise TraceFileError(f"{where}: {NONDET_PICKS}: not a record")
    return RecordedState(meta, values, taken, picks)


# --- reading against a spec ------------------------------------------------------------------


def decode(itf: ItfTrace, model: Model, spec: Spec) -> Trace:
    """Return the states and steps of a file as a run of ``model`` that may or may not be allowed.

    Any model with the same spec, sizes and constants will do, whatever guard is taken out of it:
    that is how a wrong protocol's trace is held against the right one.

    Raises:
        TraceFileError: the file is of another spec, version or size, or a state is ill-typed.
    """
    instance = model.instance(spec)
    _check_belongs(itf, model, spec)
    states = [
        _decode_state(instance, state, f"{itf.source}: state {i}")
        for i, state in enumerate(itf.states)
    ]
    steps = tuple(
        _decode_step(instance, state, after, f"{itf.source}: state {i}")
        for i, (state, after) in enumerate(zip(itf.states, states, strict=True))
        if i
    )
    trace = Trace(instance, states[0], steps, itf.loop)
    for i, state in enumerate(itf.states):
        step = trace.steps[i - 1] if i else None
        if _canonical(state.picks) != _canonical(_picks(instance, step)):
            raise TraceFileError(
                f"{itf.source}: state {i}: {NONDET_PICKS} are not the arguments in #meta"
            )
    return trace


def _check_belongs(itf: ItfTrace, model: Model, spec: Spec) -> None:
    meta = itf.meta
    if meta.spec != spec.name:
        raise TraceFileError(
            f"{itf.source}: #meta: a trace of the spec {meta.spec!r}, but the model {model.name} "
            f"is of {spec.name!r}"
        )
    if meta.fingerprint != spec.fingerprint:
        raise TraceFileError(
            f"{itf.source}: #meta: a trace of another version of {spec.name}: its fingerprint is "
            f"{meta.fingerprint}, the spec's {spec.fingerprint} (it was written by samebeat "
            f"{meta.samebeat})"
        )
    known = {DEADLOCK_FREE, *(p.name for p in spec.promises)}
    if meta.property is not None and meta.property not in known:
        raise TraceFileError(f"{itf.source}: #meta: no property is called {meta.property!r}")
    for what, theirs, ours in (
        ("sizes", meta.sizes, model.sizes),
        ("constants", meta.constants, model.constants),
    ):
        theirs, ours = msgspec.to_builtins(theirs), msgspec.to_builtins(ours)
        for name in sorted({*theirs, *ours}):
            if _canonical(theirs.get(name)) != _canonical(ours.get(name)):
                raise TraceFileError(
                    f"{itf.source}: #meta: a trace of another model: {what}: {name} is "
                    f"{_dump(theirs.get(name))}, in {model.name} it is {_dump(ours.get(name))}"
                )


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


def _decode_state(instance: Instance, state: RecordedState, where: str) -> StateTuple:
    cells: dict[int, int] = {}
    _same_names(state.values, [v.name for v in instance.spec.variables], where)
    for v in instance.spec.variables:
        cells.update(_decode_variable(instance, v, state.values[v.name], f"{where}: {v.name}"))
    return tuple(cells[i] for i in range(len(instance.cells)))


def _decode_variable(instance: Instance, v: Variable, raw: Any, where: str) -> dict[int, int]:
    index = instance.cell_index[v.name]
    if not v.arguments:
        return {index[()]: _value(instance, v.to, raw, where)}
    places = {_canonical(_place(instance, v, a)): i for a, i in index.items()}
    rows = _tagged(raw, "#set" if v.to is None else "#map", where)
    found: dict[int, int] = {}
    for row in rows:
        pair = [row, True] if v.to is None else row
        if not isinstance(pair, list) or len(pair) != 2:
            raise TraceFileError(f"{where}: a #map has pairs, not {_dump(row)}")
        i = places.get(_canonical(pair[0]))
        if i is None:
            wanted = ", ".join(s.__name__ for s in v.arguments)
            raise TraceFileError(f"{where}: {_dump(pair[0])} is not ({wanted}) of this model")
        if i in found:
            raise TraceFileError(f"{where}: {instance.cell_label(i)} stands there twice")
        found[i] = _value(instance, v.to, pair[1], f"{where}[{instance.cell_label(i)}]")
    for i in index.values():
        if v.to is None:
            found.setdefault(i, 0)
        elif i not in found:
            raise TraceFileError(f"{where}: {instance.cell_label(i)} has no value")
    return found


def _tagged(raw: Any, tag: str, where: str) -> list[Any]:
    if not isinstance(raw, dict) or list(raw) != [tag] or not isinstance(raw[tag], list):
        raise TraceFileError(f'{where}: needs {{"{tag}": [...]}}')
    rows: list[Any] = raw[tag]
    return rows


def _value(instance: Instance, sort: SortClass, raw: Any, where: str) -> int:
    domain = range(2) if sort is None else instance.domain(sort)
    number = raw.get("#bigint") if isinstance(raw, dict) else None
    if isinstance(number, str) and number.isdecimal() and len(number) < 10:
        domain = range(int(number), int(number) + 1) if int(number) in domain else range(0)
    for value in domain:
        if _canonical(_element(instance, sort, value)) == _canonical(raw):
            return value
    name = "truth value" if sort is None else sort.__name__
    raise TraceFileError(f"{where}: {_dump(raw)} is no {name} of this model")


def _decode_step(instance: Instance, state: RecordedState, after: StateTuple, where: str) -> Step:
    meta = state.meta
    try:
        action = instance.spec.find_action(meta.action)
    except KeyError:
        raise TraceFileError(f"{where}: #meta: no action is called {meta.action!r}") from None
    labels = [p.label for p in action.parameters]
    if sorted(labels) != sorted(meta.arguments):
        raise TraceFileError(
            f"{where}: #meta: {action.name} takes ({', '.join(labels)}), "
            f"not ({', '.join(meta.arguments)})"
        )
    try:
        arguments = tuple(
            instance.element(p.sort, meta.arguments[p.label]) for p in action.parameters
        )
    except InstanceError as error:
        raise TraceFileError(f"{where}: #meta: {error}") from None
    step = Step(action.name, arguments, after)
    actor = actor_of(instance, step)
    if meta.actor != actor:
        raise TraceFileError(
            f"{where}: #meta: the actor is {_dump(actor)}, not {_dump(meta.actor)}"
        )
    return step
