"""Shapes: what each level of folders means, in words such as ``split/class`` or ``class/patient``."""

from __future__ import annotations

import re

from ..errors import ConfigurationError
from .files import FileList, Listing, Row

ANY, CLASS, PATIENTS = "any", "class", ("patient", "group")
RESERVED = frozenset({"row", "image_id", "label", "path", "copies"})
"""Columns that leukobench writes itself into ``images.parquet``."""


def is_shape(layout: str) -> bool:
    """Whether `layout` describes levels of folders, rather than being the name of a layout."""
    return layout == CLASS or "/" in layout


class ShapeLayout:
    """Folders whose levels mean what a shape says: ``split/class``, ``patient/class``, ``any/class/patient`` …

    Parameters
    ----------
    shape : str
        A word for each level, from the top, joined by ``/``. ``class`` is the label, ``patient`` or ``group`` the
        patient, ``any`` means nothing; any other word, such as ``split`` or ``site``, becomes a column of that name.

    Raises
    ------
    ConfigurationError
        The shape has no class, or a word twice.
    """

    def __init__(self, shape: str) -> None:
        self.shape, self._words = shape, shape.split("/")
        named = [word for word in self._words if word != ANY]
        twice = len(named) - len(set(named)) or sum(word in PATIENTS for word in named) > 1
        words = all(re.fullmatch(r"[a-z][a-z0-9_]*", word) and word not in RESERVED for word in named)
        if CLASS not in named or twice or not words:
            raise ConfigurationError(
                "The layout does not say what each level of folders means.",
                expected="words joined by /, each at most once: class, and where there are such folders patient (or "
                "group), split, fold, site or a word of your own; any for a level without meaning",
                received=shape,
                fix="write it as in split/class or class/patient.",
            )

    def matches(self, files: FileList) -> bool:
        """Whether any image is in a folder of the class level."""
        return any(path.count("/") > self._words.index(CLASS) for path in files.images)

    def read(self, files: FileList) -> Listing:
        """Take label, patient and further columns from the folders; images above the class level are refused."""
        rows, refused = [], []
        for path in files.images:
            row = self._row(path)
            if row is None:
                refused.append((path, "not in a class folder"))
            else:
                rows.append(row)
        patients = any(word in PATIENTS for word in self._words)
        return Listing(rows, refused, f"folder names, {self.shape}" if patients else "none", shape=self.shape)

    def _row(self, path: str) -> Row | None:
        *folders, _ = path.split("/")
        values = dict(zip(self._words, folders, strict=False))
        if CLASS not in values:
            return None
        patient = next((values[word] for word in PATIENTS if word in values), "")
        columns = {word: values.get(word, "") for word in self._words if word not in {ANY, CLASS, *PATIENTS}}
        return Row(path, values[CLASS], patient, columns)
