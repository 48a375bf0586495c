"""``leukobench fit``."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from .options import PATH, RUN, code_option, workers_option
from .output import answer, json_option


@click.command()
@click.argument("run", type=RUN)
@click.option("--combination", nargs=3, metavar="EXTRACTOR SELECTOR CLASSIFIER", help="Default: the winner.")
@click.option("--out", type=PATH, help="Output folder, or a .zip file (default: RUN/model).")
@click.option("--pictures", is_flag=True, help="Store thumbnails of the training images, to show the nearest ones.")
@workers_option
@code_option
@json_option
def fit(
    run: Path, combination: tuple[str, str, str] | None, out: Path | None, pictures: bool, workers: int | None
) -> None:
    """Fit the winner of RUN (a folder below results/, or an experiment file) on all images, and write a bundle.

    A bundle predicts the class of new images without TensorFlow, network access or the training images.
    """
    from ..bundling.fit import fit as fit_bundle
    from ..runs.progress import on_screen

    bundle = fit_bundle(run, combination, out, pictures, workers, on_screen())
    allowed = "".join(f" --allow-code {shlex.quote(_place(one.module))}" for one in bundle.code)
    path = shlex.quote(str(bundle.path))
    lines = [
        f"{bundle.title}, fitted on all images, in {bundle.path}. Read its model_card.md.",
        f"SHA-256: {bundle.digest}",
        *(f"It needs code that it does not contain: {one.words}" for one in bundle.code),
        f"Next:  leukobench predict {path} IMAGES{allowed}    leukobench app {path}{allowed}",
    ]
    code = [one.module for one in bundle.code]
    answer(lines, {"bundle": bundle.path, "title": bundle.title, "digest": bundle.digest, "code": code})


def _place(module: str) -> str:
    """Where it lies, as `--allow-code` takes it; its name alone where it is installed."""
    from ..plugins.places import own_code

    code = own_code(module)
    if code is None or not code.files:
        return module
    path = code.folder / code.files[0].relative_to(code.folder).parts[0]
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)
