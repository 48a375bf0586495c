"""``python -m leukobench``."""

import sys

if not sys.flags.safe_path:
    sys.path.pop(0)  # the current folder, where `yaml.py` may be anybody's

from .cli import main

main()
