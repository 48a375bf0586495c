"""An experiment written to a file and read again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from leukobench.config.experiment import Experiment
from leukobench.config.experiment_file import read_experiment


def read_back(folder: Path, experiment: Experiment) -> dict[str, Any]:
    """What an experiment says after a journey through a file."""
    path = folder / "again.yaml"
    path.write_text(yaml.safe_dump(experiment.to_mapping()))
    return read_experiment(path).to_mapping()
