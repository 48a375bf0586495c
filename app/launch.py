"""Start the server: its target, its address and its limits."""

from __future__ import annotations

import contextlib
import importlib.util
import logging
import socket
import sys
import uuid
import warnings
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

from ..errors import ConfigurationError, LeukobenchError
from .limits import MAX_FILE_MB, Headers, OwnSite, UploadLimits, keep_uploads_in_memory, return_memory
from .style import THEME, in_words
from .target import Target, find_target

_log = logging.getLogger(__name__)
_LOCAL = ("localhost", "127.0.0.1", "::1")
_FIRST_PORT = 8501
_TRIES = 100


def serve(
    target: Path = Path("results"),
    images: Sequence[Path] = (),
    host: str = "localhost",
    port: int | None = None,
    results: Path | None = None,
) -> None:
    """Serve the pages until Ctrl-C.

    Parameters
    ----------
    target : Path
        A bundle (folder or zip), a run's folder, or a folder of runs.
    images : sequence of Path
        Folders on which benchmarks may be started from the browser.
    host : str
        Address to listen on; anything but localhost lets other machines in, without a password.
    port : int, optional
        By default 8501, or the next free one.
    results : Path, optional
        Folder of runs where benchmarks land; see `leukobench.app.target.find_target`.

    Raises
    ------
    ConfigurationError
        Streamlit is absent, the target is nothing that can be shown, or the port is taken.
    """
    if importlib.util.find_spec("streamlit") is None:
        raise ConfigurationError(
            "The web app needs Streamlit, which is not installed.", fix="pip install 'leukobench[app]'"
        )
    shown = find_target(target, images, results)
    shown.publish()
    return_memory()
    _warm_up(shown)
    _run(host, _free_port(host, port))


def _warm_up(shown: Target) -> None:
    """Load a bundle that was named, so that a damaged one is reported now and not to the first visitor."""
    if shown.kind == "bundle":
        from .models import load_bundle

        load_bundle(shown.path)


def _free_port(host: str, port: int | None) -> int:
    wanted = range(_FIRST_PORT, _FIRST_PORT + _TRIES) if port is None else [port]
    for number in wanted:
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                trial.bind((host, number))
                return int(trial.getsockname()[1])
            except (OSError, OverflowError) as error:
                problem = error
    raise ConfigurationError(
        f"The app cannot listen on {host}:{wanted[0]}.",
        received=str(problem),
        fix="choose another --port (or --host), or stop the program that uses it.",
    )


def _run(host: str, port: int) -> None:
    import streamlit
    from starlette.middleware import Middleware
    from streamlit import net_util

    from . import models

    net_util.get_external_ip = lambda: None  # it would ask a server in the internet

    warnings.filterwarnings("ignore", module=r"PIL\.")  # what is wrong with a file, its sender reads
    keep_uploads_in_memory()
    logging.getLogger("uvicorn.error").addFilter(lambda record: record.levelno > logging.INFO)
    address = f"http://{f'[{host}]' if ':' in host else host}:{port}"

    @contextlib.asynccontextmanager
    async def lifespan(app: Any) -> AsyncIterator[None]:
        _log.info("The app is at %s. Ctrl-C stops it.", address)
        if host not in _LOCAL:
            _log.warning("Other machines can reach it, without a password.")
        yield
        models.close()

    script = Path(__file__).with_name("main.py")
    app = streamlit.App(
        script,
        lifespan=lifespan,
        middleware=[Middleware(Headers), Middleware(OwnSite, hosts=_hosts(host)), Middleware(UploadLimits)],
        on_script_error=_apologise,
    )
    sys.argv = [str(script)]  # Streamlit puts the folder of what was started on sys.path
    with contextlib.suppress(KeyboardInterrupt):
        app.run(config=_options(host, port))


def _hosts(host: str) -> tuple[str, ...]:
    """Names by which the app may be reached; another machine may have any name for this one."""
    return _LOCAL if host in _LOCAL else ()


def _options(host: str, port: int) -> dict[str, Any]:
    return {
        "server.address": host,
        "server.port": port,
        "server.headless": True,
        "server.maxUploadSize": MAX_FILE_MB,
        "server.fileWatcherType": "none",
        "server.disconnectedSessionTTL": 60,
        "server.allowedHosts": list(_hosts(host)),
        "browser.gatherUsageStats": False,
        "client.showErrorDetails": "none",
        "client.toolbarMode": "minimal",
        "logger.hideWelcomeMessage": True,
        "runner.magicEnabled": False,
        **THEME,
    }


def _apologise(error: Exception) -> bool:
    """Show a short apology in place of a trace, which the server's log holds under the same number."""
    import streamlit as st

    if isinstance(error, LeukobenchError):
        st.error(in_words(error))
        return True
    number = uuid.uuid4().hex[:8]
    _log.error("Error %s: %s", number, type(error).__name__)
    st.error(f"An error occurred; the server's log has the details under error {number}.")
    return True
