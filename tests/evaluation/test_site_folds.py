"""Folds by site: each tests one site, shares nobody with it, and refuses what cannot be left out."""

from __future__ import annotations

import numpy as np
import pytest

from leukobench.errors import ImagesError
from leukobench.evaluation.site_folds import SiteFolds, check_sites
from leukobench.evaluation.task import Task

SITES = ["A"] * 20 + ["B"] * 20 + ["C"] * 20
LABELS = ["x", "y"] * 30


def task(labels: list[str] = LABELS, groups: list[int] | None = None) -> Task:
    return Task.of([f"{row:064x}" for row in range(60)], labels, groups or list(range(60)))


def test_each_site_is_tested_by_one_fold_that_trains_on_all_others() -> None:
    folds = SiteFolds.of(task(), SITES)
    assert folds.names == ("A", "B", "C")
    for number, fold in enumerate(folds.folds):
        assert fold.test.tolist() == list(range(20 * number, 20 * number + 20))
        assert sorted([*fold.train, *fold.test]) == list(range(60))
    assert folds.known.all()
    assert folds.apart == (0, 0, 0)


def test_images_that_share_a_group_with_the_site_are_not_trained_on_without_it() -> None:
    groups = list(range(60))
    groups[21] = groups[22] = groups[3]
    folds = SiteFolds.of(task(groups=groups), SITES)
    assert folds.apart == (2, 1, 0)
    assert not {21, 22} & set(folds.folds[0].train.tolist())
    assert 3 not in folds.folds[1].train
    assert {3, 21, 22} <= set(folds.folds[2].train.tolist())


def test_a_class_of_one_site_is_not_compared_and_the_others_are() -> None:
    folds = SiteFolds.of(task(["z"] * 5 + LABELS[5:]), SITES)
    assert np.flatnonzero(~folds.known).tolist() == [0, 1, 2, 3, 4]
    assert folds.lacking(0) == ["z"]
    assert folds.lacking(1) == ["z"]
    assert folds.compared.tolist() == list(range(5, 60))
    assert folds.present.tolist() == [True, True, False]


def test_one_class_outside_a_site_is_refused() -> None:
    groups = list(range(60))
    for row in range(1, 60, 2):
        groups[row] = 1
    with pytest.raises(ImagesError, match="one class is left to train on"):
        SiteFolds.of(task(groups=groups), SITES)


@pytest.mark.parametrize(
    ("labels", "sites", "words"),
    [
        (LABELS, ["A"] * 57 + ["B"] * 3, r"B 3 images: too few .*\n.*at least 10 images for each site\n.*B 3, A 57"),
        (LABELS, ["A"] * 60, r"No site can be left out\.\n.*at least two values of site\n.*A 60"),
        (LABELS, ["A"] * 30 + ["B"] * 28 + [""] * 2, r"2 of 60 images have no site\.\n.*a site for every image"),
        (["x"] * 30 + ["y"] * 30, ["A"] * 30 + ["B"] * 30, r"do not have the classes.*\n.*two classes.*\n.*x: A; y: B"),
    ],
)
def test_sites_that_cannot_be_left_out_are_refused(labels: list[str], sites: list[str], words: str) -> None:
    with pytest.raises(ImagesError, match=words):
        check_sites(labels, sites, "site")
    check_sites(LABELS, SITES, "site")
