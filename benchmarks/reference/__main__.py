"""Run the reference experiments, and write results/reference and the figures of the documents.

``make reference DATA=FOLDER``: FOLDER holds the sets of images as ``sets.py`` names them. ``ONLY=tutorial`` runs what
README and the tutorial show, ``ONLY=lessons`` draws the pictures of the statistics. ``ONLY=documents`` writes the
figures of README, of docs/ and of results/reference from what is there; ``tests/test_reference.py`` fails where they
differ.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from .documents import REFERENCE, ROOT, write_documents
from .lessons import draw_lessons
from .pictures import picture_sites
from .runs import KINDS, Place
from .sets import SETS
from .tutorial import publish_tutorial

SITES, TUTORIAL, LESSONS, DOCUMENTS = "sites", "tutorial", "lessons", "documents"
"""Kinds that need no images."""


def main() -> None:
    kinds = [*KINDS, SITES, TUTORIAL, LESSONS, DOCUMENTS]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, nargs="?", help="folder of the sets of images")
    parser.add_argument("--only", choices=kinds, nargs="*", default=kinds)
    parser.add_argument("--sets", choices=list(SETS), nargs="*", default=list(SETS))
    parser.add_argument("--results", type=Path, default=ROOT / "results", help="folder of the runs, which resume")
    parser.add_argument("--reference", type=Path, default=REFERENCE, help="folder of what is published")
    arguments = parser.parse_args()
    place = Place(arguments.data, arguments.results, arguments.reference)
    for kind in (kind for kind in KINDS if kind in arguments.only):
        check_sets(parser, arguments)
        for name in arguments.sets:
            if SETS[name].kinds is None or kind in SETS[name].kinds:
                KINDS[kind](place, name)
    if SITES in arguments.only:
        picture_sites()
    if TUTORIAL in arguments.only:
        publish_tutorial(arguments.results, arguments.reference)
    if LESSONS in arguments.only:
        draw_lessons()
    if DOCUMENTS in arguments.only:
        write_documents(arguments.reference)


def check_sets(parser: argparse.ArgumentParser, arguments: argparse.Namespace) -> None:
    """End where the folder of a set is not there."""
    if arguments.data is None:
        parser.error("name the folder of the sets of images: make reference DATA=FOLDER")
    missing = [name for name in arguments.sets if not (arguments.data / SETS[name].folder).is_dir()]
    if missing:
        folders = ", ".join(SETS[name].folder for name in missing)
        parser.error(f"{arguments.data} does not hold {folders}; name those that it holds: SETS='all cells'")


if __name__ == "__main__":
    main()
