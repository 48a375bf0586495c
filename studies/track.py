"""Finished runs in MLflow: one MLflow run each, recognised by its digest, so that tracking again doubles nothing."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ..errors import ConfigurationError, TrackingError
from ..remote.path import without_secrets
from ..runs.finished import FinishedRun
from .tracked_run import FILES, RUN, TABLE, TrackedRun

EXPERIMENT = "leukobench"
_SETTINGS = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",  # its own seven keep a user waiting for minutes
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",  # where a program reads JSON
}
"""Of the environment, where it does not have them."""
_PATIENCE_S = 10
_BATCH = 100
"""Parameters that a server takes at a time."""
_SECRETS = (
    "give them by the environment: MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN."
)


@dataclass(frozen=True)
class Tracked:
    """Where a run is in MLflow.

    Attributes
    ----------
    run_id, address : str
        Its address is for a browser.
    change : {"new", "updated", "none"}
    """

    run_id: str
    address: str
    change: str

    def words(self, name: str) -> str:
        """In a line."""
        verbs = {"new": "is now in MLflow", "updated": "was updated in MLflow", "none": "is in MLflow already"}
        return f"{name} {verbs[self.change]}: {self.address}"


def track(run: FinishedRun | str | Path, to: str, experiment: str = EXPERIMENT) -> Tracked:
    """Send a finished run to an MLflow server, or update what was sent before.

    Parameters
    ----------
    run : FinishedRun or path-like
    to : str
        Address of the server, such as ``http://localhost:5000``.
    experiment : str
        Of MLflow, in which the run is listed; made where there is none.

    Raises
    ------
    ConfigurationError
        The address is none, or holds credentials; MLflow is not installed; there is no finished run.
    TrackingError
        The server does not answer, or refuses. The run's own folder is not changed.
    """
    check_tracking(to)
    opened = run if isinstance(run, FinishedRun) else FinishedRun.open(run)
    tracked = TrackedRun.of(opened)
    from mlflow import MlflowClient

    with _server_errors(to):
        _knock(to)
        client = MlflowClient(tracking_uri=to)
        place = _experiment(client, experiment)
        before = client.search_runs([place], f"tags.`{RUN}` = '{tracked.digest}'", max_results=1)
        if before and before[0].data.tags.get(FILES) == tracked.files_digest():
            return Tracked(before[0].info.run_id, _address(to, place, before[0].info.run_id), "none")
        run_id = before[0].info.run_id if before else _begin(client, place, tracked)
        _send(client, run_id, tracked)
        return Tracked(run_id, _address(to, place, run_id), "updated" if before else "new")


def check_tracking(to: str) -> None:
    """Refuse what cannot be a server, before any work; the server itself is not asked.

    Raises
    ------
    ConfigurationError
    """
    parts = urlsplit(to)
    if parts.username or parts.password or parts.query:
        shown = without_secrets(to.partition("?")[0])
        raise ConfigurationError("The address of the server holds credentials.", received=shown, fix=_SECRETS)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ConfigurationError(
            "This is no address of an MLflow server.",
            expected="http://HOST:PORT, or https://",
            received=to,
            fix="start one: mlflow server --backend-store-uri sqlite:///mlflow.db, then --to http://localhost:5000.",
        )
    for name, value in _SETTINGS.items():
        os.environ.setdefault(name, value)
    try:
        import mlflow  # noqa: F401
    except ImportError as error:
        fix = "pip install 'leukobench[mlflow]'"
        raise ConfigurationError("MLflow is not installed.", received=str(error), fix=fix) from error


@contextlib.contextmanager
def _server_errors(to: str) -> Iterator[None]:
    from mlflow.exceptions import MlflowException
    from requests import RequestException

    try:
        yield
    except (MlflowException, RequestException) as error:
        words = str(error).partition("\n")[0]
        raise TrackingError(
            f"The run is not in MLflow, or not whole: {to} does not answer, or refuses.",
            received=words[:300],
            fix="the run's folder is as it was. When the server answers: leukobench track RUN --to ADDRESS.",
        ) from error


def _knock(to: str) -> None:
    """Where nobody answers at all, that is known at once: MLflow's client would try for long."""
    import requests

    requests.get(f"{to.rstrip('/')}/health", timeout=_PATIENCE_S)


def _experiment(client: Any, name: str) -> str:
    experiment = client.get_experiment_by_name(name)
    return str(experiment.experiment_id if experiment else client.create_experiment(name))


def _begin(client: Any, place: str, tracked: TrackedRun) -> str:
    started = client.create_run(place, tracked.began, {RUN: tracked.digest}, tracked.name)
    return str(started.info.run_id)


def _send(client: Any, run_id: str, tracked: TrackedRun) -> None:
    """Everything; the digest of it comes last, so that what was interrupted is sent again."""
    from mlflow.entities import Metric, Param, RunTag

    # One time for all: a metric that is sent again is the same point, not another one.
    metrics = [Metric(key, value, tracked.ended, 0) for key, value in tracked.metrics.items()]
    client.log_batch(run_id, metrics=metrics)
    params = [Param(key, value) for key, value in tracked.params.items()]
    for start in range(0, len(params), _BATCH):
        client.log_batch(run_id, params=params[start : start + _BATCH])
    client.log_batch(run_id, tags=[RunTag(key, value) for key, value in tracked.tags.items()])
    # As `mlflow.log_table` has it, which would add rows to those of before.
    client.log_text(run_id, tracked.table.to_json(orient="split", index=False), TABLE)
    for name, path in tracked.files.items():
        client.log_artifact(run_id, str(path), name.rpartition("/")[0] or None)
    client.set_tag(run_id, FILES, tracked.files_digest())
    client.set_terminated(run_id, "FAILED" if tracked.failed else "FINISHED", tracked.ended)


def _address(to: str, place: str, run_id: str) -> str:
    return f"{to.rstrip('/')}/#/experiments/{place}/runs/{run_id}"
