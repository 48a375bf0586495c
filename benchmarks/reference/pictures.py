"""Pictures of the documents, drawn from the reference runs."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

PICTURES = Path(__file__).resolve().parents[2] / "docs" / "pictures"
SHOWN = ("all",)
"""Sets whose run is pictured in the documents."""


def picture_run(folder: Path, name: str) -> None:
    """The leaderboard, the heat map and the top of the report."""
    if name in SHOWN:
        for figure in ("leaderboard", "combinations"):
            convert(folder / "figures" / f"{figure}.svg", PICTURES / f"{name}-{figure}.png")
        photograph(folder / "report.html", PICTURES / f"{name}-report.png")


def picture_leakage(folder: Path, name: str) -> None:
    """What each leak adds."""
    if name in SHOWN:
        shutil.copy(folder / "leakage.png", PICTURES / f"{name}-leakage.png")


def convert(drawing: Path, target: Path) -> None:
    """Write a PNG of an SVG."""
    import vl_convert

    target.write_bytes(vl_convert.svg_to_png(drawing.read_text(encoding="utf-8"), scale=1.5))


def photograph(page: Path, target: Path) -> None:
    """The top of a report, where Chromium is installed."""
    if browser := shutil.which("chromium"):
        options = ["--headless", "--no-sandbox", "--hide-scrollbars", "--window-size=1280,1500"]
        command = [browser, *options, f"--screenshot={target}", page.resolve().as_uri()]
        subprocess.run(command, check=True, capture_output=True, timeout=120)
