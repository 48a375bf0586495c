"""``leukobench list``."""

from __future__ import annotations

import click

from .output import echo


@click.command(name="list")
@click.argument("family")
def list_names(family: str) -> None:
    """Show every name of a FAMILY: extractors, selectors, classifiers, cnns, layouts, metrics, presets,
    report_sections, commands.
    """
    from ..registry import Registry
    from ..steps import catalogue
    from .commands import COMMANDS

    def summary(commands: Registry, name: str) -> str:
        return str(commands.get(name).get_short_help_str(limit=90))

    for line in catalogue.lines(family, catalogue.Family(COMMANDS, summary)):
        echo(line)
