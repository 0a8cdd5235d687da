"""TLA+, for TLC: a module and its configuration.

Functions are curried (`phase[n][c]`), elements without names become model values, elements of an
enumeration strings, ordered sorts and integers numbers. A step property is an action property
`[][...]_vars`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from samebeat_models.exports.printer import Printer, Scope, index_text
from samebeat_models.exports.selection import Selection, about, select, signature, title
from samebeat_models.exports.temporal import Temporal
from samebeat_models.exports.text import Block, Doc, Names, flat, identifier, lay_out, prose
from samebeat_models.exports.trees import TRUE, change_of, is_bound, subtrees, with_first_values
from samebeat_spec.language import (
    Action,
    Assignment,
    Formula,
    Initial,
    Instance,
    Property,
    Variable,
)
from samebeat_spec.language.terms import (
    Apply,
    CountOf,
    Element,
    Exists,
    Expr,
    ForAll,
    Implies,
    Literal,
    Name,
    Or,
    SortClass,
    Truth,
)

_WORDS = """
    ASSUME ASSUMPTION AXIOM BOOLEAN CASE CHOOSE CONSTANT CONSTANTS DOMAIN ELSE ENABLED EXCEPT
    EXTENDS FALSE IF IN INSTANCE LAMBDA LET LOCAL MODULE OTHER SF_ STRING SUBSET THEN THEOREM TRUE
    UNCHANGED UNION VARIABLE VARIABLES WF_ WITH ACTION BY DEF DEFINE DEFS HAVE HIDE LEMMA NEW
    OBVIOUS OMITTED ONLY PICK PROOF PROPOSITION PROVE QED RECURSIVE STATE SUFFICES TAKE TEMPORAL
    USE WITNESS COROLLARY
    Nat Int Real Infinity Cardinality IsFiniteSet Print PrintT Assert JavaTime TLCGet TLCSet
    Permutations SortSeq RandomElement Any ToString TLCEval Init Next Spec vars InBounds Terminal
    """
RESERVED = frozenset(_WORDS.split())
HOW_TO_RUN = (
    "java -cp tla2tools.jar tlc2.TLC -config FILE.cfg FILE.tla",
    "(add -deadlock, which turns the check off, where deadlocks are not checked)",
    "`= TRUE` keeps TLC from taking each way in which a guard holds as a step of its own.",
)


class _Tla(Printer):
    truth = ("FALSE", "TRUE")
    negation = "~"
    conjunction = "/\\"
    disjunction = "\\/"
    implication = "=>"
    equivalence = "<=>"
    equal = "="
    unequal = "#"
    at_most = "<="
    choice = ("IF ", " THEN ", " ELSE ")

    def __init__(self, instance: Instance, names: Names) -> None:
        super().__init__(instance, names)
        spec = instance.spec
        self.variables = {v.name: names.claim(v.name, f"var_{v.name}") for v in spec.variables}
        self.variables |= {v.name: names.claim(v.name, f"the_{v.name}") for v in spec.constants}
        self.sorts = {s.__name__: names.claim(s.__name__, f"Sort_{s.__name__}") for s in spec.sorts}
        self.elements: dict[tuple[str, int], str] = {}
        for s in spec.sorts:
            for i in () if s.elements or s.integer or s.ordered else instance.domain(s):
                label = instance.label(s, i)
                self.elements[s.__name__, i] = names.claim(label, f"{s.__name__}_{label}")

    def constant(self, sort: SortClass, index: int) -> str:
        if sort.elements:
            return f'"{sort.elements[index].label}"'
        return self.elements.get((sort.__name__, index), str(index))

    def sort(self, sort: SortClass) -> str:
        """Return the set of a sort's elements."""
        return "BOOLEAN" if sort is None else self.sorts[sort.__name__]

    def place(self, variable: Variable, arguments: list[str], after: bool) -> str:
        return index_text(self.variables[variable.name] + ("'" if after else ""), arguments)

    def quantifier(self, expr: ForAll | Exists, scope: Scope) -> Doc:
        word, inner = self.bind(expr.name, scope)
        sign = "\\A" if isinstance(expr, ForAll) else "\\E"
        head = f"{sign} {word} \\in {self.sort(expr.name.sort)} : "
        return Block("", (Block(head, (self.doc(expr.body, inner),)),))

    def count(self, expr: CountOf, scope: Scope) -> Doc:
        word, inner = self.bind(expr.name, scope)
        head = f"Cardinality({{{word} \\in {self.sort(expr.name.sort)} : "
        return Block(head, (self.doc(expr.body, inner),), "", "})")


def tla(
    instance: Instance, properties: Sequence[str] | None = None, promises: Sequence[str] = ()
) -> dict[str, str]:
    """Return the files of the TLA+ export, text by name."""
    chosen = select(instance, properties, promises, temporal=True)
    name = identifier(instance.name)
    made = _Module(instance, chosen, name)
    return {f"{name}.tla": made.text(), f"{name}.cfg": made.configuration()}


class _Module:
    """One export in the making."""

    def __init__(self, instance: Instance, chosen: Selection, name: str) -> None:
        self.instance = instance
        self.spec = instance.spec
        self.chosen = chosen
        self.name = name
        self.names = Names(RESERVED | {name})
        self.printer = _Tla(instance, self.names)
        defined = [d.name for d in (*self.spec.initials, *self.spec.actions)]
        defined += [p.name for p in self.spec.properties]
        defined += [p.name for p in self.spec.liveness]
        self.words = {name: self.names.claim(name, f"def_{name}") for name in defined}
        self.unsafe = [v for v in self.spec.variables if self._can_leave_bounds(v)]

    def text(self) -> str:
        """Return the module."""
        lines = [
            f"---- MODULE {self.name} ----",
            *prose(title(self.instance, self.chosen, HOW_TO_RUN), "\\*"),
            "",
            "EXTENDS Integers, FiniteSets",
            *self._declarations(),
            *self._initial_states(),
            *(line for a in self.spec.actions for line in self._action(a)),
            *self._next(),
            *self._properties(),
            "====",
        ]
        return "\n".join(lines) + "\n"

    def configuration(self) -> str:
        """Return the configuration that names constants and properties."""
        lines = [*prose(f"{self.spec.name}, instance {self.instance.name}", "\\*")]
        if not self.chosen.deadlock:
            lines += prose("Deadlocks are not checked: run TLC with -deadlock.", "\\*")
        lines.append("SPECIFICATION Spec")
        if self.printer.elements:
            lines.append("CONSTANTS")
            lines += [f"  {word} = {word}" for word in self.printer.elements.values()]
        invariants = [self.words[p.name] for p in self.chosen.invariants]
        invariants += ["InBounds"] if self.unsafe else []
        for what, words in (
            ("INVARIANTS", invariants),
            ("PROPERTIES", [self.words[p] for p in self.chosen.temporal]),
        ):
            if words:
                lines += [what, *(f"  {word}" for word in words)]
        return "\n".join(lines) + "\n"

    # --- declarations ----------------------------------------------------------------------

    def _declarations(self) -> Iterator[str]:
        if self.printer.elements:
            yield f"CONSTANTS {', '.join(self.printer.elements.values())}"
        yield ""
        for s in self.spec.sorts:
            yield f"{self.printer.sort(s)} == {self._extent(s)}"
        yield ""
        for v in self.spec.constants:
            yield f"\\* {v.name}: {signature(v)}"
            table = self._table(v, (), {})
            yield f"{self.printer.variables[v.name]} == {lay_out(table, 2)}"
        yield ""
        yield "VARIABLES"
        last = len(self.spec.variables) - 1
        for i, v in enumerate(self.spec.variables):
            comma = "," if i < last else " "
            yield f"  {self.printer.variables[v.name]}{comma}  \\* {signature(v)}"
        yield ""
        yield f"vars == {self._tuple(self.spec.variables)}"

    def _extent(self, sort: SortClass) -> str:
        domain = self.instance.domain(sort)
        if sort.integer or sort.ordered:
            return f"{domain[0]}..{domain[-1]}"
        return "{" + ", ".join(self.printer.constant(sort, i) for i in domain) + "}"

    def _table(self, variable: Variable, place: tuple[int, ...], scope: Scope) -> Doc:
        """Return a constant's values from ``place`` on: a function that tells cases apart."""
        if len(place) == len(variable.arguments):
            value = self.instance.constant_values[variable.name][place]
            if variable.to is None:
                return self.printer.truth[value]
            return self.printer.constant(variable.to, value)
        sort = variable.arguments[len(place)]
        word = self.names.local(sort.__name__[0].lower(), set(scope.values()))
        inner = {**scope, word: word}
        rows = [(i, self._table(variable, (*place, i), inner)) for i in self.instance.domain(sort)]
        head = f"[{word} \\in {self.printer.sort(sort)} |-> "
        if len({flat(row) for _, row in rows}) == 1:
            return Block(head, (rows[0][1],), "", "]")
        cases = [Block(f"{word} = {self.printer.constant(sort, i)} -> ", (row,)) for i, row in rows]
        return Block(head, (Block("CASE ", tuple(cases), " [] "),), "", "]")

    def _tuple(self, variables: Sequence[Variable]) -> str:
        return lay_out(
            Block("<<", tuple(self.printer.variables[v.name] for v in variables), ", ", ">>"), 8
        )

    # --- initial states and actions ----------------------------------------------------------

    def _initial_states(self) -> Iterator[str]:
        for definition in self.spec.initials:
            yield from self._operator(definition)
            for v in self.spec.variables:
                yield from self._initial_value(definition, v)
        yield from self._choice_of("Init", self.spec.initials)

    def _first(self, sort: SortClass) -> Expr:
        if sort is None:
            return Truth(False)
        index = self.instance.domain(sort)[0]
        if sort.integer:
            return Literal(sort, index)
        return Element(sort, self.instance.label(sort, index), index)

    def _initial_value(self, definition: Initial, v: Variable) -> Iterator[str]:
        scope = self._scope(definition)
        own = [a for a in definition.assignments if a.variable is v]
        free: dict[int, str] = {}
        prefix = ""
        for a in own:
            if a.value is None:
                word = self.names.local("any", {*scope.values(), *free.values()})
                free[id(a)] = word
                columns = [n.sort for n in a.bound]
                prefix += f"\\E {word} \\in {self._space(columns, v)} : "
        for word in free.values():
            scope[word] = word
        base = self._everywhere(v, self._first(v.to), scope)
        value = self._updated(v, own, base, scope, free, initial=True)
        name = self.printer.variables[v.name]
        yield "  /\\ " + lay_out(Block(f"{prefix}{name} = ", (value,)), 5)

    def _space(self, columns: Sequence[SortClass], v: Variable) -> str:
        space = self.printer.sort(v.to)
        for sort in reversed(columns):
            space = f"[{self.printer.sort(sort)} -> {space}]"
        return space

    def _everywhere(self, v: Variable, value: Expr, scope: Scope) -> Doc:
        """Return the function of a variable's shape that has one value everywhere."""
        words, inner = self._columns(v.arguments, scope)
        return self._function(v.arguments, words, self.printer.doc(value, inner))

    def _columns(
        self, sorts: Sequence[SortClass], scope: Scope
    ) -> tuple[list[str], dict[str, str]]:
        inner = dict(scope)
        words = []
        for sort in sorts:
            word = self.names.local(sort.__name__[0].lower(), set(inner.values()))
            inner[f"column {word}"] = word
            words.append(word)
        return words, inner

    def _function(self, sorts: Sequence[SortClass], words: Sequence[str], body: Doc) -> Doc:
        for sort, word in zip(reversed(sorts), reversed(words), strict=True):
            body = Block(f"[{word} \\in {self.printer.sort(sort)} |-> ", (body,), "", "]")
        return body

    def _action(self, action: Action) -> Iterator[str]:
        yield from self._operator(action)
        scope = self._scope(action)
        change = change_of(action)
        if change.key() != TRUE.key():
            yield from prose("the step changes something", "\\*", 2)
            yield "  /\\ " + self._condition(change, scope)
        same = []
        for v in self.spec.variables:
            own = [a for a in action.assignments if a.variable is v]
            if not own:
                same.append(v)
                continue
            name = self.printer.variables[v.name]
            value = self._updated(v, own, name, scope, {}, initial=False)
            yield "  /\\ " + lay_out(Block(f"{name}' = ", (value,)), 5)
        if same:
            yield f"  /\\ UNCHANGED {self._tuple(same)}"

    def _operator(self, action: Action) -> Iterator[str]:
        """Yield the head of an action's definition and its guards."""
        scope = self._scope(action)
        yield ""
        yield from prose(about(action.doc, action.claims), "\\*")
        parameters = ", ".join(scope.values())
        yield self.words[action.name] + (f"({parameters})" if parameters else "") + " =="
        for g in action.guards:
            condition = g.condition
            if isinstance(action, Initial):
                condition = with_first_values(condition, self._first)
            yield from prose(g.why, "\\*", 2)
            yield "  /\\ " + self._condition(condition, scope)

    def _condition(self, formula: Formula, scope: Scope) -> str:
        """Return a guard; TLC would take each way in which it can hold as a step of its own."""
        if any(isinstance(e, (Or, Exists, Implies)) for e in subtrees(formula)):
            return lay_out(self.printer.operand(formula, scope), 5, 7) + " = TRUE"
        return lay_out(self.printer.conjunct(formula, scope), 5)

    def _scope(self, action: Action) -> dict[str, str]:
        scope: dict[str, str] = {}
        for p in action.parameters:
            scope[p.label] = self.names.local(p.label, set(scope.values()))
        return scope

    # --- assignments -------------------------------------------------------------------------

    def _updated(
        self,
        v: Variable,
        own: Sequence[Assignment],
        base: Doc,
        scope: Scope,
        free: dict[int, str],
        initial: bool,
    ) -> Doc:
        """Return the new value of a whole variable, ``base`` being the old one."""
        if not all(_covers_a_suffix(a) for a in own):
            return self._by_cases(v, own, scope, free, initial)
        pending: list[Doc] = []
        for a in own:
            fixed = [t for t in a.arguments if not is_bound(a, t)]
            sorts = [n.sort for n in a.bound]
            words, inner = self._bound_scope(a, scope)
            value = self._function(sorts, words, self._value(a, words, inner, free, initial))
            if fixed:
                at = [flat(self.printer.doc(self._now(t, initial), scope)) for t in fixed]
                pending.append(Block(index_text("!", at) + " = ", (value,)))
            else:
                base, pending = value, []
        return Block(f"[{flat(base)} EXCEPT ", tuple(pending), ", ", "]") if pending else base

    def _by_cases(
        self,
        v: Variable,
        own: Sequence[Assignment],
        scope: Scope,
        free: dict[int, str],
        initial: bool,
    ) -> Doc:
        """Return the new value as a function that asks at each place which assignment sets it."""
        words, inner = self._columns(v.arguments, scope)
        body: Doc = index_text(self.printer.variables[v.name], words)
        if initial:
            body = self.printer.doc(self._first(v.to), inner)
        for a in own:
            conditions, names = [], dict(inner)
            for t, word in zip(a.arguments, words, strict=True):
                if is_bound(a, t):
                    names[t.label] = word  # type: ignore[attr-defined]
                else:
                    at = flat(self.printer.doc(self._now(t, initial), scope))
                    conditions.append(f"{word} = {at}")
            picked = [names[n.label] for n in a.bound]
            value = self._value(a, picked, names, free, initial)
            if conditions:
                head = Block("IF ", (" /\\ ".join(conditions), value), " THEN ")
                body = Block("(", (head, body), " ELSE ", ")")
            else:
                body = value
        return self._function(v.arguments, words, body)

    def _bound_scope(self, a: Assignment, scope: Scope) -> tuple[list[str], dict[str, str]]:
        inner = dict(scope)
        words = []
        for n in a.bound:
            word, inner = self.printer.bind(n, inner)
            words.append(word)
        return words, inner

    def _value(
        self, a: Assignment, words: Sequence[str], scope: Scope, free: dict[int, str], initial: bool
    ) -> Doc:
        if a.value is None:
            return index_text(free[id(a)], list(words))
        return self.printer.operand(self._now(a.value, initial), scope)

    def _now(self, expr: Expr, initial: bool) -> Expr:
        return with_first_values(expr, self._first) if initial else expr

    # --- next state and properties -----------------------------------------------------------

    def _choice_of(self, name: str, definitions: Sequence[Action]) -> Iterator[str]:
        yield ""
        yield f"{name} =="
        for d in definitions:
            scope = self._scope(d)
            binders = "".join(
                f"\\E {scope[p.label]} \\in {self.printer.sort(p.sort)} : " for p in d.parameters
            )
            parameters = f"({', '.join(scope.values())})" if scope else ""
            yield f"  \\/ {binders}{self.words[d.name]}{parameters}"

    def _next(self) -> Iterator[str]:
        if self.chosen.terminal:
            yield ""
            yield "\\* Intended last states: a step that changes nothing makes them none for TLC."
            yield "Terminal =="
            for p in self.chosen.terminal:
                yield from prose(f"{p.name}: {p.doc}", "\\*", 2)
                yield "  \\/ " + self._condition(p.formula, {})
        yield from self._choice_of("Next", self.spec.actions)
        if self.chosen.terminal:
            yield "  \\/ Terminal /\\ UNCHANGED vars"
        yield ""
        yield "Spec == Init /\\ [][Next]_vars"

    def _properties(self) -> Iterator[str]:
        for p in (*self.chosen.invariants, *self.chosen.steps):
            yield from self._property(p)
        temporal = Temporal(self.instance, self.printer, self.names, self.words, self.printer.sort)
        for promise in self.chosen.liveness:
            yield from temporal.definition(promise)
        if self.unsafe:
            yield ""
            yield "\\* Every new value is within the bounds of its sort."
            yield "InBounds =="
            for v in self.unsafe:
                space = self._space(v.arguments, v)
                yield f"  /\\ {self.printer.variables[v.name]} \\in {space}"

    def _property(self, p: Property) -> Iterator[str]:
        yield ""
        yield from prose(about(p.doc, p.claims), "\\*")
        body = self.printer.doc(p.formula, {})
        if p.kind == "step":
            body = Block("[][", (body,), "", "]_vars")
        yield f"{self.words[p.name]} ==\n  {lay_out(body, 2)}"

    def _can_leave_bounds(self, v: Variable) -> bool:
        """Return whether some assignment computes a number that may not fit."""
        if v.to is None or not (v.to.integer or v.to.ordered):
            return False
        own = [a for d in self.spec.actions for a in d.assignments if a.variable is v]
        return not all(self._surely_fits(v, a.value) for a in own)

    def _surely_fits(self, v: Variable, value: Expr | None) -> bool:
        if isinstance(value, (Element, Literal)):
            number = value.index if isinstance(value, Element) else value.value
            return number in self.instance.domain(v.to)
        return isinstance(value, (Apply, Name)) and value.sort is v.to


def _covers_a_suffix(a: Assignment) -> bool:
    """Return whether every ``every`` of an assignment comes after its fixed arguments."""
    wild = [is_bound(a, t) for t in a.arguments]
    return wild == sorted(wild)
