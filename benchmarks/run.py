"""Compare the explorer with Spin, Rumur and TLC: the same exported model, in one run, on one core.

Every tool checks the same invariants and deadlocks on the same instance. ``seconds`` is the check
alone, as each tool's users count it: Spin's and Rumur's C code is compiled before, our kernels are
built within. Every run is a fresh process; memory is that process's peak, Python and all. Rounds
are interleaved, so that a slow spell of the machine hits every tool. Figures are medians.

    python benchmarks/run.py [--rounds N] [--members N] [--only NAME ...]

writes ``results.json`` beside this file. Exit code 1 if the tools do not count the same states.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table

from samebeat_cli.loader import load_file
from samebeat_models.explorer import explore
from samebeat_models.second_opinion import run_peer, why_unavailable
from samebeat_models.version import samebeat_version
from samebeat_spec.language import Instance

HERE = Path(__file__).parent
MODEL_FILE = HERE / "ack_round.py"
SMALLEST = "group-2x1"
PEERS = ("spin", "rumur", "tlc")


@dataclass(frozen=True)
class Run:
    """One run of one tool; ``total_seconds`` is from the export to the verdict."""

    version: str
    states: int
    seconds: float
    total_seconds: float
    peak_mb: float
    held_bytes_a_state: float | None = None


def main() -> int:
    """Run the comparison; return the exit code."""
    options = _options()
    if options.child:
        _child(options.members, options.child)
        return 0
    console = Console(width=None if sys.stdout.isatty() else 120)
    tools = _tools(options.members, options.only, console)
    runs: dict[str, list[Run]] = {name: [] for name in tools}
    for i in range(options.rounds):
        for name, run in tools.items():
            console.print(f"round {i + 1} of {options.rounds}: {name} ...", style="dim")
            runs[name].append(run())
    report = _report(f"ack-round-{options.members}", runs)
    report["seconds_to_verdict_on_smallest_model"] = _startup(options.rounds)
    (HERE / "results.json").write_text(json.dumps(report, indent=2) + "\n", "utf-8")
    _show(report, console)
    counts = {run.states for own in runs.values() for run in own}
    if len(counts) > 1:
        console.print(f"the tools do not agree: {sorted(counts)} states", style="bold red")
        return 1
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rounds", type=int, default=3, help="runs of each tool (default 3)")
    parser.add_argument("--members", type=int, default=5, choices=(2, 3, 4, 5))
    parser.add_argument("--only", nargs="*", default=PEERS, choices=PEERS, help="these peers")
    parser.add_argument("--child", default="", help=argparse.SUPPRESS)
    return parser.parse_args()


def _instance(members: int) -> Instance:
    models, specs = load_file(MODEL_FILE)
    model = next(m for m in models if m.name == f"ack-round-{members}")
    return model.instance(specs["ack_round"])


# --- tools ---------------------------------------------------------------------------------


def _tools(members: int, only: tuple[str, ...], console: Console) -> dict[str, Callable[[], Run]]:
    tools: dict[str, Callable[[], Run]] = {
        "samebeat": lambda: _own("one word", members),
        "samebeat, two words": lambda: _own("two words", members),
        "samebeat, no invariants": lambda: _own("no invariants", members),
    }
    instance = _instance(members)
    for name in only:
        if reason := why_unavailable(name):
            console.print(f"{name} is left out: {reason}", style="yellow")
        else:
            tools[name] = lambda name=name: _peer(name, instance)  # type: ignore[misc]
    return tools


def _own(kind: str, members: int) -> Run:
    """Explore in a fresh process and read what it measured of itself."""
    command = [sys.executable, str(Path(__file__)), "--members", str(members), "--child", kind]
    begin = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return Run(**{**json.loads(done.stdout), "total_seconds": time.perf_counter() - begin})


def _child(members: int, kind: str) -> None:
    instance = _instance(members)
    if kind == "no invariants":
        bare = tuple(p for p in instance.spec.properties if p.kind == "terminal")
        instance = _with_properties(instance, bare)
    outcome = explore(instance, min_words=2 if kind == "two words" else 1)
    scale = 1 if sys.platform == "darwin" else 1024
    run = Run(
        version=samebeat_version(),
        states=outcome.states,
        seconds=outcome.seconds,
        total_seconds=0.0,
        peak_mb=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * scale / 1e6,
        held_bytes_a_state=outcome.peak_bytes / outcome.states,
    )
    sys.stdout.write(json.dumps(vars(run)))


def _with_properties(instance: Instance, properties: tuple[Any, ...]) -> Instance:
    from dataclasses import replace

    return replace(instance, spec=replace(instance.spec, properties=properties))


def _peer(name: str, instance: Instance) -> Run:
    run = run_peer(name, instance)
    total = run.seconds + run.build_seconds
    return Run(run.version, run.states, run.seconds, total, run.peak_mb)


def _startup(rounds: int) -> float:
    """Return the median seconds from command to verdict on the smallest model."""
    command = [sys.executable, "-m", "samebeat_cli", "check", SMALLEST]
    seconds = []
    for _ in range(rounds):
        begin = time.perf_counter()
        subprocess.run(command, capture_output=True, check=True)
        seconds.append(time.perf_counter() - begin)
    return round(median(seconds), 3)


# --- report --------------------------------------------------------------------------------


def _report(model: str, runs: dict[str, list[Run]]) -> dict[str, Any]:
    rates = {name: median(r.states / r.seconds for r in own) for name, own in runs.items()}
    return {
        "machine": _machine(),
        "model": model,
        "states": runs["samebeat"][0].states,
        "rounds": len(runs["samebeat"]),
        "tools": [
            {
                "name": name,
                "version": own[0].version,
                "seconds": round(median(r.seconds for r in own), 3),
                "total_seconds": round(median(r.total_seconds for r in own), 3),
                "states_per_second": round(rates[name]),
                "peak_mb": round(median(r.peak_mb for r in own), 1),
                "held_bytes_a_state": own[0].held_bytes_a_state
                and round(own[0].held_bytes_a_state, 1),
                "ratio": round(rates["samebeat"] / rates[name], 2),
            }
            for name, own in runs.items()
        ],
    }


def _machine() -> str:
    processor = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        lines = (line for line in info.read_text().splitlines() if line.startswith("model name"))
        processor = next(lines, processor).split(":")[-1].strip()
    return f"{processor}, {os.cpu_count()} cores, Python {platform.python_version()}"


def _show(report: dict[str, Any], console: Console) -> None:
    title = f"{report['model']}: {report['states']:,} states, {report['machine']}"
    table = Table(title=title, title_justify="left")
    for column in ("tool", "version", "seconds", "states/s", "peak MB", "bytes held/state"):
        table.add_column(column, justify="left" if column in ("tool", "version") else "right")
    table.add_column("samebeat is faster by", justify="right")
    for tool in report["tools"]:
        held = tool["held_bytes_a_state"]
        table.add_row(
            tool["name"],
            tool["version"],
            f"{tool['seconds']:.2f}",
            f"{tool['states_per_second']:,}",
            f"{tool['peak_mb']:.0f}",
            "" if held is None else f"{held:.1f}",
            f"{tool['ratio']:.2f}",
        )
    console.print(table)
    startup = report["seconds_to_verdict_on_smallest_model"]
    console.print(f"from command to verdict on {SMALLEST}: {startup:.2f} s")


if __name__ == "__main__":
    sys.exit(main())
