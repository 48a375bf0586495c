"""``python -m leukobench``."""

from leukobench.cli import main

main()
