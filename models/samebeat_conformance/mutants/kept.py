"""The verdicts that are kept: what has noticed each mutant when it was judged last.

A verdict is about the function that the mutant is in, as it was: when that changes, the mutant
counts as not judged. And it rests on the test, or the layer, that has noticed it: when that
changes, this answer counts for nothing until it is asked again. There is one line for each mutant,
so that two branches can be merged.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from hashlib import sha256
from pathlib import Path

import msgspec

from samebeat_conformance.mutants import layers, worker
from samebeat_conformance.mutants.layers import LAYERS, NOT_LOADED, TESTS, tests_folder
from samebeat_conformance.mutants.place import digest
from samebeat_conformance.mutants.runner import Kill, Row
from samebeat_conformance.mutants.sources import DIGITS, digest_of
from samebeat_conformance.mutants.table import Mutant, core, explained
from samebeat_conformance.mutants.worker import NO_END

KEPT = Path(__file__).parent / "verdicts.json"


class Answer(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What one layer has said of a mutant.

    Attributes:
        layer: its name.
        by: the test, edge or promise that fails; empty: nothing does.
        seconds: how long that took.
        of: a digest of the test, or of the layer, and of the harness; see `rests_on`.
        unknown: what could not be told, and why.
        runs: it runs the function with the mistake.
    """

    layer: str
    by: str = ""
    seconds: float = 0.0
    of: str = ""
    unknown: str = ""
    runs: bool = True


class Verdict(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What came of one mutant.

    Attributes:
        name: that of the mutant.
        digest: of the mutant and the function around it.
        answers: what the layers have said, in their order; of a generated mutant only the first
            that has noticed it, if one has.
    """

    name: str
    digest: str
    answers: tuple[Answer, ...] = ()

    @property
    def killers(self) -> dict[str, str]:
        """What has noticed it, by layer."""
        return {a.layer: a.by for a in self.answers if a.by}


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


@cache
def rests_on(layer: str, by: str) -> str:
    """Return a digest of what an answer rests on besides the core.

    That is the code of the layer, or of the one test that has noticed it, and what runs them. If
    tests have noticed nothing, it is all tests.
    """
    which = LAYERS[layer]
    runs = [digest_of(Path(worker.__file__), name) for name in ("_work", "_ended")]
    also = which.also
    if layer in TESTS:
        file, _, test = by.removesuffix(NO_END).removesuffix(NOT_LOADED).partition("::")
        also = (*also, "tests/conftest.py", *(() if by else ("tests/impl/*.py",)))
        runs += [digest_of(tests_folder() / file, test.partition("[")[0])] if by else []
    look = getattr(which.look, "__name__", "")
    runs.append(digest_of(Path(layers.__file__), look, also))
    return sha256(" ".join(runs).encode()).hexdigest()[:DIGITS]


@cache
def _source(file: str) -> str:
    return (core() / file).read_text("utf-8")


def verdict_of(row: Row) -> Verdict:
    """Return what is kept of a row; of a generated mutant only what has noticed it, if any has."""
    name, of = row.mutant.name, digest(row.mutant, _source(row.mutant.file))
    kills = row.asked or ()
    if row.kill is not None and row.mutant.at is not None:
        kills = (row.kill,)
    order = list(LAYERS)
    answers = sorted((_answer(k) for k in kills), key=lambda a: order.index(a.layer))
    return Verdict(name, of, tuple(answers))


def _answer(kill: Kill) -> Answer:
    of = "" if kill.unknown else rests_on(kill.layer, kill.by)
    return Answer(kill.layer, kill.by, kill.seconds, of, kill.unknown, kill.runs)


def rows(mutants: Sequence[Mutant], verdicts: Mapping[str, Verdict]) -> list[Row]:
    """Return a row for each mutant: as it was judged, or not judged."""
    reasons = explained()
    return [_row(m, verdicts.get(m.name), reasons.get(m.name, "")) for m in mutants]


def _row(mutant: Mutant, verdict: Verdict | None, because: str) -> Row:
    if verdict is None or verdict.digest != digest(mutant, _source(mutant.file)):
        return Row(mutant, None, because)
    said = [_said(answer) for answer in verdict.answers]
    return Row(mutant, tuple(kill for kill in said if kill is not None), because)


def _said(answer: Answer) -> Kill | None:
    """Return what an answer says today; None: nothing any more.

    What has noticed a mutant and has changed since may or may not do so now: that is unknown.
    """
    if answer.layer in LAYERS and (
        answer.unknown or answer.of == rests_on(answer.layer, answer.by)
    ):
        return Kill(answer.layer, answer.by, answer.seconds, answer.unknown, answer.runs)
    if not answer.by:
        return None
    return Kill(answer.layer, "", answer.seconds, f"{answer.by}: {CHANGED}")


CHANGED = "has changed since, or what runs it: to be judged again"
"""What is said of an answer that rests on other code than there is."""
