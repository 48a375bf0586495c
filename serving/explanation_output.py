"""Explanations as overlays, as JSON and as lines on a screen."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..errors import UnreadableImageError, visible
from ..images.candidates import printable
from ..images.files import check_output
from ..machine import Progress
from ..storage import atomic_path, file_name, mark_output, write_text
from .bundle import Bundle
from .explanation import Explanation
from .image_input import name_of
from .output import prediction_line
from .prediction import Prediction


def write_explanations(
    out: Path, bundle: Bundle, images: Sequence[Path], level: float, method: str, progress: Progress
) -> tuple[list[str], list[dict[str, Any]]]:
    """Write an overlay of each image and ``explanations.json`` into the folder `out`.

    Returns
    -------
    lines : list of str
        A line an image, for a screen.
    entries : list of dict
        As in the file, one an image; without the key "method" where it could not be read.

    Raises
    ------
    StorageError
        The folder holds other images already, or cannot be written.
    """
    check_output(out)
    mark_output(out)
    entries: list[dict[str, Any]] = []
    lines: list[str] = []
    with progress("explaining", len(images)) as advance:
        for path in images:
            try:
                explanation = bundle.explain(path, level=level, method=method)
            except UnreadableImageError as error:
                entries.append(Prediction(name_of(path), error=error.what).to_json())
                lines.append(prediction_line(Prediction(name_of(path), error=error.what)))
            else:
                picture = file_name(visible(printable(path.stem)), f"-{explanation.prediction.image_id[:8]}.png")
                with atomic_path(out / picture) as temporary:
                    temporary.write_bytes(explanation.overlay_with_legend())
                entries.append(explanation.to_json() | {"overlay": picture})
                lines.append(_line(explanation, picture))
            advance(1)
    write_text(out / "explanations.json", json.dumps(entries, indent=2, allow_nan=False))
    return lines, entries


def _line(explanation: Explanation, picture: str) -> str:
    agree = [one.name for one in explanation.shortcuts if one.agrees]
    words = f"the same class by {' and '.join(agree)} alone" if agree else "no shortcut gives the same class"
    near = ", ".join(one.label for one in explanation.neighbours)
    against = f"against {explanation.against} ({explanation.method}): {picture}"
    return f"{prediction_line(explanation.prediction)}; {visible(f'{against}; {words}; nearest: {near}')}"
