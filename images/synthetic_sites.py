"""Sites of synthetic smears: each has a scanner of its own, and may see mostly patients of one class."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageFilter

_CAST = 0.025
"""By how much a scanner's colours lean to one hue."""
_AWAY = 2
"""So many patients of each class are at other sites at least: the class has to be learnt there."""
_BLUR, _NOISE = 0.2, 3.0
"""Of the scanner with most of it: radius in pixels, and standard deviation in grey levels."""


@dataclass(frozen=True)
class Sites:
    """Sites at which smears are taken.

    Attributes
    ----------
    count : int
    confound : float
        Share of each class's patients that are at the sites of that class, 0 to 1; the others, two patients at least,
        are spread over the other sites. With 0 every site has as many patients of every class.
    """

    count: int
    confound: float = 0.0

    def of_patient(self, patient: int, classes: int, patients: int) -> int:
        """Number of the patient's site, from 0; patient ``p`` has the class ``p % classes``."""
        label, place = patient % classes, patient // classes
        own = self._own(label, classes)
        others = [site for site in range(self.count) if site not in own]
        if not self.confound:
            return place % self.count
        size = len(range(label, patients, classes))
        away = max(round((1 - self.confound) * size), _AWAY)
        return others[(place + label) % len(others)] if place < away else own[place % len(own)]

    def _own(self, label: int, classes: int) -> list[int]:
        """The sites of a class; of two classes one site where there are fewer sites than classes."""
        if self.count < classes:
            return [label * self.count // classes]
        return [site for site in range(self.count) if site * classes // self.count == label]


@dataclass(frozen=True)
class Scanner:
    """How one site's images look.

    Attributes
    ----------
    gains : tuple of float
        Factors of red, green and blue.
    blur : float
        Radius, pixels.
    noise : float
        Standard deviation, grey levels.
    """

    gains: tuple[float, float, float]
    blur: float
    noise: float

    @classmethod
    def of(cls, site: int, sites: int, seed: int) -> Scanner:
        """The scanner of one of so many sites.

        Hues are spread evenly. Each blur goes with each noise, so that no site alone has the most or the least of both:
        what the others teach need not be extrapolated.
        """
        rng = np.random.default_rng([seed, 2])
        hue, place = (int(rng.permutation(sites)[site]) for _ in range(2))
        angle = 2 * np.pi * (hue + rng.uniform()) / sites
        levels = math.isqrt(sites - 1) + 1
        blur, noise = divmod(place, levels)
        red, green, blue = 1 + _CAST * np.cos(angle + 2 * np.pi * np.arange(3) / 3)
        most = max(levels - 1, 1)
        return cls((float(red), float(green), float(blue)), _BLUR * blur / most, _NOISE * noise / most)

    def scan(self, pixels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """What becomes of pixels, uint8 of shape (H, W, 3)."""
        image = Image.fromarray(pixels)
        blurred = np.asarray(image.filter(ImageFilter.GaussianBlur(self.blur)) if self.blur else image, np.float32)
        noisy = blurred * np.array(self.gains, np.float32) + rng.normal(0, self.noise, pixels.shape)
        return np.clip(np.rint(noisy), 0, 255).astype(np.uint8)
