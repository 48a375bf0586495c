"""``run.log``: one JSON object per line for every log message of a run."""

from __future__ import annotations

import contextlib
import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from ..storage import mark_output, storage_errors


class _File(logging.FileHandler):
    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        """Lose the line where the disk is full: whatever else is written there says so, without a traceback a line."""


class _JsonLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        moment = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        facts = getattr(record, "facts", {})
        return json.dumps({"time": moment, "level": record.levelname, "message": record.getMessage(), **facts})


@contextlib.contextmanager
def log_to(path: Path) -> Iterator[None]:
    """Append the messages of the ``leukobench`` loggers to `path` while the block runs."""
    mark_output(path.parent)
    logger = logging.getLogger("leukobench")
    with storage_errors(path):
        handler = _File(path, encoding="utf-8")
    handler.setFormatter(_JsonLines())
    before = logger.level
    logger.addHandler(handler)
    logger.setLevel(min(before or logging.INFO, logging.INFO))
    try:
        yield
    finally:
        logger.setLevel(before)
        logger.removeHandler(handler)
        with contextlib.suppress(OSError):  # its last lines
            handler.close()
