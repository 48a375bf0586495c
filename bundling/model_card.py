"""The model card: what a bundle is for, what it was measured to do, and what it cannot, in Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

_METRICS = ("accuracy", "balanced_accuracy", "f1_macro", "mcc", "auroc", "ece", "brier", "log_loss")
_RATES = ("accuracy", "balanced_accuracy", "f1_macro", "auroc", "ece")


def model_card(said: Mapping[str, Any]) -> str:
    """The card of a bundle, from its manifest.

    References
    ----------
    M. Mitchell et al., Model Cards for Model Reporting, FAT* 2019.
    """
    sections = [
        f"# {_plain(said['name'])}",
        _what(said),
        "## Intended use\n\nResearch use only: **not a medical device**. It sorts images of the kind that it was "
        "trained on; it makes no diagnosis, and nobody has tested it in a clinic.",
        "## What to know first\n\n" + _bullets([*said["sentences"], *said["holdout"]]),
        "## Data\n\n" + _data(said),
        "## Scores\n\n" + _scores(said),
        "## Probabilities\n\n" + _temperature(said["temperature"]),
        "## Sets of classes\n\n" + _coverage(said["coverage"]),
        "## Images unlike the training data\n\n" + _OOD,
        "## Limits\n\n" + _bullets(_limits(said)),
        "## How it was made\n\n" + _made(said),
    ]
    return "\n\n".join(sections) + "\n"


_OOD = (
    "Each image's distance to its fifth nearest training image is compared with how far training images are from those "
    "of other groups; it is flagged where at most 1 % of them are as far, which about 1 % of good images are. A flag "
    "does not mean that the answer is wrong, and an image without one is not safe: what is no smear, is damaged or "
    "stained quite otherwise is flagged; a slight change of stain is not, nor is a class that was never seen where it "
    "resembles a known one."
)


def _what(said: Mapping[str, Any]) -> str:
    names = said["combination"]
    classes = ", ".join(map(_plain, said["classes"]))
    return (
        f"Tells {len(said['classes'])} classes apart: {classes}. Images -> {names['extractor']} -> {names['selector']} "
        f"-> {names['classifier']}."
    )


def _data(said: Mapping[str, Any]) -> str:
    counts = ", ".join(f"{name} {count:,}" for name, count in said["images"]["classes"].items())
    trained = f"Trained on all {said['images']['count']:,} images ({counts}) in {said['images']['groups']:,} groups."
    return trained + "\n\n" + _bullets(said["protocol"])


def _scores(said: Mapping[str, Any]) -> str:
    lines = ["Measured by cross-validation, before the model was fitted on everything; 95 % intervals over groups.", ""]
    lines += ["| metric | value | 95 % interval |", "|---|---|---|"]
    per_class = [name for name in said["scores"] if name.startswith(("sensitivity[", "specificity["))]
    for name in [*_METRICS, *per_class]:
        if name in said["scores"]:
            value, low, high = said["scores"][name]
            lines.append(f"| {_title(name)} | {_number(name, value)} | {_between(name, low, high)} |")
    if said["corrected"]:
        metric, value, low, high = said["corrected"]
        picked = f"{metric.replace('_', ' ')}, corrected for having been picked among {said['picked_among']}"
        lines.append(f"| {picked} | {_number(metric, value)} | {_between(metric, low, high)} |")
    return "\n".join(lines)


def _temperature(found: Mapping[str, float]) -> str:
    gain = f"{found['gain']:.4f} [{found['low']:.4f} to {found['high']:.4f}]"
    if found["value"] == 1.0:
        return (
            "They are those of the benchmark. Another temperature "
            f"({found['asked']:.2f}) would not lower the log loss beyond doubt: gain {gain}."
        )
    return (
        f"The benchmark's probabilities at temperature {found['value']:.3f}, fitted on out-of-fold predictions; it "
        f"lowers the log loss by {gain} on folds that it was not fitted on. The label is the benchmark's."
    )


def _coverage(rows: Sequence[Mapping[str, Any]]) -> str:
    lines = [
        "A set holds the right class as often as its level says, for images of new groups like those of the training "
        "data. Checked on each fold with thresholds from the others:",
        "",
        "| level | images covered | mean over groups | worst class | mean size | single class | thresholds |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        worst = min((value for value in row["by_class"] if value is not None), default=None)
        kind = "by class" if row["each_class"] else "one for all: too few groups a class"
        shown = [row["level"], row["coverage"], row["by_group"], worst]
        rates = " | ".join("" if value is None else f"{100 * value:.1f} %" for value in shown)
        lines.append(f"| {rates} | {row['size']:.2f} | {100 * row['single']:.1f} % | {kind} |")
    return "\n".join(lines)


def _limits(said: Mapping[str, Any]) -> list[str]:
    limits = []
    if said["verdict"] in ("confounded", "not better"):
        limits.append(
            "A shortcut explains most of the score: expect much less on images from another laboratory or stain."
        )
    if said["patients"] != "patients":
        limits.append("No patients were known in the evaluation: expect lower scores on new patients.")
    limits.append(
        "Scores and coverage hold for images from the same source. Other scanners, stains and cells were not seen."
    )
    limits.append("An image that was compressed, scaled or photographed anew may be answered otherwise.")
    limits.append("Every class that it can answer stands above: an image of anything else is given one of them.")
    return limits


def _made(said: Mapping[str, Any]) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in said["software"].items())
    tuned = ", ".join(f"{name} = {value}" for name, value in said["tuned"].items())
    lines = [
        f"{said['created']}, bundle format 1; {versions}",
        f"Network: {said['extractor']['description']}; weights {said['extractor']['weights']}",
        _agreement(said["agreement"]),
    ]
    lines += [f"Tuned: {tuned}"] if tuned else []
    lines.append(
        "Pictures of training images are inside" if said["pictures"] else "No picture of a training image is inside"
    )
    return _bullets(lines)


def _agreement(found: Mapping[str, Any]) -> str:
    if not found["images"]:
        return "No training image was there to compare its vectors with those of the benchmark"
    return (
        f"Its vectors of {found['images']} training images, computed again when it was bundled, differ from those of "
        f"{found.get('with', 'the benchmark')} by {found['largest']:.1g} (relative)"
    )


def _bullets(lines: Sequence[str]) -> str:
    return "\n".join(f"- {_plain(line)}" for line in lines)


def _title(metric: str) -> str:
    """A metric in words; the class in its brackets stays as it is, but for what would break a table."""
    words, bracket, label = metric.partition("[")
    return words.replace("_", " ") + bracket + _plain(label)


def _plain(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _number(metric: str, value: float | None) -> str:
    if value is None:
        return "not defined"
    rate = metric in _RATES or metric.startswith(("sensitivity", "specificity"))
    return f"{100 * value:.2f} %" if rate else f"{value:.4f}"


def _between(metric: str, low: float | None, high: float | None) -> str:
    return "no interval" if low is None or high is None else f"{_number(metric, low)} to {_number(metric, high)}"
