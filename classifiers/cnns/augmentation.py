"""Augmentation: training images as they might also have been taken. Test images are never touched."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

_STAINS = np.array([[0.65, 0.70, 0.29], [0.07, 0.99, 0.11], [0.27, 0.57, 0.78]])
"""Optical density of haematoxylin, eosin and a third stain in red, green and blue (Ruifrok and Johnston)."""


@dataclass(frozen=True)
class Augmentation:
    """How training images are varied, each one anew in each epoch.

    Parameters
    ----------
    flips, rotations : bool
        Mirror; turn by 0, 90, 180 or 270 degrees (where images are square): a smear has no upside.
    shift : float
        Part of height and width by which an image moves at most; its edge is repeated.
    brightness : float
        Pixels are multiplied by 1 plus or minus this at most.
    stain : float
        The density of each stain is multiplied by 1 plus or minus this at most, and moved by a tenth of it.

    References
    ----------
    D. Tellez et al., Whole-Slide Mitosis Detection in H&E Breast Histology Using PHH3 as a Reference to Train Distilled
    Stain-Invariant Convolutional Networks, IEEE TMI 37, 2018; A. C. Ruifrok and D. A. Johnston, Quantification of
    histochemical staining by color deconvolution, Anal. Quant. Cytol. Histol. 23, 2001.
    """

    flips: bool = True
    rotations: bool = True
    shift: float = 0.05
    brightness: float = 0.1
    stain: float = 0.05

    @classmethod
    def of(cls, said: bool | Mapping[str, Any]) -> Augmentation | None:
        """What a parameter `augment` says: the defaults, nothing, or some of the numbers.

        Raises
        ------
        ValueError
            A name is unknown, or a number lies outside 0 to 1.
        """
        if isinstance(said, bool):
            return cls() if said else None
        known = [field.name for field in fields(cls)]
        unknown = [name for name in said if name not in known]
        if unknown:
            raise ValueError(f"augment: unknown {', '.join(unknown)}; known: {', '.join(known)}")
        for name in said.keys() & {"flips", "rotations"}:
            if said[name] not in (True, False):
                raise ValueError(f"augment: {name} must be true or false, received {said[name]!r}")
        for name in said.keys() & {"shift", "brightness", "stain"}:
            if isinstance(said[name], bool) or not isinstance(said[name], int | float) or not 0 <= said[name] < 1:
                raise ValueError(f"augment: {name} must be at least 0 and below 1, received {said[name]!r}")
        return cls(**said)

    def __call__(self, images: NDArray[np.float32], generator: np.random.Generator) -> NDArray[np.float32]:
        """Varied images.

        Parameters
        ----------
        images : ndarray of float32, shape (n, H, W, 3)
            0 to 255; overwritten.
        generator : numpy.random.Generator
        """
        for position in range(len(images)):
            images[position] = self._moved(images[position], generator)
        if self.stain:
            images = self._stained(images, generator)
        if self.brightness:
            images *= self._factors(self.brightness, (len(images), 1, 1, 1), generator)
        return np.clip(images, 0, 255, out=images)

    def _moved(self, image: NDArray[np.float32], generator: np.random.Generator) -> NDArray[np.float32]:
        height, width = image.shape[:2]
        if self.rotations:
            turns = int(generator.integers(4))
            image = np.rot90(image, turns if height == width else turns // 2 * 2)
        if self.flips and generator.integers(2):
            image = image[:, ::-1]
        if self.shift:
            down, right = (round(size * generator.uniform(-self.shift, self.shift)) for size in (height, width))
            rows, columns = (
                np.clip(np.arange(size) + by, 0, size - 1) for size, by in ((height, down), (width, right))
            )
            image = image[rows[:, None], columns]
        return image

    def _stained(self, images: NDArray[np.float32], generator: np.random.Generator) -> NDArray[np.float32]:
        count = len(images)
        factors = self._factors(self.stain, (count, 3), generator)
        moved = generator.uniform(-self.stain / 10, self.stain / 10, (count, 3)) @ _STAINS
        mixing = np.einsum("ij,nj,jk->nik", np.linalg.inv(_STAINS), factors, _STAINS).astype(np.float32)
        density = -np.log((images.reshape(count, -1, 3) + 1) / np.float32(256))
        density = density @ mixing + moved.astype(np.float32)[:, None]
        return (256 * np.exp(-density) - 1).reshape(images.shape)

    @staticmethod
    def _factors(amount: float, shape: tuple[int, ...], generator: np.random.Generator) -> NDArray[np.float32]:
        return (1 + generator.uniform(-amount, amount, shape)).astype(np.float32)
