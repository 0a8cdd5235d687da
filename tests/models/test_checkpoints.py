"""Exploring in a folder: the same outcome as in memory, also after any end before its time."""

import errno
import os
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from samebeat_models.catalog import load_catalog
from samebeat_models.errors import CheckpointError, DiskError
from samebeat_models.explorer import (
    branching,
    checkpoint,
    explore,
    folder,
    kernels,
    machine,
    search,
    store,
)
from samebeat_models.explorer.checkpoint import Checkpoints
from samebeat_models.progress import Budget, Snapshot
from samebeat_models.results import Exploration
from samebeat_spec.language import Instance, StateError
from samebeat_spec.specs import load_spec

JOURNAL, LEVELS = "checkpoint.jsonl", "levels"
SLOW = pytest.param("two-phase-3", marks=pytest.mark.slow)
WORDS = pytest.mark.parametrize("words", [1, 2])


@pytest.fixture(autouse=True)
def small_files(monkeypatch):
    """Let small models go through blocks, chunks and files as large ones do."""
    monkeypatch.setattr(folder, "_SMALL", 0)
    monkeypatch.setattr(store, "CHUNK", 200)
    monkeypatch.setattr(search, "_ARENA", 300)
    monkeypatch.setattr(kernels, "BLOCK", 20)
    monkeypatch.setattr(branching, "_WINDOW", 70)


class Killed(BaseException):
    """The process ends here."""


def killed_at(depth: int, report: int = 1, attempt: int = 0) -> Callable[[Snapshot], None]:
    """Return a progress that ends the process at some report on a level's expansion.

    A new attempt begins where the depth falls back.
    """
    depths: list[int] = []

    def progress(now: Snapshot) -> None:
        begun = sum(b < a for a, b in pairwise(depths)) + (now.depth < max(depths[-1:], default=0))
        depths.append(now.depth)
        if begun == attempt and now.depth == depth and depths.count(depth) >= report:
            raise Killed

    return progress


def facts(outcome: Exploration) -> Exploration:
    """Return an outcome without what differs from run to run."""
    return replace(outcome, seconds=0.0)


def journal_lines(path: Path) -> list[bytes]:
    return (path / JOURNAL).read_bytes().splitlines(keepends=True)


def interrupted(path: Path, depth: int, instance: Instance, **options: Any) -> None:
    """Leave the checkpoint of a run that was killed while a level was expanded."""
    with pytest.raises(Killed):
        explore(instance, kept=Checkpoints(path), progress=killed_at(depth), **options)


def resumed(path: Path, instance: Instance, **options: Any) -> Exploration:
    return explore(instance, kept=Checkpoints(path, resume=True), **options)


# --- the same outcome --------------------------------------------------------------------------


@WORDS
def test_in_a_folder_a_model_is_what_it_is_in_memory(words, example, tmp_path):
    options: dict[str, Any] = {"symmetry": example.model.symmetry, "min_words": words}
    found = explore(example.instance, kept=Checkpoints(tmp_path / "run"), **options)
    assert facts(found) == facts(explore(example.instance, **options))
    assert not (tmp_path / "run").exists()


@WORDS
@pytest.mark.parametrize("name", ["mutex-3", "polite-3", "gossip-3x2-sym", SLOW])
def test_after_each_level_a_killed_run_goes_on_to_the_same_outcome(
    words, name, named_example, tmp_path
):
    example = named_example(name)
    options: dict[str, Any] = {"symmetry": example.model.symmetry, "min_words": words}
    expected = facts(explore(example.instance, **options))
    for depth in range(expected.depth):
        interrupted(tmp_path, depth, example.instance, **options)
        assert len(journal_lines(tmp_path)) == 1 + depth + 1
        assert facts(resumed(tmp_path, example.instance, **options)) == expected


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [
        "group-2x1",
        "commit-without-every-ok",
        pytest.param("rounds-2-1", marks=pytest.mark.slow),
        pytest.param("claim-1-raises", marks=pytest.mark.slow),
        pytest.param("composed-2-raises", marks=pytest.mark.slow),
        pytest.param("group-3x1-sym", marks=pytest.mark.slow),
        pytest.param("pair-3", marks=pytest.mark.slow),
    ],
)
def test_a_shipped_model_goes_on_to_the_same_outcome(name, tmp_path, monkeypatch):
    monkeypatch.setattr(kernels, "BLOCK", 1_000)
    monkeypatch.setattr(store, "CHUNK", 1_000)
    monkeypatch.setattr(search, "_ARENA", 4_000)
    model = next(m for m in load_catalog() if m.name == name)
    instance = model.instance(load_spec(model.spec))
    options: dict[str, Any] = {"symmetry": model.symmetry, "deadlocks": not model.is_control}
    expected = facts(explore(instance, **options))
    for depth in (1, expected.depth - 2):
        interrupted(tmp_path, depth, instance, **options)
        assert facts(resumed(tmp_path, instance, **options)) == expected


def test_a_run_may_be_killed_once_a_level(named_example, tmp_path):
    instance = named_example("two-phase-3").instance
    interrupted(tmp_path, 0, instance)
    for depth in range(1, 10):
        with pytest.raises(Killed):
            resumed(tmp_path, instance, progress=killed_at(depth))
    assert facts(resumed(tmp_path, instance)) == facts(explore(instance))


def test_where_in_a_level_a_run_is_killed_makes_no_difference(named_example, tmp_path):
    instance = named_example("two-phase-3").instance
    expected = facts(explore(instance))
    for report in (1, 2, 3):
        with pytest.raises(Killed):
            explore(instance, kept=Checkpoints(tmp_path), progress=killed_at(6, report))
        assert facts(resumed(tmp_path, instance)) == expected


def test_a_violation_is_found_again_with_its_trace(example, tmp_path):
    expected = facts(explore(example.instance))
    if not expected.violated() or expected.depth < 2:
        return
    interrupted(tmp_path, expected.depth - 2, example.instance)
    assert facts(resumed(tmp_path, example.instance)) == expected


def test_a_finished_run_leaves_nothing_behind(group, tmp_path):
    kept = Checkpoints(tmp_path / "a" / "b")
    assert explore(group(2, 1), kept=kept).exhaustive
    assert list(tmp_path.rglob("*")) == [tmp_path / "a"]
    assert kept.depth is None


@pytest.mark.parametrize("budget", [Budget(states=50), Budget(seconds=0.0), Budget(memory_mb=0.0)])
def test_a_budget_that_runs_out_leaves_a_checkpoint(budget, group, tmp_path):
    kept = Checkpoints(tmp_path)
    outcome = explore(group(2, 1), kept=kept, budget=budget)
    assert outcome.incomplete_reason == explore(group(2, 1), budget=budget).incomplete_reason
    assert kept.depth == outcome.depth
    assert facts(resumed(tmp_path, group(2, 1))) == facts(explore(group(2, 1)))


def test_the_time_of_earlier_runs_is_not_counted_again(group, tmp_path):
    interrupted(tmp_path, 8, group(2, 1))
    snapshots: list[Snapshot] = []
    resumed(tmp_path, group(2, 1), progress=snapshots.append)
    assert snapshots[0].resumed == snapshots[0].states > 1
    assert snapshots[0].rate == 0.0


def test_an_error_of_the_spec_leaves_nothing_to_go_on_from(named_example, tmp_path):
    example = named_example("two-phase-3")
    actions = tuple(replace(a, guards=()) for a in example.instance.spec.actions)
    wrong = replace(example.instance, spec=replace(example.instance.spec, actions=actions))
    try:
        explore(wrong, deadlocks=False)
    except StateError:
        with pytest.raises(StateError):
            explore(wrong, deadlocks=False, kept=Checkpoints(tmp_path / "run"))
        assert not (tmp_path / "run").exists()


# --- fewer bits --------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("symmetry", [False, True])
def test_a_large_model_goes_on_with_the_bits_that_it_had(symmetry, group, tmp_path, monkeypatch):
    monkeypatch.setattr(search, "_SMALL", 100)
    expected = facts(explore(group(3, 1), symmetry=symmetry))
    assert expected.bits < 64
    for attempt, depth in ((0, 2), *((1, depth) for depth in range(0, expected.depth, 10))):
        end = killed_at(depth, attempt=attempt)
        with pytest.raises(Killed):
            explore(group(3, 1), symmetry=symmetry, kept=Checkpoints(tmp_path), progress=end)
        header = msgspec.json.decode(journal_lines(tmp_path)[0])[1]
        assert header["attempt"]["number"] == attempt
        assert facts(resumed(tmp_path, group(3, 1), symmetry=symmetry)) == expected


def counted(attempts: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Note with which lessons each machine is built; the first sample is far too small."""
    real = machine.build_machine
    monkeypatch.setattr(search, "_SMALL", 100)
    monkeypatch.setattr(machine, "_SAMPLE_WIDTH", 1)

    def build(*given: Any, **options: Any) -> Any:
        attempts.append((options["thrift"], len(options["lessons"])))
        return real(*given, **options)

    monkeypatch.setattr(search, "build_machine", build)


@pytest.mark.slow
def test_what_wrong_guesses_taught_is_kept_too(group, tmp_path, monkeypatch):
    attempts: list[Any] = []
    counted(attempts, monkeypatch)
    expected = facts(explore(group(3, 1)))
    *_, last = attempts
    assert all(last), "some guess must be wrong, and a later one right"
    number = len(attempts) - 1
    end = killed_at(20, attempt=number)
    with pytest.raises(Killed):
        explore(group(3, 1), kept=Checkpoints(tmp_path), progress=end)
    attempts.clear()
    assert facts(resumed(tmp_path, group(3, 1))) == expected
    assert attempts == [last]


@pytest.mark.slow
def test_bits_are_given_out_alike_whatever_the_hash_seed():
    script = (
        "from samebeat_cli.selection import select_one\n"
        "from samebeat_models.explorer.checkpoint import _digest_of_layout\n"
        "from samebeat_models.explorer.machine import build_machine\n"
        "instance = select_one('group-3x1').instance()\n"
        "print(_digest_of_layout(build_machine(instance, symmetry=False, thrift=1)))\n"
    )
    digests = {
        subprocess.run(
            [sys.executable, "-c", script],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(digests) == 1


# --- what is refused ---------------------------------------------------------------------------


@pytest.fixture
def left(named_example, tmp_path) -> Path:
    """Return a folder with the checkpoint of a killed run of ``two-phase-3``."""
    path: Path = tmp_path / "left"
    interrupted(path, 5, named_example("two-phase-3").instance)
    return path


def outcome_or_refusal(path: Path, instance: Instance) -> Exploration | str:
    try:
        return facts(resumed(path, instance))
    except CheckpointError as error:
        said = str(error)
    assert "\n" not in said
    assert said.startswith(f"{path}")
    return said


@pytest.mark.slow
def test_a_journal_cut_off_anywhere_is_gone_on_from_or_refused(left, named_example, tmp_path):
    instance = named_example("two-phase-3").instance
    expected = facts(explore(instance))
    whole = (left / JOURNAL).read_bytes()
    first = len(journal_lines(left)[0])

    @settings(max_examples=25)
    @given(st.integers(0, len(whole)))
    def check(size: int) -> None:
        path = shutil.copytree(left, tmp_path / "copy", dirs_exist_ok=True)
        (path / JOURNAL).write_bytes(whole[:size])
        found = outcome_or_refusal(path, instance)
        if 0 < size < first:
            assert "its first line is torn; remove the folder" in str(found)
        else:
            assert found == expected

    check()


@pytest.mark.parametrize("name", [JOURNAL, pytest.param(LEVELS, marks=pytest.mark.slow)])
def test_no_changed_byte_goes_unnoticed(name, left, named_example, tmp_path):
    instance = named_example("two-phase-3").instance
    expected = facts(explore(instance))
    whole = (left / name).read_bytes()

    @settings(max_examples=40)
    @given(st.integers(0, len(whole) - 1), st.integers(1, 255))
    def check(place: int, change: int) -> None:
        path = shutil.copytree(left, tmp_path / "copy", dirs_exist_ok=True)
        changed = bytearray(whole)
        changed[place] ^= change
        (path / name).write_bytes(changed)
        found = outcome_or_refusal(path, instance)
        if isinstance(found, str):
            assert "damaged" in found or "is of samebeat" in found
        else:
            assert name == JOURNAL, "only the end of a line may be lost, with its level"
            assert place == len(whole) - 1
            assert found == expected

    check()


def test_what_was_written_after_the_last_checkpoint_is_cut_off(left, named_example):
    instance = named_example("two-phase-3").instance
    with (left / LEVELS).open("ab") as file:
        file.write(b"half a level")
    assert facts(resumed(left, instance)) == facts(explore(instance))


@pytest.mark.parametrize("lost", [1, 8, 10_000])
def test_states_that_are_lost_are_missed(lost, left, named_example):
    states = (left / LEVELS).read_bytes()
    (left / LEVELS).write_bytes(states[:-lost])
    with pytest.raises(CheckpointError, match="too short; remove the folder to begin anew"):
        resumed(left, named_example("two-phase-3").instance)


def other(instance: Instance, **changed: Any) -> Instance:
    return replace(instance, **changed)


def test_the_checkpoint_of_another_run_is_refused_and_says_what_differs(group, tmp_path):
    instance = group(2, 1)
    interrupted(tmp_path, 3, instance)
    action = instance.spec.actions[-1]
    weaker = instance.spec.without(action.name, action.guards[0].why)
    changed = {"start_value": "v2", "asked": {"c1": "v1"}}
    runs: list[tuple[str, Instance, dict[str, Any]]] = [
        ("model is group-2x1 there, and else now", other(instance, name="else"), {}),
        ("fingerprint is", other(instance, spec=weaker), {}),
        ("Node is 2 there, and 3 now", other(group(3, 1), name="group-2x1"), {}),
        (r"asked\[c1\] is v2 there, and v1 now", other(instance, constants=changed), {}),
        ("symmetry is False there, and True now", instance, {"symmetry": True}),
        ("deadlocks is True there, and False now", instance, {"deadlocks": False}),
        ("min words is 1 there, and 2 now", instance, {"min_words": 2}),
    ]
    for says, run, options in runs:
        with pytest.raises(CheckpointError, match=f"it is of another run: {says}"):
            resumed(tmp_path, run, **options)
    assert resumed(tmp_path, instance).exhaustive, "refusing changes nothing"


def test_the_checkpoint_of_another_version_is_refused(left, named_example, monkeypatch):
    instance = named_example("two-phase-3").instance
    monkeypatch.setattr(checkpoint, "samebeat_version", lambda: "9.9")
    with pytest.raises(CheckpointError, match=r"samebeat is .* there, and 9\.9 now"):
        resumed(left, instance)
    monkeypatch.setattr(checkpoint, "_FORMAT", 2)
    with pytest.raises(CheckpointError, match=r"it is of samebeat [^;]*; remove the folder"):
        resumed(left, instance)


def test_a_checkpoint_with_another_layout_is_refused(left, named_example, monkeypatch):
    monkeypatch.setattr(checkpoint, "_digest_of_layout", lambda _: "another")
    with pytest.raises(CheckpointError, match="its states are packed otherwise"):
        resumed(left, named_example("two-phase-3").instance)


def test_a_folder_serves_one_run_at_a_time(group, tmp_path):
    with (
        Checkpoints(tmp_path),
        pytest.raises(DiskError, match="another run uses it"),
    ):
        explore(group(2, 1), kept=Checkpoints(tmp_path))


# --- the disk ----------------------------------------------------------------------------------


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """Limit the size of files: a write beyond it is an error, as on a disk that is full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize(
    ("name", "words", "room", "file"),
    [
        ("two-phase-5", 1, 30_000, LEVELS),
        ("two-phase-3", 1, 1_500, JOURNAL),
        ("two-phase-3", 2, 1_500, JOURNAL),
    ],
)
def test_a_full_disk_ends_in_undetermined_and_with_room_it_goes_on(
    name, words, room, file, named_example, tmp_path
):
    instance = named_example(name).instance
    kept = Checkpoints(tmp_path)
    with files_of_at_most(room):
        outcome = explore(instance, kept=kept, min_words=words)
    assert outcome.out_of_budget
    assert outcome.incomplete_reason == (
        f"stopped by the disk: {tmp_path / file}: cannot be written: File too large"
    )
    levels = len(journal_lines(tmp_path)) - 1
    assert kept.depth == (levels - 1 if file == LEVELS else levels - 2)
    assert facts(resumed(tmp_path, instance, min_words=words)) == facts(
        explore(instance, min_words=words)
    )


def test_no_room_for_scratch_files_ends_in_undetermined_too(named_example, tmp_path, monkeypatch):
    def full(_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(folder.Folder, "_scratch", full)
    outcome = explore(named_example("two-phase-3").instance, kept=Checkpoints(tmp_path))
    assert outcome.incomplete_reason == (
        f"stopped by the disk: {tmp_path}: cannot be written: No space left on device"
    )
    assert {f.verdict for f in outcome.findings if f.kind == "invariant"} == {"undetermined"}


@pytest.mark.slow
def test_a_killed_process_leaves_a_checkpoint(named_example, tmp_path):
    script = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from samebeat_cli.loader import load_file\n"
        "from samebeat_models.explorer import explore\n"
        "from samebeat_models.explorer.checkpoint import Checkpoints\n"
        "models, specs = load_file(Path(sys.argv[1]))\n"
        "model = next(m for m in models if m.name == 'two-phase-3')\n"
        "end = lambda now: now.depth == 6 and os.kill(os.getpid(), signal.SIGKILL)\n"
        "kept = Checkpoints(Path(sys.argv[2]))\n"
        "explore(model.instance(specs[model.spec]), kept=kept, progress=end)\n"
    )
    source = Path(__file__).parent.parent / "specs" / "two_phase_commit.py"
    done = subprocess.run([sys.executable, "-c", script, source, tmp_path], check=False)
    assert done.returncode == -signal.SIGKILL
    assert len(journal_lines(tmp_path)) == 1 + 7
    instance = named_example("two-phase-3").instance
    assert facts(resumed(tmp_path, instance)) == facts(explore(instance))


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="nothing tells the open files")
def test_the_number_of_open_files_does_not_grow_with_the_levels(named_example, tmp_path):
    counts: list[int] = []
    explore(
        named_example("two-phase-5").instance,
        min_words=2,
        kept=Checkpoints(tmp_path),
        progress=lambda _: counts.append(len(list(Path("/proc/self/fd").iterdir()))),
    )
    assert max(counts) < min(counts) + 40


def test_a_line_of_the_journal_is_json(left):
    header, *levels = [msgspec.json.decode(line)[1] for line in journal_lines(left)]
    assert header["identity"]["model"] == "two-phase-3"
    states = np.fromfile(left / LEVELS, np.uint64)
    assert sum(level["states"] for level in levels) == len(states)
