"""Answers: which images a command names, and predictions as lines on a screen or as a file."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import ConfigurationError, ImagesError, UnreadableImageError
from ..images.files import find_files
from ..images.groups import compile_group
from ..storage import atomic_path, write_text
from .prediction import GroupPrediction, Prediction, Predictions

if TYPE_CHECKING:
    from .bundle import Bundle
    from .explanation import Explanation

_LISTED = 50
_ENDINGS = (".csv", ".json", ".parquet")


def images_of(paths: Sequence[Path]) -> tuple[dict[Path, str], int]:
    """Files that are named, and all images below folders that are named; and how many files there are no images.

    Returns
    -------
    images : dict of Path to str
        Each path, and the part of it in which a patient is looked for: below the folder that was named, as in a run.
    others : int

    Raises
    ------
    ImagesError
        A path is not there, or nothing is left.
    """
    found: dict[Path, str] = {}
    others = 0
    for path in paths:
        if path.is_dir():
            files = find_files(path)
            found |= {path / name: name for name in files.images}
            others += len(files.refused)
        elif path.exists():
            found[path] = path.as_posix()
        else:
            raise ImagesError("There is no such image.", expected="a file or a folder", received=str(path))
    if not found:
        raise ImagesError("There are no images to answer for.", received=f"{others} files that are none")
    return found, others


def groups_of(names: Iterable[str], group: str | None) -> list[str] | None:
    """What the regular expression `group` finds in each name ('' where it finds nothing); None without one."""
    if group is None:
        return None
    expression = compile_group(group)
    part = "patient" if "patient" in expression.groupindex else 1
    matches = [expression.search(name) for name in names]
    return [match[part] or "" if match else "" for match in matches]


def check_out(out: Path | None, bundle: Path) -> None:
    """Refuse, before any work, a file that `write` could not write, or should not."""
    if out is not None and out.suffix.lower() not in _ENDINGS:
        raise ConfigurationError(
            "The ending of the file does not say what to write.", expected=", ".join(_ENDINGS), received=str(out)
        )
    if out is not None and bundle.resolve() in (out.resolve(), *out.resolve().parents):
        raise ConfigurationError("Answers do not go into the bundle, which they would damage.", received=str(out))


def write(predictions: Predictions, out: Path) -> list[Path]:
    """Write the predictions as the ending says; patients go to a file beside it (JSON holds both)."""
    if out.suffix.lower() == ".json":
        write_text(out, json.dumps(predictions.to_json(), indent=2, allow_nan=False))
        return [out]
    tables = {out: predictions.table()}
    if predictions.patients():
        tables[out.with_name(f"{out.stem}.patients{out.suffix}")] = predictions.patient_table()
    for target, table in tables.items():
        with atomic_path(target) as temporary:
            (table.to_parquet if out.suffix.lower() == ".parquet" else table.to_csv)(temporary, index=False)
    return list(tables)


def lines(predictions: Predictions) -> Iterator[str]:
    """What a terminal shows: a line an image where they are few, then patients, then a summary."""
    if len(predictions) <= _LISTED:
        yield from map(_line, predictions)
    for patient in predictions.patients():
        yield _patient(patient)
    counts = Counter(row.label for row in predictions if row.label)
    unlike, known = sum(row.ood for row in predictions), sum(row.trained_on for row in predictions)
    unread = sum(bool(row.error) for row in predictions)
    said = [f"{len(predictions):,} images", *(f"{name} {counts[name]:,}" for name in predictions.classes)]
    said += [f"{unlike:,} unlike the training data"] if unlike else []
    said += [f"{known:,} that were trained on"] if known else []
    said += [f"{unread:,} that could not be read"] if unread else []
    yield "; ".join(said)
    yield "Research use only: not a medical device."


def closing_lines(others: int, written: Sequence[Path]) -> list[str]:
    """Files that are no images, and where the output is."""
    skipped = [f"Files that are no images: {others:,}"] if others else []
    return skipped + [f"In {path}" for path in written]


def _line(row: Prediction) -> str:
    name = _visible(row.image)
    if row.error:
        return f"{name}: NOT READ: {_visible(row.error)}"
    remarks = ["UNLIKE THE TRAINING DATA"] * row.ood + ["was trained on"] * row.trained_on
    sure = f"{row.label} {100 * row.probabilities[str(row.label)]:.1f} %"
    return "; ".join([f"{name}: {sure}", f"set {{{', '.join(row.conformal_set)}}}", *remarks])


def _visible(text: str) -> str:
    """`text`, its control characters as escapes: a name must not move the cursor of a terminal."""
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in text)


def _patient(one: GroupPrediction) -> str:
    if one.label is None:
        return f"patient {_visible(one.group)}: no image could be read"
    votes = ", ".join(f"{name} {count}" for name, count in one.votes.items())
    remarks = [f"{one.unreadable} not read"] * bool(one.unreadable) + [f"{one.ood} unlike"] * bool(one.ood)
    sure = f"{one.label} {100 * one.probabilities[one.label]:.1f} %"
    return "; ".join([f"patient {_visible(one.group)}: {sure} (mean of {one.images} images; votes: {votes})", *remarks])


def explain_to(
    out: Path, bundle: Bundle, images: Sequence[Path], level: float, method: str, progress: Any
) -> tuple[list[str], int]:
    """Write an overlay of each image and ``explanations.json`` into the folder `out`.

    Returns
    -------
    lines : list of str
        A line an image, for a screen.
    refused : int
        Images that could not be read.
    """
    told: list[dict[str, Any]] = []
    shown: list[str] = []
    with progress("explaining", len(images)) as advance:
        for path in images:
            try:
                found = bundle.explain(path, level=level, method=method)
            except UnreadableImageError as error:
                told.append(Prediction(str(path), error=error.what).to_json())
                shown.append(_line(Prediction(str(path), error=error.what)))
            else:
                picture = f"{path.stem}-{found.prediction.image_id[:8]}.png"
                with atomic_path(out / picture) as temporary:
                    temporary.write_bytes(found.overlay())
                told.append(found.to_json() | {"overlay": picture})
                shown.append(_explained(found, picture))
            advance(1)
    write_text(out / "explanations.json", json.dumps(told, indent=2, allow_nan=False))
    return shown, sum("method" not in one for one in told)


def _explained(found: Explanation, picture: str) -> str:
    agree = [one.name for one in found.shortcuts if one.agrees]
    words = f"{' and '.join(agree)} alone say the same" if agree else "no shortcut says the same"
    near = ", ".join(one.label for one in found.neighbours)
    return f"{_line(found.prediction)}; against {found.against} ({found.method}): {picture}; {words}; nearest: {near}"
