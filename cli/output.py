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
