"""The oldest versions that setup.cfg allows, as constraints for pip: ``python .ci/lowest.py setup.cfg``."""

import configparser
import re
import sys

config = configparser.ConfigParser()
config.read(sys.argv[1])
for line in config["options"]["install_requires"].splitlines():
    if found := re.fullmatch(r"([\w.-]+)>=([\w.]+)", line.strip()):
        print(f"{found[1]}=={found[2]}")  # noqa: T201
