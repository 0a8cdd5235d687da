"""Documents that are run: commands with their output, excerpts of code, links.

A ``console`` block holds commands after ``$`` and what they print. A line ``...`` stands for any
lines, ``...`` within a line for anything. Spaces, rules and timings are not compared. The commands
of a document are run in order, in a folder of its own with a copy of ``examples/``.
"""

from __future__ import annotations

import ast
import io
import re
import shlex
import shutil
from collections.abc import Iterator
from contextlib import chdir, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

from samebeat_cli.main import main

ROOT = Path(__file__).parents[2]
DOCUMENTS = tuple(
    sorted(
        [
            *ROOT.glob("*.md"),
            *(ROOT / "docs").glob("**/*.md"),
        ]
    )
)
REPLACES = re.compile(r"<!-- (\S+): instead of (\w+) -->")
BECOMES = re.compile(r"<!-- (\S+): (.+) becomes (.+) -->")
SLOW = "<!-- slow -->"
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_ECHO_CODE = "; echo $?"


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, its text, the line of the document, the comment before it."""

    document: Path
    language: str
    text: str
    line: int
    comment: str = ""

    def __str__(self) -> str:
        return f"{self.document.name}-{self.line}"


@dataclass(frozen=True)
class Command:
    """A command line of a console block and the lines of output that the document shows."""

    line: str
    shown: tuple[str, ...]


def blocks(document: Path, *languages: str) -> list[Block]:
    """Return the fenced blocks of a document, of these languages (nothing: of all)."""
    text = document.read_text("utf-8")
    found = []
    for match in _FENCE.finditer(text):
        before = text[: match.start()]
        comment = before.rstrip().rpartition("\n")[2]
        block = Block(
            document,
            match[1],
            match[2],
            before.count("\n") + 1,
            comment if comment.startswith("<!--") else "",
        )
        if not languages or block.language in languages:
            found.append(block)
    return found


def prose(document: Path) -> str:
    """Return a document without its blocks, comments and inline code."""
    text = re.sub(r"<!--.*?-->", "", _FENCE.sub("", document.read_text("utf-8")), flags=re.DOTALL)
    return re.sub(r"`[^`]*`", "", text)


def commands(block: Block) -> Iterator[Command]:
    """Yield the commands of a console block."""
    for part in re.split(r"^\$ ", block.text, flags=re.MULTILINE)[1:]:
        line, *shown = part.splitlines()
        while line.endswith("\\"):
            line = line[:-1] + shown.pop(0).strip()
        yield Command(line, tuple(shown))


def run(line: str, folder: Path) -> str:
    """Run a ``samebeat`` command line in a folder and return what it prints."""
    program, *arguments = shlex.split(line.removesuffix(_ECHO_CODE))
    assert program == "samebeat", line
    printed = io.StringIO()
    with chdir(folder), redirect_stdout(printed), redirect_stderr(printed):
        code = main(arguments)
    assert code not in (2, 255), f"{line}: {printed.getvalue()}"
    return printed.getvalue() + (f"{code}\n" if line.endswith(_ECHO_CODE) else "")


def agrees(shown: tuple[str, ...], printed: str) -> bool:
    """Return whether what a document shows is what a command prints."""
    pattern = "".join(
        r"(?:.*\n)*" if line == "..." else f"{re.escape(line).replace(_ANY, '.*')}\n"
        for line in _normal(shown)
    )
    lines = "".join(f"{line}\n" for line in _normal(printed.splitlines()))
    return re.fullmatch(pattern, lines) is not None


_ANY = re.escape("...")


def _normal(lines: tuple[str, ...] | list[str]) -> list[str]:
    """Return lines without timings and layout: single spaces, no rules, no blank lines."""
    found = []
    for line in lines:
        words = " ".join(line.replace("─", " ").split())
        words = re.sub(r"\b\d+\.\d\d(?= s\b)", "0.00", words)
        words = re.sub(r"(?<= )\d+\.\d\d$", "0.00", words)
        if words:
            found.append(words)
    return found


class Reader:
    """Somebody who follows a document in a folder of their own, once."""

    def __init__(self, document: Path, folder: Path) -> None:
        self.folder = folder
        shutil.copytree(ROOT / "examples", folder / "examples")
        self._blocks = blocks(document, "python", "console")
        self._done: dict[int, list[str]] = {}

    def outputs(self, block: Block) -> list[str]:
        """Return what the commands of a console block print, after all those before it.

        Slow blocks before it are left out: no other may need what they leave behind.
        """
        edited = None
        for b in self._blocks:
            if b.line > block.line:
                break
            if b.comment == SLOW and b != block:
                continue
            if b.language == "python":
                edited = b if REPLACES.match(b.comment) else None
                continue
            if b.line not in self._done:
                with self._edit(edited or b):
                    self._done[b.line] = [run(c.line, self.folder) for c in commands(b)]
            edited = None
        return self._done[block.line]

    @contextmanager
    def _edit(self, block: Block) -> Iterator[None]:
        """Change an example as the comment of a block says, and put it back."""
        replaces, becomes = REPLACES.match(block.comment), BECOMES.match(block.comment)
        if found := replaces or becomes:
            file = self.folder / "examples" / found[1]
            before = file.read_text("utf-8")
            if becomes:
                assert becomes[2] in before
                file.write_text(before.replace(becomes[2], becomes[3]), "utf-8")
            else:
                file.write_text(replaced(before, found[2], block.text), "utf-8")
            yield
            file.write_text(before, "utf-8")
        else:
            yield


def replaced(source: str, name: str, text: str) -> str:
    """Return a Python source with one of its top-level definitions replaced."""
    node = next(n for n in ast.parse(source).body if getattr(n, "name", "") == name)
    assert isinstance(node, (ast.FunctionDef, ast.ClassDef))
    assert node.end_lineno is not None
    first = min([node.lineno, *(d.lineno for d in node.decorator_list)])
    lines = source.splitlines(keepends=True)
    return "".join([*lines[: first - 1], text, *lines[node.end_lineno :]])
