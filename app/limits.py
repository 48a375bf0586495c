"""What a browser may do: send so many files of such a size, kept in memory only; and show the app in no frame."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

MAX_FILES = 200
MAX_FILE_MB = 20
MAX_SESSION_MB = 400
_MB = 1024 * 1024
_HEADERS = (
    (b"content-security-policy", b"frame-ancestors 'none'"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
)
_UPLOAD = re.compile(r"/_stcore/upload_file/([^/]+)/[^/]+/?$")


class UploadLimits:
    """ASGI middleware that answers 413 to an upload beyond what one session may hold at once.

    Streamlit limits the size of a file, but neither their number nor their sum.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._coming: Counter[str] = Counter()
        self._bytes: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        found = _UPLOAD.search(scope["path"]) if scope["type"] == "http" and scope["method"] == "PUT" else None
        if not found:
            await self._app(scope, receive, send)
            return
        session, size = found[1], _announced(scope)
        if self._too_much(session, size):
            from starlette.responses import PlainTextResponse

            await PlainTextResponse(f"At most {in_words()}.", status_code=413)(scope, receive, send)
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

    def _too_much(self, session: str, size: int) -> bool:
        held = list(uploads().file_storage.get(session, {}).values())
        count = len(held) + self._coming[session] + 1
        total = sum(len(file.data) for file in held) + self._bytes[session] + size
        return count > MAX_FILES or total > MAX_SESSION_MB * _MB


class NoFrames:
    """ASGI middleware: no other page may hold this one in a frame and lead clicks there."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Add headers to every answer."""

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", ()), *_HEADERS]}
            await send(message)

        await self._app(scope, receive, with_headers if scope["type"] == "http" else send)


def _announced(scope: Scope) -> int:
    """Bytes of the request as it says, or the most that Streamlit would take."""
    said = dict(scope["headers"]).get(b"content-length", b"")
    return int(said) if said.isdigit() else MAX_FILE_MB * _MB


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


def forget_uploads() -> None:
    """Drop the bytes that this session has sent."""
    from streamlit import runtime
    from streamlit.runtime.scriptrunner import get_script_run_ctx

    context = get_script_run_ctx()
    if context and runtime.exists():
        uploads().remove_session_files(context.session_id)
