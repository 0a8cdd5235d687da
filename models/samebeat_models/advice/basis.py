"""What a verdict about heartbeats rests on: a proof for all real numbers, or a search of models.

The proofs are those of ``samebeat prove heartbeat``. A test holds the names here against them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from samebeat_models.advice.judgement import Advice, Deferral
from samebeat_spec.parameters import SAFE

SPEC = "heartbeat"
ALL_REALS = "all-reals"
SEARCHED = "exhaustive"


@dataclass(frozen=True)
class Basis:
    """One thing that a verdict rests on.

    Attributes:
        says: what, in words.
        properties: names of what is proved, or checked.
        models: the models that were searched; none if it is proved.
    """

    says: str
    properties: tuple[str, ...]
    models: tuple[str, ...] = ()

    @property
    def rung(self) -> str:
        """The rung of the ladder of assurance."""
        return SEARCHED if self.models else ALL_REALS

    @property
    def line(self) -> str:
        """The basis in one line."""
        if self.models:
            return f"{self.says}: searched, not proved ({', '.join(self.models)})"
        return f"{self.says}: proved for all real times (samebeat prove {SPEC})"


NO_HARM = ("no_false_suspicion", "no_mismatch_window", "armed_within_effective")
TIGHT = Basis("that less than `safe` can do harm", ("safe_is_tight",))
LITERAL = Basis("the second node first", NO_HARM)
ENVELOPE = Basis("the envelope, through any sequence of changes", NO_HARM)
ORDER = Basis(
    "the first node first",
    ("no_false_suspicion",),
    ("first-first-lowers", "direction-aware-lowers-raises"),
)


def basis(advice: Advice) -> tuple[Basis, ...]:
    """Return what the verdict rests on, beside the inequalities; nothing without `safe`."""
    return tuple(_basis(advice)) if advice.decides.constraint is SAFE else ()


def _basis(advice: Advice) -> Iterator[Basis]:
    (now,) = (j for j in advice.present if j.constraint is SAFE)
    (new,) = (j for j in advice.new if j.constraint is SAFE)
    if not (now.holds and new.holds):
        yield TIGHT
        return
    if advice.deferral in (Deferral.ENOUGH, Deferral.NOT_NEEDED) and now.large <= new.large:
        yield LITERAL
    if advice.deferral in (Deferral.NOT_ENOUGH, Deferral.NOT_NEEDED):
        yield ORDER
    if advice.envelope_helps:
        yield ENVELOPE


def data(found: Basis) -> dict[str, object]:
    """Return a basis for JSON."""
    return {
        "spec": SPEC,
        "properties": list(found.properties),
        "rung": found.rung,
        "models": list(found.models),
        "says": found.line,
    }
