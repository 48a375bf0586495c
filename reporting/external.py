"""External tests in words: does a model hold on images of another source, and what differs there."""

from __future__ import annotations

from collections.abc import Iterator

from ..evaluation.combination_names import title
from ..evaluation.metric import Metric
from ..evaluation.metrics import ACCURACY, LOG_LOSS, metric_of
from ..runs.external_answer import ExternalAnswer, RecalibrationPoint, SharesTested, ShiftTested
from .external_verdicts import VERDICTS

SHOWN_LEVEL = 0.95
_NEAR_TEN = 10
_SMALL = 1e-9
_CHANNELS = {"r": "red", "g": "green", "b": "blue"}
_SHARPNESS = {
    "across": "noise from left to right",
    "down": "noise from top to bottom",
    "grid": "steps on the grid of JPEG",
    "one to three": "steepness of outlines",
    "two to three": "steepness of outlines, wider",
    "bend": "bend of outlines",
}
"""Measurement of `leukobench.features.background` -> what it is."""


def sentences_of(answer: ExternalAnswer) -> tuple[str, ...]:
    """The answer in words, the verdict first."""
    words = [_verdict_words(answer), *_copies(answer)]
    if answer.images.scored:
        words += [*_classes(answer), *_drift(answer), *_shares(answer), *_flagged(answer)]
        words += [*_sets(answer), *_calibration(answer), *_recalibration(answer), *_groups(answer)]
    return tuple(words)


def _verdict_words(answer: ExternalAnswer) -> str:
    metric, chosen, copies = metric_of(answer.metric), answer.chosen, answer.copies
    named = {"identical": f"{copies.identical:,}", "near": f"{copies.near:,}", "images": _images(answer)}
    named["likely"] = f"{copies.likely:,}"
    if chosen:
        named["title"] = title(chosen.names)
        named["value"] = f"{metric.with_interval(chosen.value, chosen.low, chosen.high)} {metric.title}"
        named["inside"] = metric.with_interval(chosen.inside, chosen.inside_low, chosen.inside_high)
        named["gap"] = f"a difference of {difference(metric, chosen.gap, chosen.gap_low, chosen.gap_high)}"
        named["margin"] = difference(metric, answer.margin)
        named["error"] = chosen.error or f"{metric.title} is undefined"
    return VERDICTS[answer.verdict].words.format(**named)


def _images(answer: ExternalAnswer) -> str:
    images = answer.images
    whose = f" of {images.groups:,} patients" if images.patients else f" in {images.groups:,} groups"
    return f"{images.scored:,} images{whose} of {images.folder}"


def difference(metric: Metric, value: float | None, low: float | None = None, high: float | None = None) -> str:
    """In points where the metric is in percent, with its interval where there is one."""
    text = f"{metric.digits(value)}{' points' if metric.unit == 'percent' else ''}"
    return text if low is None and high is None else f"{text} {metric.brackets(low, high)}"


def _copies(answer: ExternalAnswer) -> Iterator[str]:
    copies, metric = answer.copies, metric_of(answer.metric)
    if copies.left_out and answer.images.scored:
        other = f"; {copies.relabelled:,} of them bear another label there" if copies.relabelled else ""
        yield (
            f"{copies.left_out:,} images are copies of training images ({copies.identical:,} identical files, "
            f"{copies.near:,} near-duplicates) and are left out{other}."
        )
    if copies.likely:
        score = metric.with_interval(copies.without, copies.without_low, copies.without_high)
        yield (
            f"{copies.likely:,} further images are likely copies (copies.csv) and stay in the score; without them it "
            f"is {score}."
        )
    if copies.compared < copies.training and answer.images.scored:
        readable = "none" if not copies.compared else f"{copies.compared:,} of {copies.training:,}"
        yield (
            f"COPIES NOT EXCLUDED: {readable} of the training images could be read, so copies of others are found by "
            "their bytes and features alone: identical files, and only a part of turned, cut or recompressed ones."
        )


def _classes(answer: ExternalAnswer) -> Iterator[str]:
    images = answer.images
    if images.mapped:
        yield f"Classes of these images and of the model: {', '.join(images.mapped)}."
    if images.unmapped:
        yield f"Left out, since the model does not have these classes: {', '.join(images.unmapped)}."
    if images.absent:
        names = ", ".join(images.absent)
        yield f"There is no image of {names}: means go over the other classes, here and in the cross-validation."


def words_of_quantity(name: str) -> str:
    """A measured quantity: ``mean of red`` for ``colour.mean.r``."""
    part, _, rest = name.partition(".")
    kind, _, channel = rest.partition(".")
    if part == "colour":
        return f"{'mean' if kind == 'mean' else 'spread'} of {_CHANNELS.get(channel, channel)}"
    return f"{rest} in pixels" if part == "file" else _SHARPNESS.get(rest, f"noise, {rest}")


def _drift(answer: ExternalAnswer) -> Iterator[str]:
    first: dict[str, ShiftTested] = {}
    for one in answer.shifts:
        first.setdefault(one.part, one)
    differ = [one for one in first.values() if one.differs]
    same = [part for part, one in first.items() if not one.differs]
    if differ:
        yield (
            "Compared with training images of the same class, these differ in "
            f"{'; '.join(f'{one.part} ({_shift_words(one)})' for one in differ)}"
            f"{'; no difference is shown in ' + ' and '.join(same) if same else ''}."
        )
    elif first:
        yield f"No difference from training images of the same class is shown in {', '.join(same)}."
    else:
        yield "Whether colour, sharpness or size differ is not known: the bundle holds no measurements; fit it again."


def _shift_words(one: ShiftTested) -> str:
    above = one.above or 0.0
    share, side = (above, "lower") if above > 0.5 else (1 - above, "higher")
    return f"{words_of_quantity(one.name)}: {100 * share:.0f} % of the training images have a {side} one"


def _shares(answer: ExternalAnswer) -> Iterator[str]:
    effects = {one.metric: one for one in answer.shares}
    own = effects.get(answer.metric)
    if own is None or own.change is None:
        return
    if answer.images.same_shares:
        yield "The shares of the classes are those of the training images."
        return
    shown = own if abs(own.change) > _SMALL else effects.get(ACCURACY.name, own)
    kept = "" if shown is own else f"leave {metric_of(own.metric).title} as it is and "
    yield (
        f"Other shares of the classes ({share_words(answer)}) alone would {kept}change "
        f"{metric_of(shown.metric).title} in the cross-validation by {_change(shown)}."
    )


def share_words(answer: ExternalAnswer) -> str:
    """Share of each class among the images, and among the training images."""
    images = answer.images
    here, there = sum(images.counts), sum(images.training)
    rows = zip(images.classes, images.counts, images.training, strict=True)
    return ", ".join(f"{name} {100 * n / here:.0f} % instead of {100 * t / there:.0f} %" for name, n, t in rows)


def _change(one: SharesTested) -> str:
    return difference(metric_of(one.metric), one.change, one.low, one.high)


def _flagged(answer: ExternalAnswer) -> Iterator[str]:
    share = ACCURACY.with_interval(answer.flagged, answer.flagged_low, answer.flagged_high)
    yield f"Flagged as unlike the training data: {share} of the images; of images like those, about 1 %."


def _sets(answer: ExternalAnswer) -> Iterator[str]:
    for one in answer.sets:
        if one.level == SHOWN_LEVEL:
            fewer = one.high is not None and one.high < one.level
            share = ACCURACY.with_interval(one.coverage, one.low, one.high)
            yield (
                f"{'LESS THAN PROMISED: p' if fewer else 'P'}rediction sets of {100 * one.level:g} % contain the true "
                f"class of {share} of the images; they hold {one.size:.2f} classes on average."
            )


def _calibration(answer: ExternalAnswer) -> Iterator[str]:
    """Classes whose slope or intercept is off beyond its interval."""
    parts = []
    for one in answer.calibration:
        if one.slope_high is not None and one.slope is not None and one.slope_high < 1:
            parts.append(f"too extreme for {one.label} (slope {_number(one.slope, one.slope_low, one.slope_high)})")
        if one.intercept is None or one.intercept_low is None or one.intercept_high is None:
            continue
        if one.intercept_low > 0 or one.intercept_high < 0:
            side = "low" if one.intercept > 0 else "high"
            interval = _number(one.intercept, one.intercept_low, one.intercept_high)
            parts.append(f"too {side} for {one.label} (intercept {interval})")
    if parts:
        yield f"Probabilities are {'; '.join(parts)}. Well calibrated ones have slope 1 and intercept 0."


def _number(value: float, low: float | None, high: float | None) -> str:
    return f"{value:.2f} [{low:.2f} to {high:.2f}]"


def _recalibration(answer: ExternalAnswer) -> Iterator[str]:
    points = [one for one in answer.recalibration if one.metric == LOG_LOSS.name]
    if not points:
        return
    best = min(points, key=lambda one: abs(one.groups - _NEAR_TEN))
    own = [one for one in answer.recalibration if one.metric == answer.metric and one.groups == best.groups]
    unit = "patients" if answer.images.patients else "images or groups of copies"
    scores = [_point(one) for one in dict.fromkeys([best, *own])]
    yield f"Recalibrated on {best.groups:,} of these {unit}, on the others: {'; '.join(scores)} (8 of 10 draws)."


def _point(one: RecalibrationPoint) -> str:
    metric = metric_of(one.metric)
    before, after = metric.with_unit(one.before), metric.with_unit(one.after)
    return f"{metric.title} {after} {metric.brackets(one.low, one.high)} instead of {before}"


def _groups(answer: ExternalAnswer) -> Iterator[str]:
    if not answer.images.patients:
        yield "The patients of these images are not (all) known: intervals take images without one for independent."
