"""The spec language: first-order transition systems, written as ordinary Python functions.

A spec is a module with sorts, a state class, initial states, actions and properties; see
``samebeat_spec.group`` for ours. Every reader takes the object that ``spec_of`` returns.
"""

from samebeat_spec.language.definitions import (
    Action,
    Initial,
    Property,
    action,
    always_reachable,
    initial,
    invariant,
    step_property,
    terminal,
    witness,
)
from samebeat_spec.language.errors import InstanceError, SpecError, StateError
from samebeat_spec.language.figures import Figure, one_if, stay, tally
from samebeat_spec.language.instance import Cell, Instance
from samebeat_spec.language.liveness import Fair, Liveness, eventually, leads_to, only
from samebeat_spec.language.logic import count, exists, following, forall, implies, ite, one_of
from samebeat_spec.language.recorder import Assignment, Guard, guard
from samebeat_spec.language.refinement import Projection, Refinement, refinement
from samebeat_spec.language.sorts import Enumeration, Integer, Ordered, Sort, element
from samebeat_spec.language.spec import Spec, header, spec_of, specs_in
from samebeat_spec.language.state import (
    State,
    Variable,
    anything,
    every,
    flag,
    function,
    relation,
    variable,
)
from samebeat_spec.language.terms import Formula, Term

__all__ = [
    "Action",
    "Assignment",
    "Cell",
    "Enumeration",
    "Fair",
    "Figure",
    "Formula",
    "Guard",
    "Initial",
    "Instance",
    "InstanceError",
    "Integer",
    "Liveness",
    "Ordered",
    "Projection",
    "Property",
    "Refinement",
    "Sort",
    "Spec",
    "SpecError",
    "State",
    "StateError",
    "Term",
    "Variable",
    "action",
    "always_reachable",
    "anything",
    "count",
    "element",
    "eventually",
    "every",
    "exists",
    "flag",
    "following",
    "forall",
    "function",
    "guard",
    "header",
    "implies",
    "initial",
    "invariant",
    "ite",
    "leads_to",
    "one_if",
    "one_of",
    "only",
    "refinement",
    "relation",
    "spec_of",
    "specs_in",
    "stay",
    "step_property",
    "tally",
    "terminal",
    "variable",
    "witness",
]
