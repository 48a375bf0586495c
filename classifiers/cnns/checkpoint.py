"""Checkpoints: the full state of a training in one file, so that it can resume after its process was killed."""

from __future__ import annotations

import json
import logging
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ...storage import atomic_path

_log = logging.getLogger(__name__)

Arrays = list[np.ndarray]


@dataclass(frozen=True)
class Checkpoint:
    """Where a training saves its progress.

    Parameters
    ----------
    path : Path or None
        File; None saves nothing.
    identity : str
        Digest of network, parameters and data: the file of another training is ignored.
    """

    path: Path | None = None
    identity: str = ""

    def save(self, state: Mapping[str, Any], arrays: Mapping[str, Sequence[np.ndarray]]) -> None:
        """Replace the file by `state` (JSON-like) and groups of arrays.

        Raises
        ------
        StorageError
            It cannot be written.
        """
        if self.path is None:
            return
        header = {
            "identity": self.identity,
            "state": dict(state),
            "groups": {name: len(a) for name, a in arrays.items()},
        }
        named: dict[str, Any] = {
            f"{name}{place}": array for name, group in arrays.items() for place, array in enumerate(group)
        }
        with atomic_path(self.path) as temporary, temporary.open("wb") as stream:
            np.savez(stream, **named, header=np.frombuffer(json.dumps(header).encode(), np.uint8))

    def load(self) -> tuple[dict[str, Any], dict[str, Arrays]] | None:
        """State and arrays; None where there is no file of this training that can be read whole."""
        if self.path is None or not self.path.exists():
            return None
        try:
            with self.path.open("rb") as stream, np.load(stream, allow_pickle=False) as file:
                header = json.loads(bytes(file["header"]).decode())
                if header["identity"] != self.identity:
                    return None
                groups = {name: [file[f"{name}{k}"] for k in range(n)] for name, n in header["groups"].items()}
                return header["state"], groups
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            _log.warning("The checkpoint %s is damaged, so this training starts again: %s", self.path.name, error)
            return None
