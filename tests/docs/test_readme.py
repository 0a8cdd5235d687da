"""README and guides say what the commands print, the files hold and the command line takes."""

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import typer

from samebeat_cli.errors import INTERRUPTED
from samebeat_cli.main import app
from samebeat_models.results import Exit

from .documents import (
    BECOMES,
    DOCUMENTS,
    REPLACES,
    ROOT,
    SLOW,
    Block,
    Reader,
    agrees,
    blocks,
    commands,
    prose,
    run,
)

README = ROOT / "README.md"
GUIDE = ROOT / "docs" / "guide-your-own-protocol.md"
TRACES = ROOT / "docs" / "traces.md"
CONSOLE = [
    pytest.param(b, id=str(b), marks=pytest.mark.slow if b.comment == SLOW else ())
    for d in DOCUMENTS
    for b in blocks(d, "console")
    if not next(iter(commands(b))).line.startswith("make ")
]
EXCERPTS = [b for b in blocks(README, "python") + blocks(GUIDE, "python") if not b.comment]
PYTHON = [
    p for folder in ("examples", "spec", "tests/specs") for p in ROOT.glob(f"{folder}/**/*.py")
]
MAKE = {c.line: c for b in blocks(README, "console") if b.comment == SLOW for c in commands(b)}

Readers = Callable[[Path], Reader]


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Readers:
    """Return the reader of a document; each reads it once."""
    known: dict[Path, Reader] = {}

    def of(document: Path) -> Reader:
        if document not in known:
            known[document] = Reader(document, tmp_path_factory.mktemp(document.stem))
        return known[document]

    return of


# --- what is printed -------------------------------------------------------------------------


@pytest.mark.parametrize("block", CONSOLE)
def test_commands_print_what_the_document_shows(reader: Readers, block: Block) -> None:
    printed = reader(block.document).outputs(block)
    for command, real in zip(commands(block), printed, strict=True):
        assert not command.shown or agrees(command.shown, real), f"{command.line}\n{real}"


@pytest.mark.slow
def test_make_check_prints_what_the_readme_shows(tmp_path: Path) -> None:
    recipe = re.search(
        r"^check:.*\n\t@?(.*)$", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE
    )
    assert recipe
    assert recipe[1] == "$(BIN)/samebeat check $(ARGS)"
    printed = run("samebeat check", tmp_path)
    assert agrees(MAKE["make check"].shown, printed), printed


@pytest.mark.slow
@pytest.mark.skipif(Path(sys.prefix) != ROOT / ".venv", reason="make uses the .venv beside it")
def test_make_test_prints_what_the_readme_shows() -> None:
    """Its first part: the rest is this very run."""
    plain = {k: v for k, v in os.environ.items() if not k.startswith(("MAKE", "MFLAGS"))}
    done = subprocess.run(
        ["make", "lint"], cwd=ROOT, env=plain, capture_output=True, text=True, check=False
    )
    assert agrees(MAKE["make test"].shown, done.stdout), done.stdout + done.stderr


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda d: d.name)
def test_numbers_in_the_text_are_printed_by_a_command_of_the_document(document: Path) -> None:
    shown = "".join(b.text for b in blocks(document))
    # The benchmark's figures are held to its results by test_benchmark_figures.
    text = re.sub(r"## How fast\n.*?\n(?=## )", "", prose(document), flags=re.DOTALL)
    text = re.sub(r"^\|.*$", "", text, flags=re.MULTILINE)
    text = re.sub(r"\]\([^)]*\)|Python 3\.11|Apache 2\.0", "", text)
    if document in (README, GUIDE):
        for number in re.findall(r"\b\d[\d,.]*\d\b", text):
            if number not in {str(code.value) for code in Exit}:
                assert re.search(rf"\b{re.escape(number)}\b", shown), number


# --- what is quoted --------------------------------------------------------------------------


@pytest.mark.parametrize("block", EXCERPTS, ids=str)
def test_code_is_quoted_from_a_file(block: Block) -> None:
    sources = [p.read_text("utf-8") for p in PYTHON]
    for part in re.split(r"\n{3,}", block.text.rstrip("\n")):
        assert any(part in source for source in sources), part


def test_every_comment_in_a_document_is_one_that_the_tests_know() -> None:
    for document in DOCUMENTS:
        for comment in re.findall(r"<!--.*?-->", document.read_text("utf-8"), re.DOTALL):
            known = comment == SLOW or REPLACES.match(comment) or BECOMES.match(comment)
            assert known, f"{document.name}: {comment}"


@pytest.mark.parametrize("block", blocks(TRACES, "json"), ids=str)
def test_json_is_quoted_from_the_trace_file(reader: Readers, block: Block) -> None:
    first = reader(TRACES)
    first.outputs(blocks(TRACES, "console")[0])
    (file,) = first.folder.glob("traces/*.itf.json")
    text = file.read_text("utf-8")
    for line in block.text.splitlines():
        piece = re.escape(line).replace(re.escape("..."), ".*")
        assert re.search(piece, text), line


# --- what is there ---------------------------------------------------------------------------


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda d: str(d.relative_to(ROOT)))
def test_links_lead_somewhere(document: Path) -> None:
    text = re.sub(r"^```.*?^```$", "", document.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if "://" in target:
            continue
        name, _, anchor = target.partition("#")
        path = (document.parent / name).resolve() if name else document
        assert path.exists(), f"{document.name}: {target}"
        assert ROOT in path.parents, f"{document.name}: {target}"
        if anchor:
            assert anchor in anchors(path), f"{document.name}: {target}"


def anchors(document: Path) -> set[str]:
    headings = re.findall(r"^#+ (.*)$", document.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", h.lower()).replace(" ", "-") for h in headings}


def test_every_decision_is_in_the_index() -> None:
    folder = ROOT / "docs" / "adr"
    index = (folder / "README.md").read_text("utf-8")
    for path in sorted(folder.glob("0*.md")):
        assert f"]({path.name})" in index


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda d: str(d.relative_to(ROOT)))
def test_prose_is_wrapped_at_100_columns(document: Path) -> None:
    text = re.sub(r"^```.*?^```$", "", document.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    long = [line for line in text.splitlines() if len(line) > 100 and not line.startswith("|")]
    assert long == []


def test_the_table_of_exit_codes_is_that_of_the_program() -> None:
    rows = re.findall(r"^\| (\d+) \| (.+) \|$", README.read_text("utf-8"), re.MULTILINE)
    codes = [int(code) for code, _ in rows]
    assert codes == sorted({*(e.value for e in Exit), INTERRUPTED})


def test_the_worst_exit_codes_are_named_in_the_order_that_counts() -> None:
    from samebeat_models.results import _WORST_FIRST

    said = re.search(r"the worst counts: ([\d, ]+)\.", README.read_text("utf-8"))
    assert said
    assert [int(code) for code in said[1].split(", ")] == [e.value for e in _WORST_FIRST]


# --- what the command line takes -------------------------------------------------------------


def mentioned() -> Iterator[tuple[str, list[str]]]:
    """Yield every command line that a document mentions anywhere, as document and words."""
    known = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    for document in DOCUMENTS:
        text = document.read_text("utf-8").replace("\\\n", " ")
        for match in re.finditer(r"(?:^|[ `/])samebeat ((?:[\w.*:/-]+ ?)+)", text, re.MULTILINE):
            words = match[1].split()
            if words[0] in known:
                yield document.name, words


def test_every_option_in_the_documents_exists() -> None:
    known = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    found = 0
    for document, words in mentioned():
        options = {o for p in known[words[0]].params for o in p.opts}
        for word in words[1:]:
            if word.startswith("--"):
                assert word in options, f"{document}: samebeat {' '.join(words)}"
                found += 1
    assert found > 10


def test_the_other_commands_are_all_named() -> None:
    text = README.read_text("utf-8")
    for name, command in typer.main.get_command(app).commands.items():  # type: ignore[attr-defined]
        assert command.hidden or f"samebeat {name}" in text, name


def test_the_job_for_github_is_well_formed() -> None:
    (block,) = blocks(README, "yaml")
    lines = block.text.splitlines()
    assert all((len(x) - len(x.lstrip())) % 2 == 0 and "\t" not in x for x in lines)
    used = re.findall(r"uses: (\S+)", block.text)
    assert all(re.fullmatch(r"[\w-]+/[\w/-]+@v\d+", action) for action in used)
    assert re.findall(r"--output (\S+)", block.text) == ["junit.xml", "samebeat.sarif"]
    assert "sarif_file: samebeat.sarif" in block.text


def test_the_job_for_github_is_yaml() -> None:
    yaml = pytest.importorskip("yaml")
    (block,) = blocks(README, "yaml")
    (job,) = yaml.safe_load(block.text)["jobs"].values()
    assert all(("run" in step) != ("uses" in step) for step in job["steps"])


@pytest.mark.parametrize("block", blocks(README, "sh"), ids=str)
def test_the_shell_lines_are_shell(block: Block) -> None:
    assert subprocess.run(["bash", "-n", "-c", block.text], check=False).returncode == 0


def test_what_the_job_installs_from_is_there() -> None:
    for name in re.findall(r"tools/samebeat/(\S+)", README.read_text("utf-8")):
        assert (ROOT / name).is_file()
