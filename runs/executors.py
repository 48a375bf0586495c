"""What computes a run: the processes of this machine, or the workers of a cluster."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from importlib.util import find_spec

from ..errors import ConfigurationError
from ..machine import Executor
from .folder import RunFolder


@contextlib.contextmanager
def on_cluster(dask: str | None, folder: RunFolder) -> Iterator[Executor | None]:
    """The executor of the Dask cluster at an address; None without one.

    Raises
    ------
    ConfigurationError
        Dask is not installed.
    ClusterError
        Before a run begins: nothing answers there, or a worker has other software. Of a finished run nothing is asked.
    """
    if dask is None:
        yield None
        return
    if find_spec("distributed") is None:
        fix = 'pip install "leukobench[dask]".'
        raise ConfigurationError("Dask is not installed.", received=f"executor: {{dask: {dask}}}", fix=fix)
    from .dask_cluster import DaskCluster
    from .dask_executor import DaskExecutor

    with DaskCluster(dask, folder) as cluster:
        if not folder.was_finished():
            cluster.connect()
        yield DaskExecutor(cluster)
