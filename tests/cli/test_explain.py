"""``leukobench explain``."""

from __future__ import annotations

import json
from pathlib import Path

from .calls import call_apart


def test_overlays_and_their_words_are_written_beside_what_could_not_be_read(
    tiny_bundle: Path, smears: Path, tmp_path: Path
) -> None:
    from PIL import Image

    (tmp_path / "bad.png").write_text("none")
    good = min(smears.rglob("*.jpg"))
    code, output, _ = call_apart("explain", tiny_bundle, good, tmp_path / "bad.png", "--out", tmp_path / "out")
    assert code == 1
    assert "NOT READ" in output
    first, second = json.loads((tmp_path / "out" / "explanations.json").read_text())
    with Image.open(tmp_path / "out" / first["overlay"]) as overlay:
        assert overlay.format == "PNG"
    assert {one["name"] for one in first["shortcuts"]} == {"colour", "border", "file facts"}
    assert len(first["neighbours"]) == 5
    assert second["error"]
