"""Planted copies are found, unrelated pictures are not joined. Light that saturates is not claimed."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from leukobench.audit.clusters import PATIENTS
from leukobench.audit.copies import COLUMNS, KINDS
from leukobench.config.experiment import Experiment
from leukobench.config.experiment_file import for_folder
from leukobench.evaluation.folds import make_folds
from leukobench.images.index import ImageIndex
from leukobench.images.reading import decode
from leukobench.images.synthetic import draw_image, draw_smears
from leukobench.pipeline import audit_images
from leukobench.processes.executors import Processes
from leukobench.runs.folder import RunFolder
from leukobench.runs.workspace import Workspace
from leukobench.steps.audit_index import Audited, audit_index
from leukobench.steps.find_images import find_images
from leukobench.steps.make_task import make_task

from .planting import COPIES, FILE, MOVED, NEAR, PIXELS, compared, found, listed, prints_of, together, written


@pytest.fixture(scope="module")
def originals(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    folder = tmp_path_factory.mktemp("originals") / "smears"
    draw_smears(folder, images=24, patients=12, seed=11, size=128)
    return [path.read_bytes() for path in sorted(folder.rglob("*.jpg"), key=lambda path: path.stem[-4:])]


def turned(data: bytes) -> bytes:
    return written(np.rot90(decode(data)))


def planted_row(
    folder: Path, originals: list[bytes], what: str, kind: str, make: Callable[[bytes], bytes]
) -> list[Any]:
    files = {f"{n:02d}.original": data for n, data in enumerate(originals)}
    files |= {f"{n:02d}.copy": make(data) for n, data in enumerate(originals)}
    images = listed(folder, files)
    copies = compared(images)
    clusters = together(copies, images)
    joined = sum(frozenset({f"{n:02d}.original", f"{n:02d}.copy"}) in clusters for n in range(len(originals)))
    alarms = sum(Path(a).stem != Path(b).stem for a, b in zip(copies["path_a"], copies["path_b"], strict=True))
    return [what, len(originals), joined, int((copies["kind"] == kind).sum()), alarms]


@pytest.mark.slow
def test_planted_copies_of_every_kind_are_found_and_called_what_they_are(
    originals: list[bytes], tmp_path: Path
) -> None:
    kinds: dict[str, tuple[str, Callable[[bytes], bytes]]] = {"byte for byte": (FILE, lambda data: data)}
    kinds |= {what: (kind, lambda data, make=make: make(decode(data))) for what, (kind, make) in COPIES.items()}
    kinds |= {what: (NEAR, lambda data, make=make: make(decode(data))) for what, make in MOVED.items()}
    rows = [planted_row(tmp_path / what, originals[:2], what, kind, make) for what, (kind, make) in kinds.items()]
    table = pd.DataFrame(rows, columns=["copies", "planted", "found", "called so", "false"])
    assert [row[1:] for row in rows] == [[2, 2, 2, 0]] * len(kinds), f"\n{table.to_string(index=False)}"


def test_pairs_of_images_that_are_not_fresh_are_not_compared(originals: list[bytes], tmp_path: Path) -> None:
    copies = {f"{n}.{what}": data for n, data in enumerate(originals[:2]) for what in ("a", "b")}
    files = {name: data if name.endswith("a") else turned(data) for name, data in copies.items()}
    images = listed(tmp_path, files)
    rows = found(images, prints_of(images), fresh=np.array([False, False, False, True]))
    assert [Path(path).name[0] for path in rows["path_b"]] == ["1"]


def test_unrelated_smears_are_no_copies(originals: list[bytes], tmp_path: Path) -> None:
    assert compared(listed(tmp_path, {f"{n}.jpg": data for n, data in enumerate(originals)})).empty


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("quarters", [0, 1, 2, 3])
def test_the_turn_that_is_named_lays_the_second_picture_on_the_first(
    tmp_path: Path, quarters: int, mirrored: bool
) -> None:
    first = draw_image(0, 4, 1, 96)[0]
    second = np.rot90(first[:, ::-1] if mirrored else first, quarters)
    copies = compared(listed(tmp_path, {"a.png": written(first, compress_level=1), "b.png": written(second)}))
    row = copies.iloc[0]
    back = decode(Path(row["path_b"]).read_bytes())
    back = np.rot90(back[::-1] if row["mirrored"] else back, round(row["turned"] / 90))
    np.testing.assert_array_equal(back, decode(Path(row["path_a"]).read_bytes()))
    assert (len(copies), row["similarity"], row["kind"]) == (1, 1, PIXELS)


@pytest.mark.parametrize("degrees", [10, 33, 145, 260])
def test_a_copy_turned_by_any_angle_is_found_with_its_angle(tmp_path: Path, degrees: int) -> None:
    first = draw_image(0, 4, 1, 128)[0]
    turned = np.array(Image.fromarray(first).rotate(degrees, Image.Resampling.BICUBIC, fillcolor=(255, 255, 255)))
    row = compared(listed(tmp_path, {"a.png": written(first), "b.png": written(turned)})).iloc[0]
    assert row["turned"] == pytest.approx(360 - degrees, abs=1.5)
    assert not row["mirrored"]


FAMILIES = ["one", "two", "three"]


@pytest.fixture(scope="module")
def families(originals: list[bytes], tmp_path_factory: pytest.TempPathFactory) -> tuple[pd.DataFrame, np.ndarray]:
    """Three pictures with three, four and five copies each, and four pictures alone."""
    makes = [make for _, make in COPIES.values()]
    files = {f"alone {n}": originals[n] for n in range(4)}
    for number, family in enumerate(FAMILIES):
        data = originals[10 + number]
        files[f"{family} 0"] = files[f"{family} 1"] = data
        for member in range(number + 2):
            files[f"{family} {member + 2}"] = makes[(7 * number + 3 * member) % len(makes)](decode(data))
    images = listed(tmp_path_factory.mktemp("families"), files)
    return images, prints_of(images)


@settings(max_examples=2, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_the_order_of_the_files_changes_no_cluster_and_no_number(
    families: tuple[pd.DataFrame, np.ndarray], seed: int
) -> None:
    images, prints = families
    order = np.random.default_rng(seed).permutation(len(images))
    shuffled = images.iloc[order].reset_index(drop=True)
    copies = found(shuffled, prints[order])
    sizes = {family: range(number + 4) for number, family in enumerate(FAMILIES)}
    expected = {frozenset(f"{family} {member}" for member in members) for family, members in sizes.items()}
    assert together(copies, shuffled) == expected
    assert (copies["kind"] == FILE).sum() == len(FAMILIES)
    columns = ["kind", "image_id_a", "image_id_b", "similarity", "turned", "mirrored", "zoom", "shift_x", "shift_y"]
    ordered = found(images, prints)[columns].sort_values(columns, ignore_index=True)
    pd.testing.assert_frame_equal(copies[columns].sort_values(columns, ignore_index=True), ordered)


@pytest.mark.slow
def test_the_number_of_processes_changes_nothing_and_progress_ends_at_the_last_image(
    families: tuple[pd.DataFrame, np.ndarray], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEUKOBENCH_CACHE", str(tmp_path / "nothing was compared before"))
    images, prints = families
    told: list[tuple[int, int]] = []
    alone = found(images, prints, report=lambda *done: told.append(done))
    monkeypatch.setenv("LEUKOBENCH_CACHE", str(tmp_path / "nor here"))
    pd.testing.assert_frame_equal(alone, found(images, prints, executor=Processes(4)))
    contents = len(images) - len(FAMILIES)
    assert 2 * contents < told[-1][0] == told[-1][1] <= contents * (contents - 1) / 2


def test_worst_pairs_come_first_and_columns_are_as_documented(families: tuple[pd.DataFrame, np.ndarray]) -> None:
    images, prints = families
    labels = ["b" if Path(path).name in ("three 4", "two 1") else "a" for path in images["path"]]
    copies = found(images.assign(label=labels), prints)
    assert list(copies) == [*COLUMNS, "labels_differ"]
    ranks = [(not row.labels_differ, -KINDS.index(row.kind)) for row in copies.itertuples()]
    assert ranks == sorted(ranks)
    assert copies["labels_differ"].sum() >= 2
    assert (copies["labels_differ"] == (copies["label_a"] != copies["label_b"])).all()
    assert copies["similarity"].between(0.6, 1).all()


# The whole way, over patients.


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Smears of 24 patients; eight have copies under another patient's name, one picture stands in two classes."""
    folder = tmp_path_factory.mktemp("planted") / "images"
    draw_smears(folder, images=48, patients=24, seed=2, size=96)
    for number in range(8):  # patient n + 1 has the images n and n + 24, and a stage that comes again every fourth
        source = next(folder.rglob(f"synthetic-P{number + 1:02d}_{number:04d}.jpg"))
        target = source.with_name(f"synthetic-P{number + 13:02d}_{9000 + number}.jpg")
        target.write_bytes(list(COPIES.values())[number + 7][1](decode(source.read_bytes())))
    shutil.copy(folder / "Benign" / "synthetic-P21_0020.jpg", folder / "Pro" / "synthetic-P24_9999.jpg")
    (folder / "Early" / "synthetic-P02_7000.jpg").write_bytes(b"\xff\xd8\xff no picture")
    return folder


def experiment(images: Path, results: Path, layout: str = "auto") -> Experiment:
    return for_folder(
        images, results=results, evaluation={"folds": 3}, images={"layout": layout, "label_conflicts": "keep"}
    )


@pytest.fixture(scope="module", params=["synthetic", "folders"])
def audited(request: pytest.FixtureRequest, planted: Path, tmp_path_factory: pytest.TempPathFactory) -> Audited:
    """With patients, and without."""
    said = experiment(planted, tmp_path_factory.mktemp("results"), request.param)
    folder = RunFolder(said.folder)
    folder.begin()
    workspace = Workspace(folder, 1)
    return audit_index(said, find_images(said, workspace), workspace)


def rows_of(index: ImageIndex, patterns: Iterable[str]) -> list[list[int]]:
    names = index.images["path"].map(lambda path: Path(path).name)
    return [np.flatnonzero(names.str.contains(pattern)).tolist() for pattern in patterns]


@pytest.mark.parametrize("audited", ["synthetic"], indirect=True)
def test_known_patients_win_and_the_pairs_are_listed_as_contradictions(audited: Audited) -> None:
    group, pairs = audited.index.group, audited.pairs
    for number in range(8):
        own, other = rows_of(audited.index, [f"-P{number + 1:02d}_", f"-P{number + 13:02d}_"])
        assert (len(own), len(other)) == (2, 3)
        assert [len(set(group[rows])) for rows in (own, other)] == [1, 1]
        assert len(set(group[own + other])) == 2
    assert (pairs["reason"] == PATIENTS).all()
    assert (pairs["grouped"] == (pairs["kind"] == FILE)).all(), "an image is known by its bytes"
    assert len(set(group)) == 24 - 1
    [apart, together] = [line for line in audited.summary["warnings"] if PATIENTS in line]
    assert apart.startswith("8 pairs of copies would join patients that are known to differ")
    assert together.startswith("1 pair of identical or confirmed copies joins")


@pytest.mark.parametrize("audited", ["folders"], indirect=True)
def test_no_copy_crosses_a_fold(audited: Audited) -> None:
    def crossing(index: ImageIndex) -> int:
        keys = audited.index.images["copies"].to_numpy()
        folds = make_folds(make_task(index), 3, 3, 0)
        return sum(len((set(keys[fold.train]) & set(keys[fold.test])) - {""}) for fold in folds)

    assert audited.pairs["grouped"].all()
    assert set(audited.index.images["copies"].value_counts().drop("")) == {2}
    assert make_task(audited.index).guards["copies"].tolist() == audited.index.images["copies"].tolist()
    assert crossing(audited.index) == 0
    assert crossing(replace(audited.index, images=audited.index.images.drop(columns="copies"))) > 5


@pytest.mark.slow
def test_a_picture_under_two_labels_is_reported_first(planted: Path, tmp_path: Path) -> None:
    folder, summary = audit_images(experiment(planted, tmp_path, "folders"), workers=1)
    copies = pd.read_parquet(folder / "audit" / "copies.parquet")
    assert copies["labels_differ"].tolist() == [True] + [False] * 8
    assert {copies.loc[0, "label_a"], copies.loc[0, "label_b"]} == {"Benign", "Pro"}
    counts = [summary[name] for name in ("identical_files", "identical_pixels", "near_duplicates", "clusters")]
    assert counts == [1, (copies["kind"] == PIXELS).sum(), (copies["kind"] == NEAR).sum(), 9]
    assert sum(counts[:3]) == len(copies) == 9
    assert summary["label_conflicts"] == 1
    assert summary["warnings"][0].startswith("1 image has more than one label")
    ledger = pd.read_parquet(folder / "ledger.parquet")
    assert [Path(path).name for path in ledger["path"]] == ["synthetic-P02_7000.jpg", "SYNTHETIC.txt"]
    again, same = audit_images(experiment(planted, tmp_path, "folders"), workers=2)
    assert same == summary
    pd.testing.assert_frame_equal(pd.read_parquet(again / "audit" / "copies.parquet"), copies)


@pytest.mark.slow
def test_renaming_files_changes_no_cluster(planted: Path, tmp_path: Path) -> None:
    paths, keys = sorted(planted.rglob("*.jpg")), []
    for seed in range(3):
        names = np.random.default_rng(seed).permutation(len(paths)).tolist()
        for path, name in zip(paths, names, strict=True):
            target = tmp_path / f"{seed}" / path.parent.name / f"{name:03d}.jpg"
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, target)
        folder, _ = audit_images(experiment(tmp_path / f"{seed}", tmp_path / "results"), workers=1)
        keys.append(pd.read_parquet(folder / "images.parquet").drop(columns="path"))
    pd.testing.assert_frame_equal(keys[0], keys[1])
    pd.testing.assert_frame_equal(keys[0], keys[2])
    assert keys[0]["copies"].nunique() == 10
    assert "group" in keys[0]


@pytest.mark.slow
@pytest.mark.real
def test_copies_planted_among_real_fields_are_found(real_images: Path, tmp_path: Path) -> None:
    known = sorted(map(str, real_images.rglob("*.jpg")))[::8]
    listing = [(path, Path(path).parent.name) for path in known]
    rows = []
    for number, place in enumerate(np.random.default_rng(0).permutation(len(known))[:60].tolist()):
        path, label = listing[place]
        what = list(COPIES)[number % len(COPIES)]
        target = tmp_path / f"{number}.image.png"
        target.write_bytes(COPIES[what][1](decode(Path(path).read_bytes())))
        rows.append((what, path, str(target), label))
    with (tmp_path / "with-planted.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows([("path", "label"), *listing, *(row[2:] for row in rows)])
    folder, _ = audit_images(for_folder(tmp_path / "with-planted.csv", results=tmp_path / "results"))
    groups = pd.read_parquet(folder / "images.parquet").set_index("path")
    assert [row[:2] for row in rows if groups["group"][row[1]] != groups["group"][row[2]]] == []
