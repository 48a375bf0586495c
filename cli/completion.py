"""``leukobench completion``."""

from __future__ import annotations

import click

from .output import answer, json_option


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@json_option
def completion(shell: str) -> None:
    """Print what makes SHELL complete commands, options and names after the Tab key.

    bash: eval "$(leukobench completion bash)" in ~/.bashrc; zsh: the same with zsh in ~/.zshrc; fish: leukobench
    completion fish > ~/.config/fish/completions/leukobench.fish.
    """
    from click.shell_completion import get_completion_class

    from .group import cli

    kind = get_completion_class(shell)
    if kind is None:
        raise click.UsageError(f"click completes nothing in {shell}.")
    script = kind(cli, {}, "leukobench", "_LEUKOBENCH_COMPLETE").source()
    answer(script.splitlines(), {"shell": shell, "script": script})
