"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

_Command = TypeVar("_Command", bound=Callable[..., Any])
PATH = click.Path(path_type=Path)

workers_option = click.option(
    "--workers",
    type=click.IntRange(1),
    help="Cores to use (default: all); does not affect scores, except rounding in CNNs.",
)


def image_options(command: _Command) -> _Command:
    """Options of every command that takes a folder of images."""
    return _apply(
        command,
        [
            click.option(
                "--layout", help="Folder layout that assigns labels (auto-detected); see `leukobench list layouts`."
            ),
            click.option(
                "--group",
                help="Regular expression on the path below the folder; its capture group is the patient ID.",
            ),
            click.option("--name", help="Run name; output goes to <results>/<name>/."),
            click.option("--results", type=PATH, help="Folder of all runs."),
            workers_option,
        ],
    )


def bundle_options(command: _Command) -> _Command:
    """Options of every command that applies a bundle to images."""
    return _apply(
        command,
        [
            click.argument("bundle", type=PATH),
            click.argument("images", nargs=-1, required=True, type=PATH),
            click.option(
                "--level", default=0.95, show_default=True, type=float, help="Coverage level of the prediction sets."
            ),
            click.option("--digest", help="Require this SHA-256 (printed by `fit`)."),
            click.option("--workers", type=click.IntRange(1), help="Cores to use (default: all)."),
        ],
    )


def chosen_options(**options: Any) -> dict[str, Any]:
    """The options that were given on the command line."""
    return {key: value for key, value in options.items() if value is not None}


def _apply(command: _Command, options: Sequence[Callable[[_Command], _Command]]) -> _Command:
    for option in reversed(options):
        command = option(command)
    return command
