"""The group of commands: its help."""

from __future__ import annotations

from .calls import call


def test_help_names_every_command() -> None:
    code, said = call("--help")
    assert code == 0
    assert all(command in said for command in ("run", "audit", "leakage", "compare", "unseal", "list", "synthetic"))
