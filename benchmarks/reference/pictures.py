"""Pictures of the documents, drawn from the reference runs."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PICTURES = ROOT / "docs" / "pictures"
SHOWN = ("all",)
"""Sets whose run is pictured in the documents."""


def picture_run(folder: Path, name: str) -> None:
    """The leaderboard, the heat map and the top of the report."""
    if name in SHOWN:
        for figure in ("leaderboard", "combinations"):
            shrink(folder / "figures" / f"{figure}.png", PICTURES / f"{name}-{figure}.png")
        photograph(folder / "report.html", PICTURES / f"{name}-report.png")


def picture_leakage(folder: Path, name: str) -> None:
    """What each leak adds."""
    if name in SHOWN:
        shrink(folder / "leakage.png", PICTURES / f"{name}-leakage.png")


def shrink(picture: Path, target: Path) -> None:
    """Write a PNG with a palette: figures have few colours."""
    from PIL import Image

    with Image.open(picture) as opened:
        opened.convert("RGB").quantize(256, dither=Image.Dither.NONE).save(target, optimize=True)


def picture_sites() -> None:
    """Scores within and across sites, of drawn smears: two runs, minutes."""
    command = [sys.executable, "-m", "benchmarks.sites", "--seeds", "300", "--picture", str(PICTURES / "sites.png")]
    subprocess.run(command, check=True, cwd=ROOT)
    shrink(PICTURES / "sites.png", PICTURES / "sites.png")


def photograph(page: Path, target: Path) -> None:
    """The top of a report, where Chromium is installed."""
    if browser := shutil.which("chromium"):
        options = ["--headless", "--no-sandbox", "--hide-scrollbars", "--window-size=1280,1500"]
        command = [browser, *options, f"--screenshot={target}", page.resolve().as_uri()]
        subprocess.run(command, check=True, capture_output=True, timeout=120)
        shrink(target, target)
