from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import skops.io
from sklearn.preprocessing import StandardScaler

from leukobench.serving.skops_schema import foreign_parts
from leukobench.serving.stored_estimators import to_bytes

from .scikit_learn import fitted

SCALER = frozenset(["sklearn.preprocessing._data.StandardScaler"])


def edited(data: bytes, edit: Callable[[dict[str, Any]], Any]) -> bytes:
    """The file with its schema changed."""
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(stream, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if name == "schema.json":
                schema = json.loads(content)
                edit(schema)
                content = json.dumps(schema).encode()
            new.writestr(name, content)
    return stream.getvalue()


def scaler() -> bytes:
    return skops.io.dumps(StandardScaler().fit(np.ones((3, 2))))


def test_what_is_on_the_list_is_not_foreign() -> None:
    assert foreign_parts(scaler(), SCALER) == []
    assert foreign_parts(scaler(), frozenset()) == [*SCALER]


def test_an_object_that_numpy_would_take_for_an_array_at_an_address_is_foreign() -> None:
    address = {"data": (8, False), "shape": (9,), "typestr": "<f8", "version": 3}
    estimator = StandardScaler().fit(np.ones((3, 2)))
    vars(estimator)["__array_interface__"] = address
    assert foreign_parts(skops.io.dumps(estimator), SCALER) == ["an attribute __array_interface__"]

    def as_text(schema: dict[str, Any]) -> None:
        text = json.dumps({"__array_interface__": address})
        schema["content"] = {"__class__": "str", "__module__": "builtins", "__loader__": "JsonNode", "content": text}

    assert foreign_parts(edited(scaler(), as_text), SCALER) == ["a container written as text", "attributes as JsonNode"]


@pytest.mark.parametrize(
    ("loader", "dotted"),
    [
        ("ListNode", "numpy.ndarray"),
        ("TypeNode", "sklearn.preprocessing._data.StandardScaler"),
        ("FunctionNode", "numpy.load"),
        ("ConstructorFromReduceNode", "builtins.list"),
        ("RandomStateNode", "numpy.random.mtrand.RandomState"),
        ("SparseMatrixNode", "scipy.sparse._csr.csr_matrix"),
    ],
)
def test_other_ways_to_build_something_are_foreign(loader: str, dotted: str) -> None:
    module, _, name = dotted.rpartition(".")

    def other(schema: dict[str, Any]) -> None:
        schema["content"]["content"]["mean_"] |= {"__class__": name, "__module__": module, "__loader__": loader}

    (foreign,) = foreign_parts(edited(scaler(), other), SCALER)
    assert foreign.startswith(dotted)


@pytest.mark.parametrize(
    ("part", "value"), [("nodes", 10**9), ("features", 0), ("features", 1.5), ("outputs", 10**8), ("outputs", -1)]
)
def test_a_tree_of_another_size_than_its_nodes_is_refused_before_it_is_built(part: str, value: Any) -> None:
    data = to_bytes(fitted("DecisionTreeClassifier"), "classifier")

    def other(schema: dict[str, Any]) -> None:
        tree = schema["content"]["content"]["tree_"]
        arguments = tree["__reduce__"]["args"]["content"]
        places = {"nodes": tree["content"]["content"]["node_count"], "features": arguments[0], "outputs": arguments[2]}
        places[part]["content"] = json.dumps(value)

    types = frozenset(["sklearn.tree._classes.DecisionTreeClassifier"])
    assert foreign_parts(data, types) == []
    with pytest.raises(ValueError, match="another size"):
        foreign_parts(edited(data, other), types)
