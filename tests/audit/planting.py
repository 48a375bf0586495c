"""Pictures and their copies as files, and what the audit says of them."""

from __future__ import annotations

import hashlib
import io
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
from PIL import Image

from leukobench.audit.clusters import clusters_of
from leukobench.audit.copies import KINDS, find_copies
from leukobench.images.fingerprint import fingerprint
from leukobench.images.keypoints import KeypointFile, find_keypoints, grey_version
from leukobench.images.reading import decode

FILE, PIXELS, NEAR, ALIKE = KINDS


def written(pixels: np.ndarray, kind: str = "PNG", **settings: Any) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(buffer, kind, **settings)
    return buffer.getvalue()


def scaled(pixels: np.ndarray, factor: float) -> np.ndarray:
    size = (round(pixels.shape[1] * factor), round(pixels.shape[0] * factor))
    return np.array(Image.fromarray(pixels).resize(size, Image.Resampling.BICUBIC))


def sideways_with_exif(pixels: np.ndarray) -> bytes:
    exif = Image.Exif()
    exif[274] = 6
    return written(np.rot90(pixels), exif=exif)


def everything(pixels: np.ndarray) -> bytes:
    return written(scaled(np.ascontiguousarray(np.rot90(pixels)[:, ::-1]), 0.5), "JPEG", quality=60)


COPIES: dict[str, tuple[str, Callable[[np.ndarray], bytes]]] = {
    "PNG": (PIXELS, written),
    "BMP": (PIXELS, lambda p: written(p, "BMP")),
    "turned 90": (PIXELS, lambda p: written(np.rot90(p))),
    "turned 180": (PIXELS, lambda p: written(np.rot90(p, 2))),
    "turned 270": (PIXELS, lambda p: written(np.rot90(p, 3))),
    "mirrored": (PIXELS, lambda p: written(p[:, ::-1])),
    "upside down": (PIXELS, lambda p: written(p[::-1])),
    "transposed": (PIXELS, lambda p: written(p.transpose(1, 0, 2))),
    "EXIF orientation": (PIXELS, sideways_with_exif),
    "half size": (NEAR, lambda p: written(scaled(p, 0.5))),
    "x1.7": (NEAR, lambda p: written(scaled(p, 1.7))),
    "JPEG 60": (NEAR, lambda p: written(p, "JPEG", quality=60)),
    "JPEG 30": (NEAR, lambda p: written(p, "JPEG", quality=30)),
    "brighter by 5 %": (NEAR, lambda p: written(np.clip(p * 1.05, 0, 255).astype(np.uint8))),
    "turned, mirrored, half, JPEG 60": (NEAR, everything),
}


def moved(
    pixels: np.ndarray, turn: float = 0, zoom: float = 1, shift: tuple[float, float] = (0, 0), edge: int = 0
) -> np.ndarray:
    """Turned (degrees), zoomed and shifted (shares of the sides) within the frame, as augmentation does."""
    height, width = pixels.shape[:2]
    matrix = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), turn, zoom)
    matrix[:, 2] += [shift[0] * width, shift[1] * height]
    return cv2.warpAffine(np.ascontiguousarray(pixels), matrix, (width, height), flags=cv2.INTER_CUBIC, borderMode=edge)


def lit(pixels: np.ndarray, factor: float) -> np.ndarray:
    return np.clip(pixels * factor, 0, 255).astype(np.uint8)


def middle(pixels: np.ndarray, share: float) -> np.ndarray:
    height, width = (round(side * share) for side in pixels.shape[:2])
    top, left = ((side - part) // 3 for side, part in zip(pixels.shape, (height, width), strict=False))
    return pixels[top : top + height, left : left + width]


def augmented(pixels: np.ndarray) -> bytes:
    """Flipped, turned, zoomed, shifted, lit and recompressed by chance."""
    rng = np.random.default_rng(int(pixels.sum()))
    flipped = pixels[:: rng.choice([1, -1]), :: rng.choice([1, -1])]
    shift = tuple(rng.uniform(-0.1, 0.1, 2))
    changed = moved(flipped, rng.uniform(-25, 25), rng.uniform(0.85, 1.2), shift, rng.choice(EDGES))
    return written(lit(changed, rng.uniform(0.75, 1.1)), "JPEG", quality=int(rng.integers(60, 96)))


EDGES = (cv2.BORDER_CONSTANT, cv2.BORDER_REPLICATE, cv2.BORDER_REFLECT)
MOVED: dict[str, Callable[[np.ndarray], bytes]] = {
    "turned 17": lambda p: written(moved(p, turn=17)),
    "darker by 30 %": lambda p: written(lit(p, 0.7)),
    "brighter by 10 %": lambda p: written(lit(p, 1.1)),
    "crop 80 %": lambda p: written(middle(p, 0.8)),
    "crop 80 %, scaled back": lambda p: written(scaled(middle(p, 0.8), 1.25)),
    "shift 20 %": lambda p: written(moved(p, shift=(0.2, 0), edge=cv2.BORDER_REPLICATE)),
    "shift 20 %, black": lambda p: written(moved(p, shift=(-0.1, 0.2))),
    "zoom 0.7": lambda p: written(moved(p, zoom=0.7, edge=cv2.BORDER_REFLECT)),
    "zoom 0.7, black": lambda p: written(moved(p, zoom=0.7)),
    "zoom 1.4": lambda p: written(moved(p, zoom=1.4)),
    "stretch 1.2 x 1": lambda p: written(np.array(Image.fromarray(p).resize((round(1.2 * p.shape[1]), p.shape[0])))),
    "augmentation chain": augmented,
    "two augmentation chains": lambda p: augmented(decode(augmented(p))),
}
"""Near-duplicates that show another part of the image, or the same part at another place, zoom or light."""


def listed(folder: Path, files: Mapping[str, bytes], labels: Mapping[str, str] | None = None) -> pd.DataFrame:
    """Write files, and list them as an index does."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for name, data in files.items():
        (folder / name).write_bytes(data)
        rows.append((hashlib.sha256(data).hexdigest(), (labels or {}).get(name, "a"), "", str(folder / name)))
    return pd.DataFrame(rows, columns=["image_id", "label", "patient", "path"], dtype="str")


def prints_of(images: pd.DataFrame) -> np.ndarray:
    """Fingerprint of each file."""
    pixels = [decode(Path(path).read_bytes()) for path in images["path"]]
    numbers = [fingerprint(image, find_keypoints(grey_version(image))) for image in pixels]
    return np.array(numbers, np.float32).reshape(len(pixels), -1)


def found(images: pd.DataFrame, fingerprints: np.ndarray, **settings: Any) -> pd.DataFrame:
    """Copies, with keypoints that are found anew."""
    with tempfile.TemporaryDirectory() as folder, KeypointFile(Path(folder)) as keypoints:
        return find_copies(images, fingerprints, keypoints, **settings)


def compared(images: pd.DataFrame) -> pd.DataFrame:
    return found(images, prints_of(images))


def together(copies: pd.DataFrame, images: pd.DataFrame) -> set[frozenset[str]]:
    """Names of the files of each cluster."""
    names = images["path"].map(lambda path: Path(path).name)
    keys = pd.Series(clusters_of(copies[copies["kind"] != ALIKE], images), index=names)
    return {frozenset(members.index) for key, members in keys.groupby(keys) if key}
