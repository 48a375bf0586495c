from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from leukobench.images.facts import days_of, file_facts

PIXELS = np.random.default_rng(0).integers(0, 255, (30, 40, 3), np.uint8)


def encoded(kind: str, **options: object) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(PIXELS).save(stream, kind, **options)
    return stream.getvalue()


def test_facts_of_a_jpeg() -> None:
    exif = Image.Exif()
    exif[271], exif[272] = "Olympus", "DP72"
    data = encoded("JPEG", quality=90, subsampling=2, dpi=(300, 300), exif=exif, progressive=True)
    facts = file_facts(data)
    assert facts["bytes"] == len(data)
    assert (facts["width"], facts["height"]) == (40, 30)
    assert facts["bytes per pixel"] == pytest.approx(len(data) / 1200)
    assert (facts["format"], facts["mode"], facts["progressive"]) == ("JPEG", "RGB", 1)
    assert (facts["maker"], facts["model"]) == ("Olympus", "DP72")
    assert facts["dots per inch"] == 300
    assert facts["JPEG subsampling"] == "2x2 1x1 1x1"
    assert facts["metadata"] > 0


def test_a_lower_quality_has_a_larger_quantisation_step() -> None:
    steps = [float(file_facts(encoded("JPEG", quality=quality))["JPEG quantisation"]) for quality in (95, 75, 40)]
    assert steps == sorted(steps)
    assert steps[0] < steps[2] / 4


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "WEBP"])
def test_other_formats_have_the_same_facts(kind: str) -> None:
    facts = file_facts(encoded(kind))
    assert facts.keys() == file_facts(encoded("JPEG")).keys()
    assert facts["format"] == kind
    assert (facts["JPEG quantisation"], facts["maker"]) == (0, "")


@pytest.mark.parametrize(
    ("date", "days"),
    [
        ("1970:01:02 12:00:00", 1.5),
        ("2021:03:01", 18687),
        ("2021-03-01T06:00:00+01:00", 18687.25),
        ("Mon, 01 Mar 2021 06:00:00 +0000", 18687.25),
        *(("0000:00:00 00:00:00", 0), ("2021:13:45 99:00:00", 0), ("    :  :  ", 0), ("", 0), ("yesterday", 0)),
    ],
)
def test_dates_are_days(date: str, days: float) -> None:
    assert days_of(date) == pytest.approx(days)


def test_the_date_is_that_of_the_photograph_and_not_of_the_last_change() -> None:
    exif = Image.Exif()
    exif[306] = "2024:01:01 00:00:00"
    assert file_facts(encoded("JPEG", exif=exif))["taken"] == days_of("2024:01:01")
    exif.get_ifd(0x8769)[36867] = "2019:05:04 12:00:00"
    for kind in ("JPEG", "PNG", "WEBP"):
        assert file_facts(encoded(kind, exif=exif))["taken"] == days_of("2019:05:04 12:00:00")


def test_a_png_says_in_words_when_and_by_what_it_was_made() -> None:
    info = PngInfo()
    info.add_text("Software", "Microscope 3")
    info.add_text("Creation Time", "2020-02-03 00:00")
    facts = file_facts(encoded("PNG", pnginfo=info))
    assert (facts["software"], facts["taken"]) == ("Microscope 3", days_of("2020:02:03"))
