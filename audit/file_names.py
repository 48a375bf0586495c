"""File names: what they betray of originals and patients, as advice; nothing is grouped by names unasked."""

from __future__ import annotations

import re
import shlex
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

_SEPARATOR = r"[ _.\-]+"
_CHANGES = (
    r"aug(?:ment(?:ed|ation)?)?|(?:h|v)?flip(?:ped|lr|ud|h|v)?|mirror(?:ed)?|rot(?:at(?:e|ed|ion))?|transpos(?:e|ed)|"
    r"crop(?:ped)?|shift(?:ed)?|transl(?:at(?:e|ed|ion))?|zoom(?:ed)?|scal(?:e|ed)|resiz(?:e|ed)|shear(?:ed)?|"
    r"stretch(?:ed)?|elastic|warp(?:ed)?|bright(?:er|ened|ness)?|dark(?:er|ened)?|contrast|gamma|hue|sat(?:uration)?|"
    r"jitter|colou?rjitter|nois[ey]|gauss(?:ian)?|salt|blur(?:red)?|sharp(?:en|ened)?|clahe|equali[sz]ed?|dup(?:licate)?|"
    r"\d++ ?(?:deg(?:rees)?|°)"
)
"""What augmentation writes into names."""
_CHANGE = re.compile(rf"(?:{_CHANGES})\d*", re.IGNORECASE)
_COPY = r"copy|kopie|copie|copia|kopia"
_SIDE = r"(?:h|v|hor(?:izontal(?:ly)?)?|vert(?:ical(?:ly)?)?|lr|ud|left|right|up|down|cw|ccw|x|y)"
_NUMBER = r"[-+]?\d++(?:[.,]\d++)?+(?:deg|px|°|%)?+"
_CHANGED = rf"(?:{_CHANGES})(?:[ _.\-]*{_SIDE}(?![a-z]))?(?:[ _.]*{_NUMBER})?+(?:[ _.]+{_NUMBER})*+"
_ENDING = re.compile(
    rf"{_SEPARATOR}{_CHANGED}(?![a-z])|[_.](?:jpe?g|png|bmp|tiff?|webp)\.rf\.\w{{16,}}"
    rf"| ?\((?:{_COPY})(?: \d+)?\)| - (?:{_COPY})(?: ?\(\d+\))?|[ _-](?:{_COPY})(?:[ _]?\d+)?(?![a-z])",
    re.IGNORECASE,
)
_ENDINGS = re.compile(rf"(?:{_ENDING.pattern})+$", re.IGNORECASE)
_BEGINNINGS = tuple(
    re.compile(rf"^(?:{_CHANGES}){number}{_SEPARATOR}|^(?:{_COPY})(?: ?\(\d+\))? (?:of|von|de|di) ", re.IGNORECASE)
    for number in (r"\d*", rf"[ _.]*{_NUMBER}")
)
"""With a number close to the word, as in ``rot90_``; or apart, as in ``aug_3_``: it may belong to the original."""
_MOST_ENDINGS = 8
"""So many are named one by one."""

_PEOPLE = ("patient", "pat", "pt", "subject", "subj", "sub", "case", "person", "participant", "donor", "mouse")
_PATIENTS = (
    r"UID_(H?\d+)_",
    r"(TCGA-\w{2}-\w{4})",
    r"SOB_[A-Z]_[A-Z]+-(\d+-[0-9A-Z]+)-",
    r"(?:^|/)(C\d+P\d+)",
    *(rf"(?i)(?:^|[/_ .-])({word}[ _-]?[a-z]?\d+)[/_ .-]" for word in _PEOPLE),
    *(rf"(?:^|/)({letter}\d+)[/_-]" for letter in "PS"),
    r"(?:^|/)((?!(?:19|20)\d{6}_)\d{6,})_\d{1,4}\.",
)
"""How known data sets, and people, write the patient into a name; its group is the patient."""
_PARTS = (
    r"(?:^|/)([^/]+?)[ _-]+(?:idx\d+[ _-]+)?x\d+[ _-]+y\d+[^/]*$",
    r"(?i)(?:^|/)([^/]*\d[^/]*?)[ _-]+(?:tile|patch|slice|frame|cell|image|img|view|roi|fov|field)s?[ _-]?\d+\.[^./]+$",
    r"(?:^|/)([^/]+)[_-](?:0|90|180|270)\.[^./]+$",
    r"(?i)(?:^|/)([^/]+)[ _-](?:left|right|l|r|od|os)\.[^./]+$",
)
"""How the parts of one slide, scan or film, the quarter turns of one image, and the eyes of a patient, are named."""
_ORIGINALS = (r"(?:^|/)([^/]+_original_.+)\.\w+_[0-9a-f]{8}-[0-9a-f-]{27}\.",)
"""How augmentation libraries write the original into a name."""
_COUNTED = r"(?:^|/)([^/]*\d)[_-](\d{1,4})\.[^./]+$"
_DATE = re.compile(r"(?:19|20)\d\d[-_]?\d\d[-_]?\d\d(?!\d)")
_END = r"\.[^./]+$"
_DIGITS = r"\d+"


@dataclass(frozen=True)
class _Groups:
    """Images by the key that an expression finds in their paths."""

    keys: list[str]
    labels: Sequence[str]

    def plausible(self, together: float, one_label: bool = False) -> bool:
        """Whether these may be originals or patients.

        Parameters
        ----------
        together : float
            Share of the images that must have company.
        one_label : bool
            Images of one group have one label.
        """
        sizes, images = Counter(self.keys), len(self.keys)
        of_class = defaultdict(set)
        for key, label in zip(self.keys, self.labels, strict=True):
            of_class[label].add(key)
        in_company = sum(size for size in sizes.values() if size > 1)
        mixed = sum(map(len, of_class.values())) > len(sizes)
        return (
            in_company >= max(4, together * images)
            and len(sizes) >= 2 * len(of_class)
            and 2 * max(sizes.values()) <= images
            and not (one_label and mixed)
        )


def advise_group(paths: Sequence[str], labels: Sequence[str]) -> str:
    """A sentence with an option ``--group`` that keeps together what the names say belongs together; '' for none.

    Parameters
    ----------
    paths : sequence of str
        Of every image, relative to the folder, ``/`` between the parts.
    labels : sequence of str
    """
    for noun, expression in _plausible(paths, labels):
        keys = _keys(expression, paths)
        count = len(set(keys or []))
        return (
            f"The file names look like {count:,} {noun}: --group {shlex.quote(expression)} would keep the images of "
            "each together. Nothing is grouped by names unasked."
        )
    return ""


def _plausible(paths: Sequence[str], labels: Sequence[str]) -> Iterator[tuple[str, str]]:
    """What the names may mean, and the expression: patients first, since those hold their originals."""
    for expression in _PATIENTS:
        if (keys := _keys(expression, paths)) and _Groups(keys, labels).plausible(0.3):
            yield "patients", expression
    for expression in (*_ORIGINALS, *_of_changes(paths)):
        if (keys := _keys(expression, paths)) and _Groups(keys, labels).plausible(0.0, one_label=True):
            yield "originals", expression
    for expression in _PARTS:
        keys = _keys(expression, paths)
        if keys and not any(map(_CHANGE.fullmatch, keys)) and _Groups(keys, labels).plausible(0.5):
            yield "originals or patients", expression
    if (keys := _counted(paths)) and _Groups(list(map("/".join, zip(labels, keys, strict=True))), labels).plausible(
        0.8
    ):
        yield "originals or patients", _COUNTED.replace(r"(\d{1,4})", r"\d{1,4}")


def _of_changes(paths: Sequence[str]) -> Iterator[str]:
    """Expressions for the original, where augmentation or copying left words at the beginning or end of names."""
    stems = [path.rpartition("/")[2].rpartition(".")[0] for path in paths]
    for beginning in _BEGINNINGS:
        rests, begun = [], []
        for stem in stems:
            match = beginning.match(stem)
            rests.append(stem[match.end() :] if match else stem)
            begun.append(match[0] if match else "")
        endings, starts = _endings(rests), {_shape(start) for start in begun if start}
        start = _either(starts) if len(starts) < 2 else f"(?:{_either(starts)})"
        words = any(re.search(r"[^\W\d_]", rest) for rest in rests)  # of numbers alone, any may be the original
        for counter in _counters([rest for rest, one in zip(rests, begun, strict=True) if one]):
            expressions = _expressions(paths, start, all(begun), counter, endings)
            yield from expressions if words else islice(expressions, 1)
        if not starts and endings:
            yield from _expressions(paths, "", False, "", endings)
        if not starts:
            return


def _expressions(paths: Sequence[str], beginning: str, always: bool, counter: str, endings: str) -> Iterator[str]:
    """Expressions from the shortest to the one that takes the class folder for a part of the original's name."""
    tail = f"{endings}{_END}"
    if not beginning:
        yield f"(?:^|/)([^/]+?){tail}"
        yield f"^(.+?){tail}"
    elif always:
        strict = f"(?:^|/){beginning}([^/]+?){counter}{tail}"
        short = f"{beginning}(.+){counter.removesuffix(_DIGITS)}"
        yield short if counter and _parted(short, paths) == _parted(strict, paths) else strict
        if _DIGITS not in beginning:  # a number that counts the changes is no part of the original
            yield f"^((?:.*/)?{beginning}[^/]+?){counter}{tail}"
    else:
        counter = f"(?(1){counter})" if counter else ""
        yield f"(?:^|/)({beginning})?(?P<patient>[^/]+?){counter}{tail}"


def _counters(rests: list[str]) -> list[str]:
    """What may count the changed images at the end of their names, the likeliest first."""
    numbers = [re.search(r"_(\d+)_\d+$", rest) for rest in rests]
    counters = (
        [rf"_{_DIGITS}", ""] if rests and all(re.search(r".[_-]\d+$", rest) for rest in rests) else [""] * bool(rests)
    )
    if rests and all(numbers):
        first = {match[1] for match in numbers if match}
        constant = len(first) == 1
        counters.insert(0 if constant else 1, rf"_{first.pop() if constant else _DIGITS}_{_DIGITS}")
    return counters


def _endings(rests: list[str]) -> str:
    """Expression for the words of augmentation or copying at the end of names; '' where there are none."""
    endings = [match[0] for rest in rests if (match := _ENDINGS.search(rest)) and match.start()]
    single = {_shape(part[0]) for ending in endings for part in _ENDING.finditer(ending)}
    if len(single) <= _MOST_ENDINGS:
        return f"(?:{_either(single)})*" if single else ""
    words = sorted({word[0].lower() for ending in endings if (word := re.search(r"[^\W\d_]+", ending))})
    return rf"(?i:[ _.(-]+(?:{'|'.join(words)})[^/]*)?"


def _shape(text: str) -> str:
    """Expression for a text with any numbers in place of its own."""
    escaped = re.sub(r"([.()\[\]{}+*?^$|\\])", r"\\\1", text)
    return re.sub(r"rf\\\.\w+$", r"rf\.\\w+", escaped) if ".rf." in text else re.sub(r"\d+", r"\\d+", escaped)


def _either(shapes: set[str]) -> str:
    return "|".join(sorted(shapes, key=lambda shape: (-len(shape), shape)))


def _parted(expression: str, paths: Sequence[str]) -> list[int] | None:
    """Number of the group of each path, in the order of first appearance."""
    keys = _keys(expression, paths)
    numbers: dict[str, int] = {}
    return None if keys is None else [numbers.setdefault(key, len(numbers)) for key in keys]


def _counted(paths: Sequence[str]) -> list[str] | None:
    """What stands before the last number, where that begins anew with each; neither a date nor a change."""
    matches = [match for path in paths if (match := re.search(_COUNTED, path))]
    if (
        not matches
        or len(matches) < len(paths)
        or any(_DATE.search(match[1]) or _BEGINNINGS[0].match(match[1]) for match in matches)
    ):
        return None
    numbers = defaultdict(list)
    for match in matches:
        numbers[match[1]].append(int(match[2]))
    least = min(min(own) for own in numbers.values())
    several = [own for own in numbers.values() if len(own) > 1]
    anew = sum(min(own) == least and max(own) - least < 2 * len(own) for own in several)
    return [match[1] for match in matches] if anew >= 0.6 * len(several) else None


def _keys(expression: str, paths: Sequence[str]) -> list[str] | None:
    """What the expression captures in each path, as ``--group`` does; None unless it is something in all."""
    pattern = re.compile(expression)
    part = "patient" if "patient" in pattern.groupindex else 1
    keys = []
    for path in paths:
        match = pattern.search(path)
        if not match or not match[part]:
            return None
        keys.append(match[part])
    return keys or None
