"""Whether gaps across sites are found where they are, and only there: ``python -m benchmarks.sites``, from the root.

Synthetic smears of four sites, with and without a confound of site and class, each through a whole run with
``leave_out: site``. Prints, for each seed: the scores within and across sites of the best combination, the gap with
its interval, the verdict, and how well the features tell the site. ``--picture`` draws both scores of the first seed.

    python -m benchmarks.sites [--seeds 300 301 ...] [--confound 0 0.97] [--images 320] [--patients 320]
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import Any

import pandas as pd

from leukobench.config.experiment_file import for_folder
from leukobench.evaluation.combination_names import names_of, title
from leukobench.evaluation.site_scores import ACROSS, TABLE, WITHIN
from leukobench.images.synthetic import Smears, draw
from leukobench.images.synthetic_sites import Sites
from leukobench.pipeline import run
from leukobench.reporting.vega import CARD, MARK, SHORTCUT, Figure, chart, layered, write_figure
from leukobench.runs import site_answer

GRID = {
    "extractors": [{"efficientnet_lite0": {"pooling": "multilevel"}}],
    "selectors": ["none", "anova"],
    "classifiers": ["svm_rbf", "logistic_regression"],
}
SETTINGS = {"leave_out": "site", "folds": 4, "views": "off", "controls": "off"}
"""As many folds as sites: both scores are of models with as many training images."""
TITLES = {True: "Each class keeps to one site", False: "Every site has every class"}
Scores = tuple[site_answer.Sites, pd.DataFrame]


def score(seed: int, confound: float, images: int, patients: int, folder: Path) -> Scores:
    """What a run says of one drawn set."""
    smears = draw(folder / "smears", Smears(images, patients, seed, sites=Sites(4, confound)))
    experiment = for_folder(
        smears, images={"copies": "off"}, evaluation=SETTINGS, name="run", results=folder / "results", **GRID
    )
    results = run(experiment, workers=1).results
    assert results.answer.sites is not None
    assert results.answer.sites.words == results.answer.sentences[1]
    return results.answer.sites, results.table(TABLE)


def line(seed: int, confound: float, sites: site_answer.Sites) -> str:
    """A row of the printed table."""
    best = sites.extractors[0]
    robust = "-" if best.robustness is None else f"{best.robustness:.3f}"
    gap = f"{sites.gap:.3f} [{sites.gap_low:.3f}, {sites.gap_high:.3f}]"
    row = [seed, f"{confound:g}", f"{sites.within:.3f}", f"{sites.across:.3f}", gap, sites.verdict]
    return f"| {' | '.join(map(str, [*row, f'{best.site_accuracy:.3f}', robust]))} |"


def picture(tables: dict[float, pd.DataFrame], target: Path) -> None:
    """Both scores of each row, a panel for each confound, with the interval across sites."""
    import altair as alt

    first = next(iter(tables.values())).sort_values(["kind", WITHIN], ascending=[True, False])
    order = {names_of(row): place for place, row in enumerate(first.to_dict("records"))}
    panels = []
    for confound, table in tables.items():
        rows = table[(table["kind"] == "combination") | (table["extractor"] == "shortcut: site")]
        shown = sorted(rows.to_dict("records"), key=lambda row: order[names_of(row)])
        panels.append(_panel(shown).properties(title=TITLES[confound > 0], width=330, height=22 * len(shown)))
    words = "Balanced accuracy in ordinary folds and without each site"
    write_figure(Figure(target.stem, words, words, alt.hconcat(*panels), formats=("png",)), target.parent)


def _panel(shown: list[dict[str, Any]]) -> Any:
    import altair as alt

    names = [
        "the site alone" if row["kind"] != "combination" else title(names_of(row)).split(" x ", 1)[-1] for row in shown
    ]
    data = chart([
        {"name": name, "colour": MARK if row["kind"] == "combination" else SHORTCUT}
        | {end: 100 * row[column] for end, column in
           (("within", WITHIN), ("across", ACROSS), ("low", f"{ACROSS}_low"), ("high", f"{ACROSS}_high"))}
        for name, row in zip(names, shown, strict=True)
    ])  # fmt: skip
    colour, y = alt.Color("colour:N", scale=None), alt.Y("name:N", sort=names, axis=alt.Axis(title=None))
    words = "balanced accuracy (%): o ordinary folds, \N{BLACK CIRCLE} without the site"
    looks = {"scale": alt.Scale(domain=[0, 100]), "axis": alt.Axis(title=words)}
    x = {end: alt.X(f"{end}:Q", **looks) for end in ("low", "within", "across")}
    stroke = alt.Stroke("colour:N", scale=None)
    return layered([
        data.mark_rule(strokeWidth=5, opacity=0.35).encode(x=x["low"], x2="high", y=y, color=colour),
        data.mark_rule(strokeWidth=1.2, opacity=0.6).encode(x=x["across"], x2="within", y=y, color=colour),
        data.mark_point(size=70, fill=CARD, opacity=1).encode(x=x["within"], y=y, stroke=stroke),
        data.mark_point(size=70, filled=True, opacity=1).encode(x=x["across"], y=y, color=colour),
    ])  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=list(range(300, 310)))
    parser.add_argument("--confound", type=float, nargs="+", default=[0.0, 0.97])
    parser.add_argument("--images", type=int, default=320)
    parser.add_argument("--patients", type=int, default=320)
    parser.add_argument("--picture", type=Path, help="PNG of the first seed")
    options = parser.parse_args()
    print("| seed | confound | within | across | gap [95 %] | verdict | site recognised | robustness |")
    print("|---|---|---|---|---|---|---|---|")
    tables: dict[float, pd.DataFrame] = {}
    for confound in options.confound:
        for seed in options.seeds:
            with tempfile.TemporaryDirectory() as folder:
                sites, table = score(seed, confound, options.images, options.patients, Path(folder))
            tables.setdefault(confound, table)
            print(line(seed, confound, sites), flush=True)
    if options.picture:
        picture(tables, options.picture)


if __name__ == "__main__":
    main()
