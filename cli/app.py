"""``leukobench app``."""

from __future__ import annotations

from pathlib import Path

import click

from .options import PATH, code_option


@click.command()
@click.argument("target", default="results", type=PATH)
@click.option("--images", multiple=True, type=PATH, help="Folder of images; allows starting benchmarks on it.")
@click.option("--results", type=PATH, help="Folder of runs; benchmarks are written there.")
@click.option(
    "--host",
    default="localhost",
    show_default=True,
    help="Bind address; anything but localhost exposes the app without a password.",
)
@click.option("--port", type=click.IntRange(1, 65535), help="Default: 8501, or the next free port.")
@code_option
def app(target: Path, images: tuple[Path, ...], results: Path | None, host: str, port: int | None) -> None:
    """Open a web page on TARGET: a bundle, a run, or a folder of runs. Ctrl-C stops it.

    There is no password. Uploaded images are not stored.
    """
    from ..app.launch import serve

    serve(target, images, host, port, results)
