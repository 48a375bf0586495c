"""The model card: what a bundle is for, how well it does, and what it cannot do, in Markdown."""

from __future__ import annotations

from collections.abc import Sequence

from ..evaluation.metrics import metric_of
from ..reporting.verdicts import VERDICTS
from ..serving.container import FORMAT
from .combination import Agreement
from .coverage import Coverage
from .fit_temperature import Temperature
from .manifest import Manifest


def model_card(manifest: Manifest) -> str:
    """The card of a bundle, from its manifest.

    References
    ----------
    M. Mitchell et al., Model Cards for Model Reporting, FAT* 2019.
    """
    sections = [
        f"# {_plain(manifest.run.name)}",
        _what(manifest),
        "## Intended use\n\nResearch use only: **not a medical device**. It classifies images like those that it "
        "was trained on; it makes no diagnosis, and it has not been tested in a clinic.",
        "## What to know first\n\n" + _bullets([*manifest.run.sentences, *manifest.run.holdout]),
        "## Data\n\n" + _data(manifest),
        "## Scores\n\n" + _scores(manifest),
        "## Probabilities\n\n" + _temperature(manifest.temperature),
        "## Prediction sets\n\n" + _coverage(manifest.coverage, manifest.run.patients),
        "## Images unlike the training data\n\n" + flagged_words(manifest.run.patients),
        "## Limits\n\n" + _bullets(_limits(manifest)),
        "## How it was made\n\n" + _provenance(manifest),
    ]
    return "\n\n".join(sections) + "\n"


_NEW_PATIENTS = (
    "The patients of the training images were not (all) known. So ordinary images of new patients may be flagged far "
    "more often, and covered less often, than this card says: where images of one patient are much alike, nearly all "
    "ordinary images of new patients were flagged in simulations with 10 or 24 training patients, and half with 100."
)


def flagged_words(patients: str) -> str:
    """What is flagged, and what a flag means; `patients` is the kind of `leukobench.runs.answer.Groups`."""
    rate = (
        "about 1 % of the images of new patients like these are flagged, too."
        if patients == "patients"
        else f"about 1 % of further images of the same patients are flagged, too. {_NEW_PATIENTS}"
    )
    return (
        "An image is flagged if it is further from its fifth nearest training image than 99 % of the training images "
        f"are from theirs in other groups; {rate} Images of something else, damaged images or have a very different "
        "stain are flagged. A slightly different stain is not, nor is an unseen class that resembles a class of the "
        "training data. So a flag does not mean that the prediction is wrong, and no flag does not mean that it is "
        "right."
    )


def _what(manifest: Manifest) -> str:
    names = manifest.run.combination
    classes = ", ".join(map(_plain, manifest.classes))
    return (
        f"Distinguishes {len(manifest.classes)} classes: {classes}. "
        f"Images -> {names['extractor']} -> {names['selector']} -> {names['classifier']}."
    )


def _data(manifest: Manifest) -> str:
    images = manifest.run.images
    counts = ", ".join(f"{name} {count:,}" for name, count in images.classes.items())
    trained = f"Trained on all {images.count:,} images ({counts}) in {images.groups:,} groups."
    return trained + "\n\n" + _bullets(manifest.run.protocol)


def _scores(manifest: Manifest) -> str:
    corrected = manifest.run.corrected
    lines = [
        "Measured by cross-validation; the model itself was then fitted on all images. The 95 % intervals are of the "
        "models of the folds on new images or patients like these.",
        "",
    ]
    lines += ["| metric | value | 95 % interval |", "|---|---|---|"]
    lines += [_score(column, "", *numbers) for column, numbers in manifest.run.scores.items()]
    if corrected:
        column, *numbers = corrected
        lines.append(_score(column, f", corrected for selecting the best of {manifest.run.picked_among}", *numbers))
    if manifest.run.test:
        column, *numbers = manifest.run.test
        lines.append(_score(column, " on the given test part, which it was not trained on", *numbers))
    beside = {
        "Controls, which are no candidates, on the same folds:": manifest.run.controls,
        "Mean sensitivity over the classes of each site, trained without it:": manifest.run.sites,
    }
    further = [part for title, own in beside.items() if own for part in ("", f"{title}\n\n{_bullets(own)}")]
    return "\n".join([*lines, *further])


def _score(column: str, remark: str, value: float | None, low: float | None, high: float | None) -> str:
    """A line of the table; the class in a column's brackets stays as it is, but for what would break the table."""
    metric, (_, bracket, label) = metric_of(column), column.partition("[")
    title = metric.title + bracket + _plain(label) + remark
    return f"| {title} | {metric.with_unit(value)} | {metric.interval_with_unit(low, high)} |"


def _temperature(temperature: Temperature) -> str:
    gain = f"{temperature.gain:.4f} [{temperature.low:.4f} to {temperature.high:.4f}]"
    if temperature.value == 1.0:
        return (
            "The benchmark's probabilities, unchanged: the best other temperature "
            f"({temperature.best:.2f}) would not lower the log loss significantly: gain {gain}."
        )
    return (
        f"The benchmark's probabilities at temperature {temperature.value:.3f}, fitted on out-of-fold predictions; it "
        f"lowers the log loss by {gain} on folds that it was not fitted on. No predicted class changes."
    )


def _coverage(rows: Sequence[Coverage], patients: str) -> str:
    whose = (
        "of new patients like those of the training data."
        if patients == "patients"
        else f"like those of the training data. {_NEW_PATIENTS}"
    )
    lines = [
        f"A prediction set contains the true class with the probability of its level, for images {whose} Coverage "
        "measured on each fold, with thresholds from the other folds:",
        "",
        "| level | images covered | mean over groups | worst class | mean size | single class | thresholds |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        worst = min((value for value in row.by_class if value is not None), default=None)
        kind = "by class" if row.each_class else "one for all: too few groups per class"
        shown = [row.level, row.coverage, row.by_group, worst]
        rates = " | ".join("" if value is None else f"{100 * value:.1f} %" for value in shown)
        lines.append(f"| {rates} | {row.size:.2f} | {100 * row.single:.1f} % | {kind} |")
    return "\n".join(lines)


def _limits(manifest: Manifest) -> list[str]:
    limits = []
    verdict = VERDICTS.get(manifest.run.verdict)
    if verdict and verdict.limit:
        limits.append(verdict.limit)
    if manifest.run.patients != "patients":
        limits.append("The patients of the images were not (all) known: expect lower scores on new patients.")
    limits.append(
        "Scores and coverage hold for images from the same source. "
        "Other scanners, stains and kinds of objects were not seen."
    )
    limits.append("An image that was compressed, scaled or photographed again may get a different prediction.")
    limits.append("It always predicts one of the classes above, whatever the image shows.")
    return limits


def _provenance(manifest: Manifest) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in manifest.run.software.items())
    tuned = ", ".join(f"{name} = {value}" for name, value in manifest.tuned.items())
    lines = [
        f"{manifest.created}, bundle format {FORMAT}; {versions}",
        f"Network: {manifest.extractor.description}; weights {manifest.extractor.weights}",
        _agreement(manifest.agreement),
    ]
    lines += [f"Tuned: {tuned}"] if tuned else []
    lines += [
        f"Needs code that it does not contain: {one.words}. It is imported where `--allow-code {one.module}` allows "
        "that, and only with this digest"
        for one in manifest.code
    ]
    lines.append("Contains thumbnails of the training images" if manifest.pictures else "Contains no training image")
    return _bullets(lines)


def _agreement(agreement: Agreement) -> str:
    if not agreement.images:
        return "No training image was available to compare the bundle's vectors with those of the benchmark"
    return (
        f"The bundle's vectors of {agreement.images} training images differ from those of "
        f"{agreement.reference or 'the benchmark'} by {agreement.largest:.1g} (relative)"
    )


def _bullets(lines: Sequence[str]) -> str:
    return "\n".join(f"- {_plain(line)}" for line in lines)


def _plain(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
