"""Views in a run: what carries the label is needed and what does not is not, from records that a rerun keeps."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sklearn.base import clone
from sklearn.metrics import balanced_accuracy_score

from leukobench.classifiers import CLASSIFIERS
from leukobench.errors import ExtractionError, UnreadableImageError
from leukobench.evaluation.grid import FeatureSource
from leukobench.features.views import VIEWS
from leukobench.pipeline import Outcome, run
from leukobench.runs.finished import FinishedRun
from leukobench.runs.folder import RunFolder
from leukobench.runs.progress import silent
from leukobench.runs.workspace import Workspace
from leukobench.steps.read_views import Sample, read_views

from ..conftest import made_once, small_experiment
from ..features.test_viewed_extractor import Means, files

pytestmark = pytest.mark.slow
COUNT = 120


def draw(folder: Path) -> None:
    """Two classes of noise that differ in their tint alone, with a frame of any colour."""
    rng = np.random.default_rng(0)
    for number in range(COUNT):
        label = number % 2
        pixels = rng.normal((90, 90, 80 + 30 * label), (30, 20, 10), (40, 40, 3))
        path = folder / f"kind {label}" / f"p{number // 2 // 2:03d}_{number:04d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).save(path)


@pytest.fixture(scope="module")
def settings() -> dict[str, Any]:
    return {
        "images": {"copies": "off"},
        "selectors": ["none"],
        "classifiers": ["lda", "naive_bayes"],
        "evaluation": {"folds": 3, "views": "winner"},
    }


@pytest.fixture(scope="module")
def outcome(shared: Path, settings: dict[str, Any]) -> Outcome:
    folder = made_once(shared / "tinted", draw)
    made_once(shared / "viewed", lambda results: run(small_experiment(folder, results, **settings), workers=1))
    return Outcome(FinishedRun.open(shared / "viewed" / "trial"))


def test_what_carries_the_label_is_needed_and_what_does_not_is_not(outcome: Outcome) -> None:
    views = outcome.answer.views
    assert views is not None
    assert (views.images, views.untouched) == (COUNT, 1.0)
    verdicts = {one.view: one.verdict for one in views.results}
    assert verdicts["colour normalised"] == "needed"
    for view in ("border cut", "patches shuffled", "blurred"):
        assert verdicts[view] == "not needed"
    assert "foreground only" not in verdicts
    assert views.left_out == (
        "No view foreground only and background only: too few images show a credible background.",
    )
    needs = {one.name: (one.verdict, one.view) for one in views.shortcuts}
    assert needs["whole-image colour"] == ("needed", "colour normalised")
    assert any("needed" in words and "colour" in words for words in outcome.answer.sentences)


def test_numbers_are_those_of_plain_scikit_learn(outcome: Outcome) -> None:
    results = outcome.results
    best = results.answer.best
    assert best is not None
    images, folds = results.images, results.folds.sort_values("row")
    numbers, labels = folds["fold"].to_numpy(), images["label"].to_numpy()

    def features(change: Any) -> np.ndarray:
        read = (np.asarray(change(Image.open(path).convert("RGB"))) for path in images["path"])
        return np.array([[*one.mean(axis=(0, 1)), *one.std(axis=(0, 1))] for one in read], np.float32)

    plain, grey = features(lambda image: image), features(lambda image: image.convert("L").convert("RGB"))
    classifier = CLASSIFIERS.make(best.classifier, {}, {})
    for train, column in ((grey, "value"), (plain, "unchanged")):
        predicted = np.empty(COUNT, dtype=object)
        for fold in range(3):
            fitted = clone(classifier).fit(train[numbers != fold], labels[numbers != fold])
            predicted[numbers == fold] = fitted.predict(grey[numbers == fold])
        table = pd.read_csv(results.folder / "views.csv").set_index("view")
        assert table.loc["grey", column] == pytest.approx(balanced_accuracy_score(labels, predicted))


def test_the_best_is_counted_where_the_shortcut_is_wrong(outcome: Outcome) -> None:
    predictions, shortcut, best = outcome.results.predictions, outcome.answer.shortcut, outcome.answer.best
    assert shortcut is not None
    assert best is not None
    hits = predictions.assign(hit=predictions["label"] == predictions["predicted"]).set_index("row")
    of = {name: rows["hit"].sort_index() for name, rows in hits.groupby("extractor") if name.startswith("shortcut")}
    own = hits[(hits[["extractor", "selector", "classifier"]] == list(best.names)).all(axis=1)]["hit"].sort_index()
    wrong = ~of[f"shortcut: {shortcut.name}"]
    assert shortcut.wrong == wrong.sum()
    assert shortcut.right == (own[wrong].mean() if wrong.any() else None)


def test_an_extractor_that_knows_files_and_not_pixels_has_no_views(tmp_path: Path) -> None:
    images = files(tmp_path, 3)
    known = {image for image, _ in images}

    class Table(Means):
        def read(self, data: bytes) -> np.ndarray:
            if hashlib.sha256(data).hexdigest() not in known:
                raise UnreadableImageError("not in the table")
            return super().read(data)

    workspace = Workspace.of(RunFolder(tmp_path / "run"), 1, silent)
    source = FeatureSource("table", tmp_path / "none.npy", "ab")
    with pytest.raises(ExtractionError, match="3 images cannot be read in views: not in the table"):
        read_views(source, Table(), Sample(np.arange(3), images, VIEWS[:1]), workspace)


def test_the_report_shows_pictures_and_drops(outcome: Outcome) -> None:
    html = (outcome.folder / "report.html").read_text(encoding="utf-8")
    part = html.partition('<section id="views">')[2].partition("</section>")[0]
    assert part.count('src="data:image/jpeg;base64,') == 1
    assert "each channel at one mean and one spread" in part
    assert part.count('class="whisker"') == 6
    with Image.open(outcome.folder / "figures" / "views.jpg") as sheet:
        assert sheet.size == (7 * 116, 20 + 2 * 116)


def test_a_rerun_fits_nothing_again(outcome: Outcome, shared: Path, settings: dict[str, Any]) -> None:
    records = {path.name: path.stat().st_mtime_ns for path in (outcome.folder / "records").iterdir()}
    (outcome.folder / "state.json").unlink()
    again = run(small_experiment(shared / "tinted", shared / "viewed", **settings), workers=1)
    assert not again.reused
    assert {path.name: path.stat().st_mtime_ns for path in (again.folder / "records").iterdir()} == records
    assert again.answer.views == outcome.answer.views
