"""The given test part: scored once the winner is chosen, as plain scikit-learn scores it; looks, failures, resuming."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sklearn.feature_selection import SelectKBest, f_classif
from sklearn.metrics import balanced_accuracy_score
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier

from leukobench.bundling.run_facts import run_facts
from leukobench.errors import ConfigurationError
from leukobench.evaluation.combination_names import names_of
from leukobench.pipeline import Outcome, run
from leukobench.reporting.screen import show_leaderboard
from leukobench.runs.finished import FinishedRun
from leukobench.studies.holdout import unseal

from ..conftest import made_once, small_experiment

NEIGHBOURS = [1, 5, 15]
BAYES, NEAREST = "sklearn.naive_bayes.GaussianNB", "sklearn.neighbors.KNeighborsClassifier"
SETTINGS: dict[str, Any] = {
    "selectors": ["none", {"anova": {"n_features": 3}}],
    "classifiers": [BAYES, {NEAREST: {"n_neighbors": {"search": NEIGHBOURS}}}],
    "evaluation": {"folds": 3, "split": "given"},
}


def manifest(smears: Path, target: Path, leaks: int = 0) -> Path:
    """Of each class one patient in six is for validation, two are for the test; some of theirs are in training, too."""
    paths = sorted(smears.rglob("*.jpg"))
    rows = pd.DataFrame({"path": map(str, paths), "label": [path.parent.name for path in paths]})
    rows["patient"] = [path.name.split("_")[0] for path in paths]
    places = rows.groupby("label")["patient"].transform(lambda own: own.rank(method="dense")) - 1
    rows["split"] = np.select([places == 0, places < 3], ["valid", "Test"], "train")
    tested = rows.index[rows["split"] == "Test"][:leaks]
    rows.loc[tested, "split"] = "train"
    rows.to_csv(target, index=False)
    return target


@pytest.fixture(scope="module")
def outcome(smears: Path, shared: Path) -> Outcome:
    def make(folder: Path) -> None:
        folder.mkdir()
        run(small_experiment(manifest(smears, folder / "split.csv"), folder, **SETTINGS), workers=1)

    return Outcome(FinishedRun.open(made_once(shared / "given-split", make) / "trial"))


def colours(paths: pd.Series[str]) -> Any:
    """What the plug-in's extractor computes, from the files."""
    images = [np.asarray(Image.open(path).convert("RGB")) for path in paths]
    return np.array([np.concatenate([i.mean(axis=(0, 1)), i.std(axis=(0, 1))]) for i in images], dtype=np.float32)


@pytest.mark.slow
def test_cells_of_the_test_part_are_those_of_plain_scikit_learn(outcome: Outcome) -> None:
    rows = pd.read_csv(outcome.folder.parent / "split.csv")
    parts = {part: rows[rows["split"] == part] for part in ("train", "valid", "Test")}
    x = {part: colours(own["path"]).astype(np.float64) for part, own in parts.items()}
    y = {part: own["label"].to_numpy() for part, own in parts.items()}
    predicted = pd.read_parquet(outcome.folder / "test" / "predictions.parquet")
    best = SelectKBest(f_classif, k=3).fit(x["train"], y["train"])
    tuned = [
        balanced_accuracy_score(y["valid"], KNeighborsClassifier(k).fit(x["train"], y["train"]).predict(x["valid"]))
        for k in NEIGHBOURS
    ]
    nearest = KNeighborsClassifier(NEIGHBOURS[int(np.argmax(tuned))]).fit(x["train"], y["train"])
    selected = GaussianNB().fit(best.transform(x["train"]), y["train"])
    cells = {
        ("none", BAYES): GaussianNB().fit(x["train"], y["train"]).predict_proba(x["Test"]),
        ("anova", BAYES): selected.predict_proba(best.transform(x["Test"])),
        ("none", NEAREST): nearest.predict_proba(x["Test"]),
    }
    board, classes = outcome.leaderboard, np.unique(y["train"])
    for (selector, classifier), probabilities in cells.items():
        named = predicted["selector"].str.startswith(selector) & predicted["classifier"].str.startswith(classifier)
        own = predicted[named].set_index("path").loc[parts["Test"]["path"]]
        assert np.abs(own[[f"p_{name}" for name in classes]].to_numpy() - probabilities).max() < 1e-9
        score = balanced_accuracy_score(y["Test"], classes[probabilities.argmax(axis=1)])
        row = board[board["selector"].str.startswith(selector) & board["classifier"].str.startswith(classifier)]
        assert abs(row["test_balanced_accuracy"].iloc[0] - score) < 1e-9


@pytest.mark.slow
def test_the_answer_says_the_winners_test_score_and_the_board_stays_in_the_order_of_the_folds(outcome: Outcome) -> None:
    answer, board = outcome.answer, outcome.leaderboard
    assert answer.best
    assert answer.test
    row = board.iloc[0]
    assert names_of(row) == answer.best.names
    numbers = [answer.test.value, answer.test.low, answer.test.high]
    assert numbers == row[[f"test_balanced_accuracy{end}" for end in ("", "_low", "_high")]].tolist()
    assert (answer.test.images, answer.test.groups, answer.test.kind, answer.test.look) == (32, 8, "patients", 1)
    assert answer.sentences[1].startswith(
        "On the given test part, 32 images of 8 patients that no choice has seen (opened once, after the choice, on "
    )
    ranked = board[board["rank"].notna()]
    assert ranked["balanced_accuracy"].is_monotonic_decreasing
    tested = pd.read_csv(outcome.folder / "test" / "leaderboard.csv")
    assert tested["classifier"].tolist() == board["classifier"].tolist()
    assert not {"rank", "in_best_set"} & set(tested.columns)
    assert set(board["kind"]) >= {"shortcut", "content"} <= set(board["kind"][board["test_status"] == "ok"])
    protocol = "\n".join(outcome.protocol)
    assert "GIVEN SPLIT: 48 images for training" in protocol
    assert "16 for validation, which take the place of inner folds" in protocol
    seen = {name: pd.read_parquet(outcome.folder / f"{name}.parquet") for name in ("images", "sealed", "validation")}
    assert [set(table["split"]) for table in seen.values()] == [{"train"}, {"Test"}, {"valid"}]
    assert not set(outcome.results.predictions["path"]) & {*seen["sealed"]["path"], *seen["validation"]["path"]}


@pytest.mark.slow
def test_report_screen_card_and_unseal_carry_it(outcome: Outcome, capsys: pytest.CaptureFixture[str]) -> None:
    answer = outcome.answer
    assert answer.test
    report = (outcome.folder / "report.html").read_text()
    assert 'id="given_test"' in report
    assert 'title="given test part, scored after the choice' in report
    show_leaderboard(outcome.leaderboard, [], outcome.results.metric)
    assert "given test part" in capsys.readouterr().out
    facts = run_facts(outcome.results, names_of(outcome.leaderboard.iloc[1]))
    second = outcome.leaderboard.iloc[1]
    assert facts.test == (
        "balanced_accuracy",
        *second[[f"test_balanced_accuracy{end}" for end in ("", "_low", "_high")]],
    )
    assert "test_balanced_accuracy" not in facts.scores
    assert unseal(outcome.folder)[0] == f"Opened by the run itself, on {answer.test.opened}:"


@pytest.mark.slow
def test_a_rerun_is_no_look_other_settings_are_and_a_failure_is_tried_again(
    outcome: Outcome, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    results = Path(shutil.copytree(outcome.folder.parent, tmp_path / "results"))
    again = {**SETTINGS, "classifiers": [BAYES, {"example_plugin:FailsInOneFold": {"rows": 64}}]}
    make = lambda settings: small_experiment(results / "split.csv", results, **settings)  # noqa: E731
    assert run(make(SETTINGS), workers=1).reused
    second = run(make(again), workers=1)  # it fails on the test part alone; untuned, it trains on the validation part
    board = second.leaderboard[second.leaderboard["kind"] == "combination"]
    failing = board["classifier"].str.startswith("example_plugin")
    assert board["test_status"][failing].tolist() == ["failed", "failed"]
    assert board["status"].eq("ok").all()
    assert board["test_balanced_accuracy"].isna().tolist() == failing.tolist()
    assert "fails on demand" in pd.read_csv(results / "trial" / "test" / "notes.csv")["text"].iloc[0]
    assert second.answer.test
    assert (second.answer.test.look, second.answer.test.failed) == (2, 2)
    assert "LOOK 2 AT THESE IMAGES" in second.answer.sentences[1]
    assert "NOT THE FIRST LOOK: this run, with other settings" in second.answer.test.earlier[0]
    records = set((results / "trial" / "records").iterdir())
    third = run(make(again), workers=1)
    assert not third.reused  # what failed is tried again, and nothing else is fitted
    assert set((results / "trial" / "records").iterdir()) == records
    assert (
        json.loads((results / "trial" / "holdout.json").read_text())["looks"][1]["opened"] == second.answer.test.opened
    )


@pytest.mark.thorough
def test_with_permuted_labels_the_test_part_stays_closed(outcome: Outcome, tmp_path: Path) -> None:
    evaluation = SETTINGS["evaluation"] | {"permute": True, "permutations": 5}
    settings = {**SETTINGS, "selectors": ["none"], "classifiers": [BAYES], "evaluation": evaluation}
    permuted = run(small_experiment(outcome.folder.parent / "split.csv", tmp_path, **settings), workers=1)
    assert permuted.answer.test is None
    assert not (permuted.folder / "holdout.json").exists()
    assert "never looked at with permuted labels" in "\n".join(permuted.protocol)
    with pytest.raises(ConfigurationError, match="was not scored"):
        unseal(permuted.folder)
