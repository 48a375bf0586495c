from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from leukobench.serving.estimator_parts import parts_of


def test_parts_are_found_however_deep_and_once() -> None:
    deepest = SimpleNamespace(number=1)
    table = np.empty((1, 2), dtype=object)
    table[0] = [deepest, deepest]
    middle = SimpleNamespace(arrays=np.ones(3), table=table, kind=int)
    outer = SimpleNamespace(inner={"a": [(middle,)]}, text="text")
    middle.back = outer
    assert [id(part) for part in parts_of(outer)] == [id(outer), id(middle), id(deepest)]
