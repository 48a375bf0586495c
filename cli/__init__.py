"""The command line: one file per command, loaded when it is called. ``COMMANDS`` names them."""

from __future__ import annotations

from .group import cli, main

__all__ = ["cli", "main"]
