"""Made the bundle that is kept here: ``PYTHONPATH=tests/plugin python tests/serving/keep_bundle.py``."""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path

import leukobench
from leukobench.config.experiment_file import for_folder
from leukobench.images.synthetic import draw_smears
from leukobench.serving.container import FORMAT


def main() -> None:
    target = Path(__file__).parent / f"bundle-format-{FORMAT}.zip"
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        draw_smears(folder / "smears", images=96, patients=24, seed=1, size=96)
        experiment = for_folder(
            folder / "smears",
            name=f"format-{FORMAT}",
            results=folder,
            extractors=[{"tiny_network:TINY": {"pooling": "multilevel"}}],
            selectors=[{"anova": {"n_features": 40}}],
            classifiers=["svm_linear"],
            evaluation={"folds": 3, "resamples": 100},
            images={"group": r"synthetic-(P\d+)"},
        )
        bundle = leukobench.fit(leukobench.run(experiment).folder, out=target, pictures=True)
        draw_smears(folder / "new", images=4, patients=4, seed=2, size=96)
        image = shutil.copy(sorted((folder / "new").rglob("*.jpg"))[2], target.with_suffix(".jpg"))
    prediction = leukobench.load(target).predict([image])[0].to_json()
    kept = {name: prediction[name] for name in ("label", "probabilities", "conformal_set", "ood")}
    target.with_suffix(".json").write_text(json.dumps({"digest": bundle.digest, **kept}, indent=2) + "\n")


if __name__ == "__main__":
    main()
