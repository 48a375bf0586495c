"""What computes a run: read from the experiment file, and in no number."""

from __future__ import annotations

from pathlib import Path

import pytest

from leukobench.config.experiment_file import for_folder, read_experiment
from leukobench.errors import ConfigurationError
from leukobench.runs.identity import run_digest


def test_a_cluster_is_named_in_the_file_and_decides_no_number(tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_text("images: cells\nexecutor: {dask: 'tcp://host:8786'}\n")
    named = read_experiment(tmp_path / "x.yaml")
    assert named.executor.dask == "tcp://host:8786"
    assert named.to_mapping()["executor"] == {"dask": "tcp://host:8786"}
    plain = for_folder(Path("images"))
    assert "executor" not in plain.to_mapping()
    digests = {
        run_digest(for_folder(Path("images"), executor=where), [], [], "") for where in ({}, {"dask": "local:2"})
    }
    assert digests == {run_digest(plain, [], [], "")}


@pytest.mark.parametrize("address", ["local:0", "local", "host:8786", 3, ""])
def test_what_is_no_address_is_refused_before_any_work(address: object) -> None:
    with pytest.raises(ConfigurationError, match=r"executor.dask: not the address of a Dask scheduler"):
        for_folder(Path("images"), executor={"dask": address})
    with pytest.raises(ConfigurationError, match=r"did you mean dask\?"):
        for_folder(Path("images"), executor={"dasc": "local:2"})
