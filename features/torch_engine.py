"""PyTorch for networks of timm: on a GPU, where there is no OpenVINO, or where a network cannot be converted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..errors import ConfigurationError
from ..networks.frameworks import short_version
from ..networks.graph_pooling import NAMES
from ..networks.network import ImageInput
from ..networks.openvino_graph import Cut
from ..networks.timm_conversion import FEATURES, VECTOR, with_features
from .batch_engine import BatchEngine


def gpu_usable() -> bool:
    """Whether PyTorch can compute on a GPU of this machine."""
    import torch

    return bool(torch.cuda.is_available())


class TorchEngine(BatchEngine):
    """A network of timm with its pooling.

    Parameters
    ----------
    module : torch.nn.Module
        From `leukobench.networks.timm_weights.build`.
    image_input : ImageInput
    cuts : sequence of Cut
        Of the outputs `VECTOR` and `FEATURES`.
    precision, threads
        As for `leukobench.features.engines.open_engine`.

    Attributes
    ----------
    poolings : tuple of str
        Of the cuts, the empty ones filled in.

    Raises
    ------
    ConfigurationError
        What the network gives cannot be pooled so.
    """

    family = "torch"

    def __init__(self, module: Any, image_input: ImageInput, cuts: Sequence[Cut], precision: str, threads: int) -> None:
        import torch

        device = "cuda" if gpu_usable() else "cpu"
        super().__init__(image_input.size, 64 if device == "cuda" else 8)
        torch.set_num_threads(threads)
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
        self.name = f"PyTorch {short_version('torch')} {precision}, {'GPU' if device == 'cuda' else 'CPU'}"
        self._prefix, self._cuts = int(getattr(module, "num_prefix_tokens", 0)), tuple(cuts)
        self._module = with_features(module).to(device, torch.bfloat16 if precision == "bfloat16" else torch.float32)
        values = image_input.preprocessing.mean, image_input.preprocessing.std
        self._mean, self._std = (torch.tensor(value, device=device) for value in values)
        parts = self._parts(np.zeros((1, *self._shape), np.uint8))
        self.poolings = tuple("+".join(pooling for pooling, _ in part) for part in parts)
        self.feature_names = tuple(
            f"{NAMES[pooling]}_{number:04d}" for part in parts for pooling, x in part for number in range(x.shape[1])
        )

    def _predict(self, batch: np.ndarray) -> np.ndarray:
        import torch

        vectors = torch.cat([x for part in self._parts(batch) for _, x in part], dim=1)
        return np.asarray(vectors.cpu().numpy(), np.float32)

    def _parts(self, batch: np.ndarray) -> list[list[tuple[str, Any]]]:
        """Of each cut, its poolings with their vectors (n, d), float32."""
        import torch

        with torch.inference_mode():
            pixels = torch.from_numpy(batch).to(self._mean.device, torch.float32)
            images = ((pixels - self._mean) / self._std).permute(0, 3, 1, 2)
            dtype = next(self._module.parameters()).dtype
            outputs = dict(zip((VECTOR, FEATURES), self._module(images.to(dtype)), strict=True))
            return [self._pool(outputs[cut.output].float(), cut.pooling) for cut in self._cuts]

    def _pool(self, x: Any, pooling: str) -> list[tuple[str, Any]]:
        default = {2: "none", 3: "cls", 4: "average"}.get(x.ndim, "")
        parts = [(part, self._part(x, part)) for part in (pooling or default).split("+")]
        if any(vectors is None for _, vectors in parts):
            raise ConfigurationError(
                "What the network gives cannot be pooled so.",
                expected="average or max for maps; average, max, cls or mean_patch for tokens",
                received=f"pooling {pooling or 'by the shape'}, shape {tuple(x.shape)}",
                fix="choose another `pooling`, or leave it out: the network's own.",
            )
        return parts

    def _part(self, x: Any, pooling: str) -> Any:
        """What one pooling makes of an output; None where it does not fit."""
        if pooling == "none":
            return x if x.ndim == 2 else None
        if x.ndim not in (3, 4) or (x.ndim == 4 and pooling in ("cls", "mean_patch")):
            return None
        if pooling == "cls":
            return x[:, 0] if self._prefix else None
        if pooling == "mean_patch":
            return x[:, self._prefix :].mean(dim=1)
        axes = (1,) if x.ndim == 3 else (1, 2) if x.shape[1] == x.shape[2] != x.shape[3] else (2, 3)
        return x.mean(dim=axes) if pooling == "average" else x.amax(dim=axes)

    def close(self) -> None:
        """Let go of the network's memory."""
        self._module = None
