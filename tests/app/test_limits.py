"""What a browser may send: the sum over all visitors, chunks of unknown length, sessions that end meanwhile."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from streamlit import runtime
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.uploaded_file_manager import UploadedFileRec

from leukobench.app import limits


class Runtime:
    """Streamlit's, with its real store of files and these sessions."""

    def __init__(self, *active: str) -> None:
        self.uploaded_file_mgr = MemoryUploadedFileManager("/_stcore/upload_file")
        self.active = set(active)

    def is_active_session(self, session: str) -> bool:
        return session in self.active


@pytest.fixture
def streamlit(monkeypatch: pytest.MonkeyPatch) -> Runtime:
    made = Runtime("a", "b")
    monkeypatch.setattr(runtime, "get_instance", lambda: made)
    return made


def put(streamlit: Runtime, session: str, size: int, ends: bool = False) -> int:
    """Send a file through the limits to what would store it; the status that comes back."""
    said: list[int] = []

    async def store(scope: Any, receive: Any, send: Any) -> None:
        if ends:
            streamlit.active.discard(session)
        streamlit.uploaded_file_mgr.add_file(session, UploadedFileRec(f"{size}", "a.png", "image/png", bytes(size)))
        await send({"type": "http.response.start", "status": 204, "headers": []})

    async def send(message: Any) -> None:
        said.extend([message["status"]] if "status" in message else [])

    path, headers = f"/_stcore/upload_file/{session}/{size}", [(b"content-length", b"%d" % size)]
    scope = {"type": "http", "method": "PUT", "path": path, "headers": headers}
    asked = limits.UploadLimits(store)(scope, None, send)  # type: ignore[arg-type]
    with ThreadPoolExecutor(1) as pool:  # a browser of another test keeps a loop in this thread
        pool.submit(asyncio.run, asked).result()
    return said[0]


def test_all_visitors_together_are_limited_too(streamlit: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_SERVER_MB", 1)
    assert put(streamlit, "a", 600_000) == 204
    assert put(streamlit, "b", 600_000) == 503
    assert put(streamlit, "b", 300_000) == 204
    streamlit.uploaded_file_mgr.remove_session_files("a")
    assert put(streamlit, "b", 600_000) == 204


def test_one_visitor_is_limited(streamlit: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_SESSION_MB", 1)
    assert [put(streamlit, "a", size) for size in (600_000, 600_001)] == [204, 413]
    assert put(streamlit, "b", 600_000) == 204


def test_a_session_that_ends_while_it_sends_leaves_nothing(streamlit: Runtime) -> None:
    assert put(streamlit, "a", 1) == 204
    assert put(streamlit, "b", 2, ends=True) == 204
    assert set(streamlit.uploaded_file_mgr.file_storage) == {"a"}


def test_chunks_count_as_the_most_whatever_length_they_announce() -> None:
    headers = [(b"content-length", b"1"), (b"transfer-encoding", b"chunked")]
    assert limits._content_length({"headers": headers}) == limits.MAX_FILE_MB * 2**20
    assert limits._content_length({"headers": headers[:1]}) == 1


def answered(scope: dict[str, Any], hosts: tuple[str, ...] = ("localhost", "::1")) -> bool:
    """Whether the app behind the middleware is reached."""
    reached: list[bool] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        reached.append(True)

    async def send(message: Any) -> None:
        assert message.get("status", 403) == 403

    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, limits.OwnSite(app, hosts)(scope, None, send)).result()  # type: ignore[arg-type]
    return bool(reached)


@pytest.mark.parametrize(
    ("kind", "host", "origin", "reaches"),
    [
        ("websocket", "localhost:8501", "http://localhost:8501", True),
        ("websocket", "[::1]:8501", "http://[::1]:8501", True),
        ("websocket", "localhost:8501", None, False),
        ("websocket", "localhost:8501", "http://localhost:3000", False),
        ("websocket", "localhost:8501", "null", False),
        ("websocket", "evil.example", "http://evil.example", False),
        ("http", "localhost:9000", None, True),  # through a tunnel
        ("http", "localhost:9000", "http://evil.example", False),
        ("http", "evil.example", None, False),
        ("http", "[", None, False),
        ("lifespan", "", None, True),
    ],
)
def test_only_its_own_pages_reach_the_app(kind: str, host: str, origin: str | None, reaches: bool) -> None:
    headers = [(b"host", host.encode()), *([(b"origin", origin.encode())] if origin else [])]
    scope = {"type": kind, "method": "GET", "path": "/", "headers": headers}
    assert answered(scope) == reaches
    if host == "evil.example" and origin:
        assert answered(scope, hosts=())  # any name may be that of a machine others reach
