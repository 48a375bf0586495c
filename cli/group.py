"""The group of all commands: turns a user's mistake into a message and an exit status, without a traceback."""

from __future__ import annotations

import difflib
import errno
import logging
import os
import signal
import sys
from typing import Any

import click

from .. import __version__
from ..errors import LeukobenchError, UnknownNameError
from ..plugins.permission import be_nobodys_worker
from .commands import COMMANDS
from .options import TYPED
from .output import VisibleFormatter, echo, read_names_as_utf8, show_every_sign, with_volume

_OF_THE_SYSTEM = {
    *(errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.ESTALE),
    errno.ENOENT,  # a folder that vanishes during a run
    *(errno.EACCES, errno.EPERM, errno.EROFS, errno.ENAMETOOLONG, errno.ENOTDIR, errno.EISDIR, errno.ELOOP),
}
"""Errors of files that are no mistakes of leukobench."""
_ENDING = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]


class _Ended(KeyboardInterrupt):
    """The system, or another program, ended the command; `number` is the signal's."""

    number: int


def _end_like_ctrl_c(number: int, frame: object) -> None:
    stop = _Ended()
    stop.number = number
    raise stop


class _Commands(click.Group):
    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """Keep the words of the command, for a refusal that says how to go on."""
        typed = tuple(args)
        context = super().make_context(info_name, args, parent, **extra)
        context.meta[TYPED] = typed
        return context

    def list_commands(self, context: click.Context) -> list[str]:
        """Those that leukobench ships; installed packages may add more, which ``leukobench list commands`` shows."""
        return COMMANDS.shipped_names()

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        """Load the file of one command."""
        try:
            command = COMMANDS.get(name)
        except UnknownNameError:
            return None
        return with_volume(command) if isinstance(command, click.Command) else None

    def resolve_command(
        self, context: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """A name that is no command is refused with those that are nearly called so."""
        try:
            return super().resolve_command(context, args)
        except click.UsageError as error:
            nearest = difflib.get_close_matches(args[0], COMMANDS.names(), n=3, cutoff=0.6)
            if not nearest:
                raise
            raise click.UsageError(f"{error.message} Did you mean {' or '.join(nearest)}?", context) from None

    def invoke(self, context: click.Context) -> Any:
        try:
            return super().invoke(context)
        except LeukobenchError as error:
            echo(f"leukobench: {error}", err=True)
            context.exit(error.exit_code)
        except OSError as error:
            if error.errno not in _OF_THE_SYSTEM:
                raise
            echo(f"leukobench: {error.filename or 'Output could not be written'}: {error.strerror}.", err=True)
            context.exit(2)
        except KeyboardInterrupt as stop:
            number = stop.number if isinstance(stop, _Ended) else signal.SIGINT
            echo("\nInterrupted. Finished work is kept: run the same command again to continue.", err=True)
            context.exit(128 + number)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, package_name="leukobench")
def cli() -> None:
    """Compare deep image features and classical classifiers, honestly and fast."""
    show_every_sign()
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(VisibleFormatter())
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
    logging.getLogger("leukobench").setLevel(logging.INFO)


def main() -> None:
    """Entry point of the console script."""
    read_names_as_utf8()
    be_nobodys_worker()
    os.environ.setdefault("PYTHONSAFEPATH", "1")  # workers would look for every library in the current folder first
    for number in _ENDING[1:]:
        if signal.getsignal(number) == signal.SIG_DFL:  # nohup lets SIGHUP be ignored
            signal.signal(number, _end_like_ctrl_c)
    try:
        cli()
    except SystemExit as ended:
        if sys.argv[1:2] == ["predict"]:
            _leave(ended.code)
        raise
    finally:
        for number in _ENDING:  # the command has ended: workers and temporary files are being cleared up
            signal.signal(number, signal.SIG_IGN)


def _leave(code: int | str | None) -> None:
    """End at once: to take the libraries down one by one would be a fifth of the time that one image takes."""
    status = code if isinstance(code, int) else int(code is not None)
    for stream in filter(None, (sys.stdout, sys.stderr)):
        try:
            stream.flush()
        except (OSError, ValueError):  # it is full, or closed
            status = status or 2
    os._exit(status)
