from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from leukobench.classifiers.cnns.batches import batches


@given(st.integers(1, 500), st.integers(1, 70))
def test_an_epoch_leaves_out_as_few_examples_as_batches_of_one_size_can(examples: int, limit: int) -> None:
    steps, size = batches(examples, limit)
    assert 1 <= size <= limit
    assert steps * size <= examples
    assert steps * size >= (examples // min(limit, examples)) * min(limit, examples)
    assert examples - steps * size < max(steps, 1) or steps * size == (examples // limit) * limit
