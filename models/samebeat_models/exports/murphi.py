"""Murphi, for Rumur: bounded types, rulesets, invariants.

Elements of enumerations and of sorts without names become enums (never scalarsets, so that every
state counts), ordered sorts and integers ranges. Step properties are asserted at the start of a
rule, about what its updates will do, so no copy is kept for them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import cast

from samebeat_models.exports.ground import Grounder, Start
from samebeat_models.exports.printer import Printer, Scope, index_text
from samebeat_models.exports.selection import Selection, about, select, signature, title
from samebeat_models.exports.text import (
    Block,
    Doc,
    Names,
    flat,
    identifier,
    in_parentheses,
    indented,
    lay_out,
    prose,
    quoted,
)
from samebeat_models.exports.trees import (
    TRUE,
    assume,
    before_step,
    change_of,
    constant_index,
    facts_of,
    opposite,
    substitute,
    subtrees,
    term_choice,
)
from samebeat_spec.language import Action, Assignment, Formula, Instance, Variable
from samebeat_spec.language.terms import (
    Apply,
    CountOf,
    Exists,
    Expr,
    ForAll,
    Holds,
    Key,
    Literal,
    SortClass,
    Sum,
    Term,
)

_WORDS = """
    alias array assert assume begin bitfor boolean by case clear const cover do else elsif end
    endalias endexists endfor endforall endfunction endif endprocedure endrecord endrule endruleset
    endstartstate endswitch endwhile enum error exists false for forall function if in invariant
    ismember isundefined liveness multiset multisetadd multisetcount multisetremove
    multisetremovepred of procedure process program property put record return rule ruleset
    scalarset startstate switch then to traceuntil true type undefine undefined union var while
    """
RESERVED = frozenset(_WORDS.split())
HOW_TO_RUN = (
    "rumur --threads 1 --symmetry-reduction off --deadlock-detection stuck --value-type int32_t",
    "  --output model.c FILE; cc -std=c11 -O3 -march=native -mcx16 -o model model.c -lpthread",
    "(--deadlock-detection off where deadlocks are not checked.)",
)

_WHY_ASSERTS = """This step property is asserted at the start of each rule that could break it."""
_WHY_RULES = """Invariants, each as a rule that is enabled where the invariant fails. Rumur would
check an `invariant` after every step, also when the step leads to a known state; rules are tried
once a state."""


class _Murphi(Printer):
    truth = ("false", "true")
    negation = "!"
    conjunction = "&"
    disjunction = "|"
    implication = "->"
    equivalence = "="
    equal = "="
    unequal = "!="
    at_most = "<="
    choice = ("", " ? ", " : ")
    quantifier_is_atom = True

    def __init__(self, instance: Instance, names: Names) -> None:
        super().__init__(instance, names)
        spec = instance.spec
        self.grounder = Grounder(instance)
        self.variables = {v.name: names.claim(v.name, f"var_{v.name}") for v in spec.variables}
        self.variables |= {v.name: names.claim(v.name, f"the_{v.name}") for v in spec.constants}
        self.sorts = {s.__name__: names.claim(s.__name__, f"Sort_{s.__name__}") for s in spec.sorts}
        self.saved: dict[str, str] = {}
        self.elements: dict[tuple[str, int], str] = {}
        for s in spec.sorts:
            for i in () if s.integer or s.ordered else instance.domain(s):
                label = instance.label(s, i)
                self.elements[s.__name__, i] = names.claim(label, f"{s.__name__}_{label}")

    def constant(self, sort: SortClass, index: int) -> str:
        return self.elements.get((sort.__name__, index), str(index))

    def sort(self, sort: SortClass) -> str:
        """Return the type of a sort's elements."""
        return "boolean" if sort is None else self.sorts[sort.__name__]

    def type_of(self, variable: Variable) -> str:
        """Return the type of a variable: nested arrays."""
        columns = "".join(f"array [{self.sort(s)}] of " for s in variable.arguments)
        return columns + self.sort(variable.to)

    def place(self, variable: Variable, arguments: list[str], after: bool) -> str:
        word = self.saved.get(variable.name, self.variables[variable.name])
        if variable.constant:
            return f"{word}({', '.join(arguments)})"
        return index_text(word, arguments)

    def quantifier(self, expr: ForAll | Exists, scope: Scope) -> Doc:
        word, inner = self.bind(expr.name, scope)
        sign = "forall" if isinstance(expr, ForAll) else "exists"
        head = f"{sign} {word}: {self.sort(expr.name.sort)} do "
        return Block(head, (self.doc(expr.body, inner),), "", " end")

    def count(self, expr: CountOf, scope: Scope) -> Doc:
        """Murphi cannot count, so the sum is written out."""
        zero, one = Literal(expr.sort, 0), Literal(expr.sort, 1)
        terms = [
            term_choice(substitute(expr.body, {expr.name.label: x}), one, zero)
            for x in self.grounder.elements(expr.name.sort)
        ]
        sum_of: Term = terms[0]
        for term in terms[1:]:
            sum_of = Sum(sum_of, term, 1)
        return in_parentheses(self.doc(sum_of, scope))


def murphi(
    instance: Instance, properties: Sequence[str] | None = None, promises: Sequence[str] = ()
) -> dict[str, str]:
    """Return the files of the Murphi export, text by name."""
    chosen = select(instance, properties, promises)
    return {f"{identifier(instance.name)}.m": _File(instance, chosen).text()}


class _File:
    """One export in the making."""

    def __init__(self, instance: Instance, chosen: Selection) -> None:
        self.instance = instance
        self.spec = instance.spec
        self.chosen = chosen
        self.names = Names(RESERVED)
        self.printer = _Murphi(instance, self.names)
        self.copies: dict[str, str] = {}

    def text(self) -> str:
        """Return the file."""
        lines = [
            *prose(title(self.instance, self.chosen, HOW_TO_RUN), "--"),
            *self._declarations(),
            *(line for v in self.spec.constants for line in self._constant(v)),
            *self._initial_states(),
            *(line for a in self.spec.actions for line in self._rule(a)),
            *self._properties(),
        ]
        return "\n".join(lines) + "\n"

    # --- declarations ----------------------------------------------------------------------

    def _declarations(self) -> Iterator[str]:
        yield ""
        yield "type"
        for s in self.spec.sorts:
            yield f"  {self.printer.sort(s)}: {self._extent(s)};"
        yield ""
        yield "var"
        for v in self.spec.variables:
            yield f"  {self.printer.variables[v.name]}: {self.printer.type_of(v)};"

    def _extent(self, sort: SortClass) -> str:
        domain = self.instance.domain(sort)
        if sort.integer or sort.ordered:
            return f"{domain[0]}..{domain[-1]}"
        return "enum { " + ", ".join(self.printer.constant(sort, i) for i in domain) + " }"

    def _constant(self, v: Variable) -> Iterator[str]:
        """Yield a constant as a function: Murphi's own constants are only numbers."""
        scope: dict[str, str] = {}
        for i, sort in enumerate(v.arguments):
            scope[str(i)] = self.names.local(sort.__name__[0].lower(), set(scope.values()))
        parameters = "; ".join(
            f"{word}: {self.printer.sort(s)}"
            for word, s in zip(scope.values(), v.arguments, strict=True)
        )
        yield ""
        yield f"-- {v.name}: {signature(v)}"
        yield f"function {self.printer.variables[v.name]}({parameters}): {self.printer.sort(v.to)};"
        yield "begin"
        yield f"  return {lay_out(self._table(v, (), list(scope.values())), 4)};"
        yield "end;"

    def _table(self, v: Variable, place: tuple[int, ...], words: list[str]) -> Doc:
        """Return a constant's values from ``place`` on, as a chain of choices."""
        if len(place) == len(v.arguments):
            return self._value(v, self.instance.constant_values[v.name][place])
        sort, word = v.arguments[len(place)], words[len(place)]
        rows = [(i, self._table(v, (*place, i), words)) for i in self.instance.domain(sort)]
        result = rows[-1][1]
        for i, row in reversed(rows[:-1]):
            if flat(row) != flat(result):
                test = f"{word} = {self.printer.constant(sort, i)} ? "
                result = Block("(", (Block(test, (row,), "", " :"), result), " ", ")")
        return result

    def _value(self, v: Variable, value: int) -> str:
        if v.to is None:
            return self.printer.truth[value]
        return self.printer.constant(v.to, value)

    # --- initial states --------------------------------------------------------------------

    def _initial_states(self) -> Iterator[str]:
        for d in self.spec.initials:
            yield ""
            yield from prose(about(d.doc, d.claims), "--")
            for g in d.guards:
                yield from prose(f"only where: {g.why}", "--")
        for start in self.printer.grounder.starts():
            yield from self._start(start)

    def _start(self, start: Start) -> Iterator[str]:
        free = [i for i, value in enumerate(start.values) if value is None]
        words = {i: self.names.local(f"any_{n + 1}", ()) for n, i in enumerate(free)}
        rulesets = "; ".join(f"{w}: {self._cell_type(i)}" for i, w in words.items())
        yield f"ruleset {rulesets} do" if free else ""
        yield f"startstate {quoted(start.name)}"
        yield "begin"
        for v in self.spec.variables:
            yield from indented(self._start_values(v, start, words), 2)
        yield "end;"
        if free:
            yield "end;"

    def _cell_type(self, cell: int) -> str:
        return self.printer.sort(self.instance.cells[cell].variable.to)

    def _start_values(self, v: Variable, start: Start, words: dict[int, str]) -> Iterator[str]:
        """Yield assignments for every place of a variable: a loop, then what differs from it."""
        cells = self.instance.cell_index[v.name]
        known = [x for x in (start.values[i] for i in cells.values()) if x is not None]
        common = max(known, key=lambda x: (known.count(x), -x)) if known else None
        name = self.printer.variables[v.name]
        if common is not None:
            columns: list[str] = []
            for s in v.arguments:
                columns.append(self.names.local(s.__name__[0].lower(), columns))
            place = index_text(name, columns)
            loop = zip(columns, v.arguments, strict=True)
            yield self._loop(list(loop), f"{place} := {self._value(v, common)};")
        for place_, i in cells.items():
            value = start.values[i]
            if value != common or value is None:
                at = map(self.printer.constant, v.arguments, place_)
                new = words[i] if value is None else self._value(v, value)
                yield f"{index_text(name, list(at))} := {new};"

    def _loop(self, columns: Sequence[tuple[str, SortClass]], body: str) -> str:
        head = "".join(f"for {word}: {self.printer.sort(s)} do " for word, s in columns)
        return head + body + " end;" * len(columns)

    # --- rules -----------------------------------------------------------------------------

    def _rule(self, action: Action) -> Iterator[str]:
        scope: dict[str, str] = {}
        for p in action.parameters:
            scope[p.label] = self.names.local(p.label, set(scope.values()))
        yield ""
        yield from prose(about(action.doc, action.claims), "--")
        binders = "; ".join(
            f"{scope[p.label]}: {self.printer.sort(p.sort)}" for p in action.parameters
        )
        if binders:
            yield f"ruleset {binders} do"
        yield f"rule {quoted(action.name)}"
        yield from indented(self._guards(action, scope), 2)
        yield "==>"
        copies, statements = self._statements(action, scope)
        yield from (f"var {word}: {self.printer.type_of(v)};" for v, word in copies)
        yield "begin"
        yield from indented(self._asserts(action, scope), 2)
        yield from (f"  {word} := {self.printer.variables[v.name]};" for v, word in copies)
        yield from indented(statements, 2)
        yield "end;"
        if binders:
            yield "end;"

    def _guards(self, action: Action, scope: Scope) -> Iterator[str]:
        conditions = [(g.condition, g.why) for g in action.guards]
        change = change_of(action)
        if change.key() != TRUE.key() or not conditions:
            conditions.append((change, "the step changes something"))
        for i, (condition, why) in enumerate(conditions):
            yield from prose(why, "--")
            joiner = " &" if i < len(conditions) - 1 else ""
            yield lay_out(self.printer.conjunct(condition, scope), 2, 2) + joiner

    def _asserts(self, action: Action, scope: Scope) -> Iterator[str]:
        facts: dict[Key, Expr] = {}
        for g in action.guards:
            facts.update(facts_of(assume(g.condition, facts)))
        for p in self.chosen.steps:
            formula = before_step(p.formula, action)
            if assume(formula, facts).key() != TRUE.key():
                text = lay_out(self.printer.conjunct(formula, scope), 2, 7)
                yield f"assert {text} {quoted(p.name)};"

    # --- updates ---------------------------------------------------------------------------

    def _statements(
        self, action: Action, scope: Scope
    ) -> tuple[list[tuple[Variable, str]], list[str]]:
        """Return the variables to copy first, and the assignments in a safe order."""
        copies: list[tuple[Variable, str]] = []
        lines: list[str] = []
        waiting = list(action.assignments)
        self.printer.saved = {}
        while waiting:
            free = [a for a in waiting if not self._spoils(a, waiting)]
            if free:
                waiting.remove(free[0])
                lines.append(self._assignment(free[0], scope))
                continue
            v = waiting[0].variable
            if v.name not in self.copies:
                self.copies[v.name] = self.names.claim(f"old_{v.name}")
            word = self.copies[v.name]
            copies.append((v, word))
            self.printer.saved[v.name] = word
        self.printer.saved = {}
        return copies, lines

    def _spoils(self, a: Assignment, waiting: Sequence[Assignment]) -> bool:
        """Return whether doing ``a`` now overwrites what is still to be read."""
        if a.variable.name in self.printer.saved:
            return False
        target = (*a.arguments,)
        for other in waiting:
            parts = (*other.arguments, cast("Expr", other.value))
            for e in (e for part in parts for e in subtrees(part)):
                if isinstance(e, (Holds, Apply)) and e.variable is a.variable:
                    if other is a and (not a.bound or _same(target, e.arguments)):
                        continue
                    if not _apart(target, e.arguments):
                        return True
        return False

    def _assignment(self, a: Assignment, scope: Scope) -> str:
        columns, inner = [], dict(scope)
        for n in a.bound:
            word, inner = self.printer.bind(n, inner)
            columns.append((word, n.sort))
        at = [flat(self.printer.doc(t, inner)) for t in a.arguments]
        target = index_text(self.printer.variables[a.variable.name], at)
        value = lay_out(self.printer.doc(cast("Expr", a.value), inner), 4, len(target))
        return self._loop(columns, f"{target} := {value};")

    # --- properties ------------------------------------------------------------------------

    def _properties(self) -> Iterator[str]:
        for p in self.chosen.terminal:
            yield ""
            yield from prose(f"{p.name}: {p.doc}", "--")
            yield f"rule {quoted(p.name)}"
            yield f"  {self._condition(p.formula)}"
            yield "==>"
            yield "begin"
            yield "end;"
        for p in self.chosen.steps:
            yield ""
            yield from prose(f"{p.name}: {about(p.doc, p.claims)}", "--")
            yield from prose(_WHY_ASSERTS, "--")
        if self.chosen.invariants:
            yield ""
            yield from prose(_WHY_RULES, "--")
        for p in self.chosen.invariants:
            yield ""
            yield from prose(about(p.doc, p.claims), "--")
            yield f"rule {quoted(p.name)}"
            yield f"  {self._condition(opposite(p.formula))}"
            yield "==>"
            yield "begin"
            yield f"  error {quoted(p.name)};"
            yield "end;"

    def _condition(self, formula: Formula) -> str:
        return lay_out(self.printer.conjunct(formula, {}), 2)


def _same(left: tuple[Term, ...], right: tuple[Term, ...]) -> bool:
    return all(a.key() == b.key() for a, b in zip(left, right, strict=True))


def _apart(left: tuple[Term, ...], right: tuple[Term, ...]) -> bool:
    """Return whether two places differ for certain: somewhere they name different elements."""
    pairs = [(constant_index(a), constant_index(b)) for a, b in zip(left, right, strict=True)]
    return any(a is not None and b is not None and a != b for a, b in pairs)
