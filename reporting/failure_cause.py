"""Why a fit failed, in one line of the traceback that its record holds."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

_FRAME = re.compile(r'^ +File "(.+)", line (\d+)')
_BEFORE = re.compile(r'^Traceback |^ +File ".+", line \d+')
"""Lines of a traceback that come before the error itself."""
_OWN_ERROR = re.compile(r"^leukobench\.errors\.\w+: ")
_LONGEST = 300


def failure_cause(text: str, folders: Sequence[Path] = ()) -> str:
    """What happened: the first line of the last error's message, and where code of the user's own raised it.

    Parameters
    ----------
    text : str
        A traceback, or a sentence; see `leukobench.evaluation.records.Record.error`.
    folders : sequence of Path
        Of the user's own code: the last line of a file below one of them is named.

    Returns
    -------
    str
        Without a full stop; '' where the text is empty.
    """
    lines = text.strip().splitlines()
    frames = [frame for line in lines if (frame := _FRAME.match(line))]
    before = max((number for number, line in enumerate(lines) if _BEFORE.match(line)), default=-1)
    after = (line for line in lines[before + 1 :] if line.strip() and (before < 0 or not line.startswith(" ")))
    what = next(after, "")
    what = _OWN_ERROR.sub("", what or "".join(lines[-1:]).strip())[:_LONGEST].rstrip(".:")
    places = [f"{frame[1]}:{frame[2]}" for frame in frames if _is_below(Path(frame[1]), folders)]
    return f"{what} ({places[-1]})" if places and places[-1] not in what else what


def _is_below(file: Path, folders: Sequence[Path]) -> bool:
    return any(file.is_relative_to(folder) or file.is_relative_to(folder.resolve()) for folder in folders)
