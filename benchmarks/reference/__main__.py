"""Run the reference experiments, and write results/reference and the figures of the documents.

``make reference DATA=FOLDER``: FOLDER holds the sets of images as ``sets.py`` names them. ``ONLY=documents`` writes the
figures of README, of docs/ and of results/reference from what is there; ``tests/test_reference.py`` fails where they
differ.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from .documents import REFERENCE, ROOT, write_documents
from .runs import KINDS, Place
from .sets import SETS

DOCUMENTS = "documents"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, nargs="?", help="folder of the sets of images")
    parser.add_argument("--only", choices=[*KINDS, DOCUMENTS], nargs="*", default=[*KINDS, DOCUMENTS])
    parser.add_argument("--sets", choices=list(SETS), nargs="*", default=list(SETS))
    parser.add_argument("--results", type=Path, default=ROOT / "results", help="folder of the runs, which resume")
    parser.add_argument("--reference", type=Path, default=REFERENCE, help="folder of what is published")
    arguments = parser.parse_args()
    kinds = [kind for kind in arguments.only if kind != DOCUMENTS]
    if kinds:
        if arguments.data is None:
            parser.error("name the folder of the sets of images: make reference DATA=FOLDER")
        missing = [name for name in arguments.sets if not (arguments.data / SETS[name].folder).is_dir()]
        if missing:
            folders = ", ".join(SETS[name].folder for name in missing)
            parser.error(f"{arguments.data} does not hold {folders}; name those that it holds: SETS='all cells'")
    place = Place(arguments.data, arguments.results, arguments.reference)
    for kind in kinds:
        for name in arguments.sets:
            if SETS[name].kinds is None or kind in SETS[name].kinds:
                KINDS[kind](place, name)
    if DOCUMENTS in arguments.only:
        write_documents(arguments.reference)


if __name__ == "__main__":
    main()
