"""The verdicts that are kept: what has noticed each mutant when it was judged last.

A verdict is about the function that the mutant is in, as it was: when that changes, the mutant
counts as not judged. There is one line for each mutant, so that two branches can be merged.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path

import msgspec

from samebeat_conformance.mutants.place import digest
from samebeat_conformance.mutants.runner import Kill, Row
from samebeat_conformance.mutants.table import Mutant, core, explained
from samebeat_conformance.mutants.worker import NO_END

KEPT = Path(__file__).parent / "verdicts.json"


class Verdict(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What came of one mutant.

    Attributes:
        name: that of the mutant.
        digest: of the mutant and the function around it.
        layer: the first layer that has noticed it; empty: none has.
        by: the test, edge or promise that fails.
        seconds: how long that layer took.
        unknown: what could not be told, if nothing has noticed it.
    """

    name: str
    digest: str
    layer: str = ""
    by: str = ""
    seconds: float = 0.0
    unknown: str = ""


def load(path: Path = KEPT) -> dict[str, Verdict]:
    """Return the verdicts that are kept, by the name of the mutant."""
    found = msgspec.json.decode(path.read_bytes(), type=list[Verdict])
    return {verdict.name: verdict for verdict in found}


def save(verdicts: Mapping[str, Verdict], mutants: Iterable[Mutant], path: Path = KEPT) -> None:
    """Keep the verdicts of the mutants that there are, in their order."""
    there = [verdicts[m.name] for m in mutants if m.name in verdicts]
    lines = ",\n".join(msgspec.json.encode(verdict).decode() for verdict in there)
    fresh = path.with_suffix(f".{os.getpid()}")
    fresh.write_text(f"[\n{lines}\n]\n", "utf-8")
    fresh.replace(path)


def put(name: str, verdict: Verdict | None, mutants: Iterable[Mutant], path: Path = KEPT) -> None:
    """Keep a verdict, or none, beside what another process may have kept in the meantime.

    If both do so at the same instant, one verdict is lost, and its mutant counts as before.
    """
    there = load(path) if path.exists() else {}
    there.pop(name, None)
    save({**there, name: verdict} if verdict else there, mutants, path)


def killer_of(verdict: Verdict | None) -> str:
    """Return the test that has noticed it, as pytest names it; empty: none has."""
    if verdict is None or verdict.layer != "tests":
        return ""
    return f"tests/impl/{verdict.by.removesuffix(NO_END)}"


@cache
def _source(file: str) -> str:
    return (core() / file).read_text("utf-8")


def verdict_of(row: Row) -> Verdict:
    """Return what is kept of a row."""
    name, of = row.mutant.name, digest(row.mutant, _source(row.mutant.file))
    kill = row.kill
    if kill is None:
        return Verdict(name, of, unknown=row.unknown)
    return Verdict(name, of, kill.layer, kill.by, kill.seconds)


def rows(mutants: Sequence[Mutant], verdicts: Mapping[str, Verdict]) -> list[Row]:
    """Return a row for each mutant: as it was judged, or not judged."""
    reasons = explained()
    return [_row(m, verdicts.get(m.name), reasons.get(m.name, "")) for m in mutants]


def _row(mutant: Mutant, verdict: Verdict | None, because: str) -> Row:
    if verdict is None or verdict.digest != digest(mutant, _source(mutant.file)):
        return Row(mutant, None, because)
    if verdict.layer:
        return Row(mutant, (Kill(verdict.layer, verdict.by, verdict.seconds),), because)
    unknown = (Kill("", "", 0.0, verdict.unknown),) if verdict.unknown else ()
    return Row(mutant, unknown, because)
