"""``samebeat advise``: is a wished change safe, in which order, by how much, and what if not."""

from __future__ import annotations

import json
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from samebeat_cli.errors import CommandError
from samebeat_cli.output import (
    check_can_write,
    emit,
    file_name,
    make_folder,
    path_option,
    write_file,
)

if TYPE_CHECKING:
    from samebeat_models.advice.judgement import Advice
    from samebeat_models.advice.run import Harm
    from samebeat_models.advice.wish import Wish

_MODELS = "advice.py"


class AdviseFormat(StrEnum):
    """The formats of advice."""

    TEXT = "text"
    JSON = "json"


ChangeFile = Annotated[
    Path | None,
    typer.Argument(
        metavar="CHANGE.toml",
        help="The wish as a file, with the tables now, want and network. Options override it.",
        show_default=False,
    ),
]
Present = Annotated[
    list[str] | None, typer.Option(metavar="NAME=VALUE", help="A present value; repeat it.")
]
Wanted = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAME=VALUE",
        help="A wanted value; repeat it for values that change together. "
        "NAME=none takes a time-out or a ratio away.",
    ),
]
Delay = Annotated[
    str | None, typer.Option(metavar="MS", help="Longest time of a message under way.")
]
Losses = Annotated[
    str | None, typer.Option(metavar="N", help="Heartbeats in a row that may be lost.")
]
AckLosses = Annotated[
    str | None,
    typer.Option(
        metavar="N",
        help="Acks in a row that may be lost. A lost heartbeat has none: --losses count too.",
    ),
]
Drift = Annotated[
    str | None, typer.Option(metavar="PART", help="By what part clocks differ: 0.01 is 1 %.")
]
Processing = Annotated[
    str | None, typer.Option(metavar="MS", help="Longest time from a heartbeat to its ack.")
]
AckDelay = Annotated[
    str | None, typer.Option(metavar="MS", help="Longest time from a message to its ack.")
]
Traces = Annotated[bool, typer.Option("--traces", help="Show also what an unsafe order would do.")]
FormatOption = Annotated[AdviseFormat, typer.Option("--format", help="How to answer.")]
Output = Annotated[
    Path | None,
    typer.Option(metavar="FILE", parser=path_option, help="Write the answer to this file."),
]
OutItf = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR",
        parser=path_option,
        help="Write each trace here, as ITF, with the models to replay them on.",
    ),
]


def advise(
    change: ChangeFile = None,
    now: Present = None,
    want: Wanted = None,
    delay: Delay = None,
    losses: Losses = None,
    ack_losses: AckLosses = None,
    drift: Drift = None,
    processing: Processing = None,
    ack_delay: AckDelay = None,
    traces: Traces = False,
    form: FormatOption = AdviseFormat.TEXT,
    output: Output = None,
    out_itf: OutItf = None,
) -> None:
    """Say whether a change of parameters is safe, and how to make it; exit 12 if it is not.

    Names are those of claim 3, times are in ms. What is not said of the network is 0.

    Example: samebeat advise --now heartbeat_interval=1000 --now heartbeat_message_timeout=2000
    --now heartbeat_failure_threshold=3 --want heartbeat_interval=500 --delay 50 --losses 2
    """
    from samebeat_models.advice.data import exit_code
    from samebeat_models.advice.harm import harms
    from samebeat_models.advice.judgement import Advice

    network = {
        "delay": delay,
        "losses": losses,
        "ack_losses": ack_losses,
        "drift": drift,
        "processing": processing,
        "ack_delay": ack_delay,
    }
    if output is not None:
        check_can_write(output)
    if out_itf is not None:
        make_folder(out_itf)
    advice = Advice(_wish(change, now or [], want or [], network))
    found = harms(advice)
    if out_itf is not None:
        _write_traces(found, out_itf)
    emit(_said(advice, found, form, traces, out_itf), output)
    if code := exit_code(advice):
        raise typer.Exit(int(code))


def _said(
    advice: Advice,
    found: Mapping[str, Harm],
    form: AdviseFormat,
    traces: bool,
    folder: Path | None,
) -> str:
    """Return the answer in one format; in text, with how to replay what goes to ``folder``."""
    if form is AdviseFormat.JSON:
        from samebeat_models.advice.data import data

        return json.dumps(data(advice, found), indent=2, ensure_ascii=False) + "\n"
    from samebeat_models.advice.words import lines

    replays = [] if folder is None else _replays(found, folder)
    return "\n".join([*lines(advice, found, traces), *replays]) + "\n"


def _wish(
    change: Path | None, now: list[str], want: list[str], network: Mapping[str, str | None]
) -> Wish:
    """Return the wish of the options and the file, if it can be judged."""
    from samebeat_models.advice.wish import Wish, WishError, from_options, from_toml

    try:
        given = Wish() if change is None else from_toml(_read(change), str(change))
        wish = from_options(now, want, network).over(given)
        wish.check()
    except WishError as error:
        raise CommandError(str(error)) from None
    return wish


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except OSError as error:
        raise CommandError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise CommandError(f"{path}: cannot be read: it is not UTF-8") from None


def _itf_file(harm: Harm, folder: Path) -> Path:
    from samebeat_models.advice.run import PROPERTY
    from samebeat_models.itf import SUFFIX

    return folder / (file_name(f"advise-{harm.case.name}", PROPERTY) + SUFFIX)


def _replays(found: Mapping[str, Harm], folder: Path) -> list[str]:
    return [
        f"  replay it: samebeat replay {_itf_file(harm, folder)} --model {folder / _MODELS}"
        for harm in found.values()
        if harm.trace is not None
    ]


def _write_traces(found: Mapping[str, Harm], folder: Path) -> None:
    """Write each trace, and the models that they are runs of as a file that replay takes."""
    from samebeat_models import itf
    from samebeat_models.advice.run import PROPERTY, models_file
    from samebeat_spec.specs import load_spec

    models = [harm.model for harm in found.values() if harm.model is not None]
    if models:
        write_file(folder / _MODELS, models_file(models))
    for harm in found.values():
        if harm.trace is not None and harm.model is not None:
            spec = load_spec(harm.model.spec)
            text = itf.dumps(harm.trace, harm.model, spec, harm.model.about, shows=PROPERTY)
            write_file(_itf_file(harm, folder), text)
