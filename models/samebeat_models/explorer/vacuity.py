"""Vacuity: a property that holds for want of a case is no evidence.

The *triggers* of a property are the situations it speaks about: the antecedent of an implication,
each of the parts that must not come together. A trigger that no reachable state (or step) shows
makes the property vacuous in that model. A plain fact has no trigger. It is vacuous where it reads
only what no step of the model changes, such as a suspicion where no clock runs.
"""

from __future__ import annotations

from samebeat_spec.language.terms import (
    And,
    Exists,
    ForAll,
    Formula,
    Implies,
    Not,
    conjunction,
)


def triggers(formula: Formula) -> list[Formula]:
    """Return the situations without which ``formula`` says nothing; none for a plain fact."""
    match formula:
        case ForAll(name, body):
            return [Exists(name, t) for t in triggers(body)]
        case And(parts):
            return [t for part in parts for t in triggers(part)]
        case Implies(antecedent, consequent):
            within = [conjunction(antecedent, t) for t in triggers(consequent)]
            return [antecedent, *within]
        case Not(And(parts)):
            return list(parts)
        case Not(Exists(name, body)):
            return [Exists(name, t) for t in triggers(Not(body))]
    return []
