"""The document on one's own images is true: each row of its table reads folders as it says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from leukobench.images.index import index_images

from .images.trees import write_image

DOCUMENT = (Path(__file__).parents[1] / "docs" / "own-images.md").read_text(encoding="utf-8")
TREES = {
    "Benign/001.jpg": {"label": "Benign"},
    "train/blast/1.jpg": {"label": "blast", "split": "train"},
    "blast/P17/1.jpg": {"label": "blast", "patient": "P17"},
    "siteA/blast/P17/1.jpg": {"label": "blast", "patient": "P17", "site": "siteA"},
    "P17/images/blast/1.jpg": {"label": "blast", "patient": "P17"},
    "blast/patient_17_cell_3.png": {"label": "blast", "patient": "17"},
}
"""First path of a row of the table -> what is read of it."""
ROWS = {
    match[1]: match[2]
    for match in re.finditer(r"^\| (?:[^|`]*)`([^`]+)`[^|]* \| ([^|]+) \|$", DOCUMENT, re.MULTILINE)
    if match[1] in TREES
}


def test_every_row_with_a_path_is_tried() -> None:
    assert set(ROWS) == set(TREES)


@pytest.mark.parametrize("path", TREES)
def test_folders_are_read_as_the_table_says(path: str, tmp_path: Path) -> None:
    option = re.search(r"`--(layout|group) '?([^`']+)'?`", ROWS[path])
    settings = {option[1]: option[2]} if option else {}
    write_image(tmp_path / path, 1)
    others = [path.replace(word, other) for word, other in (("blast", "normal"), ("Benign", "Early")) if word in path]
    write_image(tmp_path / others[0], 2)
    images = index_images(tmp_path, **settings).images
    row = images[images["path"].str.endswith(f"/{path}")].iloc[0]
    assert {name: row[name] for name in TREES[path]} == TREES[path]


def test_the_manifest_of_the_document_is_read(tmp_path: Path) -> None:
    (table,) = re.findall(r"```\n(path,label.*?)```", DOCUMENT, re.DOTALL)
    (tmp_path / "manifest.csv").write_text(table)
    for number, line in enumerate(table.split()[1:]):
        write_image(tmp_path / line.split(",")[0], number)
    images = index_images(tmp_path / "manifest.csv").images
    assert images[["label", "patient", "site", "split"]].to_numpy().tolist() == [
        line.split(",")[1:] for line in table.split()[1:]
    ]
