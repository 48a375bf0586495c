"""Files of estimators that were changed at random are refused, or predict something: no process dies of them."""

from __future__ import annotations

import io
import json
import os
import random
import signal
import sys
import warnings
import zipfile
from typing import Any

import numpy as np
import pytest

from leukobench.serving.estimators import from_bytes
from leukobench.serving.stored_estimators import to_bytes

from .scikit_learn import fitted
from .test_scikit_learn_types import BOTH

FILES = 1500
SEED = 20_261
SPECIAL = [0, -1, 1, 2, 40, 300, 10**6, 2**31 - 1, -(2**31), 10**9, 2**62, 0.5, 1e308, None, True, False, ""]
SPECIAL += ["linear", "poly", "precomputed", "cosine", "brute", "kd_tree", "uniform", "distance", "knn", "rbf"]
NUMBERS = [0, -1, 1, 5, 100, 10**6, 2**30, -(2**30)]
HIDDEN = ["predict", "transform", "_validate_X_predict", "_impl", "classes_", "n_features_in_"]


def members(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def nodes(value: Any) -> list[dict[str, Any]]:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    own = [value] if isinstance(value, dict) and "__loader__" in value else []
    return own + [node for one in inner for node in nodes(one)]


def changed_array(data: bytes, rng: random.Random) -> bytes:
    """One number changed, or another length, type, order or shape."""
    array = np.load(io.BytesIO(data), allow_pickle=False)
    kind = rng.randrange(6) if array.ndim else 0
    if kind == 0 and array.size:
        array = np.array(array)
        field = rng.choice(array.dtype.names) if array.dtype.names else ...
        place = array.reshape(-1)[rng.randrange(array.size)] if field is ... else array[field].reshape(-1)
        if field is not ... and place.dtype.kind in "iuf":
            place[rng.randrange(place.size)] = np.asarray(rng.choice(NUMBERS)).astype(place.dtype)
        elif field is ... and array.dtype.kind in "iuf":
            array.reshape(-1)[rng.randrange(array.size)] = np.asarray(rng.choice(NUMBERS)).astype(array.dtype)
    elif kind == 1:
        array = array[: len(array) // 2]
    elif kind == 2:
        array = np.concatenate([array, array])
    elif kind == 3:
        array = np.asfortranarray(array)
    elif kind == 4 and not array.dtype.names and array.dtype.kind in "iufb":
        array = array.astype(rng.choice(["f4", "f8", "i4", "i8", "u1"]))
    elif kind == 5:
        array = array.reshape(-1)
    stream = io.BytesIO()
    np.save(stream, array, allow_pickle=False)
    return stream.getvalue()


def changed(data: bytes, others: list[dict[str, Any]], rng: random.Random) -> bytes:
    """The file with one to three changes."""
    files = members(data)
    schema = json.loads(files["schema.json"])
    arrays = [name for name in files if name.endswith(".npy")]
    for _ in range(rng.choice([1, 1, 2, 3])):
        kind = rng.randrange(5)
        dicts = [node["content"] for node in nodes(schema) if node["__loader__"] == "DictNode" and node["content"]]
        texts = [node for node in nodes(schema) if node["__loader__"] == "JsonNode"]
        own = rng.choice(dicts)
        if kind == 0 and arrays:
            name = rng.choice(arrays)
            files[name] = changed_array(files[name], rng)
        elif kind == 1 and texts:
            rng.choice(texts)["content"] = json.dumps(rng.choice(SPECIAL))
        elif kind == 2:
            own[rng.choice(list(own))] = rng.choice(list(rng.choice(dicts).values()))
        elif kind == 3:
            own[rng.choice([*own, *HIDDEN])] = rng.choice(others)
        elif len(arrays) > 1:
            one, other = rng.sample(arrays, 2)
            files[one] = files[other]
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, json.dumps(schema) if name == "schema.json" else content)
    return stream.getvalue()


def use(data: bytes) -> None:
    """In a process of its own: build it, and let it say something of images with as many features, fewer and more."""
    import resource

    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    resource.setrlimit(resource.RLIMIT_AS, (8 * 2**30, 8 * 2**30))
    signal.alarm(30)
    try:
        estimator = from_bytes(data, "file")
        for width in (8, 5, 12):
            for kind in (np.float64, np.float32):
                images = np.abs(np.random.default_rng(1).normal(size=(20, width))).astype(kind)
                for name in ("predict_proba", "decision_function", "predict", "transform"):
                    try:
                        getattr(estimator, name)(images)
                    except Exception:
                        continue
    except BaseException:
        os._exit(1)
    os._exit(0)


@pytest.mark.thorough
@pytest.mark.skipif(sys.platform != "linux", reason="needs fork, and limits of memory")
def test_no_process_dies_of_a_made_up_file() -> None:
    rng = random.Random(SEED)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        stored = {name: to_bytes(fitted(name), name) for name in BOTH}
        others = [node for data in stored.values() for node in nodes(json.loads(members(data)["schema.json"]))]
        others = [node for node in others if node["__loader__"] in ("ObjectNode", "JsonNode", "TypeNode", "ListNode")]
        ends: dict[str, set[int]] = {}
        for number in range(FILES):
            name = BOTH[number % len(BOTH)]
            data = changed(stored[name], others, rng)
            process = os.fork()
            if process == 0:
                use(data)
            ends.setdefault(name, set()).add(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]))
    assert {name: codes for name, codes in ends.items() if not codes <= {0, 1}} == {}
    assert {0, 1} <= set().union(*ends.values())
