from __future__ import annotations

import io

import numpy as np
import pandas as pd
import pytest

from leukobench.evaluation.combination_names import short_name
from leukobench.reporting.screen import leaderboard_as, show_leaderboard, without_repeats


@pytest.fixture
def board() -> pd.DataFrame:
    rows = []
    for number in range(15):
        row = {"rank": number + 1, "extractor": "a_rather_long_extractor(pooling=multilevel)", "selector": "none"}
        row |= {"classifier": f"classifier_{number}", "features": 1536.0, "selector_s": 0.1, "fit_s": 1.0}
        row |= {"predict_s": 0.01, "status": "ok"}
        for metric in ("accuracy", "balanced_accuracy", "f1_macro", "mcc", "auroc"):
            value = 0.99 - number / 100
            row |= {metric: value, f"{metric}_sd": 0.01, f"{metric}_low": value - 0.01, f"{metric}_high": value + 0.005}
        rows.append(row | {"kind": "combination", "in_best_set": number < 3})
    shortcut = rows[12] | {"rank": None, "kind": "shortcut", "extractor": "shortcut: colour", "classifier": "svm"}
    rows.insert(12, shortcut | {"in_best_set": None})
    failed = dict.fromkeys(rows[0], np.nan) | {
        "extractor": "x",
        "selector": "y",
        "classifier": "z",
        "kind": "combination",
    }
    table = pd.DataFrame([*rows, failed | {"status": "failed in 2 of 5 folds"}])
    return table.astype({"rank": "Int64"})


def shown(board: pd.DataFrame) -> str:
    stream = io.StringIO()
    show_leaderboard(board, ["IMAGE-LEVEL, OPTIMISTIC: no patients known"], stream=stream)
    return stream.getvalue()


def test_a_pipe_gets_whole_names_the_protocol_and_the_failures(board: pd.DataFrame) -> None:
    said = shown(board)
    assert said.startswith("IMAGE-LEVEL, OPTIMISTIC")
    assert "a_rather_long_extractor(pooling=multilevel)" in said
    assert "99.00 % [98.00 to 99.50]" in said
    assert "shortcut: colour" in said
    assert said.index("classifier_11") < said.index("shortcut: colour")
    assert [line.split()[1] for line in said.splitlines() if "classifier_" in line][:4] == [
        "=" if n < 3 else "a_rather_long_extractor(pooling=multilevel)" for n in range(4)
    ]
    assert "... and 3 more combinations" in said
    assert "FAILED: x x y x z: failed in 2 of 5 folds" in said
    assert "nan" not in said


def test_names_are_neither_emoji_nor_markup(board: pd.DataFrame) -> None:
    board.loc[0, "extractor"] = "brk:boom:[bold]"
    stream = io.StringIO()
    show_leaderboard(board, ["brk:Boom:[red] an extractor of the user's own"], stream=stream)
    assert "brk:Boom:[red] an extractor" in stream.getvalue()
    assert "brk:boom:[bold]" in stream.getvalue()


def test_a_failure_has_its_reason_and_what_was_not_reached_is_counted(board: pd.DataFrame) -> None:
    unreached = board.tail(1).assign(classifier="w", status="not reached in 5 of 5 folds")
    stream, reasons = io.StringIO(), {("x", "y", "z"): "it took too long"}
    show_leaderboard(pd.concat([board, unreached]), [], stream=stream, reasons=reasons)
    assert "FAILED: x x y x z: failed in 2 of 5 folds: it took too long" in stream.getvalue()
    assert "NOT REACHED in every fold: 1 rows of leaderboard.csv" in stream.getvalue()


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("width", "beside"), [(80, ()), (120, ("accuracy",)), (200, ("accuracy", "features", "MCC"))])
def test_a_terminal_gets_names_and_score_and_then_what_fits(
    board: pd.DataFrame, width: int, beside: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    board["extractor"] = board["extractor"].str.replace("a_rather_long_extractor", "efficientnet_lite0")
    stream = Terminal()
    show_leaderboard(board, [], stream=stream)
    lines = stream.getvalue().splitlines()[1:]
    table = lines[: lines.index("")]
    assert max(map(len, table)) <= width
    assert table[0].split()[:4] == ["extractor", "selector", "classifier", "balanced"]
    assert all(name in table[0] for name in beside)
    assert table[2].startswith(" 1 =  lite0·multilevel  none")
    assert "99.00 % [98.00 to 99.50]" in table[2]
    assert "shortcut: colour" in table[14]
    assert len(table) == 15
    assert len({line.index("% [") for line in table[2:]}) == 1


def test_a_table_to_paste_has_every_row_and_whole_names(board: pd.DataFrame) -> None:
    lines = leaderboard_as("markdown", board).splitlines()
    assert len(lines) == 2 + 16
    assert lines[2].startswith(
        r"| 1 = | a\_rather\_long\_extractor(pooling=multilevel) | none | classifier\_0 | 99.00 % "
    )


@pytest.mark.parametrize(
    ("label", "short"),
    [
        ("efficientnet_lite0", "lite0"),
        ("efficientnet_lite0(pooling=multilevel, orientations=8)", "lite0·multilevel·orientations=8"),
        ("anova(n_features=40)", "anova·n_features=40"),
        ("onnx(file=/models/vit.onnx, pooling=cls)", "onnx·vit.onnx·cls"),
        ("svm_rbf(C=tuned, scale=True)", "svm_rbf·C=tuned·scale=True"),
        ("mine:Forest", "mine:Forest"),
        ("odd(name", "odd(name"),
    ],
)
def test_a_short_name_keeps_what_tells_it_from_others(label: str, short: str) -> None:
    assert short_name(label) == short


def test_what_the_protocol_says_is_not_said_again() -> None:
    protocol = ["3 folds", "patient-level: 20 patients, each on one side of every split"]
    sentences = ["Best of 9. Patient-level: 20 patients, each on one side of every split.", "It is wrong."]
    assert without_repeats(sentences, protocol) == ["Best of 9.", "It is wrong."]


def test_nothing_scored_shows_failures_only(board: pd.DataFrame) -> None:
    assert "FAILED" in shown(board.tail(1))
