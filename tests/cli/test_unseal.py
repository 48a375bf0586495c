"""``leukobench unseal``."""

from __future__ import annotations

from pathlib import Path

from .calls import call


def test_unsealing_what_was_not_sealed_is_a_message(tmp_path: Path) -> None:
    code, said = call("unseal", str(tmp_path))
    assert code == 2
    assert "Traceback" not in said
    assert list(tmp_path.iterdir()) == []
