"""What a network that was never trained says, stage by stage: ``python -m benchmarks.controls FOLDER ...``.

From the project's root. For each folder or manifest: balanced accuracy, in 5 folds over groups, of logistic regression
on the first stages of the bundled network with random weights of several seeds, and of the row of pixels.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import warnings
from pathlib import Path

import numpy as np

from leukobench.config.experiment import Evaluation
from leukobench.config.experiment_file import for_folder
from leukobench.evaluation.folds import make_folds
from leukobench.features.cache import FeatureCache
from leukobench.features.extraction import extract_to
from leukobench.features.extractor import Extractor
from leukobench.features.network_extractor import NetworkExtractor
from leukobench.features.small_pixels import SmallPixels
from leukobench.images.index import ImageIndex
from leukobench.runs.folder import RunFolder
from leukobench.runs.progress import silent
from leukobench.runs.workspace import Workspace
from leukobench.steps.find_images import find_images
from leukobench.steps.make_task import make_task
from leukobench.steps.score_controls import PIXELS, control_methods


def features(extractor: Extractor, index: ImageIndex, folder: Path) -> tuple[np.ndarray, list[str]]:
    """Of every image, through the cache, with their names."""
    cache = FeatureCache.shared(extractor.identity)
    extract_to(folder / "features.npy", extractor, index.files(), cache, 1)
    return np.load(folder / "features.npy").astype(np.float64), cache.feature_names()


def score(values: np.ndarray, index: ImageIndex, label: str) -> float:
    """Balanced accuracy of a control on these features."""
    from sklearn.base import clone
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.metrics import balanced_accuracy_score

    task, predicted = make_task(index), np.zeros(len(index), dtype=np.int64)
    selector, classifier = (method.estimator for method in control_methods(label, Evaluation(), len(index)))
    for fold in make_folds(task, 5, 1, 0):
        fitted = clone(selector).fit(values[fold.train], task.labels[fold.train])
        own = clone(classifier) if hasattr(classifier, "predict_proba") else CalibratedClassifierCV(classifier, cv=3)
        own.fit(fitted.transform(values[fold.train]), task.labels[fold.train])
        predicted[fold.test] = own.predict(fitted.transform(values[fold.test]))
    return float(balanced_accuracy_score(task.labels, predicted))


def main() -> None:
    """Print a table for each folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3], help="of the weights; 0 was used for tuning")
    parser.add_argument("--every", type=int, default=1, help="takes every so manieth image")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    for path in arguments.folders:
        with tempfile.TemporaryDirectory() as folder:
            workspace = Workspace.of(RunFolder(Path(folder)), 1, silent)
            index = find_images(for_folder(path), workspace)
            taken = np.arange(len(index)) % arguments.every == 0
            rare = index.images["label"].map(index.images["label"][taken].value_counts()).fillna(0) < 5
            index = index.split(taken & ~rare.to_numpy())[1]
            pixels = score(features(SmallPixels(), index, Path(folder))[0], index, PIXELS)
            sys.stdout.write(f"{path}: {len(index):,} images; pixels {100 * pixels:.1f} %\n")
            for seed in arguments.seeds:
                extractor = NetworkExtractor("efficientnet_lite0", f"random:{seed}", "multilevel")
                values, names = features(extractor, index, Path(folder))
                stages = np.array([int(name[len("stage")]) for name in names])
                row = [
                    f"{100 * score(values[:, stages <= last], index, ''):.1f}" for last in range(1, stages.max() + 1)
                ]
                sys.stdout.write(f"  weights {seed}, first 1 to {len(row)} stages: {' '.join(row)} %\n")
                sys.stdout.flush()


if __name__ == "__main__":
    main()
