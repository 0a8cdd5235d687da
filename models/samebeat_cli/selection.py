"""Which models a command line means: names, patterns and files."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from difflib import get_close_matches
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path

from samebeat_cli.errors import CommandError
from samebeat_cli.loader import load_file
from samebeat_models.catalog import CatalogError, GuardMissing, Model, Tier, load_catalog
from samebeat_spec.language import Instance, InstanceError, Spec
from samebeat_spec.specs import SPEC_NAMES, load_spec

_TIERS = tuple(Tier)


@dataclass(frozen=True)
class Selected:
    """A model with its spec as written; ``source`` is the user's file, or empty for the catalog."""

    model: Model
    spec: Spec
    source: str = ""

    @property
    def name(self) -> str:
        """The model's name."""
        return self.model.name

    def instance(self) -> Instance:
        """Return the instance to explore.

        Raises:
            InstanceError: a size or constant does not fit; the message names the user's file.
        """
        try:
            return self.model.instance(self.spec)
        except GuardMissing:
            raise
        except InstanceError as error:
            where = f"{self.source}: " if self.source else ""
            raise InstanceError(f"{where}{error}") from None


@cache
def catalog() -> tuple[Selected, ...]:
    """Return every model that samebeat ships, each with its spec."""
    found: list[Selected] = []
    for model in load_catalog():
        if model.spec not in SPEC_NAMES:
            known = ", ".join(SPEC_NAMES)
            raise CatalogError(
                f"the catalog: model {model.name}: no spec is called {model.spec!r}; "
                f"there are {known}"
            )
        found.append(Selected(model, shipped_spec(model.spec)))
    return tuple(found)


@cache
def shipped_spec(name: str) -> Spec:
    """Return a spec of ours, loaded once."""
    return load_spec(name)


def select_models(names: Sequence[str], tier: Tier | None = None) -> tuple[Selected, ...]:
    """Return the models that ``names`` mean, in order and each once.

    A name is a model's name, a pattern (``group-*``), a file, or ``file.py::pattern``. Nothing
    means the whole catalog. Patterns and the catalog keep to ``tier`` (fast unless given); a model
    that is named, or that a user's file holds, is taken whatever its tier unless one is given.

    Raises:
        CommandError: a name fits nothing; the message has close matches.
    """
    found: dict[tuple[str, str], Selected] = {}
    for name in names or ("*",):
        for selected in _expand(name, tier):
            found.setdefault((selected.source, selected.name), selected)
    models = tuple(found.values())
    for selected in models:
        if [m.name for m in models].count(selected.name) > 1:
            raise CommandError(f"two models are called {selected.name!r}: check them one by one")
        with suppress(GuardMissing):  # that is a result, not a mistake: the check reports it
            selected.instance()  # what does not fit is said before the first model runs
    return models


def select_one(name: str) -> Selected:
    """Return the one model that ``name`` means (see ``select_models``), of whatever tier.

    Raises:
        CommandError: none or several fit.
    """
    models = select_models([name], Tier.NIGHTLY)
    if len(models) > 1:
        names = _some(m.name for m in models)
        which = f"{name}::{models[0].name}" if is_file(name) else models[0].name
        raise CommandError(f"{name!r} means several models ({names}); name one, such as {which}")
    return models[0]


def is_file(name: str) -> bool:
    """Return whether a name on the command line means a user's file."""
    return name.partition("::")[0].endswith(".py")


def _expand(name: str, tier: Tier | None) -> tuple[Selected, ...]:
    if is_file(name):
        path, _, pattern = name.partition("::")
        return _matching(_from_file(path), pattern or "*", tier, path)
    exact = tuple(s for s in catalog() if s.name == name)
    if exact and tier is None:
        return exact
    return _matching(catalog(), name, tier or Tier.FAST, "the catalog")


def _from_file(path: str) -> tuple[Selected, ...]:
    models, specs = load_file(Path(path))
    return tuple(Selected(model, specs[model.spec], path) for model in models)


def _matching(
    models: Sequence[Selected], pattern: str, tier: Tier | None, where: str
) -> tuple[Selected, ...]:
    fits = [s for s in models if fnmatchcase(s.name, pattern)]
    if not fits:
        names = [s.name for s in models]
        close = get_close_matches(pattern, names, cutoff=0.4) or names
        hint = f"; close: {_some(close)}" if names else ""
        raise CommandError(f"{where} has no model {pattern!r}{hint} (samebeat list shows all)")
    if tier is None:
        return tuple(fits)
    within = [s for s in fits if _TIERS.index(s.model.tier) <= _TIERS.index(tier)]
    if not within:
        needs = min((s.model.tier for s in fits), key=_TIERS.index)
        raise CommandError(f"{pattern!r} fits only models of a later tier; add --tier {needs}")
    return tuple(within)


def _some(names: Iterable[str], limit: int = 5) -> str:
    listed = list(names)
    more = f" and {len(listed) - limit} more" if len(listed) > limit else ""
    return ", ".join(listed[:limit]) + more
