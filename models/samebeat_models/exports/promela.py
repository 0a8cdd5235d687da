"""Promela, for Spin: one process, one guarded command for each action at concrete arguments.

Everything is expanded beforehand: a cell of the state is one variable of as few bits as it needs, a
guard is folded to what the instance leaves open, and a command that can never run is left out. Step
properties are asserted before the updates, about what the updates will do, so no copy is kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from samebeat_models.exports.ground import Command, Grounder, Start
from samebeat_models.exports.printer import Printer, Scope
from samebeat_models.exports.selection import Selection, about, select, signature, title
from samebeat_models.exports.text import (
    Doc,
    Names,
    identifier,
    in_parentheses,
    indented,
    lay_out,
    plain,
    wrapped,
)
from samebeat_models.exports.trees import TRUE, opposite
from samebeat_spec.language import Action, Formula, Instance, Variable
from samebeat_spec.language.instance import Cell
from samebeat_spec.language.terms import Apply, CountOf, Exists, Expr, ForAll, Holds, SortClass

_WORDS = """
    active assert atomic bit bool break byte chan cond_expr d_step do d_proctype D_proctype else
    empty enabled end eval false fi for full get_p get_priority goto hidden if in init inline int
    len local ltl mtype nempty never nfull notrace np_ od of pc_value pid printf printm priority
    proctype progress accept provided return run select set_p set_priority short show skip
    STDIN timeout trace true typedef unless unsigned until weakuntil xr xs always eventually
    auto case char const continue default double enum extern float long register restrict signed
    sizeof static struct switch union void volatile while linux unix now SYNC ASYNC protocol
    c_code c_decl c_expr c_state c_track assume import export implies equivalent release next
    """
RESERVED = frozenset(_WORDS.split())
HOW_TO_RUN = (
    "spin -a -o2 FILE; cc -O3 -DSAFETY -DNOREDUCE -DNOFAIR -o pan pan.c; ./pan -m10000000",
    "(-o2 keeps variables that are written and never read: without it, states are missing.)",
)


class _Promela(Printer):
    truth = ("false", "true")
    negation = "!"
    conjunction = "&&"
    disjunction = "||"
    equivalence = "=="
    equal = "=="
    unequal = "!="
    at_most = "<="
    choice = ("", " -> ", " : ")

    def __init__(self, instance: Instance, names: Names) -> None:
        super().__init__(instance, names)
        self.grounder = Grounder(instance)
        self.cells = [names.claim(_cell_wish(instance, c)) for c in instance.cells]
        self.saved: dict[int, str] = {}
        self.elements: dict[tuple[str, int], str] = {}
        for sort in _named_sorts(instance):
            for i in instance.domain(sort):
                label = instance.label(sort, i)
                word = names.claim(label, f"{sort.__name__}_{label}")
                self.elements[sort.__name__, i] = word

    def constant(self, sort: SortClass, index: int) -> str:
        return self.elements.get((sort.__name__, index), str(index))

    def quantifier(self, expr: ForAll | Exists, scope: Scope) -> str:
        raise TypeError("a ground formula has no quantifier")

    def count(self, expr: CountOf, scope: Scope) -> str:
        raise TypeError("a ground formula does not count")

    def place(self, variable: Variable, arguments: list[str], after: bool) -> str:
        raise TypeError("a ground formula reads cells")

    def doc(self, expr: Expr, scope: Scope) -> Doc:
        if isinstance(expr, (Holds, Apply)):
            cell = self.grounder.cell_of(expr)
            return self.saved.get(cell, self.cells[cell])
        return super().doc(expr, scope)


def promela(
    instance: Instance, properties: Sequence[str] | None = None, promises: Sequence[str] = ()
) -> dict[str, str]:
    """Return the files of the Promela export, text by name."""
    chosen = select(instance, properties, promises)
    return {f"{identifier(instance.name)}.pml": _File(instance, chosen).text()}


def start_count(instance: Instance) -> int:
    """Return how many ways of starting the export has.

    With more than one, Spin counts a state and as many transitions more than the spec has.
    """
    return sum(_ways(instance, s) for s in Grounder(instance).starts())


def _ways(instance: Instance, start: Start) -> int:
    ways = 1
    for cell, value in zip(instance.cells, start.values, strict=True):
        ways *= len(cell.values) if value is None else 1
    return ways


class _File:
    """One export in the making."""

    def __init__(self, instance: Instance, chosen: Selection) -> None:
        self.instance = instance
        self.chosen = chosen
        names = Names(RESERVED)
        self.printer = _Promela(instance, names)
        self.grounder = self.printer.grounder
        checked = [p.name for p in (*chosen.invariants, *chosen.steps)]
        self.flags = {n: names.claim(f"holds_{n}") for n in (*checked, "bounds")}
        self.copies: list[str] = []
        self.names = names
        self.starts = self.grounder.starts()
        self.one_start = start_count(instance) == 1

    def text(self) -> str:
        """Return the file."""
        process = [*self._start(), *self._loop()]  # first: it decides which copies are needed
        head = [f" * {line}".rstrip() for line in wrapped(self._title())]
        lines = [
            "/*",
            *head,
            " */",
            "",
            *self._elements(),
            *self._flags(),
            *self._variables(),
            *self._initials(),
            *self._step_properties(),
            "",
            "active proctype protocol() {",
            *indented(process, 2),
            "}",
        ]
        return "\n".join(lines) + "\n"

    def _title(self) -> str:
        extra = (
            []
            if self.one_start
            else [
                "There are several initial states: Spin counts one state more, the one before the",
                "choice between them, and one transition to each.",
            ]
        )
        return plain(title(self.instance, self.chosen, (*HOW_TO_RUN, *extra)))

    # --- declarations ----------------------------------------------------------------------

    def _elements(self) -> Iterator[str]:
        words = self.printer.elements
        for (_, index), word in words.items():
            yield f"#define {word} {index}"
        if words:
            yield ""

    def _flags(self) -> Iterator[str]:
        yield "/* Never set: asserted where the property fails, so that Spin's message names it. */"
        yield from (f"hidden byte {word};" for word in self.flags.values())
        if self.copies:
            yield "/* Old values that a command still needs after it has set the new ones. */"
            yield from (f"hidden int {word};" for word in self.copies)
        yield ""

    def _variables(self) -> Iterator[str]:
        previous = None
        for i, cell in enumerate(self.instance.cells):
            if cell.variable is not previous:
                yield f"/* {cell.variable.name}: {signature(cell.variable)} */"
                previous = cell.variable
            value = self.starts[0].values[i] if self.one_start else cell.values[0]
            assert value is not None or not self.one_start
            value = cell.values[0] if value is None else value
            word, width = _type_of(cell)
            yield f"{word} {self.printer.cells[i]}{width} = {self._value(cell, value)};"

    def _value(self, cell: Cell, value: int) -> str:
        sort = cell.variable.to
        return str(value) if sort is None else self.printer.constant(sort, value)

    def _initials(self) -> Iterator[str]:
        for d in self.instance.spec.initials:
            lines = [about(d.doc, d.claims), *(g.why for g in d.guards)]
            yield from _comment(f"initial states, {d.name}: " + "\n- ".join(lines))

    def _step_properties(self) -> Iterator[str]:
        for p in self.chosen.steps:
            yield from _comment(
                f"step property {p.name}: {about(p.doc, p.claims)}\n"
                "It is asserted at the start of each command that could break it."
            )

    # --- the process -----------------------------------------------------------------------

    def _start(self) -> Iterator[str]:
        if self.one_start:
            return
        yield "atomic {"
        yield "  if"
        for start in self.starts:
            yield f"  :: true -> /* {plain(start.name)} */"
            yield from indented(self._start_statements(start), 5)
            yield "     skip"
        yield "  fi"
        yield "}"

    def _start_statements(self, start: Start) -> Iterator[str]:
        for i, (cell, value) in enumerate(zip(self.instance.cells, start.values, strict=True)):
            word = self.printer.cells[i]
            if value is None:
                options = " ".join(f":: {word} = {self._value(cell, x)}" for x in cell.values)
                yield f"if {options} fi;"
            elif value != cell.values[0]:
                yield f"{word} = {self._value(cell, value)};"

    def _loop(self) -> Iterator[str]:
        if not self.chosen.deadlock:
            yield "end: /* deadlocks are not checked */"
        yield "do"
        for p in self.chosen.invariants:
            formula = self.grounder.ground(p.formula, {})
            yield from _comment(f"invariant {p.name}: {about(p.doc, p.claims)}")
            if formula.key() == TRUE.key():
                yield "/* It holds in every state of this instance, reachable or not. */"
            else:
                yield from self._option("", opposite(formula), [f"assert({self.flags[p.name]})"])
        for action in self.instance.spec.actions:
            yield from self._action(action)
        for p in self.chosen.terminal:
            formula = self.grounder.ground(p.formula, {})
            yield from _comment(f"terminal {p.name}: {p.doc}")
            yield from self._option("", formula, ["skip"])
        yield "od"

    def _action(self, action: Action) -> Iterator[str]:
        lines = [about(action.doc, action.claims), *(g.why for g in action.guards)]
        yield from _comment(f"{action.name}: " + "\n- ".join(lines))
        commands = [c for c in self.grounder.commands(action, self.chosen.steps) if c.updates]
        if not commands:
            yield "/* It can never change anything in this instance. */"
        for command in commands:
            sorts = (p.sort for p in action.parameters)
            labels = map(self.instance.label, sorts, command.arguments)
            name = " ".join((action.name, *labels))
            yield from self._option(name, command.guard, [*self._body(command)])

    def _option(self, name: str, guard: Formula, statements: Sequence[str]) -> Iterator[str]:
        yield ":: d_step {" + (f" /* {plain(name)} */" if name else "")
        shown = "true" if guard.key() == TRUE.key() else self._formula(guard, 5)
        yield "     " + shown + " ->"
        yield "     " + ";\n       ".join(statements) + " }"

    def _formula(self, formula: Formula, indent: int) -> str:
        return lay_out(in_parentheses(self.printer.doc(formula, {})), indent + 2)

    def _body(self, command: Command) -> Iterator[str]:
        self.printer.saved = {}
        bounds = [] if command.fits.key() == TRUE.key() else [("bounds", command.fits)]
        for name, formula in (*command.checks, *bounds):
            failing = self._formula(opposite(formula), 5)
            yield f"if :: {failing} -> assert({self.flags[name]}) :: else fi"
        yield from self._updates(dict(command.updates))
        self.printer.saved = {}

    def _updates(self, waiting: dict[int, Expr]) -> Iterator[str]:
        """Yield the assignments in an order in which old values survive as long as needed."""
        while waiting:
            reads = {cell: self.grounder.cells_in(value) for cell, value in waiting.items()}
            free = [
                cell
                for cell in waiting
                if cell in self.printer.saved
                or not any(cell in r for other, r in reads.items() if other != cell)
            ]
            if free:
                text = lay_out(self.printer.doc(waiting.pop(free[0]), {}), 9)
                yield f"{self.printer.cells[free[0]]} = {_as_value(text)}"
                continue
            cell = next(iter(waiting))
            word = self._copy(len(self.printer.saved))
            yield f"{word} = {self.printer.cells[cell]}"
            self.printer.saved[cell] = word

    def _copy(self, i: int) -> str:
        if i == len(self.copies):
            self.copies.append(self.names.claim(f"old_{i + 1}"))
        return self.copies[i]


def _as_value(text: str) -> str:
    return {"true": "1", "false": "0"}.get(text, text)


def _comment(text: str) -> list[str]:
    first, *rest = wrapped(plain(text))
    lines = [f"/* {first}", *(f"   {line}".rstrip() for line in rest)]
    return ["", *lines[:-1], f"{lines[-1]} */"]


def _named_sorts(instance: Instance) -> list[SortClass]:
    """Return the sorts whose elements are values of some cell and have names, in order."""
    found = {v.to.__name__: v.to for v in instance.spec.variables if v.to is not None}
    return [s for s in found.values() if not (s.integer or s.ordered)]


def _cell_wish(instance: Instance, cell: Cell) -> str:
    labels = map(instance.label, cell.variable.arguments, cell.arguments)
    return "_".join((cell.variable.name, *(label.replace("-", "m") for label in labels)))


def _type_of(cell: Cell) -> tuple[str, str]:
    """Return the smallest type for a cell, as what stands before and after its name."""
    low, high = cell.values[0], cell.values[-1]
    if low < 0 or high >= 1 << 16:
        return ("short" if low >= -(1 << 15) and high < 1 << 15 else "int"), ""
    if high <= 1:
        return "bit", ""
    return "unsigned", f" : {high.bit_length()}"
