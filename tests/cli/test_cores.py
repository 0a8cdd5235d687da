"""``samebeat simulate --impl`` and ``samebeat figures``: the production core in virtual time."""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from msgspec import structs
from tests.conformance import broken_cores

from samebeat.messages import Fragment
from samebeat.parameters import Settings
from samebeat.sending import Sending
from samebeat_cli.app import run
from samebeat_conformance.simulator import layer_measures, measures


def test_models_and_cores_are_not_walked_through_at_once(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(["simulate", "--impl", "group-2x1"]) == 2
    assert "takes no model" in capsys.readouterr().err
    assert run(["simulate", "--nodes", "3"]) == 2
    assert "--nodes needs --impl" in capsys.readouterr().err
    assert run(["simulate", "--impl", "--format", "sarif"]) == 2
    assert "point at lines of a spec" in capsys.readouterr().err


@pytest.mark.slow
def test_a_kind_of_fault_that_is_missing_is_exit_3_and_named(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(["simulate", "--impl", "--walks", "1", "--nodes", "3"]) == 3
    out = capsys.readouterr().out
    assert "NEVER" in out
    assert "no run had" in out
    assert "a calm run and a storm" in out


@pytest.mark.slow
def test_runs_with_every_fault_find_nothing_and_say_how_much_they_were(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(["simulate", "--impl", "--walks", "12", "--format", "json"]) == 3
    data = json.loads(capsys.readouterr().out)
    found = data["campaign"]
    assert (found["runs"], found["never"], found["failed"]) == (12, [], None)
    assert min(found["faults"].values()) > 0
    assert found["virtual_hours"] > 0.3
    assert {r["verdict"] for r in data["results"]} == {"undetermined"}


@pytest.mark.slow
def test_a_broken_core_is_exit_12_with_a_short_run_as_itf(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    broken_cores.undoes_to_the_first_value(monkeypatch)
    arguments = ["simulate", "--impl", "--nodes", "3", "--out-itf", str(tmp_path)]
    assert run(arguments) == 12
    out = capsys.readouterr().out
    assert "impl: kept_until_replaced is violated" in out
    assert "no fault can be left out" in out
    (file,) = tmp_path.iterdir()
    assert file.name == "impl.kept_until_replaced.itf.json"
    assert len(json.loads(file.read_text())["#meta"]["faults"]) == 3


@pytest.mark.slow
@pytest.mark.parametrize("form", ["junit", "markdown"])
def test_the_other_formats_take_runs_of_cores_too(
    form: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["simulate", "--impl", "--walks", "1", "--nodes", "3", "--format", form]) == 3
    assert "agreement" in capsys.readouterr().out


@pytest.mark.slow
def test_figures_are_a_table_or_data(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["figures", "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert len(found["figures"]) == 55
    assert all(f["measured"] == f["expected"] for f in found["figures"])
    assert [row["lost"] + row["duplicated"] for row in found["under_load"]] == 11 * [0]


def only(monkeypatch: pytest.MonkeyPatch, parameter: str) -> None:
    """Measure one parameter of messages, and no other."""
    kept = tuple(m for m in layer_measures.LAYER_MEASURES if m.parameter == parameter)
    monkeypatch.setattr(layer_measures, "LAYER_MEASURES", kept)
    monkeypatch.setattr(measures, "MEASURES", ())


@pytest.mark.slow
def test_a_parameter_that_is_not_applied_moves_no_figure_and_ends_with_10(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    only(monkeypatch, "message_retry_timer")
    assert run(["figures"]) == 0
    assert "1 parameters, 0 not as their values say; exit 0" in capsys.readouterr().out
    send = Sending.send

    def keeps(self: Sending, now_ms: int, epoch: int, settings: Settings) -> Iterator[Fragment]:
        return send(self, now_ms, epoch, structs.replace(settings, message_retry_timer=500))

    monkeypatch.setattr(Sending, "send", keeps)
    assert run(["figures"]) == 10
    said = capsys.readouterr().out
    assert "500 (not 900)" in said
    assert "500 (not 200)" in said


@pytest.mark.slow
def test_a_picture_needs_matplotlib_and_is_written_where_it_is(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    only(monkeypatch, "maximum_fragment_size")
    path = tmp_path / "figures.svg"
    code = run(["figures", "--plot", str(path)])
    if find_spec("matplotlib") is None:
        assert code == 2
        assert "pip install matplotlib" in capsys.readouterr().err
    else:
        assert code == 0
        assert "<svg" in path.read_text()


@pytest.fixture(scope="module")
def counterexample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The trace of a model without a guard."""
    folder = tmp_path_factory.mktemp("traces")
    assert run(["check", "cluster-apply-without-every-ack", "--out-itf", str(folder)]) == 0
    return folder / "cluster-apply-without-every-ack.apply_after_full_receipt.itf.json"


@pytest.mark.slow
def test_the_core_refuses_what_its_own_model_takes(
    counterexample: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["replay", str(counterexample)]) == 0
    capsys.readouterr()
    assert run(["replay", str(counterexample), "--against", "impl"]) == 10
    assert "step 2, apply(n1, c1), is refused by the implementation" in capsys.readouterr().out
    assert run(["replay", str(counterexample), "--against", "both", "--format", "json"]) == 10
    data = json.loads(capsys.readouterr().out)
    assert data["results"][0]["replay"]["refusal"] is None
    assert data["implementation"]["refused"] == "apply(n1, c1)"


@pytest.mark.slow
def test_a_trace_is_held_against_the_core_on_its_own_model_and_spec_only(
    counterexample: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trace, against = str(counterexample), ["--against", "impl"]
    assert run(["replay", trace, *against, "--model", "cluster-2x2-calm"]) == 2
    assert "leave out --model" in capsys.readouterr().err
    assert run(["check", "limits-send-without-limit", "--out-itf", str(tmp_path)]) == 0
    other = next(tmp_path.iterdir())
    capsys.readouterr()
    assert run(["replay", str(other), *against]) == 2
    assert "no core can follow runs of limits" in capsys.readouterr().err


@pytest.mark.slow
def test_the_core_refuses_what_claim_1_without_a_guard_does(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["check", "commit-without-every-ok", "--out-itf", str(tmp_path)]) == 0
    (trace,) = tmp_path.iterdir()
    capsys.readouterr()
    assert run(["replay", str(trace), "--against", "impl"]) == 10
    assert "step 8, commit(n2, c1), is refused by the implementation" in capsys.readouterr().out


@pytest.mark.slow
def test_a_failing_run_is_written_and_replays_to_the_same_failure(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with monkeypatch.context() as patch:
        broken_cores.commits_on_its_own_vote(patch)
        assert run(["simulate", "--impl", "--nodes", "3", "--out-itf", str(tmp_path)]) == 12
        (file,) = tmp_path.iterdir()
        capsys.readouterr()
        assert run(["replay", str(file)]) == 0
        out = capsys.readouterr().out
        assert "are made again, bit for bit\nstep_of_the_spec is violated, as the file says" in out
        assert run(["replay", str(file), "--against", "impl", "--format", "json"]) == 0
        assert json.loads(capsys.readouterr().out)["run"]["same"] is True
        lines = file.read_text().splitlines()
        first = lines.index('  "states": [') + 1
        edited = [
            *lines[: first + 3],
            lines[first + 3].replace(" of a", " of b"),
            *lines[first + 4 :],
        ]
        (tmp_path / "edited.itf.json").write_text("\n".join(edited))
        assert run(["replay", str(tmp_path / "edited.itf.json")]) == 10
        assert f"line {first + 4}, step 3, " in capsys.readouterr().out
    assert run(["replay", str(file)]) == 10
    assert "the cores do something else" in capsys.readouterr().out
    assert run(["replay", str(file), "--against", "spec"]) == 2
    assert "a run of cores: it has no model" in capsys.readouterr().err


@pytest.mark.slow
def test_an_edited_dropped_or_reordered_line_of_a_trace_is_refused_before_any_core_sees_it(
    counterexample: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = counterexample.read_text().splitlines(keepends=True)
    at = next(i for i, line in enumerate(lines) if '"index": 1' in line)
    broken = {
        "edited": [
            *lines[:at],
            lines[at].replace('["n1", "v1"]', '["n1", "v2"]'),
            *lines[at + 1 :],
        ],
        "reordered": [*lines[: at - 1], lines[at], lines[at - 1], *lines[at + 1 :]],
        "dropped": [*lines[:at], *lines[at + 1 :]],
    }
    said = {}
    for name, rest in broken.items():
        path = tmp_path / f"{name}.itf.json"
        path.write_text("".join(rest))
        code = run(["replay", str(path), "--against", "impl"])
        output = capsys.readouterr()
        said[name] = (code, output.out + output.err)
    assert said["edited"][0] == 10
    assert "step 1, request(n1, c1), is refused by cluster-apply" in said["edited"][1]
    assert said["reordered"][0] == said["dropped"][0] == 151
    assert "state 0: #meta: its index is 1" in said["reordered"][1]
    assert "state 1: #meta: its index is 2" in said["dropped"][1]
