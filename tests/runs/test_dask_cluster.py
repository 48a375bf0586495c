"""Clusters whose workers see neither the run nor the cache: what they need is sent to them, results come back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from leukobench.errors import ClusterError

from ..conftest import small_experiment
from ..dask_parts import Parts, can_hide
from ..evaluation.small_networks import only

pytest.importorskip("distributed")
pytestmark = [pytest.mark.slow, pytest.mark.dask]


@pytest.fixture(scope="module")
def hidden(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that the workers do not see."""
    folder = tmp_path_factory.mktemp("hidden")
    if not can_hide(folder):
        pytest.skip("this system hides no folder from a process")
    return folder


@pytest.fixture(scope="module")
def address(hidden: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with Parts(tmp_path_factory.mktemp("dask")) as parts:
        parts.add("--no-nanny", hidden=hidden)
        parts.add(hidden=hidden)
        parts.wait(2)
        yield parts.address


@pytest.mark.thorough  # ../test_cluster_and_store.py is its quick form
def test_a_run_that_the_workers_do_not_see_gives_the_same_predictions(
    smears: Path, hidden: Path, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from leukobench.pipeline import run

    wanted = only("example_plugin") | {"classifiers": ["naive_bayes", "lda"], "selectors": ["none", "anova"]}
    runs = []
    for name, executor in (("here", {}), ("there", {"dask": address})):
        monkeypatch.setenv("LEUKOBENCH_CACHE", str(hidden / f"cache-{name}"))
        runs.append(run(small_experiment(smears, hidden, name=name, executor=executor, **wanted), workers=1).folder)
    here, there = runs
    assert (here / "predictions.parquet").read_bytes() == (there / "predictions.parquet").read_bytes()
    assert "the folder of the run is not shared, the cache not shared" in (there / "run.log").read_text()
    assert {path.name for path in there.rglob("*")} == {path.name for path in here.rglob("*")}


def test_workers_with_a_gpu_extract_and_the_others_fit(tmp_path: Path) -> None:
    from leukobench.runs.dask_cluster import DaskCluster
    from leukobench.runs.folder import RunFolder

    cluster = DaskCluster("tcp://none:1", RunFolder(tmp_path))
    cluster._threads = {"a": 8, "b": 1, "c": 4}
    assert cluster.threads(networks=True) == cluster.threads(networks=False) == cluster._threads
    assert cluster.are_all(cluster.threads(networks=True))
    cluster._gpus = {"b"}
    assert (cluster.threads(networks=True), cluster.threads(networks=False)) == ({"b": 1}, {"a": 8, "c": 4})
    assert not cluster.are_all(cluster.threads(networks=True))
    cluster._gpus = {"a", "b", "c"}
    assert cluster.threads(networks=False) == cluster._threads


def test_images_that_a_worker_cannot_read_end_the_run_with_its_name(
    smears: Path, hidden: Path, address: str, monkeypatch: pytest.MonkeyPatch, images: Path
) -> None:
    from leukobench.pipeline import run

    monkeypatch.setenv("LEUKOBENCH_CACHE", str(hidden / "another cache"))
    unseen = Path(images.rename(hidden / "images"))
    experiment: Any = small_experiment(unseen, hidden, name="unseen", executor={"dask": address})
    with pytest.raises(ClusterError, match=rf"The machine \S+ of the cluster cannot read {unseen}/\S+, which this"):
        run(experiment)
