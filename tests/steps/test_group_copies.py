"""What an experiment says about copies decides its groups, and with them its identity."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from leukobench.config.experiment_file import for_folder, read_experiment
from leukobench.errors import ConfigurationError
from leukobench.images.index import ImageIndex
from leukobench.images.synthetic import draw_image
from leukobench.pipeline import audit_images, run
from leukobench.runs.folder import RunFolder
from leukobench.runs.workspace import Workspace
from leukobench.steps import group_copies
from leukobench.steps.prepare_run import prepare_run
from leukobench.studies.holdout import unseal


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Two classes of six; 0 has a copy in other pixels, and a file twice."""
    folder = tmp_path / "images"
    for number in range(12):
        target = folder / ("one", "two")[number % 2] / f"{number}.png"
        target.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(draw_image(number, 12, 4, 64)[0]).save(target)
    first = folder / "one" / "0.png"
    Image.fromarray(np.rot90(draw_image(0, 12, 4, 64)[0])).save(folder / "one" / "turned.png")
    shutil.copy(first, folder / "one" / "again.png")
    return folder


def audited(pictures: Path, copies: Any = "group") -> tuple[Path, dict[str, Any], pd.Series]:
    """Folder, summary, and the groups by name of the file."""
    said = for_folder(pictures, results=pictures.parent / "results", images={"copies": copies})
    folder, summary = audit_images(said, workers=1)
    images = pd.read_parquet(folder / "images.parquet")
    return folder, summary, pd.Series(images["group"].tolist(), index=[Path(path).name for path in images["path"]])


def together(groups: pd.Series, *names: str) -> bool:
    return groups[list(names)].nunique() == 1


@pytest.mark.slow
def test_copies_are_grouped_listed_or_not_looked_for(pictures: Path) -> None:
    folder, summary, groups = audited(pictures)
    assert together(groups, "0.png", "again.png", "turned.png")
    assert summary["words"].endswith("Copies share a group.")
    folder, listed, groups = audited(pictures, "list")
    assert together(groups, "0.png", "again.png")
    assert not together(groups, "0.png", "turned.png")
    assert len(pd.read_csv(folder / "audit" / "copies.csv")) == 2
    assert listed["words"].endswith("Only identical files share a group.")
    assert [name for name in summary if listed[name] != summary[name]] == ["setting", "words", "lines"]
    folder, summary, groups = audited(pictures, "off")
    assert groups.nunique() == 13
    assert len(pd.read_csv(folder / "audit" / "copies.csv")) == 1
    assert summary["words"].startswith("Copies: 1 identical file, others not looked for; 1 image occurs more than once")


@pytest.mark.slow
@pytest.mark.parametrize("ending", ["csv", pytest.param("parquet", marks=pytest.mark.slow)])
def test_decisions_are_followed_kept_and_survive_renamed_files(pictures: Path, ending: str) -> None:
    folder, _, _ = audited(pictures)
    pairs = pd.read_csv(folder / "audit" / "copies.csv", dtype={"decision": "str"})
    pairs.loc[pairs["kind"] == "identical pixels", "decision"] = "different"
    ids = pd.read_parquet(folder / "images.parquet").set_index("path")["image_id"]
    confirmed = {"decision": "same"} | {
        f"image_id_{side}": ids[str(pictures / "one" / f"{n}.png")] for side, n in ("a2", "b4")
    }
    pairs = pd.concat([pairs, pd.DataFrame([confirmed])])
    table = pictures.parent / f"decided.{ending}"
    pairs.to_csv(table, index=False) if ending == "csv" else pairs.to_parquet(table)
    for number in (0, 2, 4):
        (pictures / "one" / f"{number}.png").rename(pictures / "one" / f"renamed {number}.png")
    folder, summary, groups = audited(pictures, table)
    assert not together(groups, "renamed 0.png", "turned.png")
    assert together(groups, "renamed 2.png", "renamed 4.png")
    assert (summary["identical_pixels"], summary["near_duplicates"]) == (0, 1)
    written = pd.read_csv(folder / "audit" / "copies.csv")
    assert written["decision"].dropna().tolist() == ["different", "same"]
    assert written["reason"].dropna().tolist() == ["decided: different"]
    again, _, _ = audited(pictures)  # without the table: what a person filled in is not lost
    assert pd.read_csv(again / "audit" / "copies.csv")["decision"].dropna().tolist() == ["different", "same"]
    assert pd.read_parquet(again / "audit" / "copies.parquet")["decision"].tolist() == ["", ""]


@pytest.mark.slow
def test_what_a_person_wrote_is_put_aside_where_the_next_table_would_not_hold_it(pictures: Path) -> None:
    folder, _, _ = audited(pictures)
    table = folder / "audit" / "copies.csv"
    table.write_text("my notes")
    audited(pictures)
    assert (folder / "audit" / "copies.1.csv").read_text() == "my notes"
    pairs = pd.read_csv(table, dtype={"decision": "str"})
    pairs["decision"] = ["same" if kind == "identical pixels" else "" for kind in pairs["kind"]]
    pairs.to_csv(table, index=False)
    audited(pictures)
    assert not (folder / "audit" / "copies.2.csv").exists()
    (pictures / "one" / "turned.png").unlink()
    audited(pictures)
    assert pd.read_csv(folder / "audit" / "copies.2.csv")["decision"].dropna().tolist() == ["same"]


def test_mistakes_stop_before_any_work(pictures: Path) -> None:
    table = pictures.parent / "decided.csv"
    with pytest.raises(ConfigurationError, match="cannot be read"):
        audited(pictures, table)
    table.write_text("path_a,path_b,decision\none/0.png,one/gone.png,same\n")
    with pytest.raises(ConfigurationError, match="images that are not there"):
        audited(pictures, table)
    assert not list((pictures.parent / "results").rglob("*.parquet"))


def state(pictures: Path, copies: Any) -> str:
    said = for_folder(pictures, results=pictures.parent / "results", images={"copies": copies})
    return prepare_run(said, Workspace(RunFolder(said.folder), 1)).state


def test_what_is_decided_takes_part_in_the_identity_and_where_it_is_written_does_not(pictures: Path) -> None:
    one, other = pictures.parent / "one.csv", pictures.parent / "other.csv"
    one.write_text("path_a,path_b,decision\none/0.png,one/turned.png,different\n")
    other.write_text("decision,path_b,path_a\ndifferent,one/0.png,one/turned.png\n,one/2.png,one/4.png\n")
    states = [state(pictures, copies) for copies in ("group", "list", "off", one, other)]
    assert len(set(states)) == 4
    assert states[3] == states[4]
    one.write_text("path_a,path_b,decision\n")
    assert state(pictures, one) == states[0]


@pytest.mark.parametrize(
    ("written", "understood"),
    [("off", "off"), ("list", "list"), ("group", "group"), ("'off'", "off"), ("my/decided.csv", "decided.csv")],
)
def test_an_experiment_file_says_what_is_done_with_copies(tmp_path: Path, written: str, understood: str) -> None:
    file = tmp_path / "run.yaml"
    file.write_text(f"images: {{folder: images, copies: {written}}}\n")
    copies = read_experiment(file).images.copies
    assert copies == (tmp_path / "my" / understood if understood.endswith(".csv") else understood)


@pytest.mark.parametrize("written", ["lst", "on", "5", "decided.xlsx", "[list]"])
def test_other_words_are_refused(tmp_path: Path, written: str) -> None:
    file = tmp_path / "run.yaml"
    file.write_text(f"images: {{folder: images, copies: {written}}}\n")
    with pytest.raises(ConfigurationError, match=r"images.copies.*not one of group, list, off"):
        read_experiment(file)


def pairs_that_look_alike(index: ImageIndex, *others: Any) -> pd.DataFrame:
    """Every image with the next, whatever their patients and labels."""
    sides = index.images, index.images.shift(-1)
    names = ("image_id", "path", "label")
    columns = {f"{name}_{side}": rows[name][:-1] for name in names for side, rows in zip("ab", sides, strict=True)}
    placed = {"similarity": 0.5, "turned": 0.0, "mirrored": False, "zoom": 1.0, "shift_x": 0.0, "shift_y": 0.0}
    return pd.DataFrame(columns).assign(kind="looks alike", **placed, labels_differ=False)


@pytest.mark.slow
@pytest.mark.parametrize("group", [None, r"synthetic-(P\d+)"])
def test_pairs_that_look_alike_change_nothing_also_across_patients_and_a_sealed_holdout(
    experiment: Any, images: Path, monkeypatch: pytest.MonkeyPatch, group: str | None
) -> None:
    said = {"selectors": ["none"], "classifiers": ["naive_bayes"], "evaluation": {"folds": 3, "holdout": 0.25}}
    layout = {"folder": images, "layout": "folders", "group": group}
    before = run(experiment(**said, images=layout), workers=1)
    monkeypatch.setattr(group_copies, "find_copies", pairs_that_look_alike)
    after = run(experiment(**said, images=layout, name="alike"), workers=1)
    pd.testing.assert_frame_equal(after.results.images, before.results.images)
    pd.testing.assert_frame_equal(after.results.folds, before.results.folds)
    duplicates = after.answer.duplicates
    assert (duplicates.looks_alike, duplicates.pairs, duplicates.label_conflicts, duplicates.warnings) == (95, 0, 0, ())
    pairs = after.results.table("audit/copies.parquet")
    assert pairs["row_a"].isna().any()
    assert not pairs["grouped"].any()
    assert "95 pairs look alike and are not grouped" in (after.folder / "report.html").read_text(encoding="utf-8")


@pytest.mark.slow
def test_a_holdout_opens_with_the_decisions_of_its_run_when_their_table_is_gone(
    experiment: Any, images: Path, tmp_path: Path
) -> None:
    names = sorted(path.relative_to(images).as_posix() for path in images.rglob("*.jpg"))
    table = tmp_path / "decided.csv"
    rows = [f"{one},{other},same\n" for one, other in zip(names[::4], names[1::4], strict=True)]
    table.write_text("path_a,path_b,decision\n" + "".join(rows))
    said = {"selectors": ["none"], "classifiers": ["naive_bayes"], "evaluation": {"folds": 3, "holdout": 0.25}}
    outcome = run(experiment(**said, images={"folder": images, "layout": "folders", "copies": table}), workers=1)
    assert "copies grouped as decided.csv decides" in "\n".join(outcome.protocol)
    assert outcome.answer.duplicates.near_duplicates == 24
    table.unlink()
    assert "this is possible only once" in unseal(outcome.folder, workers=1)[0]
