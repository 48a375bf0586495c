"""Limits for browsers: number and size of uploads, which stay in memory; and no other site may show or use the app."""

from __future__ import annotations

import contextlib
import re
from collections import Counter
from collections.abc import Collection
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

MAX_FILES = 200
MAX_FILE_MB = 20
MAX_SESSION_MB = 400
MAX_SERVER_MB = 1024
_MB = 1024 * 1024
_SOURCES = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; worker-src 'self' blob:; connect-src 'self' data: blob:; "
    "object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
)
"""Streamlit needs inline styles, and its charts are compiled; nothing is requested from other hosts."""
_HEADERS = (
    (b"content-security-policy", _SOURCES.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
)
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8
"""Of glibc's ``malloc.h``."""
_UPLOAD = re.compile(r"/_stcore/upload_file/([^/]+)/[^/]+/?$")


class UploadLimits:
    """ASGI middleware that answers 413 to an upload beyond what one session may hold at once, 503 beyond what all may.

    Streamlit limits the size of a file, but neither their number nor their sum.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._coming: Counter[str] = Counter()
        self._bytes: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        upload = _UPLOAD.search(scope["path"]) if scope["type"] == "http" and scope["method"] == "PUT" else None
        if not upload:
            await self._app(scope, receive, send)
            return
        session, size = upload[1], _content_length(scope)
        refusal = self._refusal(session, size)
        if refusal:
            from starlette.responses import PlainTextResponse

            await PlainTextResponse(refusal[1], status_code=refusal[0])(scope, receive, send)
            return
        self._coming[session] += 1
        self._bytes[session] += size
        try:
            await self._app(scope, receive, send)
        finally:
            self._coming[session] -= 1
            self._bytes[session] -= size
            if not self._coming[session]:
                del self._coming[session], self._bytes[session]
            _forget_if_gone(session)

    def _refusal(self, session: str, size: int) -> tuple[int, str] | None:
        held = {name: list(files.values()) for name, files in list(uploads().file_storage.items())}
        sums = {name: sum(len(file.data) for file in files) for name, files in held.items()}
        count = len(held.get(session, ())) + self._coming[session] + 1
        if count > MAX_FILES or sums.get(session, 0) + self._bytes[session] + size > MAX_SESSION_MB * _MB:
            return 413, f"At most {in_words()}."
        if sum(sums.values()) + self._bytes.total() + size > MAX_SERVER_MB * _MB:
            return 503, "The server's memory for images is full: try again later."
        return None


class Headers:
    """ASGI middleware: no page may hold this one in a frame and lead clicks there, and this one loads only its own."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Add headers to every answer."""

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", ()), *_HEADERS]}
            await send(message)

        await self._app(scope, receive, with_headers if scope["type"] == "http" else send)


class OwnSite:
    """ASGI middleware that answers 403 where another site speaks, or a name that somebody gave to this machine.

    Only pages of the app itself may speak to it, under the host by which their visitor reached it; Streamlit would take
    every local address for its own, and ask the internet which of them this machine has.

    Parameters
    ----------
    hosts : collection of str
        The names of this machine by which it may be reached; empty: any.
    """

    def __init__(self, app: ASGIApp, hosts: Collection[str] = ()) -> None:
        self._app, self._hosts = app, hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] == "lifespan" or self._is_own(scope):
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        else:
            from starlette.responses import PlainTextResponse

            await PlainTextResponse("Only pages of the app itself may use it.", status_code=403)(scope, receive, send)

    def _is_own(self, scope: Scope) -> bool:
        headers = dict(scope["headers"])
        host, origin = headers.get(b"host", b"").decode("latin-1"), headers.get(b"origin")
        if self._hosts and _name_of(host) not in self._hosts:
            return False
        if origin is None:
            return bool(scope["type"] != "websocket")  # browsers name the origin of every websocket
        return bool(host) and origin.decode("latin-1").partition("://")[2].lower() == host.lower()


def _name_of(host: str) -> str:
    """Of a name with a port the name: ``[::1]:8501`` is ``::1``."""
    from urllib.parse import urlsplit

    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def _content_length(scope: Scope) -> int:
    """Bytes of the request as it says, or the most that Streamlit would take; chunks overrule a length."""
    headers = dict(scope["headers"])
    length = headers.get(b"content-length", b"")
    return int(length) if length.isdigit() and b"transfer-encoding" not in headers else MAX_FILE_MB * _MB


def _forget_if_gone(session: str) -> None:
    """A session may end while its file comes in, and nobody else would drop it."""
    from streamlit import runtime

    if not runtime.get_instance().is_active_session(session):
        uploads().remove_session_files(session)


def in_words() -> str:
    """The limits as a user reads them."""
    return f"{MAX_FILES} files at once, {MAX_FILE_MB} MB each, {MAX_SESSION_MB} MB together"


def uploads() -> Any:
    """Streamlit's store of uploaded files."""
    from streamlit import runtime

    return runtime.get_instance().uploaded_file_mgr


def keep_uploads_in_memory() -> None:
    """Let no part of an upload touch the disk: the parser would put anything above 1 MB into a temporary file."""
    from starlette.formparsers import MultiPartParser

    MultiPartParser.spool_max_size = (MAX_FILE_MB + 2) * _MB


def return_memory() -> None:
    """Let the C library give the memory of images and uploads back, which it would keep for later ones."""
    import ctypes

    with contextlib.suppress(AttributeError, OSError, TypeError):  # it is not glibc
        mallopt = ctypes.CDLL(None).mallopt
        for option, value in ((_M_MMAP_THRESHOLD, _MB), (_M_TRIM_THRESHOLD, _MB), (_M_ARENA_MAX, 2)):
            mallopt(option, value)


def forget_uploads() -> None:
    """Drop the bytes that this session has sent."""
    from streamlit import runtime
    from streamlit.runtime.scriptrunner import get_script_run_ctx

    context = get_script_run_ctx()
    if context and runtime.exists():
        uploads().remove_session_files(context.session_id)
