"""Check the built site: nothing is loaded from elsewhere, every internal link, anchor and image leads somewhere.

``make docs`` runs it. Links to other sites are listed in ``links.txt`` beside the pages, and not followed.
"""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import click

_LOADED = {("link", "href"), ("object", "data"), ("use", "href")}
"""Attributes that load something, besides each ``src``, ``srcset`` and ``poster``."""
_DASHED = re.compile(r"(?:^|[\s(>`])(\u2013[a-z][a-z-]+)")
"""An option whose two hyphens became a dash: who copies it gets an error."""
_IN_STYLES = re.compile(r"@import\s+[\"']([^\"']+)|url\(\s*[\"']?([^\"')]+)")


@dataclass
class Page(HTMLParser):
    """What a page loads, where it links to, and the anchors in it."""

    text: str
    loads: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    anchors: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        super().__init__()
        self.feed(self.text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        for name, value in attributes:
            if name in ("id", "name"):
                self.anchors.add(value or "")
            elif name in ("src", "poster", "srcset") or (tag, name) in _LOADED:
                self.loads.append((value or "").split()[0] if name == "srcset" else value or "")
            elif (tag, name) == ("a", "href"):
                self.links.append(value or "")
            elif name == "style":
                self.loads += of_styles(value or "")


def of_styles(text: str) -> list[str]:
    """What a style sheet loads."""
    return [one or other for one, other in _IN_STYLES.findall(text)]


def is_elsewhere(address: str) -> bool:
    parts = urlsplit(address)
    return bool(parts.netloc) or parts.scheme not in ("", "data", "file")


def problems_of(site: Path) -> tuple[list[str], set[str]]:
    """What is wrong with a site, a line each, and the addresses elsewhere that its pages link to."""
    pages = {path: Page(path.read_text(encoding="utf-8")) for path in sorted(site.rglob("*.html"))}
    loads = {path: page.loads for path, page in pages.items()}
    loads |= {path: of_styles(path.read_text(encoding="utf-8")) for path in sorted(site.rglob("*.css"))}
    problems = [
        f"{path.relative_to(site)}: {problem}"
        for path, addresses in loads.items()
        for address in addresses
        if (problem := f"loads {address}" if is_elsewhere(address) else broken(path, address, pages))
    ]
    links = [(path, link) for path, page in pages.items() for link in page.links]
    problems += [
        f"{path.relative_to(site)}: {dashed} for --"
        for path, page in pages.items()
        for dashed in _DASHED.findall(page.text)
    ]
    inside = [(path, link) for path, link in links if not is_elsewhere(link)]
    problems += [
        f"{path.relative_to(site)}: {problem}" for path, link in inside if (problem := broken(path, link, pages))
    ]
    return sorted(set(problems)), {link for _, link in links if is_elsewhere(link)}


def broken(page: Path, address: str, pages: dict[Path, Page]) -> str | None:
    """Why an address within the site leads nowhere, in words."""
    parts = urlsplit(address)
    if parts.scheme:
        return None
    target = (page.parent / unquote(parts.path)).resolve() if parts.path else page
    if not target.is_file():
        return f"no file for {address}"
    anchors = pages[target].anchors if target in pages else None
    if parts.fragment and anchors is not None and unquote(parts.fragment) not in anchors:
        return f"no anchor for {address}"
    return None


def in_browser(site: Path, program: str) -> Iterator[str]:
    """What goes wrong where a browser without network opens the front page and searches from it."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=program, args=["--no-sandbox"])
        page = chromium.new_context(offline=True).new_page()
        requests: list[str] = []
        page.on("request", lambda request: requests.append(request.url))
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto((site / "index.html").as_uri())
        page.wait_for_url("**/docs/index.html")
        page.fill("input[name=q]", "bootstrap")
        page.press("input[name=q]", "Enter")
        page.wait_for_selector("ul.search li a")
        chromium.close()
    yield from (f"in a browser: {error}" for error in errors)
    yield from (f"in a browser: asks for {url}" for url in requests if not url.startswith(("file:", "data:")))


def main() -> None:
    site = Path(sys.argv[1]).resolve()
    problems, elsewhere = problems_of(site)
    if program := shutil.which("chromium"):
        problems += in_browser(site, program)
    else:
        click.echo("There is no Chromium on this machine: the site was not opened in a browser.")
    (site / "links.txt").write_text("\n".join(sorted(elsewhere)) + "\n")
    for problem in problems:
        click.echo(problem)
    click.echo(f"{len(problems)} problems; {len(elsewhere)} links to other sites, not followed: {site}/links.txt")
    if problems:
        sys.exit(1)
    click.echo(f"Open {site}/index.html")


if __name__ == "__main__":
    main()
