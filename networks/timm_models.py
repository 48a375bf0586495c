"""Networks of timm by name: what they are and what they take."""

from __future__ import annotations

import difflib
import functools
import importlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..errors import ConfigurationError, EngineError, LeukobenchError, UnknownNameError
from .frameworks import is_installed, package_version
from .hub import WAYS_OUT, address, fetch
from .network import ImageInput, Preprocessing

PREFIX, HUB = "timm:", "hf-hub:"
_REPOSITORY = re.compile(r"[\w.\-]+/[\w.\-]+(@[\w.\-/]+)?", re.ASCII)
_LAYERS = ("timm.layers", "torch.nn")
_OURS = {
    *("pretrained", "pretrained_cfg", "pretrained_cfg_overlay", "pretrained_model_args", "checkpoint_path"),
    *("cache_dir", "scriptable", "exportable", "no_jit", "features_only", "in_chans", "device", "dtype"),
}


@dataclass(frozen=True)
class TimmModel:
    """A network of timm, without weights.

    Attributes
    ----------
    name : str
        As timm calls it, without the prefix.
    architecture : str
    arguments : dict
        Of the architecture, JSON-like: layers are names such as ``timm.layers.SwiGLUPacked``.
    settings : dict
        Of its weights, as timm has them: where they lie, their preprocessing, their licence.
    image_input : ImageInput
    """

    name: str
    architecture: str
    arguments: Mapping[str, Any]
    settings: Mapping[str, Any] = field(repr=False)
    image_input: ImageInput

    def identity(self) -> dict[str, Any]:
        """What the numbers depend on, beside weights and input."""
        return {"architecture": self.architecture, "arguments": dict(self.arguments)}


def load_timm() -> Any:
    """Import timm.

    Raises
    ------
    EngineError
        It is absent.
    """
    if not is_installed("timm") or not is_installed("torch"):
        raise EngineError(
            "Networks of timm need timm and PyTorch, which are not installed.",
            expected="the packages timm and torch",
            fix="pip install 'leukobench[torch]' (gigabytes), or compute the vectors elsewhere: " + WAYS_OUT,
        )
    return importlib.import_module("timm")


def check_name(name: str) -> None:
    """Refuse what timm does not know, before anything is downloaded.

    Parameters
    ----------
    name : str
        Without the prefix ``timm:``.

    Raises
    ------
    EngineError, UnknownNameError
    """
    if name.startswith(HUB):
        if not _REPOSITORY.fullmatch(name.removeprefix(HUB)):
            raise _unknown(name, "timm:hf-hub:OWNER/NAME, or with @REVISION", "correct the name.")
        load_timm()
        return
    timm = load_timm()
    known = dict.fromkeys([*timm.list_models(), *timm.list_pretrained()])
    if name not in known:
        nearest = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
        names = " or ".join(PREFIX + one for one in nearest)
        fix = f"did you mean {names}?" if names else "see timm.list_pretrained()."
        raise _unknown(name, f"one of the {len(known):,} names that timm {package_version('timm')} has", fix)


def describe(name: str, size: int | None = None, arguments: Mapping[str, Any] | None = None) -> TimmModel:
    """What timm says of a network; of one of the hub a small file is fetched for it.

    Parameters
    ----------
    name : str
        Without the prefix ``timm:``.
    size : int, optional
        Height and width of its input; those of timm by default.
    arguments : mapping, optional
        Of the architecture, beside those that the hub's file names.

    Raises
    ------
    ConfigurationError, EngineError, WeightsError
        There is no such network, or it does not take these.
    """
    check_name(name)
    timm = load_timm()
    arguments = dict(arguments or {})
    if name.startswith(HUB):
        architecture, settings, named = _of_hub(name.removeprefix(HUB))
        arguments = {**named, **arguments}
    else:
        architecture = name.partition(".")[0]
        known = timm.get_pretrained_cfg(name)
        settings = known.to_dict() if known else {}
    _check_arguments(arguments)
    arguments.pop("num_classes", None)
    if size and (settings.get("fixed_input_size") or "img_size" in arguments):
        arguments["img_size"] = size
    side = size or arguments.get("img_size")
    shape = {"input_size": (3, *side) if isinstance(side, list) else (3, side, side)} if side else {}
    data = timm.data.resolve_data_config(shape, pretrained_cfg=settings)
    model = TimmModel(name, architecture, arguments, settings, _image_input(name, data))
    _try_out(model)
    return model


def _check_arguments(arguments: Mapping[str, Any]) -> None:
    """Refuse what belongs to the building of a network, such as files to be loaded, not to its architecture."""
    if refused := sorted(_OURS & arguments.keys()):
        raise ConfigurationError(
            f"`model_args` cannot hold {', '.join(refused)}.",
            expected="arguments of the architecture, such as img_size, reg_tokens or mlp_layer",
            received=", ".join(f"{key}: {arguments[key]!r}"[:100] for key in refused),
            fix="leave them out; weights are named by `weights`.",
        )


def _of_hub(repository: str) -> tuple[str, dict[str, Any], dict[str, Any]]:
    """Architecture, settings and arguments, as timm writes them into a repository's ``config.json``."""
    path = fetch(repository, ["config.json"])
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
        settings = dict(facts.get("pretrained_cfg", facts))
        return str(facts["architecture"]), settings, dict(facts.get("model_args") or {})
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ConfigurationError(
            f"The repository {repository} is none of timm's: its config.json names no architecture.",
            expected="a network that was pushed by timm",
            received=f"{address(repository)}: {type(error).__name__}: {error}",
            fix="name a network of timm's list, or export this one as ONNX.",
        ) from error


def _image_input(name: str, data: Mapping[str, Any]) -> ImageInput:
    """What timm does before a network: scale, cut out the middle, normalise."""
    channels, height, width = data["input_size"]
    crop: float | None = float(data["crop_pct"])
    if data["crop_mode"] == "squash" and crop == 1:
        crop = None
    elif data["crop_mode"] != "center" or channels != 3:
        raise ConfigurationError(
            f"The preprocessing of {name} is none that leukobench has.",
            expected="three channels, and crop_mode center, or squash with crop_pct 1",
            received=f"{channels} channels, crop_mode {data['crop_mode']}, crop_pct {crop}",
            fix="export the network as ONNX, and name its preprocessing there.",
        )
    mean, std = (tuple(255.0 * float(value) for value in data[key]) for key in ("mean", "std"))
    return ImageInput((height, width), Preprocessing(mean, std), "nchw", data["interpolation"], crop)  # type: ignore[arg-type]


def _try_out(model: TimmModel) -> None:
    """Build the network without memory for its weights: whether it takes its arguments, and images of this size."""
    import torch

    try:
        with torch.device("meta"), torch.inference_mode():
            create(model)(torch.zeros(1, 3, *model.image_input.size))
    except LeukobenchError:
        raise
    except Exception as error:  # whatever an architecture raises on arguments that it does not know
        raise ConfigurationError(
            f"timm cannot build {model.name}.",
            expected="arguments of this architecture under `model_args`, and an `input` that it can have",
            received=f"{dict(model.arguments)}: {type(error).__name__}: {str(error)[:300]}",
            fix="correct them; docs/extractors.md has those of well-known networks.",
        ) from error


def create(model: TimmModel, **others: Any) -> Any:
    """The network as a module of PyTorch that does not train; `others` go to ``timm.create_model``.

    Raises
    ------
    ConfigurationError
        It does not take its arguments.
    """
    arguments = {key: _layer(value) if key.endswith("_layer") else value for key, value in model.arguments.items()}
    return load_timm().create_model(model.architecture, **arguments, **others).eval()


def _layer(value: Any) -> Any:
    """A class of layers by its name; nothing else that a dotted name could stand for."""
    module, _, name = str(value).rpartition(".")
    if not isinstance(value, str) or not module:
        return value
    import torch

    layer = getattr(importlib.import_module(module), name, None) if module in _LAYERS else None
    base = layer.func if isinstance(layer, functools.partial) else layer
    if not (isinstance(base, type) and issubclass(base, torch.nn.Module)):
        raise ConfigurationError(
            "A layer of `model_args` is none.",
            expected=f"a class of {' or '.join(_LAYERS)}, such as timm.layers.SwiGLUPacked",
            received=value[:100],
            fix="correct it.",
        )
    return layer


def _unknown(name: str, expected: str, fix: str) -> UnknownNameError:
    return UnknownNameError(
        f"There is no network called '{PREFIX}{name[:100]}'.", expected=expected, received=PREFIX + name[:100], fix=fix
    )
