"""What a command writes: text that every terminal can show, whatever names are in it."""

from __future__ import annotations

import logging
import os
import sys

import click

from ..errors import visible_lines


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
