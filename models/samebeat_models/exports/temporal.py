"""Promises about infinite runs as temporal formulas of TLA+: what is fair, and what follows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from samebeat_models.exports.printer import Printer, Scope
from samebeat_models.exports.selection import about
from samebeat_models.exports.text import Block, Doc, Names, lay_out, prose
from samebeat_models.exports.trees import subtrees
from samebeat_spec.language import Fair, Formula, Instance, Liveness
from samebeat_spec.language.terms import Apply, Holds, SortClass


class Temporal:
    """Writes the promises of one module.

    Args:
        instance: the instance.
        printer: writes formulas and elements.
        names: the identifiers of the module.
        words: what actions and promises are called in it.
        sort: writes the set of a sort's elements.
    """

    def __init__(
        self,
        instance: Instance,
        printer: Printer,
        names: Names,
        words: Mapping[str, str],
        sort: Callable[[SortClass], str],
    ) -> None:
        self._instance = instance
        self._printer = printer
        self._names = names
        self._words = words
        self._sort = sort

    def definition(self, promise: Liveness) -> Iterator[str]:
        """Yield a definition: if all that it relies on is fair, what it promises follows."""
        fair = self._names.claim(f"fair_{promise.name}")
        yield ""
        yield f"{fair} =="
        yield from (f"  /\\ {self._fair(f)}" for f in promise.fair)
        yield from () if promise.fair else ("  TRUE",)
        yield ""
        yield from prose(about(promise.doc, promise.claims), "\\*")
        scope: dict[str, str] = {}
        binders = ""
        for p in promise.parameters:
            word, scope = self._printer.bind(p, scope)
            binders += f"\\A {word} \\in {self._sort(p.sort)} : "
        body = self._of_a_state(promise.given, scope), self._of_a_state(promise.goal, scope)
        said = Block("<>", body[1:]) if promise.kind == "eventually" else Block("", body, " ~> ")
        whole = lay_out(Block(f"{fair} => ({binders}", (said,), "", ")"), 2)
        yield f"{self._words[promise.name]} ==\n  {whole}"

    def _of_a_state(self, formula: Formula, scope: Scope) -> Doc:
        """Return a formula in parentheses, in a form that TLC takes for one about states.

        One without variables it gets wrong in temporal formulas (tlaplus/tlaplus, issue 604).
        """
        text = Block("(", (self._printer.doc(formula, scope),), "", ")")
        reads = (e for e in subtrees(formula) if isinstance(e, (Holds, Apply)))
        if any(not e.variable.constant for e in reads):
            return text
        return Block("(", (text, "vars = vars"), " /\\ ", ")")

    def _fair(self, f: Fair) -> str:
        """Return the fairness of an action, for each choice of its parameters by itself."""
        action, fixed = self._instance.spec.find_action(f.action), dict(f.fixed)
        scope: dict[str, str] = {}
        binders, arguments = "", []
        for p in action.parameters:
            if p.label in fixed:
                index = self._instance.element(p.sort, fixed[p.label])
                arguments.append(self._printer.constant(p.sort, index))
                continue
            word, scope = self._printer.bind(p, scope)
            binders += f"\\A {word} \\in {self._sort(p.sort)} : "
            arguments.append(word)
        call = self._words[f.action] + (f"({', '.join(arguments)})" if arguments else "")
        return f"{binders}{'SF' if f.strong else 'WF'}_vars({call})"
