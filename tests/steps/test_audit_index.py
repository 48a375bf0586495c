"""The audit reads some files again: one that has vanished meanwhile is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from leukobench.errors import ImagesChangedError
from leukobench.steps import audit_index


def test_a_file_that_vanished_since_it_was_measured_is_named(tmp_path: Path) -> None:
    with pytest.raises(ImagesChangedError, match="image a1: cannot be opened"):
        audit_index._bytes("a1", str(tmp_path / "gone.png"))
