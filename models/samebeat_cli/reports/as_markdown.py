"""Markdown: the table for a pull request or a job summary."""

from __future__ import annotations

from samebeat_cli.reports import Outcome, verdict_words

_COLUMNS = ("model", "claims", "property", "verdict", "states", "depth", "seconds")


def render(outcome: Outcome) -> str:
    """Return an outcome as a Markdown table, then each row that is not as expected."""
    lines = [f"**{outcome.summary}**", ""]
    lines += ["| " + " | ".join(_COLUMNS) + " |", "|---|---|---|---|--:|--:|--:|"]
    for row in outcome.report.rows:
        cells = (
            row.model,
            ", ".join(row.claims),
            f"`{row.property}`",
            verdict_words(row) if row.as_expected else f"**{verdict_words(row)}**",
            f"{row.states:,}",
            "" if row.depth is None else str(row.depth),
            f"{row.seconds:.2f}",
        )
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    for row in outcome.unexpected:
        lines += ["", f"### {outcome.headline(row)}", "", outcome.promise(row)]
        if row.trace:
            lines += ["", "```text", *outcome.story(row), "```"]
    if outcome.figures is not None:
        from samebeat_cli.reports.figures import markdown

        lines += ["", *markdown(outcome)]
    if outcome.simulations is not None:
        from samebeat_cli.reports.simulations import markdown as simulations

        lines += ["", *simulations(outcome)]
    return "\n".join(lines) + "\n"
