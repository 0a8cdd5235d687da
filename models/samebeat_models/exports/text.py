"""Text: line breaking, comments, and identifiers that a target language accepts."""

from __future__ import annotations

import re
import textwrap
import unicodedata
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from functools import cached_property

WIDTH = 96


@dataclass(frozen=True)
class Block:
    """Text that fits on one line or is broken after each ``joiner``, its parts indented."""

    head: str
    parts: tuple[Doc, ...]
    joiner: str = ""
    tail: str = ""

    @cached_property
    def flat(self) -> str:
        """This block on one line."""
        return self.head + self.joiner.join(flat(p) for p in self.parts) + self.tail


Doc = str | Block


def flat(doc: Doc) -> str:
    """Return ``doc`` on one line."""
    return doc if isinstance(doc, str) else doc.flat


def in_parentheses(doc: Doc) -> Block:
    """Return ``doc`` in parentheses."""
    if isinstance(doc, Block) and not doc.head and not doc.tail:
        return replace(doc, head="(", tail=")")
    return Block("(", (doc,), "", ")")


def lay_out(doc: Doc, indent: int = 0, used: int = 0) -> str:
    """Return ``doc`` as lines of at most ``WIDTH`` columns where that is possible.

    ``indent`` is the column of continued lines, ``used`` what stands before and after the text.
    """
    if isinstance(doc, str) or indent + used + len(doc.flat) <= WIDTH:
        return flat(doc)
    inner = indent + 2 if doc.head else indent
    pad = "\n" + " " * inner
    last = len(doc.parts) - 1
    lines = [
        lay_out(p, inner, len(doc.joiner)) + (doc.joiner.rstrip() if i < last else "")
        for i, p in enumerate(doc.parts)
    ]
    body = pad.join(lines)
    tail = "\n" + " " * indent + doc.tail.lstrip() if doc.tail else ""
    return (doc.head.rstrip() + pad if doc.head else "") + body + tail


def plain(text: str) -> str:
    """Return ``text`` in ASCII and without comment brackets: some lexers know no more."""
    text = text.replace("×", "x").replace("−", "-").replace("–", "-").replace("∨", "or")
    ascii_text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode("ascii")
    return ascii_text.replace("*/", "* /").replace("/*", "/ *").replace("(*", "( *")


def wrapped(text: str) -> list[str]:
    """Return the lines of ``text``, long ones broken and continued further right."""
    return [
        part
        for line in text.splitlines()
        for part in (textwrap.wrap(line, WIDTH + 4, subsequent_indent="  ") or [""])
    ]


def prose(text: str, mark: str, indent: int = 0) -> list[str]:
    """Return the lines of ``text`` as line comments that begin with ``mark``."""
    pad = " " * indent + mark
    return [f"{pad} {line}".rstrip() for line in wrapped(plain(text))]


def indented(lines: Iterable[str], indent: int) -> list[str]:
    """Return ``lines`` moved to the right."""
    return [" " * indent + line if line else line for line in lines]


def quoted(text: str) -> str:
    """Return ``text`` as a string literal in double quotes."""
    return '"' + plain(text).replace("\\", "/").replace('"', "'") + '"'


def identifier(wish: str) -> str:
    """Return the identifier closest to ``wish``."""
    word = re.sub(r"\W+", "_", plain(wish)).strip("_") or "x"
    return word if word[0].isalpha() else f"x{word}"


class Names:
    """Hands out identifiers, each one once.

    Args:
        reserved: words that the target language keeps for itself.
    """

    def __init__(self, reserved: Collection[str]) -> None:
        self._used = set(reserved)

    def claim(self, *wishes: str) -> str:
        """Return the first free one of ``wishes``, or the last one with a number."""
        words = [identifier(w) for w in wishes]
        numbered = (f"{words[-1]}_{i}" for i in range(2, len(self._used) + 3))
        word = next(w for w in (*words, *numbered) if w not in self._used)
        self._used.add(word)
        return word

    def local(self, label: str, scope: Collection[str]) -> str:
        """Return an identifier for a bound name that neither ``scope`` nor the file uses."""
        word = identifier(label)
        candidates = (word, *(f"{word}_{i}" for i in range(2, len(self._used) + len(scope) + 3)))
        return next(w for w in candidates if w not in self._used and w not in scope)
