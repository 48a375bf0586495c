"""Manifests: every value is text, and a row that cannot be used stops everything."""

from __future__ import annotations

import pytest

from leukobench.errors import ImagesError
from leukobench.images.index import index_images

from .trees import write_image, write_tree


@pytest.fixture
def folder(tmp_path):
    for number in range(8):
        write_image(tmp_path / f"{number}.png", number)
    return tmp_path


def write(folder, text, name="list.csv"):
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_a_table_outside_the_folder_is_read_alone(tmp_path):
    folder = write_tree(tmp_path, "manifest")
    write_image(folder / "unlisted.png", 77)
    index = index_images(folder / "manifest.csv")
    assert (index.layout, index.patients) == ("manifest", "column patient of the manifest")
    assert index.classes() == ["01", "1", "NA"]
    assert len(index.ledger) == 0
    index = index_images(folder)
    assert index.unused["reason"].tolist() == ["not in manifest.csv"]
    assert index.whole_ledger()["path"].tolist() == [str(folder / "unlisted.png")]
    assert len(index.ledger) == 2


def test_parquet_says_the_same_as_csv(folder):
    import pandas as pd

    table = pd.DataFrame({"path": ["0.png", "1.png"], "label": [0, 1], "group": pd.array([7, None], "Int64")})
    table.to_parquet(folder / "list.parquet")
    images = index_images(folder / "list.parquet").images.sort_values("path")
    assert images["label"].tolist() == ["0", "1"]
    assert images["patient"].tolist() == ["7", ""]


def test_spaces_quotes_byte_order_mark_and_absolute_paths_are_understood(folder):
    text = f'\ufeffpath, label\n0.png, blast \n"{folder / "1.png"}","a, b"\n\n./2.png,None\n'
    assert index_images(write(folder, text)).classes() == ["None", "a, b", "blast"]


@pytest.mark.parametrize("sign", [";", "\t"])
def test_a_table_of_a_spreadsheet_on_windows_is_understood(folder, sign):
    write_image(folder / "a" / "5.png", 5)
    text = f'\ufeff"path"{sign}label{sign}age\r\n0.png{sign}"x, {sign}y"{sign}4,5\r\n.\\a\\5.png{sign}=1+1{sign}5\r\n'
    index = index_images(write(folder, text))
    assert index.classes() == ["=1+1", "x, " + {";": ";", "\t": "\\t"}[sign] + "y"]
    assert index.images["age"].tolist() == ["5", "4,5"]
    assert index.images["path"][0] == str(folder / "a" / "5.png")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("path,label\n0.png,\n", "line 2: no label for 0.png"),
        ("path,label\n0.png,x\n,y\n", "line 3: no path"),
        ("path,label\n0.png,x\nabsent.png,y\n", "1 of 2 rows.*\n.*\n.*line 3: there is no file absent.png"),
        ("path,label\n0.png,x\n./0.png,y\n", "line 3: ./0.png is already in line 2"),
        ("path,label\n0.png,x\nlist.csv,y\n", "line 3: list.csv does not have the extension"),
        ("path,label\n0.png,x,y\n", "line 2: 3 fields"),
        ("path,label\n0.png\n", "line 2: 1 fields"),
        ("path,label,pateint\n0.png,x,y\n", "rename pateint to patient if"),
        ("path,label,Patient_ID,age\n0.png,x,y,3\n", "no column patient, but Patient_ID"),
        ("path,label,subject\n0.png,x,y\n", "no column patient, but subject"),
        ("file,label\n0.png,x\n", "right columns"),
        ("path,label,group,patient\n0.png,x,y,z\n", "one of group and patient"),
        ("path,label,label\n0.png,x,y\n", "no name twice"),
        ("path label\n0.png x\n", "commas, semicolons or tabs may stand"),
        ("", "an empty file"),
        ("path,label\n", "No image"),
        ('path,label\n"0.png,x\n', "comma-separated text"),
        (b"path,label\n0.png,\xff\n", "UTF-8"),
    ],
)
def test_a_table_that_cannot_be_used_stops(folder, text, message):
    with pytest.raises(ImagesError, match=message):
        index_images(write(folder, text))


COLUMNS = {"split": ["train", "test"], "fold": ["0", "1"], "site": ["A", ""], "stain": ["H&E", "Giemsa"]}


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_further_columns_are_kept_as_text(folder, kind):
    import pandas as pd

    table = pd.DataFrame({"path": ["0.png", "1.png"], "label": ["x", "y"], **COLUMNS, "age": [40, 7], "row": [5, 6]})
    table = table.assign(subject=["s1", "s2"], patient=["p1", "p2"])
    if kind == "csv":
        table.to_csv(folder / "list.csv")  # with its index, a column without a name
    else:
        table.assign(embedding=[[0.5], [1.0]], thumbnail=[b"\xff", b"\xfe"]).to_parquet(folder / "list.parquet")
    images = index_images(folder / f"list.{kind}").table().sort_values("label")
    further = {name: images[name].tolist() for name in images.columns[5:-1]}
    assert further == {**COLUMNS, "age": ["40", "7"], "manifest_row": ["5", "6"], "subject": ["s1", "s2"]}
    assert images["patient"].tolist() == ["p1", "p2"]


def test_a_column_that_names_no_patient_is_no_doubt(folder):
    index = index_images(write(folder, "path,label,patient_age,slide,case_notes\n0.png,x,3,4,5\n1.png,y,3,4,5\n"))
    assert list(index.images)[4:] == ["patient_age", "slide", "case_notes"]
    assert index.patients == "none"


def test_many_bad_rows_are_counted_and_the_first_shown(folder):
    with pytest.raises(ImagesError, match="20 of 20 rows") as caught:
        index_images(write(folder, "path,label\n" + "absent.png,x\n" * 20))
    assert caught.value.received.count("line") == 5
    assert caught.value.received.endswith("and 15 more")


def test_parquet_that_is_none_stops(folder):
    with pytest.raises(ImagesError, match="parquet table"):
        index_images(write(folder, "no parquet", "list.parquet"))


def test_two_tables_called_manifest_stop(folder):
    write(folder, "path,label\n0.png,x\n", "manifest.csv")
    write(folder, "", "manifest.parquet")
    with pytest.raises(ImagesError, match="2 tables"):
        index_images(folder)


def test_a_table_of_another_name_has_to_be_named_itself(folder):
    write(folder, "path,label\n0.png,x\n")
    with pytest.raises(ImagesError, match="no tables"):
        index_images(folder, "manifest")


def test_a_formula_may_be_defused_or_not(folder):
    (folder / "0.png").rename(folder / "=0.png")
    rows = "=0.png,=1+1\n1.png,'=1+1\n2.png,'quoted'\n3.png,-1\n"
    index = index_images(write(folder, f"path,label\n{rows}"))
    assert index.classes() == ["'quoted'", "-1", "=1+1"]
    assert index.counts()["images"]["=1+1"] == 2
    defused = rows.replace("=0.png", "'=0.png")
    assert index_images(write(folder, f"path,label\n{defused}")).images.equals(index.images)
