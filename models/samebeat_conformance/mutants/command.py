"""The command `make mutants`: prints the kill matrix, and judges what it has no verdict about."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import msgspec

from samebeat_conformance.mutants import kept
from samebeat_conformance.mutants.generated import generated
from samebeat_conformance.mutants.layers import LAYERS
from samebeat_conformance.mutants.matrix import data, print_matrix
from samebeat_conformance.mutants.runner import Row, Runner, WrongUnchanged
from samebeat_conformance.mutants.table import Mutant, explained, written

OK, USAGE, UNDETERMINED, SURVIVES = 0, 2, 3, 10


def main(arguments: Sequence[str] | None = None, path: Path = kept.KEPT) -> int:
    """Print the matrix; with `--judge`, judge first what is not judged.

    Returns:
        0 if all are killed or explained; 10 if one survives without a reason, or has a reason and
        is noticed; 3 if nothing is known of one.
    """
    options = _options().parse_args(arguments)
    mutants = _chosen(options)
    if not mutants:
        _say("mutants: no name has this in it; `--list` prints all")
        return USAGE
    if options.list:
        print("\n".join(m.name for m in mutants))  # noqa: T201
        return OK
    try:
        keeps = options.judge or options.again
        if not keeps and (options.all_layers or options.layer):
            rows = _alone(mutants, options)
        else:
            if keeps:
                _judge(mutants, options, path)
            rows = kept.rows(mutants, kept.load(path))
    except WrongUnchanged as error:
        _say(f"mutants: {error}; mend that first")
        return SURVIVES
    if options.json:
        options.json.write_bytes(msgspec.json.format(msgspec.json.encode(data(rows)), indent=1))
    each = [name for name in options.layer or LAYERS if not LAYERS[name].thorough]
    print_matrix(rows, each)
    return exit_code(rows)


def exit_code(rows: Sequence[Row]) -> int:
    """Return 10 if something survives that must not, 3 if something is not known, else 0."""
    verdicts = {row.verdict for row in rows}
    if verdicts & {"survives", "killed, and explained"}:
        return SURVIVES
    return UNDETERMINED if verdicts & {"undetermined", "not judged"} else OK


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make mutants ARGS=", description=__doc__)
    parser.add_argument("--judge", action="store_true", help="judge what is open, and keep")
    parser.add_argument("--again", action="store_true", help="judge also what has a verdict")
    parser.add_argument("--minutes", type=float, metavar="N", help="begin with none after that")
    parser.add_argument("--only", default="", metavar="TEXT", help="those with this in their name")
    parser.add_argument("--kind", choices=("all", "written", "generated"), default="all")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="each N-th of them")
    parser.add_argument("--first", type=int, default=0, metavar="N", help="from the N-th on")
    parser.add_argument(
        "--layer",
        action="append",
        choices=list(LAYERS),
        help="ask these only; keep nothing, or with --judge what they notice",
    )
    parser.add_argument(
        "--all-layers",
        action="store_true",
        help="each layer for itself; keep nothing, or with --judge what those that were thought of "
        "lack",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the matrix there, too")
    parser.add_argument("--list", action="store_true", help="print names and run nothing")
    return parser


def _chosen(options: argparse.Namespace) -> list[Mutant]:
    found: list[Mutant] = []
    if options.kind != "generated":
        found += written()
    if options.kind != "written":
        found += generated()
    named = [m for m in found if options.only in m.name]
    return named[max(0, options.first) :: max(1, options.every)]


def _judge(mutants: Sequence[Mutant], options: argparse.Namespace, path: Path) -> None:
    """Judge what is open, or all of these, and keep each verdict as it is known.

    With all layers, also what some layer has not been asked about a mutant that was thought of. If
    only some layers are asked, what they do not notice is not judged.
    """
    verdicts = kept.load(path) if path.exists() else {}
    names = options.layer or list(LAYERS)
    runner = Runner([LAYERS[name] for name in names], explained(), options.all_layers)
    rows = {r.mutant.name: r for r in kept.rows(mutants, verdicts)}
    todo = [r.mutant for r in rows.values() if options.again or _is_open(r, options)]

    def judge(mutant: Mutant) -> Row:
        verdict, row = verdicts.get(mutant.name), rows[mutant.name]
        said = () if row.asked is None else tuple(k for k in row.asked if not k.unknown)
        known = [k for k in said if not options.again or k.layer not in names]
        return runner.judge(mutant, verdict.killers if verdict else {}, known)

    everything = (*written(), *generated())
    for row in _until(options.minutes, todo, judge):
        name = row.mutant.name
        if row.kill is not None or not options.layer:
            kept.put(name, kept.verdict_of(row), everything, path)
        elif name in verdicts and not set(verdicts[name].killers) - set(options.layer):
            kept.put(name, None, everything, path)


def _is_open(row: Row, options: argparse.Namespace) -> bool:
    """Return whether there is no verdict, or with all layers whether one has not been asked."""
    if row.verdict in {"not judged", "undetermined"}:
        return True
    if not options.all_layers or row.mutant.at is not None:
        return False
    asked = {k.layer for k in row.asked or () if not k.unknown}
    return any(not LAYERS[n].thorough and n not in asked for n in options.layer or LAYERS)


def _alone(mutants: Sequence[Mutant], options: argparse.Namespace) -> list[Row]:
    """Judge these by some layers, or by each for itself, and keep nothing."""
    layers = [LAYERS[name] for name in options.layer or LAYERS]
    runner = Runner(layers, explained(), options.all_layers)
    return list(_until(options.minutes, mutants, runner.judge))


def _until(
    minutes: float | None, mutants: Sequence[Mutant], judge: Callable[[Mutant], Row]
) -> Iterator[Row]:
    """Yield what is judged, one after the other, as long as there is time."""
    end = None if minutes is None else time.monotonic() + 60 * minutes
    for number, mutant in enumerate(mutants, 1):
        if end is not None and time.monotonic() >= end:
            return
        row = judge(mutant)
        by = f"{row.kill.layer}: {row.kill.by}" if row.kill else row.because or row.unknown
        _say(f"{number}/{len(mutants)} {row.verdict}: {mutant.name} [{by}]")
        yield row


def _say(text: str) -> None:
    print(text, file=sys.stderr)  # noqa: T201
