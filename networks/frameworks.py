"""Keras and OpenVINO, imported when first needed: quiet, without telemetry; errors say what to install."""

from __future__ import annotations

import contextlib
import ctypes
import importlib
import importlib.util
import json
import logging
import os
import re
import sys
import tempfile
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, files, version
from pathlib import Path
from typing import Any, cast

from ..errors import EngineError
from ..machine import has_gpu
from ..storage import user_path

_BACKENDS = ("tensorflow", "torch", "jax")
_TITLES = {"tensorflow": "TensorFlow", "jax": "JAX", "torch": "PyTorch"}
_NOISE = re.compile(rb"WARNING: All log messages before absl|I\d{4} ")
_OUT_OF_MEMORY = ("resource_exhausted", "resourceexhausted", "out of memory", "outofmemory")


def load_keras() -> Any:
    """Import Keras on its configured backend if that is installed, else on the first installed one.

    Returns
    -------
    module
        ``keras``.

    Raises
    ------
    EngineError
        Keras is absent, or all its backends.
    """
    if backend := configured_backend():
        os.environ.setdefault("KERAS_BACKEND", backend)
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")  # else JAX keeps a GPU to itself
    try:
        with contextlib.nullcontext() if "keras" in sys.modules else _quiet():
            import keras
    except ImportError as error:
        raise _absent("Keras cannot be imported", str(error)) from error
    return keras


def load_openvino() -> Any:
    """Import OpenVINO without its telemetry, which would report every import.

    Returns
    -------
    module
        ``openvino``.

    Raises
    ------
    EngineError
        OpenVINO is absent.
    """
    # OpenVINO falls back to a silent stand-in when this module cannot be imported.
    sys.modules.setdefault("openvino_telemetry", cast(Any, None))
    _load_newest_tbb()
    try:
        import openvino
    except ImportError as error:
        raise _absent("OpenVINO cannot be imported", str(error)) from error
    return openvino


def _load_newest_tbb() -> None:
    """Load oneDAL's threading library first: with OpenVINO's older one oneDAL cannot train forests."""
    with contextlib.suppress(PackageNotFoundError, OSError):
        for file in files("tbb") or []:
            if file.name == "libtbb.so.12":
                ctypes.CDLL(str(file.locate()), mode=ctypes.RTLD_GLOBAL)


def is_installed(package: str) -> bool:
    """Whether `package` can be imported, checked without importing it."""
    return package in sys.modules or importlib.util.find_spec(package) is not None


def keras_installed() -> bool:
    """Whether Keras and at least one of its backends can be imported, checked without importing them."""
    return is_installed("keras") and any(map(is_installed, _BACKENDS))


def configured_backend() -> str:
    """Backend that Keras is set to use, or the first installed one; empty if none is installed."""
    named = os.environ.get("KERAS_BACKEND")
    with contextlib.suppress(OSError, ValueError, AttributeError):
        named = named or json.loads((keras_folder() / "keras.json").read_text(encoding="utf-8")).get("backend")
    return next((backend for backend in (named or "tensorflow", *_BACKENDS) if is_installed(backend)), "")


def can_convert() -> bool:
    """Whether Keras can convert a network for OpenVINO, which cannot read what JAX exports."""
    return configured_backend() in {"tensorflow", "torch"}


def settle_keras(threads: int) -> None:
    """Limit the CPU threads of Keras, and switch off the shortened float32 (TF32) that GPUs use by default.

    TensorFlow is also set to take GPU memory as needed, so that several processes can share the GPU.
    """
    backend = load_keras().config.backend()
    framework = importlib.import_module(backend)
    if backend == "tensorflow":
        logging.getLogger("tensorflow").setLevel(logging.ERROR)  # it warns of networks that are traced anew
        framework.config.experimental.enable_tensor_float_32_execution(False)
        with contextlib.suppress(RuntimeError):
            for gpu in framework.config.list_physical_devices("GPU"):
                framework.config.experimental.set_memory_growth(gpu, True)
        # A TensorFlow that is running already keeps the threads that it began with.
        with contextlib.suppress(RuntimeError):
            framework.config.threading.set_intra_op_parallelism_threads(threads)
            framework.config.threading.set_inter_op_parallelism_threads(1)
    elif backend == "torch":
        framework.set_num_threads(threads)
        framework.backends.cuda.matmul.allow_tf32 = False
        framework.backends.cudnn.allow_tf32 = False
    elif backend == "jax":
        framework.config.update("jax_default_matmul_precision", "highest")


def out_of_memory(error: Exception) -> bool:
    """Whether an error of any backend says that memory ran out."""
    text = f"{type(error).__name__} {error}".lower()
    return isinstance(error, MemoryError) or any(sign in text for sign in _OUT_OF_MEMORY)


def package_version(package: str) -> str:
    """Version of an installed package, or an empty string."""
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def short_version(package: str) -> str:
    """First two numbers of an installed package's version, such as ``"3.15"``."""
    return ".".join(package_version(package).split(".")[:2])


def keras_title(keras: Any) -> str:
    """Names and versions of Keras and its backend, such as ``"Keras 3.15 on TensorFlow 2.21"``."""
    name = keras.config.backend()
    backend = ".".join(sys.modules[name].__version__.split(".")[:2])
    return f"Keras {short_version('keras')} on {_TITLES.get(name, name)} {backend}"


def device(keras: Any) -> str:
    """``"GPU"``, ``"TPU"`` or ``"CPU"``: what the backend of Keras computes on."""
    name = keras.config.backend()
    framework = importlib.import_module(name)
    if name == "jax":
        return "CPU" if framework.default_backend() == "cpu" else str(framework.default_backend()).upper()
    if name == "torch":
        return "GPU" if framework.cuda.is_available() or framework.backends.mps.is_available() else "CPU"
    return "GPU" if framework.config.list_physical_devices("GPU") else "CPU"


def gpu_usable() -> bool:
    """Whether Keras can compute on the machine's GPU; Keras is imported only if there is one."""
    return has_gpu() and keras_installed() and device(load_keras()) == "GPU"


def keras_folder() -> Path:
    """Folder where Keras keeps its configuration and weights: ``$KERAS_HOME``, else ``~/.keras``."""
    return user_path(os.environ.get("KERAS_HOME") or "~/.keras")


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Hold back the messages of TensorFlow's C++ while it is loaded, which no setting silences; pass on errors."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    stderr = os.dup(2)
    with tempfile.TemporaryFile() as captured:
        os.dup2(captured.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)
            captured.seek(0)
            for line in captured:
                if not _NOISE.match(line):
                    os.write(2, line)


def _absent(what: str, reason: str) -> EngineError:
    return EngineError(
        f"{what}: {reason}.",
        expected="Keras with TensorFlow, JAX or PyTorch, and OpenVINO where there is no GPU",
        fix="pip install leukobench[cpu], or leukobench[gpu] on a machine with a GPU.",
    )
