"""Every command with its arguments, options and help, from the command line itself."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import click

_OF_ALL = {"--quiet", "--verbose", "--help"}
"""Options that every command has: the page names them once, above."""


def commands(reference: Path) -> Iterator[str]:
    """A heading a command, its help, and its options as a table."""
    import click

    from leukobench.cli import cli

    above = click.Context(cli, info_name="leukobench")
    for name in cli.list_commands(above):
        command = cli.get_command(above, name)
        assert command is not None
        context = click.Context(command, parent=above, info_name=name)
        usage = " ".join([context.command_path, *command.collect_usage_pieces(context)])
        yield from ("", f"## `leukobench {name}`", "```text", usage, "```", inspect.cleandoc(command.help or ""), "")
        yield from _options(command, context)


def _options(command: click.Command, context: click.Context) -> Iterator[str]:
    import click

    options = [option for option in command.get_params(context) if isinstance(option, click.Option)]
    own = [option.get_help_record(context) for option in options if not _OF_ALL & set(option.opts)]
    yield from ("| option | meaning |", "|---|---|")
    for names, meaning in filter(None, own):
        words = " ".join(meaning.split()).replace("<", "\\<").replace("*", "\\*")
        yield f"| `{_in_cell(names)}` | {_in_cell(words)} |"


def _in_cell(text: str) -> str:
    return text.replace("|", "\\|")
