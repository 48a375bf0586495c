"""Synthetic smears of several sites: scanners differ, a confound puts classes at sites, the index finds both."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from leukobench.errors import ConfigurationError
from leukobench.images.index import index_images
from leukobench.images.synthetic import Smears, draw
from leukobench.images.synthetic_sites import Scanner, Sites


def test_without_a_confound_every_site_has_as_many_patients_of_every_class() -> None:
    counts = np.zeros((4, 3), dtype=int)
    for patient in range(48):
        counts[patient % 4, Sites(3).of_patient(patient, 4, 48)] += 1
    assert (counts == 4).all()


@pytest.mark.parametrize("count", [2, 3, 4, 5, 8])
def test_a_confound_puts_that_share_of_each_class_at_its_sites(count: int) -> None:
    sites = Sites(count, 0.9)
    counts = np.zeros((4, count), dtype=int)
    for patient in range(160):
        counts[patient % 4, sites.of_patient(patient, 4, 160)] += 1
    own = np.zeros((4, count), dtype=bool)
    own[np.arange(4)[:, None] * count // 4 == np.arange(count)] = count <= 4
    if count >= 4:
        own = np.arange(count) * 4 // count == np.arange(4)[:, None]
    assert (np.where(own, counts, 0).sum(axis=1) == 36).all()
    assert (counts.sum(axis=0) > 0).all()
    assert ((counts > 0).sum(axis=1) >= 2).all()


def test_scanners_differ_in_colour_blur_and_noise() -> None:
    scanners = [Scanner.of(site, 4, 0) for site in range(4)]
    assert len({one.gains for one in scanners}) == len({(one.blur, one.noise) for one in scanners}) == 4
    assert len({one.blur for one in scanners}) == len({one.noise for one in scanners}) == 2
    grey = np.full((64, 64, 3), 120, np.uint8)
    for one in scanners:
        scanned = one.scan(grey, np.random.default_rng(0)).astype(float)
        assert np.allclose(scanned.mean(axis=(0, 1)), 120 * np.array(one.gains), atol=0.5)
        assert scanned.std(axis=(0, 1)) == pytest.approx([one.noise] * 3, abs=0.4)


def test_the_index_finds_sites_and_patients(tmp_path: Path) -> None:
    index = index_images(draw(tmp_path, Smears(16, 16, 0, 64, Sites(4))))
    assert (index.layout, index.patients) == ("synthetic_sites", "patient from the file name (synthetic smears)")
    assert index.images.groupby("site")["label"].nunique().to_dict() == {"S1": 4, "S2": 4, "S3": 4, "S4": 4}
    assert index.images["patient"].nunique() == 16
    assert "4 synthetic sites" in (tmp_path / "SYNTHETIC.txt").read_text()


@pytest.mark.parametrize("sites", [Sites(1), Sites(5), Sites(2, 1.5)])
def test_impossible_sites_are_refused(sites: Sites, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be drawn at these sites"):
        draw(tmp_path / "new", Smears(32, 16, 0, 64, sites))
    assert not (tmp_path / "new").exists()
