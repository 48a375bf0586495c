"""Differences between the classes that are not in the cells are named, and chance is not."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from scipy.stats import chi2_contingency
from sklearn.metrics import roc_auc_score

from leukobench.audit.differences import class_differences
from leukobench.config.experiment_file import for_folder
from leukobench.images.synthetic import draw_image
from leukobench.pipeline import audit_images

STRONG, SOME, LITTLE, SAME = (
    "differs strongly between classes",
    "differs between classes",
    "much the same",
    "the same everywhere",
)


def one(values: Any, labels: Any) -> dict[str, Any]:
    table = class_differences(pd.DataFrame({"fact": values}), np.asarray(labels))
    assert len(table) == 1
    return dict(table.iloc[0])


def test_a_number_that_tells_the_classes_apart_has_separation_one() -> None:
    found = one([100.0, 110, 120] * 4 + [900, 910, 920] * 4, list("a" * 12 + "b" * 12))
    assert found == {"fact": "fact", "a": "110", "b": "910", "separation": 1.0, "verdict": STRONG}


def test_a_text_that_tells_the_classes_apart_has_separation_one() -> None:
    found = one(["BMP"] * 5 + ["PNG"] * 5 + ["TIFF"] * 5, list("aaaaabbbbbccccc"))
    assert [found[name] for name in "abc"] == ["BMP", "PNG", "TIFF"]
    assert found["separation"] == pytest.approx(1)
    assert found["verdict"] == STRONG


@pytest.mark.parametrize("value", [7.0, "JPEG", "", 0.0])
def test_a_fact_that_never_changes_is_the_same_everywhere(value: float | str) -> None:
    found = one([value] * 6, list("aabbcc"))
    assert (found["separation"], found["verdict"]) == (0, SAME)
    assert {found[name] for name in "abc"} == {str(value) if isinstance(value, str) else f"{value:.4g}"}


@pytest.mark.parametrize("values", [[1.0, 2, 3], ["x", "y", "z"], [1.0, 1, 1]])
def test_one_class_cannot_differ(values: list[Any]) -> None:
    found = one(values, ["only"] * 3)
    assert found["separation"] == 0
    assert found["verdict"] in (LITTLE, SAME)


@pytest.mark.parametrize("value", [4.0, "x"])
def test_one_image_cannot_differ(value: float | str) -> None:
    assert one([value], ["a"])["separation"] == 0


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), classes=st.integers(2, 5), ties=st.booleans())
def test_the_separation_of_numbers_is_the_mean_of_the_roc_areas(seed: int, classes: int, ties: bool) -> None:
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(40) % classes)
    values = rng.normal(size=40) + labels
    values = values.round() if ties else values
    areas = [roc_auc_score(labels == label, values) for label in range(classes)]
    assert one(values, labels.astype(str))["separation"] == pytest.approx(np.mean(np.abs(2 * np.array(areas) - 1)))


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), classes=st.integers(2, 4), kinds=st.integers(2, 4))
def test_the_separation_of_texts_is_cramers_v_without_its_bias(seed: int, classes: int, kinds: int) -> None:
    rng = np.random.default_rng(seed)
    labels = np.arange(60) % classes
    texts = np.where(rng.random(60) < 0.5, labels % kinds, rng.integers(0, kinds, 60))
    counted = pd.crosstab(texts, labels).to_numpy()
    height, width = counted.shape
    phi2 = max(0, chi2_contingency(counted, correction=False).statistic / 60 - (height - 1) * (width - 1) / 59)
    least = min(height - (height - 1) ** 2 / 59, width - (width - 1) ** 2 / 59) - 1
    expected = min(1, np.sqrt(phi2 / least))
    assert one([f"t{text}" for text in texts], labels.astype(str))["separation"] == pytest.approx(expected)


@pytest.mark.parametrize("texts", [False, True])
def test_chance_alone_names_nothing(texts: bool) -> None:
    rng = np.random.default_rng(0)
    drawn = {f"fact {number}": rng.integers(0, 5, 200) for number in range(50)}
    facts = pd.DataFrame(drawn).astype(str) if texts else pd.DataFrame(drawn).astype(float)
    table = class_differences(facts, np.array(list("abcd"))[rng.integers(0, 4, 200)])
    assert set(table["verdict"]) == {LITTLE}


def test_a_text_that_every_image_has_alone_tells_nothing() -> None:
    assert one([f"2020:01:01 00:00:{second:02d}" for second in range(60)], list("ab") * 30)["separation"] == 0


def test_a_difference_between_weak_and_strong_is_named_without_emphasis() -> None:
    values = np.concatenate([np.arange(80.0), np.arange(80.0) + 16])
    found = one(values, ["a"] * 80 + ["b"] * 80)
    assert 0.2 < found["separation"] < 0.5
    assert found["verdict"] == SOME


def test_the_strongest_fact_comes_first_and_equals_are_in_alphabetical_order() -> None:
    labels = np.array(list("aaaabbbb"))
    numbers = {"weak": [1.0, 2, 3, 9, 2.5, 4, 5, 6], "strong": [1.0, 2, 3, 4, 5, 6, 7, 8]}
    facts = pd.DataFrame({"zero": [1.0] * 8, "none": ["x"] * 8, **numbers})
    table = class_differences(facts, labels)
    assert table["fact"].tolist() == ["strong", "weak", "none", "zero"]
    assert list(table) == ["fact", "a", "b", "separation", "verdict"]
    assert table["separation"].is_monotonic_decreasing


@pytest.mark.parametrize("label", ["fact", "separation"])
def test_a_class_may_be_called_like_a_column(label: str) -> None:
    table = class_differences(pd.DataFrame({"width": [1.0, 2] * 9}), np.array([label, "b"] * 9))
    assert list(table) == ["fact", "b", f"{label} (class)", "separation", "verdict"]
    assert table.iloc[0].tolist() == ["width", "2", "1", 1.0, STRONG]


@pytest.mark.parametrize("texts", [False, True])
def test_few_images_name_nothing_that_may_be_chance(texts: bool) -> None:
    rng = np.random.default_rng(1)
    drawn = pd.DataFrame({f"fact {number}": rng.integers(0, 3, 24) for number in range(100)})
    table = class_differences(drawn.astype(str if texts else float), np.repeat(list("ab"), 12))
    assert (table["separation"] > 0.2).sum() >= 10
    assert (table["verdict"] == LITTLE).sum() >= 98


Writer = Callable[[np.ndarray, Path], None]


def as_jpeg(pixels: np.ndarray, path: Path) -> None:
    Image.fromarray(pixels).save(path.with_suffix(".jpg"), quality=90)


def as_poor_jpeg(pixels: np.ndarray, path: Path) -> None:
    Image.fromarray(pixels).save(path.with_suffix(".jpg"), quality=40)


def as_png(pixels: np.ndarray, path: Path) -> None:
    Image.fromarray(pixels).save(path.with_suffix(".png"))


def larger(pixels: np.ndarray, path: Path) -> None:
    as_jpeg(np.array(Image.fromarray(pixels).resize((120, 112))), path)


def by_another_camera(pixels: np.ndarray, path: Path) -> None:
    exif = Image.Exif()
    exif[271] = "Optics & Sons"
    Image.fromarray(pixels).save(path.with_suffix(".jpg"), quality=90, exif=exif)


def audited(folder: Path, first: Writer, second: Writer) -> tuple[pd.DataFrame, list[str]]:
    for number in range(24):
        label, write = (("one", first), ("two", second))[number % 2]
        (folder / "images" / label).mkdir(parents=True, exist_ok=True)
        pixels = draw_image(4 * number, patients=4, seed=3, size=80)[0]  # of one patient: one stage, one stain
        write(pixels, folder / "images" / label / f"image-{number}")
    found, summary = audit_images(for_folder(folder / "images", results=folder / "results"), workers=1)
    return pd.read_csv(found / "audit" / "differences.csv").set_index("fact"), summary["lines"]


@pytest.mark.parametrize(
    ("write", "named"),
    [
        (as_poor_jpeg, {"JPEG quantisation", "bytes", "bytes per pixel"}),
        (as_png, {"format", "JPEG quantisation", "JPEG subsampling", "bytes", "bytes per pixel"}),
        (larger, {"width", "height", "bytes"}),
        (by_another_camera, {"maker", "metadata", "dots per inch"}),
    ],
)
def test_files_that_tell_the_class_are_named_and_nothing_else(tmp_path: Path, write: Writer, named: set[str]) -> None:
    table, lines = audited(tmp_path, as_jpeg, write)
    strong = set(table.index[table["verdict"] == STRONG])
    files = {name for name in strong if not name.startswith("colour.")}
    assert named <= strong
    assert files <= named | {"bytes", "bytes per pixel"}
    assert (table.loc[sorted(named), "separation"] > 0.9).all()
    assert sum(f" {STRONG} (separation 1.00): one " in line for line in lines) >= 2


def test_classes_whose_files_are_alike_are_not_named(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        table, lines = audited(tmp_path, as_jpeg, as_jpeg)
    assert STRONG not in set(table["verdict"])
    varies = table.index[table["verdict"] != SAME]
    assert all(name.startswith(("bytes", "colour.")) for name in varies)
    assert lines[0] == "Copies: none found."
    assert caplog.messages == []


@pytest.mark.slow
def test_values_of_texts_are_written_out(tmp_path: Path) -> None:
    table, _ = audited(tmp_path, as_png, by_another_camera)
    assert table.loc["format", ["one", "two"]].tolist() == ["PNG", "JPEG"]
    assert table.loc["maker", "two"] == "Optics & Sons"
    assert table.loc["mode", ["one", "two"]].tolist() == ["RGB", "RGB"]
