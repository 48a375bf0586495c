"""How a run may be called: folders bear its name, on every system."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator

_NAME, _NOT_IN_NAMES = re.compile(r"\w[\w.\- ]*"), re.compile(r"[^\w.\- ]")
_SPOKEN = {"/": "a slash", "\\": "a backslash", "\n": "a line break", "\t": "a tab", "'": "an apostrophe"}


def is_name(name: str) -> bool:
    """Whether a run may be called so: folders bear its name on every system."""
    return _NAME.fullmatch(name) is not None


def name_problem(name: str) -> str:
    """Why a run may not be called so, in words."""
    wrong = sorted(set(_NOT_IN_NAMES.findall(name)))
    if wrong:
        listed = " or ".join(_SPOKEN.get(sign, f"'{sign}'") for sign in wrong)
        return f"a name may hold letters, digits, spaces, full stops, hyphens and underscores, but not {listed}"
    return "a name begins with a letter, a digit or an underscore"


def _checked(name: str) -> str:
    if not is_name(name):
        raise ValueError(name_problem(name))
    return name


RunName = Annotated[str, AfterValidator(_checked)]
"""A name in an experiment; any other is refused with the reason."""
