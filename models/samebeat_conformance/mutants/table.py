"""A mutant: one piece of the core's source, replaced. Those that were thought of are in TOML."""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from pathlib import Path

import msgspec

_TABLES = Path(__file__).parent / "table"
_EXPLAINED = Path(__file__).parent / "survivors.toml"


class Mutant(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One mistake.

    Attributes:
        name: what the core now does, as half a sentence; unique.
        file: the module of the core.
        old: what is replaced; it is there exactly once.
        new: what replaces it.
        breaks: what goes wrong, in one sentence.
        property: the name of the property that this is about; generated mutants have none.
        at: where `old` begins, for a generated mutant; it may be there more than once.
    """

    name: str
    file: str
    old: str
    new: str
    breaks: str = ""
    property: str = ""
    at: int | None = None

    def applied(self, source: str) -> str:
        """Return the source with the mistake.

        Raises:
            ValueError: `old` is not there, or not once; the message names the mutant.
        """
        if self.at is not None:
            return source[: self.at] + self.new + source[self.at + len(self.old) :]
        times = source.count(self.old)
        if times != 1:
            raise ValueError(f"{self.file}: {self.name!r}: its old text is there {times} times")
        return source.replace(self.old, self.new)


class _Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    mutant: tuple[Mutant, ...]


class Explained(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Mutants that no layer notices, and why none can or need.

    Attributes:
        because: the reason, in one or two sentences.
        mutants: their names.
    """

    because: str
    mutants: tuple[str, ...]


class _Survivors(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    survivor: tuple[Explained, ...] = ()


def core() -> Path:
    """Return the folder of the core, without importing it."""
    spec = find_spec("samebeat")
    assert spec is not None, "the core is installed"
    assert spec.origin is not None, "the core is a package with files"
    return Path(spec.origin).parent


@cache
def written() -> tuple[Mutant, ...]:
    """Return the mutants that were thought of, in the order of the files."""
    return tuple(
        m
        for path in sorted(_TABLES.glob("*.toml"))
        for m in msgspec.toml.decode(path.read_bytes(), type=_Table).mutant
    )


@cache
def explained() -> dict[str, str]:
    """Return for each mutant that survives by right why it does."""
    found = msgspec.toml.decode(_EXPLAINED.read_bytes(), type=_Survivors).survivor
    return {name: " ".join(one.because.split()) for one in found for name in one.mutants}
