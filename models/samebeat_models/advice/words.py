"""Advice in plain words and numbers with units, the answer first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from textwrap import wrap

from samebeat_models.advice.basis import basis
from samebeat_models.advice.judgement import (
    Advice,
    Deferral,
    Judged,
    Order,
    Verdict,
    keeps_itself,
    unit_of,
)
from samebeat_models.advice.numbers import plain
from samebeat_models.advice.run import Harm
from samebeat_models.advice.stories import seen_later, story
from samebeat_models.advice.wish import NONE
from samebeat_spec.combinations import steady
from samebeat_spec.parameters import (
    BY_NAME,
    MEMORY,
    Constant,
    Expression,
    Kind,
    Number,
    OrElse,
    Product,
    Quantity,
    Sum,
    Values,
)

_WIDTH = 100
_ONE = {"misses": "miss", "messages": "message", "bytes": "byte"}
_DEFERRAL = {
    Deferral.LOCAL: "Local: the other node need not know (claims 20, 21).",
    Deferral.NOT_NEEDED: "Any order is safe: here nobody need wait for anybody.",
    Deferral.ENOUGH: "The claims' order is enough: the second node switches first (claim 19).",
    Deferral.NOT_ENOUGH: "The claims' own order is UNSAFE here: the second node first (claim 19).",
}
WHAT_GOES_WRONG = {
    "safe": "a live node may be suspected",
    "ack_in_time": "an ack that is not lost may be missed",
    "ack_losses_tolerated": "a live node may be suspected for losses that are tolerated",
    "fragments_under_way_fit": "a fragment under way may not fit the second node's buffers",
    "new_fragments_fit": "a fragment to come may not fit the second node's buffers",
    "no_early_retry": "a message may be sent again while its ack is under way",
    "one_retry_at_least": "a message may be given up before it is sent again",
    "duplicates_under_way_known": "the second node may take a late copy for a new message",
    "new_duplicates_known": "the second node may take a late copy for a new message",
    "nothing_purged": "what is queued may be purged",
    "unacked_fit": "an unacked message may find no buffer at the second node",
    "new_messages_fit": "a message to come may find no buffer at the second node",
}
"""For each constraint what may happen where it is broken."""
_RECOUNTS = "a running deadline counts from the last heartbeat: no misses are carried over"
_ENVELOPE = (
    "     Or, for heartbeats in any direction: the second node keeps the longest deadline until a",
    "     heartbeat confirms the new values, and the first follows on the ack.",
)


# --- formulas ------------------------------------------------------------------------------------


def formula(e: Expression, values: Values, numbers: bool) -> str:
    """Return an expression by its names, or with the numbers put in; of a choice what applies."""
    match e:
        case Quantity():
            return plain(values[e]) if numbers else _name(e)
        case Constant():
            return str(e.value)
        case Sum():
            return f"{formula(e.left, values, numbers)} + {formula(e.right, values, numbers)}"
        case Product():
            return f"{_factor(e.left, values, numbers)} * {_factor(e.right, values, numbers)}"
        case OrElse():
            return formula(e.left if e.left in values else e.right, values, numbers)
    raise TypeError(f"no words for {type(e).__name__}")


def _factor(e: Expression, values: Values, numbers: bool) -> str:
    text = formula(e, values, numbers)
    return f"({text})" if isinstance(e, Sum) else text


def _name(q: Quantity) -> str:
    if q.kind is Kind.TRAFFIC:
        return f"{q.name} under way"
    return q.name


def inequality(j: Judged) -> str:
    """Return ``3 * 2000 = 6000 ms >= 2 * 1000 + 50 = 2050 ms``, or with < if it is broken."""
    c, unit = j.constraint, unit_of(j.constraint)
    large, small = (
        _worked_out(side, value, j.values, unit)
        for side, value in ((c.large, j.large), (c.small, j.small))
    )
    return f"{large} {'>=' if j.holds else '<'} {small}"


def _worked_out(e: Expression, value: Fraction, values: Values, unit: str) -> str:
    text, result = formula(e, values, numbers=True), quantity(value, unit)
    return result if text == plain(value) else f"{text} = {result}"


def quantity(x: Number, unit: str) -> str:
    """Return a number with its unit; a ratio has none."""
    return plain(x) if unit == "ratio" else f"{plain(x)} {_ONE.get(unit, unit) if x == 1 else unit}"


def _margin(j: Judged) -> str:
    amount = quantity(abs(j.margin), unit_of(j.constraint))
    return f"{amount} to spare" if j.holds else f"BROKEN by {amount}"


# --- the answer ----------------------------------------------------------------------------------


def headline(advice: Advice) -> str:
    """Return the answer in one sentence."""
    j = advice.decides
    if advice.verdict is Verdict.UNSAFE:
        amount = quantity(-j.margin, unit_of(j.constraint))
        name = j.constraint.name
        return f"UNSAFE by {amount}: {WHAT_GOES_WRONG[name]} (constraint `{name}`)."
    how = {
        Deferral.NOT_NEEDED: "in any order",
        Deferral.ENOUGH: "if the second node switches first",
        Deferral.NOT_ENOUGH: "but only in the order below",
    }.get(advice.deferral, "" if len(advice.stages) < 2 else "in the order below")
    margin = "" if keeps_itself(j.constraint) else _margin(advice.spare)
    said = ", ".join(filter(None, ("SAFE", how if advice.changed else "nothing changes", margin)))
    repairs = advice.verdict is Verdict.REPAIRS
    return f"{said}." + (" The present values are UNSAFE: make this change." if repairs else "")


def lines(advice: Advice, harms: Mapping[str, Harm], traces: bool = False) -> list[str]:
    """Return the advice as text.

    Args:
        advice: the advice.
        harms: what would happen, by case.
        traces: show also what other orders would do; a wish that is unsafe shows it anyway.
    """
    found = [headline(advice), "", *_wish(advice)]
    found += ["", *_what_decides(advice), *(f"  {b.line}" for b in basis(advice))]
    if advice.safe and advice.stages:
        found += ["", *_how_to_switch(advice)]
    if not advice.safe:
        found += ["", *_nearest(advice)]
    found += _warnings(advice)
    for name, harm in harms.items():
        if traces or name in ("now", "want"):
            found += ["", *_harm(harm)]
        elif harm.trace is not None:
            found.append("  (--traces shows what happens then)")
    return found


def _wish(advice: Advice) -> list[str]:
    rows = [(n, _value(advice.now.get(n)), _value(x, n)) for n, x in advice.wish.want.items()]
    widths = [max(len(row[i]) for row in rows) for i in (0, 1)]
    assumed = {n: plain(x) for n, x in advice.wish.network.items()}
    units = {"delay": " ms", "processing": " ms", "ack_delay": " ms"}
    said = ", ".join(f"{n} {x}{units.get(n, '')}" for n, x in assumed.items())
    return [
        *(f"  {n:{widths[0]}}  {old:>{widths[1]}} -> {new}" for n, old, new in rows),
        f"  assumed: {said}, all else 0" if said else "  assumed: no delay, no losses, no drift",
        *(f"  derived: {what}" for what in _derived(advice)),
    ]


def _derived(advice: Advice) -> Iterator[str]:
    """Yield what follows from the wish and from what is assumed, and is not said there."""
    touched = {c.name for c in advice.touched}
    if "ack_losses_tolerated" in touched:
        n = advice.assumptions.unacked
        yield f"heartbeats in a row without an ack, as they or their acks are lost: up to {n}"
    if "new_duplicates_known" in touched:
        values = steady(advice.then, advice.assumptions)
        how = _worked_out(MEMORY, Fraction(MEMORY.evaluate(values)), values, "ms")
        yield f"the second node must remember a message for {how} by its clock"


def _value(x: Number | None, name: str = "") -> str:
    if x is None:
        return NONE
    return quantity(x, BY_NAME[name].unit) if name else plain(x)


def _what_decides(advice: Advice) -> list[str]:
    j = advice.decides
    c = j.constraint
    large, small = (formula(side, j.values, numbers=False) for side in (c.large, c.small))
    found = [f"What decides: {c.why} (constraint `{c.name}`).", f"  {large}", f"    >= {small}"]
    now = next(p for p in advice.present if p.constraint is c)
    between = advice.worst_on_the_way(c) if advice.safe else None
    seen = [p for p in (now, between, j) if p is not None]
    width = max(len(p.at) for p in seen) + 1
    found += [f"  {p.at + ':':{width}}  {inequality(p)}: {_margin(p)}" for p in seen]
    found += [f"  also {line}" for line in _other_constraints(advice, c)]
    return found


def _other_constraints(advice: Advice, but: object) -> Iterator[str]:
    for j in advice.new:
        if j.constraint is but:
            continue
        if keeps_itself(j.constraint) and j.holds:
            yield f"{j.constraint.name}: kept by the order"
        else:
            yield f"{j.constraint.name}: {_margin(j)} with the new values"


def _how_to_switch(advice: Advice) -> list[str]:
    found = ["How to switch:"]
    for i in range(len(advice.stages)):
        found += _stage(advice, i)
    if advice.deferral in (Deferral.ENOUGH, Deferral.NOT_ENOUGH):
        found.append("     Each node is both: all take a step before any takes the next.")
        found += _ENVELOPE if advice.envelope_helps else ()
    found.append(_DEFERRAL[advice.deferral])
    if advice.deferral is Deferral.LOCAL and not advice.literal.safe:
        found += ["Without waiting for the drain it is UNSAFE.", *_worst(advice.literal)]
    elif not advice.literal.safe:
        found += _worst(advice.literal)
    elif not advice.no_order.safe:
        found += [
            "In no order, or with the first node first, it is UNSAFE.",
            *_worst(advice.no_order),
        ]
    return found


def _stage(advice: Advice, index: int) -> list[str]:
    stage = advice.stages[index]
    what, _, meanwhile = stage.move.value.partition("; ")
    recounts = _RECOUNTS if advice.recounts(index) else ""
    more = filter(None, (meanwhile, advice.trigger(index), recounts))
    return [f"  {index + 1}. {what}: {', '.join(stage.names)}", *(f"     {x}" for x in more)]


def _worst(order: Order) -> list[str]:
    j = order.worst
    if j is None:
        return []
    return [f"  {j.at} (constraint `{j.constraint.name}`):", f"    {inequality(j)}: {_margin(j)}"]


def _nearest(advice: Advice) -> list[str]:
    found = ["Nearest safe value:" if len(advice.nearest) == 1 else "Nearest safe value of one:"]
    for name, x in advice.nearest.items():
        near = "none in its range" if x is None else quantity(x, BY_NAME[name].unit)
        found.append(f"  {name}: {near} (wished: {plain(advice.then[name])})")
    return found


def _warnings(advice: Advice) -> list[str]:
    found = []
    if not advice.safe and not all(j.holds for j in advice.present):
        found.append("The present values are UNSAFE too.")
    found += [
        f"Beside this change: the present values break {j.constraint.name}: {inequality(j)}."
        for j in advice.broken_beside
    ]
    return ["", *found] if found else []


# --- what would happen ---------------------------------------------------------------------------


def _harm(harm: Harm) -> list[str]:
    if harm.trace is None:
        return wrap(f"No trace of {harm.case.about}: {harm.reason}.", _WIDTH)
    found = [f"What can happen with {harm.case.about}:", *(f"  {x}" for x in story(harm))]
    for said in _remarks(harm):
        found += wrap(said, _WIDTH, initial_indent="  ", subsequent_indent="    ")
    return found


def _remarks(harm: Harm) -> Iterator[str]:
    step = plain(harm.tick_ms)
    if harm.chosen:
        values = ", ".join(f"{n} {quantity(x, BY_NAME[n].unit)}" for n, x in harm.chosen.items())
        yield f"Not given, and so chosen for this run: {values}."
    if seen_later(harm):
        yield f"Shown in steps of {step} ms; it is seen a step later that a time-out has passed."
    if harm.rounded:
        numbers = ", ".join(harm.rounded)
        yield f"Shown in steps of {step} ms and rounded; the true numbers are worse: {numbers}."
