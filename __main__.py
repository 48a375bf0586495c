"""``python -m leukobench``."""

from .cli import main

main()
