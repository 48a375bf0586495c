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
from leukobench.reporting.figures.png import INK, MARK, PALE, SHORTCUT, new_figure, save
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
    figure, panels = new_figure(11, 2.6, len(tables))
    first = next(iter(tables.values())).sort_values(["kind", WITHIN], ascending=[True, False])
    order = {names_of(row): place for place, row in enumerate(first.to_dict("records"))}
    for axes, (confound, table) in zip(panels, tables.items(), strict=True):
        rows = table[(table["kind"] == "combination") | (table["extractor"] == "shortcut: site")]
        shown = sorted(rows.to_dict("records"), key=lambda row: order[names_of(row)])
        for place, row in enumerate(shown):
            _both(axes, place, row, MARK if row["kind"] == "combination" else SHORTCUT)
        names = [title(names_of(row)).split(" x ", 1)[-1] for row in shown]
        axes.set_yticks(range(len(shown)), [*names[:-1], "the site alone"] if axes is panels[0] else [""] * len(shown))
        axes.invert_yaxis()
        axes.set_xlim(-2, 102)
        axes.grid(axis="x", color=PALE, linewidth=0.5)
        axes.set_xlabel(
            "balanced accuracy (%): o ordinary folds, \N{BLACK CIRCLE} without the site", color=INK, fontsize=9
        )
        axes.set_title(TITLES[confound > 0], loc="left", fontsize=11, color=INK, fontweight="bold")
    figure.tight_layout(w_pad=2)
    save(figure, target)


def _both(axes: Any, place: int, row: dict[str, Any], colour: str) -> None:
    within, across, low, high = (100 * row[name] for name in (WITHIN, ACROSS, f"{ACROSS}_low", f"{ACROSS}_high"))
    axes.plot([across, within], [place, place], color=colour, linewidth=1.2, alpha=0.6, zorder=1)
    axes.plot([low, high], [place, place], color=colour, linewidth=4, alpha=0.35, solid_capstyle="round", zorder=2)
    axes.plot(within, place, "o", color="white", markeredgecolor=colour, markeredgewidth=1.8, markersize=8, zorder=3)
    axes.plot(across, place, "o", color=colour, markersize=8, zorder=4)


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
