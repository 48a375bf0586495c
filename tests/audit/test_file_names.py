"""File names that betray originals or patients are read as advice; plain numbers say nothing."""

from __future__ import annotations

import random
import re
import shlex
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from leukobench.audit.file_names import advise_group
from leukobench.images.groups import compile_group

HASHES = random.Random(0)


def paths_of(names: Callable[[str], Iterable[str]]) -> list[str]:
    """Names of two classes of images."""
    return [f"{label}/{name}" for label in ("no", "yes") for name in names(label)]


def own(label: str, count: int = 6) -> range:
    """Numbers that one class has alone."""
    return range(count) if label == "no" else range(count, 2 * count)


def advised(paths: list[str]) -> tuple[str, dict[str, str]]:
    """How many of what the names look like, and the key of each path by the printed expression."""
    advice = advise_group(paths, [path.split("/")[0] for path in paths])
    if not advice:
        return "", {}
    expression = compile_group(shlex.split(advice)[shlex.split(advice).index("--group") + 1])
    part = "patient" if "patient" in expression.groupindex else 1
    keys = {path: match[part] for path in paths if (match := expression.search(path))}
    assert len(keys) == len(set(paths)), "an image would be lost"
    return " ".join(re.findall(r"look like ([\d,]+ [a-z ]+):", advice)), keys


def rf() -> str:
    return f"rf.{HASHES.getrandbits(128):032x}"


def uuid() -> str:
    return f"{HASHES.getrandbits(32):08x}-1111-4222-8333-{HASHES.getrandbits(48):012x}"


BETRAYED: dict[str, tuple[str, Callable[[str], Iterable[str]]]] = {
    "Keras": ("originals", lambda c: [f"aug_{c} {n}._0_{n * 7 + k * 991}.jpg" for n in own(c) for k in range(3)]),
    "Keras, among originals": (
        "originals",
        lambda c: [f"{c}{n}.jpg" for n in own(c)] + [f"aug_{c}{n}_0_{k * 991}.jpg" for n in own(c) for k in range(3)],
    ),
    "numbered before": ("originals", lambda c: [f"aug_{k}_{c}{n}.jpg" for n in own(c) for k in range(3)]),
    "word before": ("originals", lambda c: [f"{k}{c}{n}.JPG" for n in own(c) for k in ("", "rot90_", "hflip-")]),
    "turned, flipped": ("originals", lambda c: [f"{c}_{n}{k}.jpg" for n in own(c) for k in ("", "_rot90", "_flip")]),
    "by class": ("originals", lambda c: [f"{n}{k}.jpg" for n in range(6) for k in ("", "-rotated-15", "_flip_h")]),
    "aug3": ("originals", lambda c: [f"{c}{n}_aug{k}.tif" for n in own(c) for k in range(3)]),
    "chains": ("originals", lambda c: [f"{c}{n}{k}.jpg" for n in own(c) for k in ("", "_rot90_flip", "_zoom1.2_dark")]),
    "Windows": ("originals", lambda c: [f"{c} {n}{k}.jpg" for n in own(c) for k in ("", " - Copy", " - Copy (2)")]),
    "copy": ("originals", lambda c: [f"{c} {n}{k}.jpg" for n in own(c) for k in ("", " (copy)", " copy 2")]),
    "Kopie": ("originals", lambda c: [f"{c} {n}{k}.jpg" for n in own(c) for k in ("", " - Kopie")]),
    "Roboflow": ("originals", lambda c: [f"{c}{n}_jpg.{rf()}.jpg" for n in own(c) for _ in range(3)]),
    "Augmentor": ("originals", lambda c: [f"{c}_original_{n}.jpg_{uuid()}.jpg" for n in own(c) for _ in range(3)]),
    "patients": ("patients", lambda c: [f"P{n:02d}_cell_{k}.jpg" for n in own(c) for k in range(3)]),
    "turned images of patients": ("patients", lambda c: [f"P{n}_{k}_rot90.jpg" for n in own(c) for k in range(3)]),
    "radiographs": ("patients", lambda c: [f"{11097 + n:08d}_{k:03d}.png" for n in own(c) for k in range(3)]),
    "C-NMC": ("patients", lambda c: [f"UID_H{n}_2_{k}_hem.bmp" for n in own(c) for k in range(3)]),
    "folders": ("patients", lambda c: [f"patient_{n}/{k}.png" for n in own(c) for k in range(3)]),
    "words": ("patients", lambda c: [f"Subject-{n}-{k}.png" for n in own(c) for k in range(3)]),
    "slices": ("originals or patients", lambda c: [f"CT{n}_slice_{k}.png" for n in own(c) for k in range(3)]),
    "tiles": ("originals or patients", lambda c: [f"{n}_x{k}01_y{k}.png" for n in own(c) for k in range(3)]),
    "degrees": ("originals or patients", lambda c: [f"{c}{n}_{k}.png" for n in own(c) for k in (0, 90, 180, 270)]),
    "eyes": ("originals or patients", lambda c: [f"{n}_{side}.jpeg" for n in own(c) for side in ("left", "right")]),
    "numbered in words": ("originals", lambda c: [f"{c}{n}{k}.png" for n in own(c) for k in ("", "-90deg", "_180°")]),
    "patients below classes": ("patients", lambda c: [f"P{n:02d}/{k}.png" for n in own(c) for k in range(3)]),
    "counted anew": ("originals or patients", lambda c: [f"{n}-{k}.png" for n in own(c) for k in range(1, 4)]),
}


@pytest.mark.parametrize("kind", BETRAYED)
def test_names_of_twelve_originals_or_patients_are_advised_with_an_expression_that_works(kind: str) -> None:
    noun, names = BETRAYED[kind]
    paths = paths_of(names)
    words, keys = advised(paths)
    assert words == f"12 {noun}"
    assert len(set(keys.values())) == 12
    sizes = {key: sum(other == key for other in keys.values()) for key in keys.values()}
    assert set(sizes.values()) == {len(paths) // 12}


def test_many_kinds_of_endings_are_read_by_their_words() -> None:
    endings = [
        "rot90",
        "rot-15",
        "hflip",
        "flip_v",
        "zoom1.2",
        "bright",
        "dark",
        "noise",
        "blur3",
        "shift_x_10",
        "shear",
        "elastic",
    ]
    words, keys = advised(
        paths_of(lambda c: [f"{c}-{n}{k}.png" for n in own(c) for k in ["", *map("_".__add__, endings)]])
    )
    assert words == "12 originals"
    assert len(set(keys.values())) == 12


PLAIN: dict[str, Callable[[str], Iterable[str]]] = {
    "ALL": lambda c: [f"WBC-{c}-{n:03d}.jpg" for n in range(30)],
    "brain": lambda c: [f"{n} {c}.jpg" for n in range(30)] + [f"{c[0]}{n}.JPG" for n in range(30)],
    "numbers": lambda c: [f"{n:03d}.bmp" for n in own(c, 30)],
    "Windows": lambda c: [f"{c} ({n}).jpg" for n in range(1, 30)],
    "a word for all": lambda c: [f"cell_crop_{n}.jpg" for n in range(30)],
    "a word at every end": lambda c: [f"DSC{n}_rotated.jpg" for n in range(30)],
    "classes": lambda c: [f"{int(c == 'yes')}_{n:03d}.jpg" for n in range(30)],
    "class at the end": lambda c: [f"Im{n:03d}_{int(c == 'yes')}.jpg" for n in range(30)],
    "dates": lambda c: [f"IMG_2019010{1 + n % 9}_{n:04d}.jpg" for n in range(30)],
    "hashes": lambda c: [f"{HASHES.getrandbits(128):032x}.png" for _ in range(30)],
    "Roboflow without augmentation": lambda c: [f"{c}{n}_png.{rf()}.jpg" for n in range(30)],
    "numbers of changes, one name in each class": lambda c: [f"aug{k}_img_{n}.png" for n in range(6) for k in range(5)],
    "two numbers after a word": lambda c: [f"aug_{k}_{n}.png" for n in range(6) for k in range(5)],
    "one copy": lambda c: [f"{c}{n}.jpg" for n in range(30)] + [f"{c}3 - Copy.jpg"] * (c == "no"),
    "patients of one image": lambda c: [f"patient{n}.jpg" for n in own(c, 30)],
    "two names": lambda c: ["a.jpg"],
    "none": lambda c: [],
}


@pytest.mark.parametrize("kind", PLAIN)
def test_plain_names_say_nothing(kind: str) -> None:
    assert advised(paths_of(PLAIN[kind])) == ("", {})


def test_one_name_without_a_patient_is_no_reason_to_lose_its_image() -> None:
    assert advised([*paths_of(BETRAYED["patients"][1]), "no/unknown.jpg"])[0] == ""


def test_names_made_to_take_long_do_not() -> None:
    parts = [f"_rot{'1' * 100}.{'1.' * 60}", "rot1_" * 45, "1_1." * 50, "_flip_h" * 30, " - Copy (1)" * 20]
    advised([f"{label}/aug_{part}{n}z.png" for label in ("no", "yes") for part in parts for n in range(20)])


@pytest.mark.real
@pytest.mark.parametrize(
    ("folder", "words"),
    [("all/Original", ""), ("brain", ""), ("cells", ""), ("brain-augmented", "50 originals")],
)
def test_names_of_real_sets(real_images: Path, folder: str, words: str) -> None:
    root = real_images.parents[1] / folder
    if not root.exists():
        pytest.skip(f"{root} is absent")
    endings = {".bmp", ".jpg", ".jpeg", ".png"}
    paths = sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if path.suffix.lower() in endings)
    assert advised(paths)[0] == words
    assert not words or "--group 'aug_(.+)_0_'" in advise_group(paths, [path.split("/")[0] for path in paths])
