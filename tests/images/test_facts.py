from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from leukobench.images.facts import file_facts

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
