"""Pictures and their copies as files, and what the audit says of them."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

from leukobench.audit.clusters import clusters_of
from leukobench.audit.copies import KINDS, find_copies
from leukobench.images.fingerprint import fingerprint
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
    found = [fingerprint(decode(Path(path).read_bytes())) for path in images["path"]]
    return np.array(found, np.float32).reshape(-1, 768)


def compared(images: pd.DataFrame) -> pd.DataFrame:
    return find_copies(images, prints_of(images))


def together(copies: pd.DataFrame, images: pd.DataFrame) -> set[frozenset[str]]:
    """Names of the files of each cluster."""
    names = images["path"].map(lambda path: Path(path).name)
    keys = pd.Series(clusters_of(copies[copies["kind"] != ALIKE], images), index=names)
    return {frozenset(members.index) for key, members in keys.groupby(keys) if key}
