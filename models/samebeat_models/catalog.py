"""The catalog: which instances are checked, and what is expected of each, to the last state.

Our own models are in ``catalog/*.toml``; a user's are a list ``MODELS`` in the file of the spec.
A pin that is absent is not checked (a user's first run has none); ours are complete, and a test
holds them to it.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from enum import StrEnum
from functools import cache
from importlib import resources
from typing import Annotated, Any, Literal

import msgspec

from samebeat_models.results import DEADLOCK_FREE
from samebeat_spec.language import Instance, InstanceError, Spec

Count = Annotated[int, msgspec.Meta(ge=0)]
FigurePin = Count | Literal["no bound", "never"]
TickLength = Annotated[float, msgspec.Meta(gt=0, le=86_400_000)]


class CatalogError(Exception):
    """A catalog file is wrong; the message names file, entry and key."""


class GuardMissing(InstanceError):  # noqa: N818  (`except GuardMissing` is the sentence)
    """A control takes out a guard that the spec does not have (any more)."""


class Tier(StrEnum):
    """How long a model takes; each tier includes the one before."""

    FAST = "fast"
    FULL = "full"
    NIGHTLY = "nightly"


class Without(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A guard that is taken out: the action's name and the guard's reason."""

    action: str
    guard: str


class Model(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A catalog entry.

    Args:
        name: what reports call it.
        spec: the spec's name; a user's file with one spec may leave it out.
        about: one sentence: what this instance shows.
        tier: when it is run.
        sizes, constants: see ``Instance``.
        tick_ms: how many ms a tick is; reports then write durations in ms or s.
        symmetry: explore one state of each orbit of the symmetric sorts.
        states, transitions, depth: exact counts. For a negative control, ``depth`` is the length
            of its shortest counterexample, and the other two are left out.
        terminal: how many states there are of each intended terminal kind.
        unreached: witnesses that are never reached here, exactly; all others must be.
        idle: actions that are never enabled here, exactly.
        vacuous: properties that hold here for want of a case, exactly.
        without: the guard taken out: the entry is a negative control.
        live: the promises about infinite runs that are looked at in this model.
        unfair: actions that no promise relies on here: the entry is a negative control.
        violates: the properties violated at the least depth, exactly. Empty: nothing is violated.
        figures: the least and the most of figures, exactly; compared if figures are asked for.
        refines: the refinements of the spec that this model must satisfy.
        projected: for a refinement, how many projected states and projected steps there are.
        uncovered: for a refinement, the abstract actions that no step takes here, exactly.
    """

    name: str
    spec: str = ""
    about: str = ""
    tier: Tier = Tier.FAST
    sizes: dict[str, int | tuple[int, int]] = {}
    constants: dict[str, Any] = {}
    tick_ms: TickLength | None = None
    symmetry: bool = False
    states: Count | None = None
    transitions: Count | None = None
    depth: Count | None = None
    terminal: dict[str, Count] = {}
    unreached: tuple[str, ...] = ()
    idle: tuple[str, ...] = ()
    vacuous: tuple[str, ...] = ()
    without: Without | None = None
    live: tuple[str, ...] = ()
    unfair: tuple[str, ...] = ()
    violates: tuple[str, ...] = ()
    figures: dict[str, tuple[FigurePin, FigurePin]] = {}
    refines: tuple[str, ...] = ()
    projected: dict[str, tuple[Count, Count]] = {}
    uncovered: dict[str, tuple[str, ...]] = {}

    @property
    def is_control(self) -> bool:
        """Whether this model is a wrong protocol that must be caught."""
        return self.without is not None or bool(self.violates) or bool(self.unfair)

    def instance(self, spec: Spec) -> Instance:
        """Return the instance to explore; a control's spec has no internal properties.

        Raises:
            GuardMissing: the guard to take out is not there.
            InstanceError: a size, a constant or a name does not fit the spec.
        """
        self._check_names(spec)
        if self.without is not None:
            try:
                spec = spec.without(self.without.action, self.without.guard)
            except KeyError as error:
                raise GuardMissing(
                    f"{self.name}: {spec.name} has no guard {error.args[0]!r} to take out"
                ) from None
        if self.unfair:
            spec = spec.unfair(self.unfair)
        if self.is_control:
            spec = spec.with_end_properties_only()
        return Instance(self.name, spec, self.sizes, self.constants)

    def _check_names(self, spec: Spec) -> None:
        """Refuse pins that speak of what the spec does not have."""
        properties = {p.name for p in spec.of_kind("invariant", "step", "always_reachable")}
        known = {
            "violates": properties | {DEADLOCK_FREE, *self.refines, *self.live},
            "live": {p.name for p in spec.liveness},
            "unfair": {f.action for p in spec.liveness for f in p.fair},
            "vacuous": properties | {*self.live},
            "unreached": {p.name for p in spec.of_kind("witness")},
            "terminal": {p.name for p in spec.of_kind("terminal")},
            "idle": {a.name for a in spec.actions},
            "figures": {f.name for f in spec.figures},
            "refines": {r.name for r in spec.refinements},
            "projected": set(self.refines),
            "uncovered": set(self.refines),
        }
        for key, names in known.items():
            for name in getattr(self, key):
                if name not in names:
                    have = ", ".join(sorted(names)) or "none"
                    raise InstanceError(
                        f"{self.name}: {key}: {spec.name} has no {name!r}; there are {have}"
                    )


class CatalogFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One TOML file of the catalog: the models of one spec.

    ``constants`` are those of every model that does not say otherwise.
    """

    spec: str
    model: tuple[Model, ...]
    constants: dict[str, Any] = {}

    def models(self) -> tuple[Model, ...]:
        """Return the models with everything that the file says once for all of them."""
        return tuple(
            msgspec.structs.replace(
                m, spec=m.spec or self.spec, constants={**self.constants, **m.constants}
            )
            for m in self.model
        )


def parse_catalog(text: str, source: str) -> tuple[Model, ...]:
    """Return the models that a TOML text describes.

    Raises:
        CatalogError: not TOML, an unknown key, a wrong type or a name used twice; the message
            names ``source`` and the entry.
    """
    raw: dict[str, Any] = {}
    try:
        raw = tomllib.loads(text)
        found = msgspec.convert(raw, CatalogFile)
    except tomllib.TOMLDecodeError as error:
        raise CatalogError(f"{source}: not TOML: {error}") from None
    except msgspec.ValidationError as error:
        raise CatalogError(f"{source}: {_name_entry(str(error), raw)}") from None
    models = found.models()
    _check_unique(models, source)
    return models


@cache
def load_catalog() -> tuple[Model, ...]:
    """Return every model that samebeat ships, in the order of the files and in each file.

    They are read once.
    """
    folder = resources.files("samebeat_models") / "catalog"
    files = sorted((f for f in folder.iterdir() if f.name.endswith(".toml")), key=lambda f: f.name)
    models = [m for f in files for m in parse_catalog(f.read_text("utf-8"), f.name)]
    _check_unique(models, "the catalog")
    return tuple(models)


def _check_unique(models: Iterable[Model], source: str) -> None:
    seen: set[str] = set()
    for m in models:
        if m.name in seen:
            raise CatalogError(f"{source}: two models are called {m.name!r}")
        seen.add(m.name)


def _name_entry(message: str, raw: dict[str, Any]) -> str:
    """Replace msgspec's entry index by the entry's name: people search for names."""
    entries = raw.get("model")
    if not isinstance(entries, list):
        return message
    for i, entry in enumerate(entries):
        name = entry.get("name") if isinstance(entry, dict) else None
        message = message.replace(f"$.model[{i}]", f"model {name or i}")
    return message.replace("$.", "")
