"""A plan refuses what the run would refuse, before it has read an image or once they are compared."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from leukobench import pipeline
from leukobench.errors import LeukobenchError
from leukobench.studies import planning
from leukobench.studies.plan import make_plan

Make = Callable[..., Any]


def single_image(images: Path) -> None:
    """A class of one image."""
    for path in sorted(sorted(images.iterdir())[0].iterdir())[1:]:
        path.unlink()


def one_picture_in_four_files(images: Path) -> None:
    """Copies that only a comparison finds: the same pixels in other files."""
    from PIL import Image

    folder = min(path for path in images.iterdir() if path.is_dir())
    first, *others = sorted(folder.iterdir())
    pixels = Image.open(first).copy()
    for number, path in enumerate(others):
        path.unlink()
        if number < 3:
            pixels.rotate(90 * number).save(folder / f"{number}.png")


@pytest.mark.parametrize(
    ("change", "settings", "words"),
    [
        (single_image, {}, "too small for 3 folds"),
        (None, {"evaluation": {"folds": 9}}, "too small for 9 folds"),  # six patients a class
        (None, {"evaluation": {"split": "given"}}, "have no given split"),
        pytest.param(
            None, {"evaluation": {"folds": 4, "holdout": 0.5}}, "too small for 4 folds", marks=pytest.mark.slow
        ),
        pytest.param(
            None, {"images": {"pseudo_patients": {"blocks": 4}}}, "real patients on both sides", marks=pytest.mark.slow
        ),
        pytest.param(
            one_picture_in_four_files,
            {"images": {"layout": "folders"}},
            "too small for 3 folds",
            marks=pytest.mark.slow,
        ),
    ],
)
def test_a_plan_and_a_run_refuse_the_same(
    change: Callable[[Path], None] | None,
    settings: dict[str, Any],
    words: str,
    experiment: Make,
    images: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(planning, "_FREE_S", 60.0)  # so that a busy machine changes nothing
    if change:
        change(images)
    mine = experiment(**settings)
    refusals = []
    for attempt in (lambda: make_plan(mine, 1), lambda: pipeline.run(mine, 1)):
        with pytest.raises(LeukobenchError, match=words) as refusal:
            attempt()
        refusals.append((type(refusal.value), str(refusal.value)))
    assert refusals[0] == refusals[1]
    assert not (mine.folder / "plan.json").exists()
