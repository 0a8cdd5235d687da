"""Promises about infinite runs as temporal formulas of TLA+: what is fair, and what follows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from samebeat_models.exports.printer import Printer
from samebeat_models.exports.selection import about
from samebeat_models.exports.text import Block, Names, lay_out, prose
from samebeat_spec.language import Fair, Instance, Liveness
from samebeat_spec.language.terms import SortClass


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
        goal = self._printer.doc(promise.goal, scope)
        given = self._printer.doc(promise.given, scope)
        body = Block("(", (given,), "", ")"), Block("(", (goal,), "", ")")
        said = Block("<>", body[1:]) if promise.kind == "eventually" else Block("", body, " ~> ")
        whole = lay_out(Block(f"{fair} => ({binders}", (said,), "", ")"), 2)
        yield f"{self._words[promise.name]} ==\n  {whole}"

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
