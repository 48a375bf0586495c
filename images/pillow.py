"""Pillow as decoding needs it: it refuses what is damaged, and warns of nothing without naming the file."""

from __future__ import annotations

import contextlib
import ctypes
import functools
import logging
import warnings

from PIL import Image, ImageFile

from ..errors import ConfigurationError


def check_pillow() -> None:
    """Refuse a process in which damaged files would pass as whole ones.

    Raises
    ------
    ConfigurationError
    """
    if ImageFile.LOAD_TRUNCATED_IMAGES:
        raise ConfigurationError(
            "Pillow is set to fill up truncated images, so damaged files would pass as whole ones.",
            expected="PIL.ImageFile.LOAD_TRUNCATED_IMAGES = False",
            received="True, set by other code in this process",
            fix="remove that setting.",
        )


@functools.cache
def silence_pillow() -> None:
    """Pillow and libtiff warn without naming the file; what matters of it is in the refusal, which names it."""
    warnings.filterwarnings("ignore", module=r"PIL\.")
    logging.getLogger("PIL").setLevel(logging.CRITICAL)
    with contextlib.suppress(OSError, AttributeError):  # where Pillow has no libtiff of its own
        silence = ctypes.CDLL(Image.core.__file__).TIFFSetErrorHandler
        silence.argtypes, silence.restype = [ctypes.c_void_p], ctypes.c_void_p
        silence(None)
