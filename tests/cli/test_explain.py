"""``leukobench explain``."""

from __future__ import annotations

import json
import os
import shutil
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
    assert {one["name"] for one in first["shortcuts"]} == {
        "file facts",
        "border",
        "sharpness and noise",
        "all shortcuts together",
    }
    assert len(first["neighbours"]) == 5
    assert second["error"]


def test_a_long_name_and_one_of_foreign_bytes_end_nothing(tiny_bundle: Path, smears: Path, tmp_path: Path) -> None:
    source = min(smears.rglob("*.jpg"))
    names = ["良" * 83 + ".jpg", os.fsdecode(b"b\xe4d.jpg"), "esc\x1b[31m\nape.jpg"]
    for name in names:
        shutil.copy(source, tmp_path / name)
    code, output, _ = call_apart(
        "explain", tiny_bundle, *(tmp_path / name for name in names), "--out", tmp_path / "out"
    )
    assert code == 0
    assert "\x1b" not in output
    entries = json.loads((tmp_path / "out" / "explanations.json").read_text())
    overlays = [entry["overlay"] for entry in entries]
    assert overlays[0].startswith("良" * 70)
    assert [overlay[: overlay.rindex("-")] for overlay in overlays[1:]] == [r"b\xe4d", r"esc\x1b[31m\nape"]
    assert all((tmp_path / "out" / overlay).is_file() for overlay in overlays)
    assert [Path(entry["image"]).name for entry in entries] == [names[0], r"b\xe4d.jpg", names[2]]
