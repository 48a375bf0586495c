"""What a command writes: text that every terminal can show, whatever names are in it."""

from __future__ import annotations

import json
import logging
import math
import os
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

import click

from ..errors import visible_lines

if TYPE_CHECKING:
    import pandas as pd

_Command = TypeVar("_Command", bound=Callable[..., Any])
_JSON = "as_json"


class VisibleFormatter(logging.Formatter):
    """The message alone, with control characters as escapes."""

    def format(self, record: logging.LogRecord) -> str:
        """Lines for standard error."""
        return visible_lines(super().format(record)).replace("\n", "\n  ")


def with_volume(command: click.Command) -> click.Command:
    """The command with its options -q and -v, which all have."""
    if not any(option.name == "quiet" for option in command.params):
        helps = ("No progress and no notes: only results, warnings and errors.", "Notes with their time and module.")
        for short, name, callback, words in zip(
            "qv", ("quiet", "verbose"), (_be_quiet, _be_verbose), helps, strict=True
        ):
            command.params.append(
                click.Option(
                    [f"-{short}", f"--{name}"], is_flag=True, expose_value=False, callback=callback, help=words
                )
            )
    return command


def _be_quiet(context: click.Context, option: click.Parameter, value: bool) -> None:
    from ..runs import progress

    if value:
        progress.quiet = True
        context.call_on_close(lambda: setattr(progress, "quiet", False))
        for handler in _own_handlers():  # not the loggers: a run's log keeps all
            handler.setLevel(logging.WARNING)


def _be_verbose(context: click.Context, option: click.Parameter, value: bool) -> None:
    if value:
        logging.getLogger("leukobench").setLevel(logging.DEBUG)
        for handler in _own_handlers():
            handler.setFormatter(VisibleFormatter("%(asctime)s %(name)s: %(message)s"))


def _own_handlers() -> list[logging.Handler]:
    """Those of this command, not of a program that calls it."""
    return [one for one in logging.getLogger().handlers if isinstance(one.formatter, VisibleFormatter)]


def echo(text: str, err: bool = False) -> None:
    """Write lines to standard output or standard error, with control characters as escapes."""
    click.echo(visible_lines(text), err=err)


def json_option(command: _Command) -> _Command:
    """Option ``--json`` of a command that ends with `answer`."""

    def keep(context: click.Context, option: click.Parameter, value: bool) -> None:
        context.meta[_JSON] = value

    words = "The answer as one line of JSON on standard output; what people read goes to standard error."
    option = click.option("--json", "as_json", is_flag=True, expose_value=False, callback=keep, help=words)
    return option(command)


def wants_json() -> bool:
    """Whether the command that runs was called with ``--json``."""
    return bool(click.get_current_context().meta.get(_JSON))


def answer(lines: Iterable[str], facts: Mapping[str, Any]) -> None:
    """Write lines for people, or, after ``--json``, the facts for a program and the lines to standard error.

    Parameters
    ----------
    lines : iterable of str
    facts : mapping
        What can be JSON; paths become text, tables a list with a mapping for each row, and what is no number null.
    """
    if wants_json():
        click.echo(json.dumps(_storable(facts), allow_nan=False))
    echo("\n".join(lines), err=wants_json())


def records_of(table: pd.DataFrame) -> list[dict[str, Any]]:
    """A mapping for each row of a table; null for what is not defined."""
    return cast("list[dict[str, Any]]", json.loads(table.to_json(orient="records", double_precision=15) or "[]"))


def _storable(value: Any) -> Any:
    """As JSON has it: NaN and infinity are null there."""
    if isinstance(value, Mapping):
        return {str(key): _storable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_storable(item) for item in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if isinstance(value, str | int | bool | None) else str(value)


def show_every_sign() -> None:
    """Let signs that the terminal's encoding lacks become escapes, where they would end the command."""
    for stream in (sys.stdout, sys.stderr):
        if reconfigure := getattr(stream, "reconfigure", None):
            reconfigure(errors="backslashreplace")


def read_names_as_utf8() -> None:
    """Start again in Python's UTF-8 mode where the locale would give file names, and so classes, another spelling.

    Output keeps the encoding of the locale.
    """
    if sys.getfilesystemencoding() == "utf-8" or os.environ.get("PYTHONUTF8") == "1" or not sys.executable:
        return
    if sys.stdout is not None:
        os.environ.setdefault("PYTHONIOENCODING", f"{sys.stdout.encoding}:backslashreplace")
    os.environ["PYTHONUTF8"] = "1"
    os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])
