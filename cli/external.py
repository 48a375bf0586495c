"""``leukobench external``."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from .options import ANY_PATH, PATH, RUN, code_option, workers_option
from .output import answer, json_option


@click.command()
@click.argument("tested", metavar="RUN|BUNDLE", type=RUN)
@click.argument("images", type=ANY_PATH)
@click.option(
    "--map",
    "class_map",
    metavar="'IMAGES=MODEL,…'",
    help="Which class of the model a class of the images is, such as 'blast=ALL,normal=hem' or 'ALL=Early+Pre+Pro'; "
    "those of equal names need no entry.",
)
@click.option("--layout", default="auto", show_default=True, help="What the folders mean; see `leukobench run --help`.")
@click.option("--group", help="Regular expression on the path below the folder; its capture group is the patient ID.")
@click.option("--exclude-class", multiple=True, help="Class to leave out; may be repeated.")
@click.option("--exclude-files", multiple=True, help="Paths to leave out, such as '*_mask.png'; may be repeated.")
@click.option("--name", help="Of the test; output goes to external/<name>/ in the run or beside the bundle.")
@click.option("--best", type=click.IntRange(1), help="Of a run, take this many of its best combinations alone.")
@click.option("--run", type=PATH, help="Run that the bundle was made of, so that copies of its images are found.")
@click.option("--card", type=PATH, help="Write the bundle again, here, with a card that lists its external tests.")
@workers_option
@code_option
@json_option
def external(
    tested: Path,
    images: Path,
    class_map: str | None,
    layout: str,
    group: str | None,
    exclude_class: tuple[str, ...],
    exclude_files: tuple[str, ...],
    name: str | None,
    best: int | None,
    run: Path | None,
    card: Path | None,
    workers: int | None,
) -> None:
    """Test a BUNDLE, or every combination of a RUN, on labelled IMAGES (a folder or a manifest) of another source.

    Copies of training images are found and left out. The answer says whether the score holds there, what differs, and
    what recalibration on a few of its patients does.

    Exit status: 0 when there is an answer, 1 when nothing could be fitted, 2 for any other error.
    """
    from ..bundling.external_card import check_card, write_card
    from ..runs.progress import on_screen
    from ..studies.external import Request, run_external_test
    from ..studies.external_images import ImageSource

    if card is not None:
        check_card(tested, card)
    source = ImageSource(images, layout, group, exclude_class, exclude_files)
    test = run_external_test(Request(tested, source, class_map, name, run, best), workers, on_screen())
    tables = ", predictions.parquet" if test.answer.combinations else ""
    lines = [*test.answer.sentences, f"In {test.folder}: answer.json, copies.csv{tables}"]
    facts = {"folder": test.folder, "answer": test.answer.to_json()}
    failed = test.answer.verdict == "failed"
    if card is not None and not failed:
        facts |= {"card": card, "digest": (digest := write_card(tested, card))}
        lines.append(f"The bundle with a card that lists its external tests is in {card}.\nSHA-256: {digest}")
    answer(lines, facts)
    sys.exit(int(failed))
