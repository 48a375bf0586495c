"""Weights of timm's networks: found, or downloaded from the hub, and put in their places."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ..errors import LeukobenchError, WeightsError
from ..storage import user_path
from .frameworks import package_version
from .hub import WEIGHTS, fetch
from .recipes import licence_of
from .timm_models import HUB, TimmModel, create
from .torch_file import read_tensors
from .weights import Weights, file_digests


def locate(model: TimmModel, weights: str | None = None) -> Weights:
    """Find the weights that were chosen; download those of the hub that are not there yet.

    Parameters
    ----------
    model : TimmModel
    weights : str, optional
        ``random``, ``random:SEED`` or a ``.safetensors`` file; by default those of timm or of the hub.

    Raises
    ------
    WeightsError
    """
    if match := re.fullmatch(r"random(?::(\d{1,9}))?", weights or ""):
        seed = int(match[1] or 0)
        made = f"random-torch{package_version('torch')}-timm{package_version('timm')}-seed{seed}"
        return Weights("random", None, made, f"RANDOM weights (seed {seed})", seed)
    if weights:
        path = user_path(weights).absolute()
        _check_file(path)
        return Weights("file", path, file_digests(path)[0], f"weights of the file {path.name}")
    repository = _repository(model)
    named = model.settings.get("hf_hub_filename")
    path = fetch(repository, [named] if named else WEIGHTS)
    licence = model.settings.get("license") or licence_of(repository)
    return Weights("hub", path, file_digests(path)[0], f"weights of {repository}, licence {licence}")


def _repository(model: TimmModel) -> str:
    if model.name.startswith(HUB):
        return model.name.removeprefix(HUB)
    if repository := model.settings.get("hf_hub_id"):
        return str(repository)
    raise WeightsError(
        f"timm has no weights for {model.name}.",
        expected="a name with a tag, as `timm.list_pretrained()` shows them",
        received=model.name,
        fix="name one of these, or choose `weights: FILE.safetensors` or `weights: random`.",
    )


def _check_file(path: Path) -> None:
    expected = "a .safetensors file, which holds numbers alone"
    if path.suffix != ".safetensors":
        raise WeightsError(
            "Weights of a network of timm are read from .safetensors alone: other files can run code.",
            expected=expected,
            received=str(path),
            fix="convert it once, as docs/extractors.md shows.",
        )
    if not path.is_file():
        raise WeightsError("The weights file does not exist.", expected=expected, received=str(path), fix="correct it.")


def build(model: TimmModel, weights: Weights) -> Any:
    """The network with its weights, without its classifier, as a module of PyTorch ready for images.

    Raises
    ------
    WeightsError
        The file is damaged, or belongs to another network.
    """
    import torch

    if weights.path is None:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(weights.seed)
            module = create(model)
    else:
        module = _load(model, weights.path)
    if getattr(module, "num_classes", 0):
        module.reset_classifier(0)
    return module.eval().requires_grad_(False)


def _load(model: TimmModel, path: Path) -> Any:
    """Every number of the file in its place, and every place filled: timm would leave others random, and not say so."""
    with _reading(model, path):
        state = None
        if path.suffix == ".safetensors":
            from safetensors import safe_open

            with safe_open(path, "np") as opened:
                shapes = {name: tuple(opened.get_slice(name).get_shape()) for name in opened.keys()}  # noqa: SIM118
        else:
            import torch

            state = {name: torch.from_numpy(values) for name, values in read_tensors(path).items()}
            shapes = {name: tuple(values.shape) for name, values in state.items()}
        classes = _classes(model, shapes)
        source = {"file": str(path)} if state is None else {"state_dict": state}
        dropped = ("source", "file", "state_dict", "url", "hf_hub_id", "hf_hub_filename", "label_offset")
        settings = {key: value for key, value in model.settings.items() if key not in dropped}
        settings |= {"num_classes": classes, "custom_load": False, **source}
        return create(model, pretrained=True, pretrained_cfg=settings, num_classes=classes)


def _classes(model: TimmModel, shapes: Mapping[str, tuple[int, ...]]) -> int:
    """How many classes the file's classifier has; 0 where it has none."""
    named = model.settings.get("classifier") or ()
    heads = (named,) if isinstance(named, str) else named
    return next((shapes[f"{head}.weight"][0] for head in heads if f"{head}.weight" in shapes), 0)


@contextlib.contextmanager
def _reading(model: TimmModel, path: Path) -> Iterator[None]:
    try:
        yield
    except LeukobenchError:
        raise
    except Exception as error:  # safetensors, PyTorch and timm raise many unrelated types on foreign files
        raise WeightsError(
            f"The weights in {path} are damaged or not those of {model.name}.",
            expected=f"all weights of {model.architecture}, and no others",
            received=f"{type(error).__name__}: {' '.join(str(error).split())[:300]}",
            fix=f"give the file of {model.name}, name the network that it belongs to, or correct `model_args`.",
        ) from error
