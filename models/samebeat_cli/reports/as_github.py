"""GitHub workflow commands: annotations beside the property in a pull request."""

from __future__ import annotations

from samebeat_cli.reports import Outcome
from samebeat_cli.reports.places import place_of
from samebeat_models.results import Verdict


def render(outcome: Outcome) -> str:
    """Return an annotation for each row that is not as expected, and a notice with the counts."""
    lines: list[str] = []
    for row in outcome.unexpected:
        level = "warning" if row.verdict is Verdict.UNDETERMINED else "error"
        file, line = place_of(outcome.models[row.model], row.property)
        story = "\n".join([outcome.headline(row), *outcome.story(row)])
        title = f"{row.property} ({row.model})"
        lines.append(
            f"::{level} file={_property(file)},line={line},title={_property(title)}::{_data(story)}"
        )
    lines.append(f"::notice title=samebeat::{_data(outcome.summary)}")
    return "\n".join(lines) + "\n"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
