"""Augmentation: realistic variations of the training images. Test images are never changed."""

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
    """How training images are varied, differently in each epoch.

    Parameters
    ----------
    flips, rotations : bool
        Mirror; turn by 0, 90, 180 or 270 degrees (if images are square): a smear has no top or bottom.
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
    def of(cls, setting: bool | Mapping[str, Any]) -> Augmentation | None:
        """Read the parameter `augment`: true (the defaults), false (None), or a mapping of some values.

        Raises
        ------
        ValueError
            A name is unknown, or a number lies outside 0 to 1.
        """
        if isinstance(setting, bool):
            return cls() if setting else None
        names = [field.name for field in fields(cls)]
        unknown = [name for name in setting if name not in names]
        if unknown:
            raise ValueError(f"augment: unknown {', '.join(unknown)}; expected: {', '.join(names)}")
        for name in setting.keys() & {"flips", "rotations"}:
            if setting[name] not in (True, False):
                raise ValueError(f"augment: {name} must be true or false, received {setting[name]!r}")
        for name in setting.keys() & {"shift", "brightness", "stain"}:
            value = setting[name]
            if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1:
                raise ValueError(f"augment: {name} must be at least 0 and below 1, received {value!r}")
        return cls(**setting)

    def __call__(self, images: NDArray[np.float32], generator: np.random.Generator) -> NDArray[np.float32]:
        """Vary images.

        Parameters
        ----------
        images : ndarray of float32, shape (n, H, W, 3)
            0 to 255; overwritten.
        generator : numpy.random.Generator
        """
        for position in range(len(images)):
            images[position] = self._move(images[position], generator)
        if self.stain:
            images = self._restain(images, generator)
        if self.brightness:
            images *= self._factors(self.brightness, (len(images), 1, 1, 1), generator)
        return np.clip(images, 0, 255, out=images)

    def _move(self, image: NDArray[np.float32], generator: np.random.Generator) -> NDArray[np.float32]:
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

    def _restain(self, images: NDArray[np.float32], generator: np.random.Generator) -> NDArray[np.float32]:
        count = len(images)
        factors = self._factors(self.stain, (count, 3), generator)
        offset = generator.uniform(-self.stain / 10, self.stain / 10, (count, 3)) @ _STAINS
        mixing = np.einsum("ij,nj,jk->nik", np.linalg.inv(_STAINS), factors, _STAINS).astype(np.float32)
        density = -np.log((images.reshape(count, -1, 3) + 1) / np.float32(256))
        density = density @ mixing + offset.astype(np.float32)[:, None]
        return (256 * np.exp(-density) - 1).reshape(images.shape)

    @staticmethod
    def _factors(amount: float, shape: tuple[int, ...], generator: np.random.Generator) -> NDArray[np.float32]:
        return (1 + generator.uniform(-amount, amount, shape)).astype(np.float32)
