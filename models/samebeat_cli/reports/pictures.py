"""A counterexample to induction as a picture (SVG): where runs get, and the step that breaks it.

On the left are the states that runs reach, with the start in it. The state before the step is
inside if a run gets there, and outside if none does. Its arrow leads to the state after it. Only
what matters is written into the two states; what the step changes is marked, and so is what breaks
the fact. One colour says what the counterexample is worth.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from textwrap import wrap

from samebeat_cli.reports import count_of
from samebeat_cli.reports.counterexamples import Counterexample
from samebeat_models.classify import Kind

SUFFIX = ".svg"
LINE, CHAR, PAD = 18, 7.9, 14
"""Height of a line, width of a character, and room around text, in pixels."""
BLOB, GAP, TOP = 250, 70, 96
"""Width of what runs reach, room between parts, and height of what stands above them."""
RED, AMBER, GREY, INK, PALE = "#b3261e", "#9a6700", "#57606a", "#1f2328", "#eef4fb"
_STYLE = (
    "text{font:13px ui-monospace,Menlo,Consolas,monospace;fill:#1f2328}"
    ".title{font-size:18px;font-weight:bold}.note{fill:#57606a}.bold{font-weight:bold}"
)


@dataclass(frozen=True)
class _Line:
    text: str
    colour: str = INK
    bold: bool = False


@dataclass(frozen=True)
class _Box:
    """A state: its heading and its lines, at a place."""

    x: float
    y: float
    heading: str
    lines: tuple[_Line, ...]

    @property
    def width(self) -> float:
        longest = max(len(x.text) for x in (_Line(self.heading), *self.lines))
        return longest * CHAR + 2 * PAD

    @property
    def height(self) -> float:
        return (len(self.lines) + 1) * LINE + PAD + 6

    @property
    def middle(self) -> float:
        return self.y + self.height / 2


def picture(c: Counterexample) -> str:
    """Return a counterexample as an SVG document."""
    colour, said = _worth(c)
    reached = c.classified is not None and c.classified.before.trace is not None
    unknown = c.classified is None or c.classified.kind is Kind.UNDETERMINED
    before = _Box(BLOB + 2 * GAP if not reached else GAP * 2 + 60, TOP + 30, *_state(c, False))
    boxes = [before]
    if c.step:
        room = max(len(c.step) * CHAR + 40, 120)
        boxes.append(_Box(before.x + before.width + room, TOP + 30, *_state(c, True)))
    bottom = max(b.y + b.height for b in boxes) + 34
    footer = _footer(c, max(60, int((boxes[-1].x + boxes[-1].width) / CHAR) - 6))
    width = boxes[-1].x + boxes[-1].width + 40
    width = max(width, len(said) * CHAR + 40, len(c.name) * 11 + 200)
    height = bottom + 50 + LINE * len(footer)
    parts = [
        *_text(20, 34, f"{c.name} is not met", "title"),
        *_text(20, 60, said, "bold", colour),
        *_blob(c, before, bottom, reached),
        *_box(before, GREY if unknown else INK if reached else AMBER, dashed=not reached),
    ]
    if c.step:
        parts += [*_arrow(before, boxes[1], c.step), *_box(boxes[1], RED)]
    for i, line in enumerate(footer):
        parts += _text(
            20, bottom + 36 + i * LINE, line.text, "bold" if line.bold else "", line.colour
        )
    body = "\n".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
        f'viewBox="0 0 {width:.0f} {height:.0f}">\n<style>{_STYLE}</style>\n{_ARROWS}'
        f'<rect width="100%" height="100%" fill="white"/>\n{body}\n</svg>\n'
    )


def _worth(c: Counterexample) -> tuple[str, str]:
    """Return the colour and the sentence that say what a counterexample is worth."""
    found = c.classified
    if found is None:
        return GREY, c.verdict
    if found.kind is Kind.UNDETERMINED:
        return GREY, f"undetermined: {found.why}"
    here = "the state before" if c.step else "this state"
    if found.kind is Kind.UNREACHED:
        return AMBER, f"a fact is missing: no run gets to {here}, and none breaks {c.fact}"
    kind = "not true" if c.own else "a defect"
    if found.kind is Kind.REACHED:
        return RED, f"{kind}: a run gets here from the start"
    return RED, f"{kind}: no run gets to {here}, but another run breaks {c.fact}"


def _state(c: Counterexample, after: bool) -> tuple[str, tuple[_Line, ...]]:
    """Return the heading and the lines of a state: what changes, and what breaks the fact."""
    matters, found = c.matters, []
    breaks = matters.after if after or not c.step else matters.before
    for i in matters.all:
        value = c.value(i, after)
        text = {"true": c.cell(i), "false": f"not {c.cell(i)}"}.get(value)
        marks = [
            m
            for m, there in (
                ("changed", after and i in matters.changed),
                ("breaks it", i in breaks),
            )
            if there
        ]
        said = (text or f"{c.cell(i)} = {value}") + (f"   <- {', '.join(marks)}" if marks else "")
        found.append(_Line(said, RED if i in breaks else INK, after and i in matters.changed))
    heading = "the state after" if after else "the state before" if c.step else "a state"
    return heading, tuple(found or [_Line("whatever it is")])


def _footer(c: Counterexample, width: int) -> list[_Line]:
    """Return what stands below: what is broken, and the run to it, if there is one."""
    doc = " ".join(c.prop.doc.split()) if c.prop else ""
    found = [_Line(x, RED, i == 0) for i, x in enumerate(wrap(f"{c.fact}: {doc}", width))]
    if c.classified is not None and c.classified.trace is not None:
        steps = c.classified.trace.steps
        run = " > ".join(x.action for x in steps)
        found += [_Line(x) for x in wrap(f"the run, {count_of(len(steps), 'step')}: {run}", width)]
    found.append(_Line(f"shown is only what matters; with {c.size}", GREY))
    return found


# --- shapes ------------------------------------------------------------------------------------

_ARROWS = "".join(
    f'<defs><marker id="tip-{name}" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="8" '
    f'markerHeight="8" orient="auto"><path d="M0 0 L10 5 L0 10 z" fill="{colour}"/></marker>'
    "</defs>\n"
    for name, colour in (("ink", INK), ("red", RED))
)


def _text(
    x: float, y: float, text: str, style: str = "", colour: str = "", anchor: str = "start"
) -> Iterator[str]:
    fill = f' style="fill:{colour}"' if colour else ""
    kind = f' class="{style}"' if style else ""
    yield (
        f'<text x="{x:.0f}" y="{y:.0f}"{kind}{fill} text-anchor="{anchor}" '
        f'xml:space="preserve">{escape(text)}</text>'
    )


def _box(box: _Box, colour: str, dashed: bool = False) -> Iterator[str]:
    dash = ' stroke-dasharray="7 5"' if dashed else ""
    yield (
        f'<rect x="{box.x:.0f}" y="{box.y:.0f}" width="{box.width:.0f}" '
        f'height="{box.height:.0f}" rx="8" fill="white" stroke="{colour}" stroke-width="2"{dash}/>'
    )
    yield from _text(box.x + PAD, box.y + PAD + 6, box.heading, "note")
    for i, line in enumerate(box.lines, 1):
        style = "bold" if line.bold else ""
        yield from _text(box.x + PAD, box.y + PAD + 6 + i * LINE, line.text, style, line.colour)


def _arrow(left: _Box, right: _Box, label: str) -> Iterator[str]:
    y = min(left.middle, right.middle)
    yield _line(left.x + left.width, right.x - 2, y, "red")
    middle = (left.x + left.width + right.x) / 2
    yield from _text(middle, y - 8, label, "bold", RED, "middle")


def _line(start: float, end: float, y: float, name: str, dashed: bool = False) -> str:
    colour, dash = {"red": RED, "ink": INK}[name], ' stroke-dasharray="7 5"' if dashed else ""
    return (
        f'<line x1="{start:.0f}" y1="{y:.0f}" x2="{end:.0f}" y2="{y:.0f}" stroke="{colour}" '
        f'stroke-width="2" marker-end="url(#tip-{name})"{dash}/>'
    )


def _blob(c: Counterexample, before: _Box, bottom: float, reached: bool) -> Iterator[str]:
    """Draw what runs reach: around the start, and around the state before if it is one of them."""
    right = before.x + before.width + 16 if reached else BLOB + 20.0
    yield (
        f'<rect x="20" y="{TOP - 10}" width="{right - 20:.0f}" height="{bottom - TOP + 10:.0f}" '
        f'rx="36" fill="{PALE}" stroke="#9dbbe0"/>'
    )
    for i, line in enumerate(_reach(c)):
        yield from _text(40, TOP + 12 + i * LINE, line, "note")
    y = before.middle
    yield f'<circle cx="60" cy="{y:.0f}" r="7" fill="{INK}"/>'
    yield from _text(60, y + 26, "start", "note", anchor="middle")
    if reached and c.classified and c.classified.before.trace:
        steps = len(c.classified.before.trace.steps)
        yield _line(70, before.x - 2, y, "ink")
        middle = (70 + before.x) / 2
        yield from _text(middle, y - 8, count_of(steps, "step"), "note", anchor="middle")
    elif c.classified is not None:
        unknown, middle = c.classified.before.why, (right + before.x) / 2
        yield _line(70, before.x - 2, y, "ink", dashed=True)
        if unknown:
            yield from _text(middle, y - 10, "?", "title", GREY, "middle")
        else:
            yield from _cross(middle, y)
            yield from _text(middle, y - 22, "no run", "note", anchor="middle")


def _cross(x: float, y: float) -> Iterator[str]:
    for a, b in ((-11, 11), (11, -11)):
        yield (
            f'<line x1="{x + a:.0f}" y1="{y - 11:.0f}" x2="{x + b:.0f}" y2="{y + 11:.0f}" '
            f'stroke="{RED}" stroke-width="4"/>'
        )


def _reach(c: Counterexample) -> Sequence[str]:
    if c.classified is None:
        return ("what runs reach",)
    place = c.classified.before
    states = count_of(place.states, "state")
    if place.why and place.trace is None:
        return ("what runs reach:", f"more than {states}")
    return (f"what runs reach: {states}",)
