"""Whether gaps across sites are found where they are, and only there: ``python -m benchmarks.sites``, from the root.

Synthetic smears of four sites, with and without a confound of site and class, each through a whole run with
``leave_out: site``. Prints, for each seed: the scores within and across sites of the best combination, the gap with
its interval, the verdict, and how well the features tell the site.

    python -m benchmarks.sites [--seeds 100 101 ...] [--confound 0 0.97] [--images 480] [--patients 240]
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from leukobench.config.experiment_file import for_folder
from leukobench.images.synthetic import Smears, draw
from leukobench.images.synthetic_sites import Sites
from leukobench.pipeline import run
from leukobench.runs import site_answer

GRID = {
    "extractors": [{"efficientnet_lite0": {"pooling": "multilevel"}}],
    "selectors": ["none", "anova"],
    "classifiers": ["svm_rbf", "logistic_regression"],
}
SETTINGS = {"leave_out": "site", "views": "off", "controls": "off"}


def score(seed: int, confound: float, images: int, patients: int, folder: Path) -> site_answer.Sites:
    """What a run says of one drawn set."""
    smears = draw(folder / "smears", Smears(images, patients, seed, sites=Sites(4, confound)))
    experiment = for_folder(
        smears, images={"copies": "off"}, evaluation=SETTINGS, name="run", results=folder / "results", **GRID
    )
    answer = run(experiment, workers=1).answer
    assert answer.sites is not None
    assert answer.sites.words == answer.sentences[1]
    return answer.sites


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=list(range(100, 110)))
    parser.add_argument("--confound", type=float, nargs="+", default=[0.0, 0.97])
    parser.add_argument("--images", type=int, default=480)
    parser.add_argument("--patients", type=int, default=240)
    options = parser.parse_args()
    print("| seed | confound | within | across | gap [95 %] | verdict | site told | robustness |")
    print("|---|---|---|---|---|---|---|---|")
    for confound in options.confound:
        for seed in options.seeds:
            with tempfile.TemporaryDirectory() as folder:
                sites = score(seed, confound, options.images, options.patients, Path(folder))
            best = sites.extractors[0]
            robust = "-" if best.robustness is None else f"{best.robustness:.3f}"
            gap = f"{sites.gap:.3f} [{sites.gap_low:.3f}, {sites.gap_high:.3f}]"
            row = seed, f"{confound:g}", f"{sites.within:.3f}", f"{sites.across:.3f}", gap, sites.verdict
            print("|", " | ".join(map(str, [*row, f"{best.told:.3f}", robust])), "|", flush=True)


if __name__ == "__main__":
    main()
