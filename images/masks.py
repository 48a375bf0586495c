"""Masks: pictures of places in others, such as segmentations. They often lie beside the images, and are none."""

from __future__ import annotations

import glob
import itertools
import posixpath
import re
import shlex
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..errors import ImagesError, UnreadableImageError
from .files import FileList
from .reading import read_resized

_WORDS = (
    r"(masks?|gts?|ground[-_ ]?truths?|segmentations?|segm?s?|annotations?|annots?|labels?|contours?|trimaps?|"
    r"super-?pixels?|heat-?maps?|grad-?cam|overlays?)"
)
_SUFFIX = re.compile(rf"[-_ .]+{_WORDS}([-_ ]?\d+)?$", re.IGNORECASE)
_PREFIX = re.compile(rf"{_WORDS}[-_ .]+", re.IGNORECASE)
_FIRST_WORD, _LAST_WORD = re.compile(r"[^\W\d_]+([-_ .]*(?=\d)|[-_ .]+|$)"), re.compile(r"[-_ .]*[^\W\d_]+$")
_LETTER = re.compile(r"[^\W\d_]")
_FOLDER = re.compile(rf"(.*[-_ ])?{_WORDS}([-_ ].*)?", re.IGNORECASE)
_FLAT = 0.95
"""Share of the four most frequent colours (16 levels each) from which a picture is flat (docs/decisions/023)."""
_SAMPLED, _SIDE, _SIBLINGS, _LEVELS = 5, 64, 20, 3
_LONGEST_ADDITION, _WORDS_OF_ONE = 24, 8

Addition = tuple[str, str]
"""What stands before and behind a name."""


@dataclass(frozen=True)
class Masks:
    """Files that look like masks of others.

    Attributes
    ----------
    paths : list of str
    beside : str
        The picture that the first of them belongs to.
    patterns : list of str
        That match them, and nothing else as far as possible.
    reason : str
        What shows it, in words.
    folder : str
        Name of the folder that holds them, where that shows it.
    """

    paths: list[str]
    beside: str
    patterns: list[str]
    reason: str
    folder: str = ""


def check_masks(files: FileList, classes: Collection[str] = ()) -> list[str]:
    """Refuse masks among the images.

    Parameters
    ----------
    files : FileList
    classes : collection of str
        Names of folders that the user called classes: they are none of masks.

    Returns
    -------
    list of str
        Sentences on names that occur twice where neither file looks like a mask.

    Raises
    ------
    ImagesError
        Names or pixels show that some images are masks of others; the message has the option that leaves them out.
    """
    twins = _twins(files.images)
    masks = [*_by_word(files.images), *_by_folder(files, classes)]
    masks = masks or [*_by_twins(files, twins), *_by_addition(files)] or list(_by_other_word(files))
    if masks:
        count, first = sum(len(one.paths) for one in masks), masks[0]
        patterns = list(dict.fromkeys(pattern for one in masks for pattern in one.patterns))
        options = " ".join(f"--exclude-files {shlex.quote(pattern)}" for pattern in patterns)
        folder = next((one.folder for one in masks if one.folder), "")
        others = f"name --layout class if {folder} is a class; " if folder else ""
        raise ImagesError(
            f"{count:,} of {len(files.images):,} images look like masks of others: {first.reason}.",
            expected="images without their masks",
            received=f"{first.paths[0]} beside {first.beside}",
            fix=f"leave them out with {options} (exclude_files in an experiment file); {others}or list the images in "
            "a manifest.",
        )
    return list(_remarks(twins))


def _by_word(paths: Sequence[str]) -> Iterator[Masks]:
    """Such as ``1_mask.png`` or ``mask_1.png`` beside ``1.png``."""
    stems = {_stem(path): path for path in paths}
    masks, beside, patterns = [], "", set()
    for stem, path in stems.items():
        folder, slash, name = stem.rpartition("/")
        suffix, prefix = _SUFFIX.search(stem), _PREFIX.match(name)
        if suffix and (picture := stems.get(stem[: suffix.start()])):
            patterns.add(_pattern(path, "", suffix[0]))
        elif prefix and (picture := stems.get(f"{folder}{slash}{name[prefix.end() :]}")):
            patterns.add(_pattern(path, prefix[0], ""))
        else:
            continue
        masks.append(path)
        beside = beside or picture
    if masks:
        if len(patterns) > _SAMPLED:
            patterns = {re.sub(r"\d+(?=\.\*$)", "*", pattern) for pattern in patterns}
        yield Masks(masks, beside, sorted(patterns), "their names say so")


def _by_addition(files: FileList) -> Iterator[Masks]:
    """Such as ``1-d.bmp``, ``1Mask.png`` or ``bin1.png`` beside ``1.bmp``: one word more, and hardly any colours."""
    stems = {_stem(path): path for path in files.images}
    names = {stem.rpartition("/")[2] for stem in stems}
    shortest = min(map(len, names), default=0)
    pairs: dict[Addition, list[tuple[str, str]]] = {}
    for stem, path in stems.items():
        folder, slash, name = stem.rpartition("/")
        for base, addition in _additions(name, names, shortest):
            if picture := stems.get(f"{folder}{slash}{base}"):
                pairs.setdefault(addition, []).append((path, picture))
    yield from _flat_kinds(pairs.items(), files.folder)


def _by_other_word(files: FileList) -> Iterator[Masks]:
    """Such as ``lab_1.png`` beside ``img_1.png``: two words for one number, and one kind has hardly any colours."""
    kinds: dict[str, dict[Addition, str]] = {}
    for path in files.images:
        for bare, addition in _without_word(_stem(path)):
            kinds.setdefault(bare, {})[addition] = path
    pairs: dict[tuple[Addition, Addition], list[tuple[str, str]]] = {}
    for paths in kinds.values():
        for one, other in itertools.permutations(paths, 2) if len(paths) <= _WORDS_OF_ONE else ():
            if one != ("", ""):
                pairs.setdefault((one, other), []).append((paths[one], paths[other]))
    yield from _flat_kinds(((addition, beside) for (addition, _), beside in pairs.items()), files.folder)


def _flat_kinds(kinds: Iterable[tuple[Addition, Sequence[tuple[str, str]]]], folder: Path) -> Iterator[Masks]:
    for addition, beside in kinds:
        if len(beside) > 1 and _are_flat(beside, folder):
            pattern = _pattern(beside[0][0], *addition)
            yield Masks(
                [path for path, _ in beside], beside[0][1], [pattern], f"those like {pattern} hold hardly any colours"
            )


def _without_word(stem: str) -> Iterator[tuple[str, Addition]]:
    """The path without the word that its name begins with, and that it ends with, as in ``mask_1`` and ``1_bw``."""
    folder, slash, name = stem.rpartition("/")
    yield stem, ("", "")
    if word := _FIRST_WORD.match(name):
        yield folder + slash + name[word.end() :], (word[0], "") if word.end() < len(name) else ("", name)
    if (word := _LAST_WORD.search(name)) and word.start():
        yield folder + slash + name[: word.start()], ("", word[0])


def _additions(name: str, names: Collection[str], shortest: int) -> Iterator[tuple[str, Addition]]:
    """Each of `names` that the name begins or ends with, and what stands before and behind it: a word, no number."""
    for length in range(1, min(len(name) - shortest, _LONGEST_ADDITION) + 1):
        if (base := name[:-length]) in names and _LETTER.search(name, len(base)):
            yield base, ("", name[-length:])
        if (base := name[length:]) in names and _LETTER.search(name[:length]):
            yield base, (name[:length], "")


def _pattern(path: str, before: str, behind: str) -> str:
    """Pattern of the paths of files that are called like this one."""
    if behind:
        return f"*{glob.escape(behind)}.*"
    return f"{'*/' if '/' in path else ''}{glob.escape(before)}*"


def _by_folder(files: FileList, classes: Collection[str]) -> Iterator[Masks]:
    """Such as ``masks/1.png`` beside ``images/1.jpg``, or a folder of flat pictures whose names another one has too."""
    for prefix, folders in _siblings(files.images).items():
        named = {name for name in folders if says_mask(name)}
        pictures = {
            stem: path for name in folders if named and name not in named for stem, path in folders[name].items()
        }
        for name in sorted(set(folders) - {"", *classes}):
            if name in named:
                pairs = [(path, pictures[stem]) for stem, path in folders[name].items() if stem in pictures]
                shown = f"the folder {name} is called so, and its files are called like the pictures"
                if pictures and 2 * len(pairs) <= len(folders[name]):
                    pairs = [(path, next(iter(pictures.values()))) for path in folders[name].values()]
                    pairs = pairs if _are_flat(pairs, files.folder) else []
                    shown = f"the folder {name} is called so, and its files hold hardly any colours"
            else:
                pairs = _pairs(folders, name) if len(folders) <= _SIBLINGS else []
                pairs = pairs if _are_flat(pairs, files.folder) else []
                shown = f"the files in {name} are called like other images, and hold hardly any colours"
            if 2 * len(pairs) > len(folders[name]):
                pattern = f"{'*/' if prefix else ''}{glob.escape(name)}/*"
                yield Masks(list(folders[name].values()), pairs[0][1], [pattern], shown, "" if prefix else name)


def _pairs(folders: dict[str, dict[str, str]], name: str) -> list[tuple[str, str]]:
    """Paths in the folder `name`, each with one of the same stem in another folder."""
    others = {stem: path for other in folders if other != name for stem, path in folders[other].items()}
    return [(path, others[stem]) for stem, path in folders[name].items() if stem in others]


def _siblings(paths: Sequence[str]) -> dict[str, dict[str, dict[str, str]]]:
    """Path of a folder -> names of the folders in it, '' for itself -> stems below each -> a path."""
    siblings: dict[str, dict[str, dict[str, str]]] = {}
    for path in paths:
        prefix, rest = "", _SUFFIX.sub("", _stem(path))
        for _ in range(_LEVELS):
            name, slash, inside = rest.partition("/")
            folders = siblings.setdefault(prefix, {})
            if not slash:
                folders.setdefault("", {})[rest] = path
                break
            folders.setdefault(name, {})[inside] = path
            prefix, rest = f"{prefix}/{name}" if prefix else name, inside
    return {prefix: folders for prefix, folders in siblings.items() if len(folders) > 1}


def _by_twins(files: FileList, twins: list[dict[str, str]]) -> Iterator[Masks]:
    """Such as ``1.png`` beside ``1.bmp``, where one is flat and the other is not."""
    kinds = sorted({suffix for pair in twins for suffix in pair})
    for kind in kinds:
        pairs = [(pair[kind], path) for pair in twins if kind in pair for other, path in pair.items() if other != kind]
        if _are_flat(pairs, files.folder):
            masks = list(dict.fromkeys(path for path, _ in pairs))
            alone = sum(path.endswith(kind) for path in files.images) == len(masks)
            folders = sorted({path.rpartition("/")[0] for path in masks})
            patterns = [f"*{kind}"] if alone else [f"{glob.escape(folder)}/*{kind}" for folder in folders]
            yield Masks(masks, pairs[0][1], patterns, f"the {kind} files hold hardly any colours")


def _twins(paths: Sequence[str]) -> list[dict[str, str]]:
    """Extension -> path, for each path that occurs with more than one."""
    kinds: dict[str, dict[str, str]] = {}
    for path in paths:
        stem, suffix = posixpath.splitext(path)
        kinds.setdefault(stem, {})[suffix] = path
    return [pair for pair in kinds.values() if len(pair) > 1]


def _are_flat(pairs: Sequence[tuple[str, str]], folder: Path) -> bool:
    """Whether the first of each pair has few colours, and the second has not; a few pairs are looked at."""
    if not pairs:
        return False
    sample = pairs[:: max(1, len(pairs) // _SAMPLED)][:_SAMPLED]
    flat = []
    for path, picture in sample:
        share, colours = _flatness(folder / path)
        if share < _FLAT:
            return False
        flat.append(colours > 1 and _flatness(folder / picture)[0] < _FLAT)
    return 2 * sum(flat) > len(flat)


def _flatness(path: Path) -> tuple[float, int]:
    """Share of the four most frequent colours, and number of colours."""
    try:
        pixels = read_resized(path, (_SIDE, _SIDE), "nearest")
    except UnreadableImageError:
        return 0.0, 0
    _, counts = np.unique(pixels.reshape(-1, 3) >> 4, axis=0, return_counts=True)
    return float(np.sort(counts)[-4:].sum() / counts.sum()), len(counts)


def _remarks(twins: list[dict[str, str]]) -> Iterator[str]:
    if twins:
        first = sorted(twins[0].values())
        names = "names occur" if len(twins) > 1 else "name occurs"
        yield (
            f"{len(twins):,} {names} with two extensions in one folder, such as {first[0]} and {first[1]}. "
            "Both are used; --exclude-files leaves out versions of one image."
        )


def says_mask(name: str) -> bool:
    """Whether a folder of this name probably holds masks, annotations or the like."""
    return _FOLDER.fullmatch(name) is not None


def _stem(path: str) -> str:
    return posixpath.splitext(path)[0]
