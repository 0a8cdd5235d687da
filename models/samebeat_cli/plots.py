"""A picture of what the parameters do: one panel for each, before, during and after a change."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from samebeat_cli.errors import CommandError

if TYPE_CHECKING:
    from samebeat_conformance.simulator.measures import Figure
    from samebeat_conformance.simulator.traffic import Harm

_COLUMNS = 3
_STAGES = ("before", "while open", "after")
_LINES = (("raising", "raised", "#0072b2", 9), ("lowering", "lowered", "#d55e00", -15))
"""For each direction its two moments, a color, and on which side of a line its numbers stand."""


def draw(rows: Sequence[tuple[tuple[Figure, ...], Harm]], path: Path) -> None:
    """Write a picture of all figures.

    Raises:
        CommandError: matplotlib is not installed, or the file's ending is none that it knows.
    """
    try:
        from matplotlib.figure import Figure as Picture
    except ImportError:
        raise CommandError(
            "--plot needs matplotlib: run `make plot`, or pip install matplotlib"
        ) from None
    lines = -(-(len(rows) + 1) // _COLUMNS)
    picture = Picture(figsize=(4.2 * _COLUMNS, 2.6 * lines), layout="constrained")
    panels = list(picture.subplots(lines, _COLUMNS).flat)
    for panel, (figures, _) in zip(panels, rows, strict=False):
        _panel(panel, {f.when: f for f in figures})
    rest = panels[len(rows) :]
    for panel in rest:
        panel.set_axis_off()
    _legend(rest[0], [harm for _, harm in rows])
    picture.suptitle("What each parameter does, before, during and after a group change of it")
    try:
        picture.savefig(path, dpi=110)
    except (OSError, ValueError) as error:
        raise CommandError(f"cannot write {path}: {error}") from None


def _panel(panel: Any, figures: dict[str, Figure]) -> None:
    """Draw one parameter: two lines that leave from the same point."""
    first = figures["before"]
    panel.set_title(first.parameter, fontsize=10, fontweight="bold", loc="left")
    panel.set_ylabel(_wrapped(first.figure), fontsize=8)
    for during, after, color, offset in _LINES:
        shown = (first, figures[during], figures[after])
        measured = [f.measured for f in shown]
        panel.plot(_STAGES, [f.expected for f in shown], "o", ms=11, mfc="none", mec="#999999")
        panel.plot(_STAGES, measured, "-o", ms=5, color=color, lw=2)
        for place, f in zip(_STAGES[1:], shown[1:], strict=True):
            panel.annotate(
                f"{f.measured:,}",
                (place, f.measured),
                xytext=(0, offset),
                textcoords="offset points",
                ha="center",
                color=color,
                fontsize=8,
            )
    panel.annotate(
        f"{first.measured:,}",
        (_STAGES[0], first.measured),
        xytext=(0, 9),
        textcoords="offset points",
        ha="center",
        fontsize=8,
    )
    panel.margins(x=0.15, y=0.3)
    panel.set_ylim(bottom=min(0, panel.get_ylim()[0]))
    panel.tick_params(labelsize=8)
    panel.spines[["top", "right"]].set_visible(False)


def _wrapped(text: str) -> str:
    """Break a label in two where that makes it fit beside its panel."""
    from textwrap import fill

    return fill(text, 24)


def _legend(panel: Any, harms: Sequence[Harm]) -> None:
    for _, after, color, _ in _LINES:
        panel.plot([], [], "-o", color=color, lw=2, ms=5, label=f"the parameter is {after}")
    panel.plot([], [], "o", ms=11, mfc="none", mec="#999999", label="what its value says")
    panel.legend(loc="upper left", frameon=False, fontsize=9)
    panel.text(
        0.03,
        0.08,
        "During all these changes, under load:\n"
        f"{sum(h.lost for h in harms)} of {sum(h.messages for h in harms):,} messages lost\n"
        f"{sum(h.duplicated for h in harms)} delivered twice\n"
        f"{sum(h.refused for h in harms)} fragments refused\n"
        f"{sum(h.suspicions for h in harms)} false suspicions",
        transform=panel.transAxes,
        fontsize=9,
    )
