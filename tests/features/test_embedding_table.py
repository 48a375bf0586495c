"""Vectors that were computed elsewhere: each image gets its own row, or a sentence says why not."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from leukobench.config.choice import Choice
from leukobench.errors import ConfigurationError, ExtractionError
from leukobench.features.cache import FeatureCache
from leukobench.features.embedding_table import EmbeddingTable
from leukobench.features.extraction import extract_to
from leukobench.features.extractors import make_extractor

COUNT = 8
Images = list[tuple[str, str]]


@pytest.fixture
def images(tmp_path: Path) -> Images:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    files = [tmp_path / "ab"[n % 2] / f"{n // 2}.png" for n in range(COUNT)]
    for number, path in enumerate(files):
        path.write_bytes(b"image %d" % number)
    return [(hashlib.sha256(path.read_bytes()).hexdigest(), str(path)) for path in files]


@pytest.fixture
def vectors() -> np.ndarray:
    return np.random.default_rng(0).normal(size=(COUNT, 5))


def ends(images: Images) -> list[str]:
    return ["/".join(Path(path).parts[-2:]) for _, path in images]


def written(file: Path, key: str, keys: list[str], vectors: np.ndarray, kind: str) -> Path:
    if kind == "npy":
        np.save(file.with_suffix(".npy"), vectors)
        pd.DataFrame({key: keys, "label": "x"}).to_csv(file.with_suffix(".csv"), index=False)
        return file.with_suffix(".npy")
    if kind == "list":
        pq.write_table(pa.table({key: keys, "label": [1] * len(keys), "embedding": vectors.tolist()}), file)
    else:
        pd.DataFrame(vectors, columns=list("vwxyz")).assign(**{key: keys, "label": 1}).to_parquet(file)
    return file


@pytest.mark.parametrize("kind", ["columns", "list", "npy"])
@pytest.mark.parametrize("key", ["path", "image_id", "sha256"])
def test_each_image_gets_its_own_row(images: Images, vectors: np.ndarray, key: str, kind: str, tmp_path: Path) -> None:
    order = np.random.default_rng(1).permutation(COUNT)
    keys = ends(images) if key == "path" else [image_id for image_id, _ in images]
    file = written(tmp_path / "x.parquet", key, [keys[row] for row in order], vectors[order], kind)
    choice = Choice.model_validate({"table": str(file), "key": key})
    table, target = make_extractor(choice.name, choice.parameters), tmp_path / "t.npy"
    before = dict(table.identity)
    assert extract_to(target, table, images, FeatureCache(tmp_path / "cache", before), 1) == {}
    assert np.array_equal(np.load(target), vectors.astype(np.float32))
    assert (dict(table.identity) == before) == (key != "path"), "renamed files may get other rows"
    with table.open(1) as opened:
        (vector,) = opened.vectors([table.read(Path(images[3][1]).read_bytes())])
        assert np.array_equal(vector, vectors[3].astype(np.float32))
        with pytest.raises(ExtractionError, match="no vectors of other images"):
            list(opened.vectors([table.read(b"another image")]))


def without(names: list[str], place: int, name: str) -> list[str]:
    return [*names[:place], name, *names[place + 1 :]]


def test_what_does_not_match_is_named(images: Images, vectors: np.ndarray, tmp_path: Path) -> None:
    names = ends(images)

    def matched(keys: list[str], numbers: np.ndarray = vectors) -> None:
        EmbeddingTable(str(written(tmp_path / "x.parquet", "path", keys, numbers, "columns"))).match(images)

    matched(names)
    matched([*names, "c/unused.png"], np.vstack([vectors, np.full((1, 5), np.nan)]))
    with pytest.raises(ConfigurationError, match=r"no row for some images[\s\S]*1: .*b/0.png"):
        matched(without(names, 1, "elsewhere.png"))
    with pytest.raises(ConfigurationError, match=r"the same key[\s\S]*1: a/0.png"):
        matched([*names, "a/0.png"], vectors[[*range(COUNT), 0]])
    with pytest.raises(ConfigurationError, match=r"one row for several images[\s\S]*1: .*[ab]/0.png"):
        matched(["0.png", *names[2:]], vectors[1:])
    unfit = vectors.copy()
    unfit[5, 2] = np.inf
    with pytest.raises(ConfigurationError, match=r"NaN or infinity[\s\S]*1: b/2.png"):
        matched(names, unfit)


def test_what_is_no_table_is_refused(images: Images, vectors: np.ndarray, tmp_path: Path) -> None:
    for parameters, message in (
        ({"file": "absent.parquet"}, "cannot be opened"),
        ({"file": images[0][1]}, "cannot be opened"),
        ({"file": "x.parquet", "key": "name"}, "no key 'name'"),
    ):
        with pytest.raises(ConfigurationError, match=message):
            make_extractor("table", parameters)
    (tmp_path / "text.parquet").write_text("no parquet")
    pd.DataFrame({"path": ends(images), "row": range(COUNT)}).to_parquet(tmp_path / "whole.parquet")
    ragged = pa.table({"path": ends(images), "v": [[0.5] * (1 + n % 2) for n in range(COUNT)]})
    pq.write_table(ragged, tmp_path / "ragged.parquet")
    np.save(tmp_path / "alone.npy", vectors)
    np.save(tmp_path / "objects.npy", np.array([{}], dtype=object), allow_pickle=True)
    for name in ("text.parquet", "whole.parquet", "ragged.parquet", "alone.npy", "objects.npy"):
        with pytest.raises(ConfigurationError, match="cannot be used"):
            EmbeddingTable(str(tmp_path / name)).match(images)
