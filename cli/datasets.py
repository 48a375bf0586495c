"""``leukobench datasets``."""

from __future__ import annotations

import textwrap

import click

from .output import answer, json_option

_WIDTH = 100


def _names(context: click.Context, argument: click.Parameter, begun: str) -> list[str]:
    from ..images.datasets import public_sets

    return [name for name in public_sets() if name.startswith(begun)]


@click.command()
@click.argument("names", metavar="[NAME]...", nargs=-1, shell_complete=_names)
@json_option
def datasets(names: tuple[str, ...]) -> None:
    """List public sets of images: size, licence, patients and layout; of each NAME also classes, citation, where to
    get it, and known traps, such as copies or stains that give the class away.

    What could not be confirmed says unknown. Nothing is downloaded.
    """
    from ..images.datasets import PublicSet, public_set, public_sets

    def in_full(one: PublicSet) -> list[str]:
        lines = [f"{one.name}: {one.title}"]
        for fact, words in one.facts():
            first, rest = f"  {fact:<9} ", " " * 12
            lines += textwrap.wrap(words, _WIDTH, initial_indent=first, subsequent_indent=rest, break_long_words=False,
                                   break_on_hyphens=False)  # fmt: skip
        return [*lines, ""]

    chosen = [public_set(name) for name in names] or list(public_sets().values())
    if names:
        lines = [line for one in chosen for line in in_full(one)][:-1]
    else:
        width = max(len(one.name) for one in chosen)
        lines = [f"{one.name:<{width}}  {one.title}\n{'':{width}}  {one.size()}; {one.licence}" for one in chosen]
        lines += ["", "leukobench datasets NAME says all: patients, layout, citation, where to get it, known traps."]
    answer(lines, {"datasets": [one.to_json() for one in chosen]})
