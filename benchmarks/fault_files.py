"""Bytes that change: every region of every kind of file, images and experiment files that nobody should send."""

from __future__ import annotations

import json
import random
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from fault_trials import Place, Row

from leukobench.errors import LeukobenchError

_SLOW_S = 2.0
_Reader = Callable[[], Any]
"""Gives what a file holds, or None, or raises a `LeukobenchError`, where it sees that the file is not as it was."""


def flips(place: Place, count: int, seed: int = 0) -> Row:
    """One bit in each of `count` regions of every kind of file that leukobench reads again."""
    chance, row = random.Random(seed), Row("flipped bits")
    place.expect()
    kinds = [*_kinds(place), *(_bundles(place) if count > 1 else ())]  # these take most of the time
    for kind, path, read in kinds:
        intact, expected = path.read_bytes(), read()
        for region in range(min(count, len(intact))):
            first, end = (len(intact) * number // count for number in (region, region + 1))
            place_of, bit = chance.randrange(first, max(end, first + 1)), chance.randrange(8)
            damaged = bytearray(intact)
            damaged[min(place_of, len(intact) - 1)] ^= 1 << bit
            path.write_bytes(damaged)
            faults, note = {"wrong_results": 0, "tracebacks": 0}, kind
            try:
                content = read()
                faults["wrong_results"] = int(content is not None and not _equal(content, expected))
            except LeukobenchError:
                pass
            except Exception as error:
                faults["tracebacks"], note = 1, f"{kind} ({type(error).__name__}: {error})"
            row.add(f"{note}: bit {bit} of byte {place_of} of {len(intact)}", **faults)
            for aside in path.parent.glob(f"{path.name}.damaged"):
                aside.unlink()
            path.write_bytes(intact)
    row.notes.append(f"{len(kinds)} kinds of files")
    return row


def _kinds(place: Place) -> Iterator[tuple[str, Path, _Reader]]:
    """Each kind of file, one of it, and what reads it."""
    from leukobench.audit import comparisons
    from leukobench.evaluation.records import RecordStore
    from leukobench.features.cache import FeatureCache
    from leukobench.networks.weights import file_digests
    from leukobench.reporting.run_view import load_results

    run, cache = place.results / "undisturbed", place.folder / "cache-undisturbed"
    record = min((run / "records").glob("*.parquet"))
    yield "record", record, lambda: RecordStore(run / "records").read(record.stem)
    part = min(path for path in cache.glob("features/*/part-*") if not path.parent.name.startswith("glance"))
    features = FeatureCache(cache / "features", _identity(part.parent))
    ids, target = sorted(features.image_ids()), place.folder / "filled.npy"

    def filled() -> Any:
        return None if features.fill(ids, target) else np.load(target)

    yield "features", part, filled
    kept = next((path for path in cache.glob("comparisons/*/part-*")), None)
    if kept:
        folder = kept.parent
        comparisons.kept_folder = lambda: folder
        yield "comparisons", kept, lambda: next((table.to_pydict() for table in comparisons._tables()), None)
    for name in ("leaderboard.csv", "answer.json", "experiment.yaml", "predictions.parquet", "images.parquet"):
        yield name, run / name, lambda name=name: _of_run(load_results(run), name)
    for name in ("folds.parquet", "scores.parquet", "comparisons.csv", "classes.csv"):
        yield name, run / name, lambda name=name: load_results(run).table(name)
    weights = place.folder / "weights.h5"
    weights.write_bytes(b"weights")
    file_digests(weights)
    from leukobench.storage import cache_folder

    note = min((cache_folder() / "digests").glob("*.json"))
    yield "digest of weights", note, lambda: file_digests(weights)
    yield from _checkpoints(place)


def _of_run(run: Any, name: str) -> Any:
    parts = {"leaderboard.csv": "leaderboard", "answer.json": "answer", "experiment.yaml": "experiment_file"}
    return getattr(run, parts.get(name, name.partition(".")[0]))


def _identity(folder: Path) -> dict[str, Any]:
    stored = json.loads((folder / "identity.json").read_text())
    return {key: value for key, value in stored.items() if key != "format"}


def _bundles(place: Place) -> Iterator[tuple[str, Path, _Reader]]:
    """The stored bundle of the first format, as one file and as a folder."""
    import leukobench

    source = Path(__file__).parent.parent / "tests" / "serving" / "bundle-format-1"
    packed, folder = place.folder / "bundle.zip", place.folder / "bundle"
    shutil.copy(source.with_suffix(".zip"), packed)
    shutil.unpack_archive(packed, folder)
    image = source.with_suffix(".jpg")

    def answer(path: Path) -> Any:
        (row,) = leukobench.load(path).predict([image])
        return row.label, sorted(row.probabilities.items())

    yield "bundle.zip", packed, lambda: answer(packed)
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            yield f"bundle/{path.name}", path, lambda: answer(folder)


def _checkpoints(place: Place) -> Iterator[tuple[str, Path, _Reader]]:
    from leukobench.classifiers.cnns.checkpoint import Checkpoint

    path = place.folder / "checkpoint.npz"
    Checkpoint(path, "one").save({"epoch": 3}, {"a": [np.arange(50.0)], "b": [np.ones((4, 4), np.float32)]})
    yield "checkpoint", path, Checkpoint(path, "one").load


def _equal(one: Any, other: Any) -> bool:
    if hasattr(one, "equals"):
        return bool(one.equals(other))
    if isinstance(one, np.ndarray):
        return bool(np.array_equal(one, other))
    return repr(one) == repr(other)


def hostile_images(place: Place, count: int, seed: int = 0) -> Row:
    """Random, truncated, oversized, misnamed files and polyglots, read as images are."""
    import sys

    from leukobench.errors import UnreadableImageError
    from leukobench.images.reading import read_image

    sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "app"))
    from hostile import hostile_files

    row, slowest = Row("hostile images"), 0.0
    path = place.folder / "hostile"
    good = min(place.images.rglob("*.jpg"))
    for name, data, whole in hostile_files(count, good, seed):
        path.write_bytes(data)
        begun, faults, note = time.process_time(), {}, name[:60]
        try:
            read_image(path)
            faults["wrong_results"] = int(not whole)
        except UnreadableImageError:
            faults["wrong_results"] = int(whole)
        except Exception as error:
            faults["tracebacks"], note = 1, f"{note} {type(error).__name__}: {error}"
        taken = time.process_time() - begun
        slowest, faults["not_resumed"] = max(slowest, taken), int(taken > _SLOW_S)
        row.add(f"{note!r}, {taken:.1f} s", **faults)
    row.notes.append(f"slowest {slowest:.2f} s")
    return row


def hostile_experiments(place: Place, count: int, seed: int = 0) -> Row:
    """Experiment files with changed, cut, repeated and foreign parts: understood, or refused in one message."""
    from leukobench.config.experiment_file import read_experiment

    chance, row, slowest = random.Random(seed), Row("hostile experiment files"), 0.0
    text = yaml.safe_dump({**place.experiment, "images": {"folder": str(place.images), "group": r"(P\d+)"}})
    path = place.folder / "hostile.yaml"
    for number in range(count):
        data = _changed(text, chance)
        path.write_bytes(data)
        begun, faults = time.process_time(), {"tracebacks": 0}
        try:
            read_experiment(path)
        except LeukobenchError:
            pass
        except Exception as error:
            faults["tracebacks"], data = 1, f"{type(error).__name__}: {error} {data[-200:]!r}".encode()
        taken = time.process_time() - begun
        slowest, faults["not_resumed"] = max(slowest, taken), int(taken > _SLOW_S)
        row.add(f"{number}: {taken:.1f} s {data[:300]!r}", **faults)
    row.notes.append(f"slowest {slowest:.2f} s")
    return row


_PIECES = (
    *("&a [*a, *a]", "!!python/object/apply:os.system [true]", "[" * 500, "{" * 300, "(" * 5000, ".inf", ".nan", "-1"),
    *("1e999", "0x7fffffffffffffff", "9" * 5000, "null", "true", "2026-01-01", "''", "\u202e", "a: b: c", "- - - -"),
    *("<<: *a", "!!binary aGk=", "!!set {a, b}", "? [a]\n: b", "|\n  x", "%YAML 9.9\n---", "(a+)+$", "\\", "[^]", "~"),
    *(
        "extractors: efficientnet_lite0",
        "evaluation: {folds: 1e9}",
        "images: [a, b]",
        "name: ../..",
        "results: /dev/null",
    ),
)


def _changed(text: str, chance: random.Random) -> bytes:
    """The file with one to four changes."""
    lines = text.splitlines()
    for _ in range(chance.randint(1, 4)):
        place, piece = chance.randrange(len(lines)), chance.choice(_PIECES)
        key = lines[place].partition(":")[0]
        change = chance.randrange(6)
        if change == 0:
            lines[place] = f"{key}: {piece}"
        elif change == 1:
            lines.insert(place, piece)
        elif change == 2:
            del lines[place : place + chance.randint(1, 3)]
            lines = lines or [""]
        elif change == 3:
            lines[place] = " " * chance.randrange(9) + lines[place] * chance.choice((1, 2, 1000))
        elif change == 4:
            lines[place] = f"{key}: {chance.choice(_PIECES)}{piece}"
        else:
            lines[place] = lines[place][: chance.randrange(len(lines[place]) + 1)]
    data = bytearray("\n".join(lines).encode("utf-8", "surrogatepass"))
    if chance.random() < 0.3 and data:
        data[chance.randrange(len(data))] = chance.randrange(256)
    return bytes(data)
