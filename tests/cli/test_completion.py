"""``leukobench completion``: what a shell runs, and what it is offered."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from leukobench.config.presets import presets

from .calls import call, call_apart

RUN = [sys.executable, "-c", "import sys; sys.argv[0] = 'leukobench'; from leukobench.cli import main; main()"]


def offered(*words: str) -> list[str]:
    """What bash is offered for the last of these words."""
    asking = {"_LEUKOBENCH_COMPLETE": "bash_complete", "COMP_WORDS": " ".join(words), "COMP_CWORD": str(len(words) - 1)}
    answer = subprocess.run(RUN, env={**os.environ, **asking}, capture_output=True, text=True, check=True)
    return [line.partition(",")[2] for line in answer.stdout.splitlines()]


def test_commands_options_and_names_are_offered() -> None:
    assert offered("leukobench", "le") == ["leakage", "learning-curve"]
    assert offered("leukobench", "run", "--pre") == ["--preset"]
    assert offered("leukobench", "run", "--preset", "cnmc") == [name for name in presets() if name.startswith("cnmc")]
    assert {"selectors", "presets"} <= set(offered("leukobench", "list", ""))
    assert offered("leukobench", "datasets", "zh") == ["zheng-1", "zheng-2"]
    assert offered("leukobench", "audit", "--layout", "cnm") == ["cnmc", "cnmc_challenge", "cnmc_preliminary"]


def test_finished_runs_are_offered_and_else_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("first", "second"):
        (tmp_path / "results" / name).mkdir(parents=True)
    (tmp_path / "results" / "second" / "answer.json").touch()
    monkeypatch.chdir(tmp_path)
    assert offered("leukobench", "fit", "") == ["results/second"]
    assert offered("leukobench", "compare", "results/second", "results/s") == ["results/second"]
    assert offered("leukobench", "fit", "elsewhere/") == ["elsewhere/"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_of_each_shell_names_the_command(shell: str) -> None:
    code, text, errors = call_apart("completion", shell)
    assert (code, errors) == (0, "")
    assert f"_LEUKOBENCH_COMPLETE={shell}_complete" in text
    assert json.loads(call_apart("completion", shell, "--json")[1])["script"].strip() == text.strip()


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
def test_bash_takes_the_script_as_it_is_printed(tmp_path: Path) -> None:
    (tmp_path / "completion.sh").write_text(call_apart("completion", "bash")[1])
    command = ["bash", "-c", f"source {tmp_path / 'completion.sh'} && complete -p leukobench"]
    defined = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "_leukobench_completion" in defined.stdout


def test_another_shell_is_refused() -> None:
    code, text = call("completion", "tcsh")
    assert code == 2
    assert "'bash', 'zsh', 'fish'" in text
