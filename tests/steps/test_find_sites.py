"""The column of the sites: found by its name, refused before any work where it cannot be used."""

from __future__ import annotations

import pandas as pd
import pytest

from leukobench.config.experiment import Evaluation
from leukobench.errors import ConfigurationError, ImagesError
from leukobench.images.index import ImageIndex
from leukobench.steps.find_sites import check_site_column, sites_of


@pytest.fixture
def index() -> ImageIndex:
    rows = [(f"{row:03d}", "xy"[row % 2], "", f"/{row}.png", "AB"[row // 2 % 2], "only") for row in range(40)]
    columns = ["image_id", "label", "patient", "path", "scanner", "batch"]
    images = pd.DataFrame(rows, columns=columns, dtype="str")
    return ImageIndex(images, pd.DataFrame({"path": [], "reason": []}), "manifest", "none")


def test_the_column_is_the_site_of_each_image(index: ImageIndex) -> None:
    evaluation = Evaluation(leave_out="scanner")
    assert sites_of(index, evaluation) == ["AB"[row // 2 % 2] for row in range(40)]
    check_site_column(index, evaluation)


def test_nothing_is_left_out_unasked_or_with_permuted_labels(index: ImageIndex) -> None:
    assert sites_of(index, Evaluation()) is None
    assert sites_of(index, Evaluation(leave_out="nothing like it", permute=True)) is None


@pytest.mark.parametrize("column", ["site", "label", "patient", "path"])
def test_another_column_is_refused_and_those_that_there_are_named(index: ImageIndex, column: str) -> None:
    with pytest.raises(ConfigurationError, match=f"no column '{column}'") as refusal:
        check_site_column(index, Evaluation(leave_out=column))
    assert refusal.value.received == "further columns: scanner, batch"
    assert refusal.value.fix.endswith("set evaluation.leave_out to scanner or batch.")


def test_one_value_is_refused(index: ImageIndex) -> None:
    with pytest.raises(ImagesError, match="No batch can be left out"):
        check_site_column(index, Evaluation(leave_out="batch"))
