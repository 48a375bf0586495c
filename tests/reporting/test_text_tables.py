from __future__ import annotations

import csv
import io

from leukobench.reporting.text_tables import comma_separated, latex, markdown

HEADS = ["classifier", "score"]
ROWS = [["svm_rbf", "97 % [90 to 99]"], ["a|b, \\c", "5 & 6"]]


def test_markdown_has_one_cell_where_a_name_holds_its_signs() -> None:
    lines = markdown(HEADS, ROWS).splitlines()
    assert lines[0] == "| classifier | score |"
    assert lines[2] == r"| svm\_rbf | 97 % \[90 to 99] |"
    assert lines[3] == r"| a\|b, \\c | 5 & 6 |"


def test_latex_is_a_booktabs_table_with_its_signs_escaped() -> None:
    lines = latex(HEADS, ROWS).splitlines()
    assert lines[:3] == [r"\begin{tabular}{ll}", r"\toprule", r"classifier & score \\"]
    assert lines[4] == r"svm\_rbf & 97 \% [90 to 99] \\"
    assert lines[5] == r"a|b, \textbackslash{}c & 5 \& 6 \\"
    assert lines[-2:] == [r"\bottomrule", r"\end{tabular}"]


def test_comma_separated_values_come_back() -> None:
    assert list(csv.reader(io.StringIO(comma_separated(HEADS, ROWS)))) == [HEADS, *ROWS]
