"""``leukobench list``."""

from __future__ import annotations

import click


@click.command(name="list")
@click.argument("family")
def list_names(family: str) -> None:
    """Show every name of a FAMILY: extractors, selectors, classifiers, cnns, layouts, metrics, presets, commands."""
    from ..steps import catalogue

    for line in catalogue.lines(family):
        click.echo(line)
