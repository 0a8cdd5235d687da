"""The command `make fuzz`: run each target under atheris, and print executions and speed."""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from random import Random

from samebeat_conformance.fuzz.unguided import seeds

OK, USAGE, FOUND = 0, 2, 10
SHARES = {"decode": 10_000_000, "receive": 500_000, "story": 50_000}
"""How often each target is executed, unless `--executions` says otherwise."""
_SEEDS = 200


def main(arguments: Sequence[str] | None = None) -> int:
    """Fuzz; return 0, or 10 if something does not hold."""
    options = _options().parse_args(arguments)
    total, began = 0, time.perf_counter()
    for target in options.target or SHARES:
        executions = options.executions or SHARES[target]
        done, seconds, found = run(target, executions, options.seed)
        total += done
        if found:
            print(f"{target}: {found}", file=sys.stderr)  # noqa: T201
            return FOUND
        if done < executions:
            print(f"{target}: ended after {done} of {executions}", file=sys.stderr)  # noqa: T201
            return FOUND
        speed = done / seconds
        print(f"{target:8} {done:>12,} executions {speed:>9,.0f} a second", flush=True)  # noqa: T201
    print(  # noqa: T201
        f"{'all':8} {total:>12,} executions in {time.perf_counter() - began:,.0f} seconds; "
        "nothing found"
    )
    return OK


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make fuzz ARGS=", description=__doc__)
    parser.add_argument("--target", action="append", choices=list(SHARES), help="only this target")
    parser.add_argument("--executions", type=int, metavar="N", help="of each target")
    parser.add_argument("--seed", type=int, default=1, help="another seed, other bytes")
    return parser


def run(target: str, executions: int, seed: int) -> tuple[int, float, str]:
    """Run one target under atheris; return executions, seconds, and what was found."""
    with tempfile.TemporaryDirectory() as room:
        corpus = Path(room) / "corpus"
        corpus.mkdir()
        rng = Random(seed)
        for number, data in enumerate(seeds(rng, _SEEDS)):
            (corpus / str(number)).write_bytes(rng.randbytes(200) if target == "story" else data)
        began = time.perf_counter()
        ended = subprocess.run(
            [
                *(sys.executable, "-m", "samebeat_conformance.fuzz.guided", target, str(corpus)),
                *(f"-runs={executions}", f"-seed={seed}", "-max_len=600", "-verbosity=0"),
                *("-print_final_stats=1", f"-artifact_prefix={room}/found-", "-timeout=60"),
            ],
            capture_output=True,
            text=True,
            check=False,
        )
        seconds = time.perf_counter() - began
        bytes_found = [p.read_bytes().hex() for p in Path(room).glob("found-*")]
    return _read(ended, seconds, bytes_found)


def _read(
    ended: subprocess.CompletedProcess[str], seconds: float, bytes_found: list[str]
) -> tuple[int, float, str]:
    lines = ended.stderr.splitlines()
    runs = [
        int(line.split(":")[-1]) for line in lines if line.startswith("stat::number_of_executed")
    ]
    done = runs[-1] if runs else 0
    if ended.returncode == 0:
        return done, seconds, ""
    said = [line for line in lines if "Found: " in line or "Error" in line] or lines[-1:]
    return done, seconds, "; ".join([*said[-1:], *(f"bytes {b}" for b in bytes_found)])
