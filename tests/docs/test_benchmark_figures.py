"""The README's figures are those of the last benchmark run that is in the repository."""

from __future__ import annotations

import json
from pathlib import Path

ROOT = Path(__file__).parents[2]
RESULTS = json.loads((ROOT / "benchmarks" / "results.json").read_text("utf-8"))
README = (ROOT / "README.md").read_text("utf-8")


def test_the_readme_shows_the_row_of_every_tool_as_measured():
    for tool in RESULTS["tools"]:
        row = (
            f"| {tool['name']} | {tool['seconds']:.2f} | {tool['states_per_second']:,} "
            f"| {tool['peak_mb']:.0f} | {tool['ratio']:.1f} |"
        )
        assert row in README, row


def test_the_readme_names_model_states_machine_and_start_up_time():
    prose = " ".join(README.split())
    assert f"`{RESULTS['model']}`, {RESULTS['states']:,} states" in prose
    assert RESULTS["machine"] in prose
    startup = RESULTS["seconds_to_verdict_on_smallest_model"]
    own = next(tool for tool in RESULTS["tools"] if tool["name"] == "samebeat")
    assert f"A state costs {own['held_bytes_a_state']} bytes" in prose
    assert f"medians of {RESULTS['rounds']} rounds" in prose
    assert f"{startup:.2f} s from command to verdict" in prose


def test_the_figures_are_medians_of_several_rounds():
    assert RESULTS["rounds"] >= 3


def test_a_result_has_what_readers_of_the_file_rely_on():
    assert set(RESULTS) >= {"machine", "model", "states", "tools"}
    for tool in RESULTS["tools"]:
        keys = {"name", "version", "seconds", "states_per_second", "peak_mb", "ratio"}
        assert set(tool) >= keys
