"""The documentation's site: what its check finds. ``make docs`` builds the site itself, in CI, too."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def check() -> ModuleType:
    found = importlib.util.spec_from_file_location("check_site", ROOT / "docs" / "check_site.py")
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    sys.modules["check_site"] = module
    found.loader.exec_module(module)
    return module


def write(site: Path, body: str) -> Path:
    (site / "deep").mkdir()
    (site / "style.css").write_text("p { background: url(data:image/png;base64,AA) }")
    (site / "deep" / "other page.html").write_text('<h2 id="part">Part</h2><a href="../index.html">back</a>')
    (site / "index.html").write_text(f'<link rel="stylesheet" href="style.css?v=1">{body}')
    return site


def test_a_site_whose_links_lead_somewhere_has_no_problems(check: ModuleType, tmp_path: Path) -> None:
    body = '<a href="deep/other%20page.html#part">x</a> <a href="https://example.org/a">y</a> <a href="#">top</a>'
    assert check.problems_of(write(tmp_path, body)) == ([], {"https://example.org/a"})


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ('<a href="deep/none.html">x</a>', "index.html: no file for deep/none.html"),
        ('<a href="deep/">x</a>', "index.html: no file for deep/"),
        ('<a href="deep/other page.html#none">x</a>', "index.html: no anchor for deep/other page.html#none"),
        ('<a href="#none">x</a>', "index.html: no anchor for #none"),
        ('<img src="none.png">', "index.html: no file for none.png"),
        ('<img src="//example.org/x.png">', "index.html: loads //example.org/x.png"),
        ('<script src="https://example.org/x.js"></script>', "index.html: loads https://example.org/x.js"),
        ('<link href="http://example.org/x.css">', "index.html: loads http://example.org/x.css"),
        ("<p>all (\N{EN DASH}images FOLDER)</p>", "index.html: \N{EN DASH}images for --"),
        ("<p style=\"background: url('http://example.org/x')\">", "index.html: loads http://example.org/x"),
    ],
)
def test_what_leads_nowhere_or_is_loaded_from_elsewhere_is_a_problem(
    check: ModuleType, tmp_path: Path, body: str, problem: str
) -> None:
    assert check.problems_of(write(tmp_path, body))[0] == [problem]


def test_style_sheets_load_nothing_from_elsewhere(check: ModuleType, tmp_path: Path) -> None:
    site = write(tmp_path, "")
    (site / "style.css").write_text('@import "https://example.org/f.css"; p { src: url("none.woff2") }')
    assert check.problems_of(site)[0] == [
        "style.css: loads https://example.org/f.css",
        "style.css: no file for none.woff2",
    ]


def test_a_site_without_problems_says_what_to_open(
    check: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["check_site.py", str(write(tmp_path, ""))])
    monkeypatch.setattr(check.shutil, "which", lambda program: None)
    check.main()
    assert capsys.readouterr().out.splitlines()[-1] == f"Open {tmp_path}/index.html"
