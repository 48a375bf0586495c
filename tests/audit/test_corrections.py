"""A person's corrections of labels: joined by id or path, refused in words where they cannot be used."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from leukobench.audit.corrections import LEAVE_OUT, corrections_of, read_corrections
from leukobench.errors import ConfigurationError

IMAGES = pd.DataFrame(
    {
        "image_id": ["1", "2", "2", "3"],
        "label": ["Benign", "Early", "Early", "01"],
        "path": [f"/images/{name}.png" for name in "abcd"],
    }
)


def corrections(folder: Path, text: str, name: str = "suspects.csv") -> dict[str, str]:
    table = folder / name
    table.write_text(text, encoding="utf-8")
    return corrections_of(read_corrections(table), IMAGES, Path("/images"), {"/images/left.png"}, table)


@pytest.mark.parametrize("sign", [",", ";", "\t"])
def test_labels_join_by_id_then_by_path_and_empty_rows_are_passed_over(tmp_path: Path, sign: str) -> None:
    rows = [
        "Corrected,path,image_id,note",
        "early,,1,",
        "01,c.png,,",
        " Leave_Out ,/images/d.png,gone,",
        ",a.png,,",
        "Early,left.png,,",
    ]
    found = corrections(tmp_path, "\n".join(rows).replace(",", sign))
    assert found == {"1": "Early", "2": "01", "3": LEAVE_OUT}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("corrected,path\nErly,a.png\n", "unknown labels.*Benign, Early.*line 2: Erly"),
        ("corrected,path\nEarly,z.png\n", "not there.*line 2: z.png"),
        ("corrected,path\nBenign,b.png\nleave out,c.png\n", "contradicts itself.*line 3"),
        ("label,path\nEarly,a.png\n", "lacks columns.*label, path"),
        ("corrected,name\nEarly,a.png\n", "lacks columns"),
    ],
)
def test_what_cannot_be_used_is_refused(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(ConfigurationError, match=f"(?s){words}"):
        corrections(tmp_path, text)


def test_a_table_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read"):
        read_corrections(tmp_path / "none.csv")
