"""A table of embeddings as an extractor: vectors that were computed elsewhere, matched to the images one to one."""

from __future__ import annotations

import contextlib
import functools
import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ConfigurationError, ExtractionError
from ..networks.weights import file_digests
from ..storage import digest, user_path

if TYPE_CHECKING:
    import pandas as pd

KEYS = ("path", "image_id", "sha256")
SPEAKS_FOR = {"version": ("features.embedding_table",)}
"""Key of the identity -> modules that it speaks for; see `leukobench.features.network_extractor`."""
_SHOWN = 5
_BLOCK = 256
_Table = tuple[list[str], NDArray[np.floating[Any]], list[str]]


class EmbeddingTable:
    """Vectors in a file, one row an image; see `leukobench.features.extractor.Extractor`.

    Parameters
    ----------
    file : str
        ``.parquet`` with a column of keys and the features in columns of floating-point numbers, or in a single column
        of lists; or ``.npy``, shape (n, features), beside a ``.csv`` of the same name with a column of keys, n rows.
    key : {"path", "image_id", "sha256"}
        Column that names the image: its path, from any folder above it on; or the SHA-256 of its file (hex), which
        other tables of leukobench call image_id.

    Raises
    ------
    ConfigurationError
        The file is none of these.
    """

    def __init__(self, file: str, key: str = "path") -> None:
        if key not in KEYS:
            raise ConfigurationError(
                f"A table of embeddings has no key '{key}'.", expected=", ".join(KEYS), received=repr(key)
            )
        self.file, self.key = user_path(str(file)).absolute(), key
        if self.file.suffix not in (".parquet", ".npy") or not self.file.is_file():
            raise ConfigurationError(
                "The table of embeddings cannot be opened.",
                expected="a file .parquet, or .npy beside a .csv of the same name",
                received=str(self.file),
                fix="correct `file`.",
            )
        self.description = f"table {self.file.name}, computed elsewhere"
        self._rows: dict[str, int] = {}
        self._matched = ""

    @property
    def identity(self) -> Mapping[str, Any]:
        """The file's content; where paths are the key, also which row belongs to which image."""
        files = [self.file] if self.file.suffix == ".parquet" else [self.file, self.file.with_suffix(".csv")]
        contents = [file_digests(path)[0] for path in files if path.is_file()]
        return {"name": "table", "version": 2, "files": contents, "key": self.key, "rows": self._matched}

    @property
    def feature_names(self) -> Sequence[str]:
        """Columns of the file; numbers where it names none."""
        _, vectors, names = _load(self.file, self.key, self._content)
        return names or [f"f_{number:04d}" for number in range(vectors.shape[1])]

    def match(self, images: Sequence[tuple[str, str]]) -> None:
        """Find the row of each image.

        Parameters
        ----------
        images : sequence of (image_id, path)

        Raises
        ------
        ConfigurationError
            An image has no row, or two; two images have the same row; or a row holds NaN or infinity.
        """
        keys, vectors, _ = _load(self.file, self.key, self._content)
        doubled = [key for key, count in Counter(keys).items() if count > 1]
        self._refuse("holds rows with the same key", doubled, "one row an image")
        places = {key: row for row, key in enumerate(keys)}
        matched = [
            (image_id, path, _row_of_path(path, places) if self.key == "path" else places.get(image_id))
            for image_id, path in images
        ]
        self._refuse("has no row for some images", [path for _, path, row in matched if row is None], "a row each")
        rows = {image_id: row for image_id, _, row in matched if row is not None}
        owners = {row: image_id for image_id, row in rows.items()}
        shared = [path for image_id, path, row in matched if row is not None and owners.get(row, image_id) != image_id]
        self._refuse("has one row for several images", shared, "longer paths, which tell them apart")
        finite = np.asarray(np.isfinite(vectors).all(axis=1))
        self._refuse("holds NaN or infinity", [keys[row] for row in owners if not finite[row]], "finite numbers")
        self._rows = rows
        if self.key == "path":
            self._matched = digest("\n".join(f"{image_id} {row}" for image_id, row in sorted(rows.items())))

    def write(self, target: Path, images: Sequence[tuple[str, str]]) -> None:
        """Write the vectors of `images`, in their order, into the ``.npy`` file `target`, float32; see `match`."""
        if any(image_id not in self._rows for image_id, _ in images):
            self.match(images)
        vectors = _load(self.file, self.key, self._content)[1]
        np.save(target, np.asarray(vectors[[self._rows[image_id] for image_id, _ in images]], dtype=np.float32))

    def read(self, data: bytes) -> str:
        """SHA-256 of an image file; see `Extractor.read`."""
        return hashlib.sha256(data).hexdigest()

    @contextlib.contextmanager
    def open(self, threads: int) -> Iterator[EmbeddingTable]:
        """There is nothing to load."""
        yield self

    def vectors(self, images: Iterable[str]) -> Iterator[NDArray[np.float32]]:
        """Rows of images that were matched."""
        vectors = _load(self.file, self.key, self._content)[1]
        for image_id in images:
            if image_id not in self._rows:
                raise ExtractionError(f"{self.file.name} is a table of embeddings: it has no vectors of other images.")
            yield np.asarray(vectors[self._rows[image_id]], dtype=np.float32)

    @property
    def _content(self) -> str:
        return file_digests(self.file)[0]

    def _refuse(self, what: str, names: Sequence[str], expected: str) -> None:
        if names:
            raise ConfigurationError(
                f"The table of embeddings {self.file.name} {what}.",
                expected=expected,
                received=f"{len(names):,}: {', '.join(map(str, names[:_SHOWN]))}{' …' if len(names) > _SHOWN else ''}",
                fix=f"correct the table, or its key (now `{self.key}`; {', '.join(KEYS)}).",
            )


def _row_of_path(path: str, places: Mapping[str, int]) -> int | None:
    """Row with this path, or with the longest end of it."""
    end = _posix(path)
    while end not in places:
        _, slash, end = end.partition("/")
        if not slash:
            return None
    return places[end]


def _posix(path: str) -> str:
    """A path with single forward slashes; most have them already."""
    usual = "\\" not in path and "//" not in path and "./" not in path and not path.endswith(("/", "."))
    return path if usual else PurePath(path.replace("\\", "/")).as_posix()


@functools.lru_cache(maxsize=2)
def _load(file: Path, key: str, content: str) -> _Table:
    """Keys, vectors and names of the features; `content` is the file's digest, so that an edited one is read again."""
    keys, vectors, names = _load_parquet(file, key) if file.suffix == ".parquet" else _load_npy(file, key)
    if key == "path":
        return [_posix(one) for one in keys], vectors, names
    return [one.lower() for one in keys], vectors, names


def _load_parquet(file: Path, key: str) -> _Table:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(file)
    except (pa.ArrowException, OSError) as error:
        raise _unreadable(file, str(error)) from error
    kinds = {field.name: field.type for field in table.schema}
    lists = [name for name, kind in kinds.items() if pa.types.is_list(kind) or pa.types.is_fixed_size_list(kind)]
    numbers = [name for name, kind in kinds.items() if pa.types.is_floating(kind)]
    if key not in kinds or (len(lists) != 1 if lists else not numbers):
        raise _unreadable(file, f"columns {', '.join(list(kinds)[:8])}", f"a column {key}, and numbers or one list")
    keys = [str(one) for one in table.column(key).to_pylist()]
    if not lists:
        return keys, _side_by_side([table.column(name).to_numpy() for name in numbers]), numbers
    rows = table.column(lists[0]).combine_chunks()
    flat, count = rows.flatten().to_numpy(zero_copy_only=False), max(1, len(keys))
    if rows.null_count or len(flat) % count or len(set(rows.value_lengths().to_pylist())) > 1:
        raise _unreadable(file, f"lists of several lengths in {lists[0]}", "lists of one length")
    return keys, flat.reshape(len(keys), -1), []


def _side_by_side(columns: Sequence[NDArray[np.floating[Any]]]) -> NDArray[np.floating[Any]]:
    """As `numpy.column_stack`, in blocks of rows that stay in the processor's cache: several times as fast."""
    stacked = np.stack(columns)
    matrix = np.empty(stacked.shape[::-1], dtype=stacked.dtype)
    for start in range(0, len(matrix), _BLOCK):
        matrix[start : start + _BLOCK] = stacked[:, start : start + _BLOCK].T
    return matrix


def _load_npy(file: Path, key: str) -> _Table:
    import pandas as pd

    beside = file.with_suffix(".csv")
    try:
        vectors = np.load(file, mmap_mode="r", allow_pickle=False)
        table: pd.DataFrame = pd.read_csv(beside, dtype=str, keep_default_na=False)
    except (OSError, ValueError) as error:
        raise _unreadable(file, str(error)) from error
    if key not in table or vectors.shape != (len(table), *vectors.shape[1:2]) or vectors.dtype.kind != "f":
        shapes = f"{vectors.dtype} {vectors.shape}, and {len(table)} rows with {', '.join(map(str, list(table)[:8]))}"
        raise _unreadable(file, shapes, f"floating-point numbers, shape (n, features), and a column {key} of n rows")
    return table[key].tolist(), vectors, []


def _unreadable(file: Path, received: str, expected: str = "a table") -> ConfigurationError:
    return ConfigurationError(
        f"The table of embeddings {file.name} cannot be used.", expected=expected, received=received, fix="correct it."
    )
