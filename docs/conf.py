"""How the documentation is built: ``make docs``. Nothing is fetched, neither here nor by a reader's browser.

The site has the Markdown of the whole repository, so that links lead to the same places as they do in a checkout.
"""

from __future__ import annotations

import re
from pathlib import Path

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx

import leukobench

ROOT = Path(__file__).resolve().parents[1]

project, author, release = "leukobench", "leukobench developers", leukobench.__version__
project_copyright = author
root_doc = "docs/index"
include_patterns = ["*.md", "docs/**.md", "docs/*.ipynb", "results/reference/**.md"]
exclude_patterns = [".*", "build", "dist", "shared"]
extensions = ["myst_nb", "sphinx.ext.autodoc", "numpydoc"]
nb_execution_mode = "off"  # a test executes notebooks
myst_heading_anchors = 4
nitpicky = True
highlight_language = "none"
smartquotes = False  # options begin with two hyphens, which a reader copies
default_role = "literal"
autodoc_typehints = "none"  # the docstrings have them
autodoc_member_order = "bysource"
numpydoc_show_class_members = False

html_theme, html_title = "furo", "leukobench"
html_extra_path = ["front"]
html_static_path = html_css_files = ["site.css"]
html_show_sphinx = html_copy_source = False
html_show_search_summary = False  # it would fetch whole pages, which a browser refuses where they lie on a disk

_SECTION = re.compile(r"^## (.+)\n((?:(?!## ).*\n)*)", re.MULTILINE)
_PAGE = re.compile(r"\[([^\]]+)\]\(([^):#]+)\.(?:md|ipynb)\)")


def add_menu(app: Sphinx, docname: str, source: list[str]) -> None:
    """The menu at the side: the pages that each section of the index lists, and under a README those beside it."""
    if docname == root_doc:
        for title, text in _SECTION.findall(source[0]):
            pages = "\n".join(f"{words[:1].upper()}{words[1:]} <{page}>" for words, page in _PAGE.findall(text))
            source[0] += f"\n```{{toctree}}\n:hidden:\n:caption: {title}\n{pages}\n```\n"
    elif docname.endswith("/README") and len(list((ROOT / docname).parent.glob("*.md"))) > 1:
        source[0] += "\n```{toctree}\n:hidden:\n:glob:\n*\n```\n"


def follow_folders(app: Sphinx, document: nodes.document) -> None:
    """A link to a folder leads to its page README where it has one; else it is no link here, but shows the path."""
    for link in list(document.findall(pending_xref)):
        target = (ROOT / app.env.docname).parent.joinpath(link["reftarget"]).resolve()
        if link["reftype"] != "myst" or link["refdomain"] == "doc" or not target.is_dir():
            continue
        path = str(target.relative_to(ROOT))
        if (target / "README.md").exists():
            link.attributes.update(refdomain="doc", reftarget=f"{path}/README", reftargetid=None)
        else:
            words = [] if link.astext().strip("/") in path else [*link.children, nodes.Text(": ")]
            link.replace_self([*words, nodes.literal(text=f"{path}/")])


def setup(app: Sphinx) -> None:
    """Called by Sphinx."""
    app.connect("source-read", add_menu)
    app.connect("doctree-read", follow_folders)
