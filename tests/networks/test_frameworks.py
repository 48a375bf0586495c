"""Keras and OpenVINO are found, chosen and imported without noise."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from leukobench import machine
from leukobench.errors import EngineError
from leukobench.networks import frameworks


def fresh(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, **environment}
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=env, check=False)


@pytest.mark.slow
def test_importing_is_silent_and_without_telemetry(tmp_path):
    code = (
        "import sys; from leukobench.networks.frameworks import load_keras, load_openvino;"
        "load_keras(); load_openvino(); import openvino.tools.ovc.telemetry_utils as used; print(used.tm.__name__)"
    )
    said = fresh(code, HOME=str(tmp_path))
    assert said.stdout.strip() == "openvino.tools.ovc.telemetry_stub"
    assert said.stderr == ""
    assert not (tmp_path / "intel").exists()


def test_what_an_import_says_of_an_error_is_passed_on(capfd):
    with frameworks._quiet():
        os.write(2, b"I0000 00:00:1 port.cc:153] all is well\nE0000 00:00:1 all is lost\n")
    assert capfd.readouterr().err == "E0000 00:00:1 all is lost\n"


@pytest.mark.parametrize(
    ("named", "present", "chosen"),
    [
        ("", {"tensorflow", "torch", "jax"}, "tensorflow"),
        ("", {"torch", "jax"}, "torch"),
        ("jax", {"tensorflow", "jax"}, "jax"),
        ("", set(), ""),
    ],
)
def test_the_backend(monkeypatch, tmp_path, named, present, chosen):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setenv("KERAS_BACKEND", named)
    monkeypatch.setattr(frameworks, "is_installed", present.__contains__)
    assert frameworks.configured_backend() == chosen
    assert frameworks.can_convert() == (chosen in {"tensorflow", "torch"})


def test_the_backend_of_the_configuration_file(monkeypatch, tmp_path):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    monkeypatch.setattr(frameworks, "is_installed", {"tensorflow", "torch"}.__contains__)
    (tmp_path / "keras.json").write_text('{"backend": "torch"}')
    assert frameworks.configured_backend() == "torch"
    (tmp_path / "keras.json").write_text("damaged")
    assert frameworks.configured_backend() == "tensorflow"


@pytest.mark.parametrize(("module", "load"), [("keras", "load_keras"), ("openvino", "load_openvino")])
def test_an_absent_framework_says_what_to_install(monkeypatch, module, load):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(EngineError, match=r"pip install leukobench\[cpu\]"):
        getattr(frameworks, load)()


@pytest.mark.parametrize(
    ("visible", "shown", "device", "usable"),
    [(None, True, "GPU", True), (None, True, "CPU", False), ("-1", True, "GPU", False), (None, False, "GPU", False)],
)
def test_a_gpu_counts_if_it_is_shown_and_usable(monkeypatch, visible, shown, device, usable):
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if visible:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    monkeypatch.setattr(machine.shutil, "which", lambda name: "/bin/nvidia-smi" if shown else None)
    monkeypatch.setattr(machine, "_GPU_FILES", ())
    monkeypatch.setattr(frameworks, "device", lambda keras: device)
    assert frameworks.gpu_usable() is usable
