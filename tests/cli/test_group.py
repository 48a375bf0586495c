"""The group of commands: its help."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import psutil

from .calls import call


def test_help_names_every_command() -> None:
    code, said = call("--help")
    assert code == 0
    assert all(command in said for command in ("run", "audit", "leakage", "compare", "unseal", "list", "synthetic"))


def test_a_misspelt_command_is_refused_with_the_nearest() -> None:
    code, said = call("runn")
    assert code == 2
    assert "No such command 'runn'. Did you mean run or runs?" in said
    assert "Did you mean" not in call("zzzzzz")[1]


def test_modules_of_the_current_folder_are_not_imported(tmp_path: Path) -> None:
    """Here, and in the processes that work for a command."""
    for name in ("yaml", "joblib", "click"):
        (tmp_path / f"{name}.py").write_text(f"open({str(tmp_path / name)!r}, 'w')")
    code = (
        "import runpy, subprocess, sys; sys.argv = ['leukobench', 'list', 'presets']\n"
        "try: runpy.run_module('leukobench', run_name='__main__')\n"
        "finally:\n  subprocess.run([sys.executable, '-c', 'import yaml'])"
    )
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONSAFEPATH"}
    subprocess.run([sys.executable, "-c", code], check=True, cwd=tmp_path, env=environment, capture_output=True)
    assert not [path.name for path in tmp_path.iterdir() if path.is_file() and not path.suffix]


def test_a_signal_while_workers_are_ended_leaves_none_and_waits_for_none() -> None:
    """A command that has ended hears no more signals; nor do workers live on where something else interrupts."""
    code = """if True:
        import os, signal, sys
        from leukobench.cli import group, main
        from leukobench.processes.workers import Worker
        import click

        @click.command()
        def begin():
            workers = [Worker.take() for _ in range(2)]
            print(*(worker._process.pid for worker in workers), flush=True)

        def end(self):
            os.kill(os.getpid(), signal.SIGTERM)
            if RAISES:
                raise KeyboardInterrupt
            ended(self)

        ended, Worker.end = Worker.end, end
        group.COMMANDS._items["begin"] = begin
        sys.argv = ["leukobench", "begin"]
        main()
    """
    for raises in ("False", "True"):
        command = [sys.executable, "-P", "-c", code.replace("RAISES", raises)]
        output = subprocess.run(command, capture_output=True, text=True, timeout=20, check=True).stdout
        assert not any(psutil.pid_exists(int(pid)) for pid in output.split())
