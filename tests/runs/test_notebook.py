from __future__ import annotations

from leukobench.runs.notebook import block


def test_names_cannot_be_markup() -> None:
    html = block("<b>run</b>", ["a < b", "<script>"], "<table></table>")
    assert html == ("<div><h4>&lt;b&gt;run&lt;/b&gt;</h4><p>a &lt; b</p><p>&lt;script&gt;</p><table></table></div>")
