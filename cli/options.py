"""Options that several commands share."""

from __future__ import annotations

import functools
import shlex
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar, cast

import click
from click.shell_completion import CompletionItem

from ..errors import CodeNotAllowedError

TYPED = "words of the command"
"""Key of a context's ``meta``: the words of the command after ``leukobench``."""
_Command = TypeVar("_Command", bound=Callable[..., Any])


class _Path(click.Path):
    """A path of this machine or, where `remote`, of an object store, too."""

    def __init__(self, remote: bool = False) -> None:
        super().__init__(path_type=Path)
        self._remote = remote

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if isinstance(value, str) and "://" in value:
            if not self._remote:
                self.fail(f"{value.partition('://')[0]}:// is not read here: name a path of this machine.", param, ctx)
            from ..remote.path import any_path

            return any_path(value)
        return super().convert(value, param, ctx)


class _Run(_Path):
    """Folder of a run; the Tab key offers the finished ones in ``results``."""

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        folders = sorted(str(file.parent) for file in Path("results").glob("*/answer.json"))
        items = [CompletionItem(folder) for folder in folders if folder.startswith(incomplete)]
        return items or super().shell_complete(ctx, param, incomplete)


def names_of(family: str = "") -> Callable[..., list[str]]:
    """What the Tab key offers: names of a family, or the families of ``leukobench list``."""

    def complete(context: click.Context, option: click.Parameter, begun: str) -> list[str]:
        from ..steps.catalogue import named

        return [name for name in named(family or None) if name.startswith(begun)]

    return complete


PATH, ANY_PATH, RUN = _Path(), _Path(remote=True), _Run()
"""Of this machine; of images, which may also be in an object store; of a run."""
_OF_IMAGES = {
    "layout": "layout",
    "group": "group",
    "exclude_class": "exclude_classes",
    "exclude_files": "exclude_files",
    "copies": "copies",
    "label_conflicts": "label_conflicts",
    "corrections": "corrections",
}
"""Option -> key of the section ``images`` of an experiment file."""
IMAGE_OPTIONS = ", ".join(f"--{option.replace('_', '-')}" for option in _OF_IMAGES)

workers_option = click.option(
    "--workers",
    type=click.IntRange(1),
    help="Cores to use (default: all); does not affect scores, except rounding in CNNs.",
)


dask_option = click.option(
    "--dask",
    metavar="ADDRESS",
    help="Compute on the workers of a Dask cluster: the address of its scheduler (tcp://host:8786), or local:N to "
    "start N workers here; see docs/clusters.md. Does not affect scores.",
)


def code_option(command: _Command) -> _Command:
    """Option ``--allow-code`` of a command that does not run code of the user's own unasked."""

    @functools.wraps(command)
    def allowed(allow_code: tuple[str, ...], **options: Any) -> Any:
        from ..plugins.permission import allowing

        try:
            with allowing(allow_code):
                return command(**options)
        except CodeNotAllowedError as refusal:
            raise _with_command(refusal) from None

    return click.option(
        "--allow-code",
        metavar="[DIGEST|PATH|MODULE]",
        multiple=True,
        help="Run code of your own: that with this digest, which a refusal names (of the names and bytes of its file "
        "and of the modules beside it that it mentions, not its sha256sum), or the file at this path, whatever it "
        "holds. Of a bundle: import this module (its name, or the path of its file), which it needs and does not "
        "contain. May be repeated.",
    )(cast("_Command", allowed))


def _with_command(refusal: CodeNotAllowedError) -> CodeNotAllowedError:
    """The refusal with the command that works, once the user has read the code."""
    if not refusal.digests:
        return refusal
    typed = click.get_current_context().meta.get(TYPED, ())
    words = ["leukobench", *typed, *(word for one in refusal.digests for word in ("--allow-code", one))]
    parts = {"expected": refusal.expected, "received": refusal.received}
    return CodeNotAllowedError(
        refusal.what, digests=refusal.digests, **parts, fix=f"read the code, then: {shlex.join(words)}"
    )


def image_options(command: _Command) -> _Command:
    """Options of every command that takes a folder of images; those of the section ``images`` come as a mapping."""

    @functools.wraps(command)
    def with_section(**options: Any) -> Any:
        section = {key: options.pop(option) for option, key in _OF_IMAGES.items()}
        return command(section=chosen_options(**section), **options)

    return _apply(
        cast("_Command", with_section),
        [
            click.option(
                "--layout",
                shell_complete=names_of("layouts"),
                help="What the folders mean: a name of `leukobench list layouts` (auto-detected), or the meaning of "
                "each level, such as split/class.",
            ),
            click.option(
                "--group",
                help="Regular expression on the path below the folder; its capture group is the patient ID, and one "
                "called site, scanner or batch is a column of that name.",
            ),
            click.option("--exclude-class", multiple=True, help="Class to leave out; may be repeated."),
            click.option(
                "--exclude-files", multiple=True, help="Paths to leave out, such as '*_mask.png'; may be repeated."
            ),
            click.option(
                "--copies",
                metavar="[group|list|off|TABLE]",
                help="Copies share a group (default), are only listed, or not looked for; or as a TABLE decides: "
                "audit/copies.csv with its column decision filled in (same, different).",
            ),
            click.option(
                "--label-conflicts",
                type=click.Choice(["leave_out", "keep"]),
                help="Copies of one image under several labels: left out (default), or kept.",
            ),
            click.option(
                "--corrections",
                type=PATH,
                metavar="TABLE",
                help="Labels that you corrected: suspects.csv of a run with its column corrected filled in (a label, "
                "or 'leave out').",
            ),
            click.option("--name", help="Run name; output goes to <results>/<name>/."),
            click.option("--results", type=PATH, help="Folder of all runs."),
            workers_option,
            dask_option,
        ],
    )


def limit_options(command: _Command) -> _Command:
    """Options on what fits may take; those of the section ``evaluation.limits`` come as a mapping."""

    @functools.wraps(command)
    def with_limits(limit_seconds: float | None, limit_memory: int | None, **options: Any) -> Any:
        return command(limits=chosen_options(seconds=limit_seconds, memory=limit_memory), **options)

    return _apply(
        cast("_Command", with_limits),
        [
            click.option(
                "--limit-seconds",
                metavar="TIME",
                callback=_quantity("seconds_of"),
                help="Most that a selector or classifier may take in a fold, such as 600 or 10m: else its row fails.",
            ),
            click.option(
                "--limit-memory",
                metavar="SIZE",
                callback=_quantity("bytes_of"),
                help="Most memory that the process of a fit may hold, such as 4GB: else its row fails.",
            ),
            click.option(
                "--budget",
                metavar="TIME",
                callback=_quantity("seconds_of"),
                help="Stop fitting when the run has taken so long, such as 30m, cheapest combinations first. Tables "
                "and report of what is finished follow; the same command goes on from there.",
            ),
        ],
    )


def _quantity(reader: str) -> Callable[[click.Context, click.Parameter, str | None], float | None]:
    """A callback of click that reads a quantity."""

    def read(context: click.Context, parameter: click.Parameter, value: str | None) -> float | None:
        from ..config import cell_limits

        try:
            return None if value is None else getattr(cell_limits, reader)(value)
        except ValueError as error:
            raise click.BadParameter(f"{error}; received {value!r}") from error

    return read


def bundle_options(command: _Command) -> _Command:
    """Options of every command that applies a bundle to images."""
    return _apply(
        command,
        [
            click.argument("bundle", type=PATH),
            click.argument("images", nargs=-1, required=True, type=ANY_PATH),
            click.option(
                "--level", default=0.95, show_default=True, type=float, help="Coverage level of the prediction sets."
            ),
            click.option("--digest", help="Require this SHA-256 (printed by `fit`)."),
            click.option("--workers", type=click.IntRange(1), help="Cores to use (default: all)."),
        ],
    )


def executor_of(dask: str | None) -> dict[str, Any] | None:
    """The key ``executor`` of an experiment, where it was given on the command line."""
    return None if dask is None else {"dask": dask}


def chosen_options(**options: Any) -> dict[str, Any]:
    """The options that were given on the command line."""
    return {key: value for key, value in options.items() if value not in (None, ())}


def _apply(command: _Command, options: Sequence[Callable[[_Command], _Command]]) -> _Command:
    for option in reversed(options):
        command = option(command)
    return command
