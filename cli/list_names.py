"""``leukobench list``."""

from __future__ import annotations

from dataclasses import asdict

import click

from .options import names_of
from .output import answer, json_option


@click.command(name="list")
@click.argument("family", required=False, shell_complete=names_of())
@click.option("--all", "everything", is_flag=True, help="Of extractors: licence, size and place of all known weights.")
@json_option
def list_names(family: str | None, everything: bool) -> None:
    """Show every name of a FAMILY: extractors, selectors, classifiers, cnns, layouts, metrics, presets,
    report_sections, commands. Without one: how many names each has, and the first of them.
    """
    from ..registry import Registry
    from ..steps import catalogue, extractor_list
    from .commands import COMMANDS

    if everything and family != "extractors":
        raise click.UsageError("--all goes with `leukobench list extractors`.")
    if everything:
        extractors = [asdict(one) for one in extractor_list.all_extractors()]
        return answer(extractor_list.lines(), {"extractors": extractors})

    def summary(commands: Registry, name: str) -> str:
        return str(commands.get(name).get_short_help_str(limit=90))

    commands = catalogue.Family(COMMANDS, summary)
    lines = catalogue.lines(family, commands) if family else catalogue.overview(commands)
    answer(lines, catalogue.named(family, commands))
