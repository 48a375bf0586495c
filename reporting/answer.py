"""Make the answer of a run: the best combination, what is as good, what shortcuts reach, copies; in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ..config.experiment import Evaluation, Experiment
from ..evaluation.combination_names import NAMES, SHORTCUT, TOGETHER, Names, title
from ..evaluation.metrics import metric_of
from ..evaluation.scores import Scored
from ..evaluation.statistics.drops import WhereWrong
from ..runs.answer import Algorithms, Answer, Chance, Duplicates, Groups, ShortcutVerdict, Winner
from ..runs.budget_answer import Budget
from ..runs.label_answer import Failures, LabelSuspects
from ..runs.site_answer import Sites
from ..runs.split_answer import GivenTest
from ..runs.view_answer import Views
from .controls import controls_of, controls_sentence
from .verdicts import HALF, Evidence, verdict_of, words_of

if TYPE_CHECKING:
    import pandas as pd

_ALPHA = 0.05


@dataclass(frozen=True)
class Findings:
    """What a run found beside the scores; None for what it did not look for.

    Attributes
    ----------
    chance : Chance, optional
        Where labels were permuted.
    views : Views, optional
        What the score needs.
    where_wrong : mapping
        Names of a shortcut -> how often the best combination is right where that is wrong.
    suspects : LabelSuspects, optional
    failures : Failures, optional
    test : GivenTest, optional
        What a given test part says.
    sites : Sites, optional
        Where sites were left out.
    budget : Budget, optional
        What was not reached.
    """

    chance: Chance | None = None
    views: Views | None = None
    where_wrong: Mapping[Names, WhereWrong] = field(default_factory=dict)
    suspects: LabelSuspects | None = None
    failures: Failures | None = None
    test: GivenTest | None = None
    sites: Sites | None = None
    budget: Budget | None = None

    @property
    def words(self) -> tuple[str, ...]:
        """Sentences of those that have something to say."""
        return tuple(one.words for one in (self.views, self.failures, self.suspects) if one and one.words)


def make_answer(
    scored: Scored,
    experiment: Experiment,
    groups: Groups,
    duplicates: Duplicates,
    protocol: Sequence[str],
    findings: Findings | None = None,
) -> Answer:
    """The answer of a run.

    Parameters
    ----------
    scored : Scored
    experiment : Experiment
    groups : Groups
        See `leukobench.reporting.protocol.groups`.
    duplicates : Duplicates
    protocol : sequence of str
        Lines that are shown with every number.
    findings : Findings, optional
    """
    findings = findings or Findings()
    evaluation = experiment.evaluation
    metric = metric_of(evaluation.rank_by)
    best = Winner.from_json(scored.winner) if scored.winner else None
    answer = Answer(
        name=experiment.name,
        time=datetime.now(UTC).isoformat(timespec="seconds"),
        sentences=(),
        protocol=tuple(protocol),
        best=best,
        best_set=int(scored.leaderboard["in_best_set"].eq(True).sum()) if best else 0,
        algorithms=_algorithms(scored.tables.get("comparisons.csv"), evaluation),
        shortcut=_shortcut(scored, experiment, findings) if best else None,
        groups=groups,
        duplicates=duplicates,
        chance=findings.chance,
        suspects=findings.suspects,
        failures=findings.failures,
        views=findings.views,
        test=findings.test,
        sites=findings.sites,
        controls=controls_of(scored, metric, guessing(scored, metric.name)),
        budget=findings.budget,
    )
    words = findings.words if best and not findings.chance else ()
    return replace(answer, sentences=(*_sentences(answer), *words))


def _algorithms(compared: pd.DataFrame | None, evaluation: Evaluation) -> Algorithms | None:
    if compared is None or "algorithms_p_holm" not in compared or not len(compared):
        return None
    return Algorithms(
        different=int((compared["algorithms_p_holm"] < _ALPHA).sum()),
        equivalent=int((compared["algorithms_p_equivalent"] >= 1 - _ALPHA).sum()),
        compared=len(compared),
        repeats=evaluation.repeats,
        folds=evaluation.folds,
    )


def _shortcut(scored: Scored, experiment: Experiment, findings: Findings) -> ShortcutVerdict | None:
    """The strongest shortcut that the best combination does not beat; where it beats all, the strongest."""
    metric = metric_of(experiment.evaluation.rank_by)
    table, column = scored.leaderboard, metric.name
    rows = table[(table["kind"] == "shortcut") & table[column].notna()].sort_values(column, ascending=False)
    if not len(rows) or not scored.winner:
        return None
    names = list(rows[list(NAMES)].itertuples(index=False, name=None))
    beaten = [scored.against[name][1] > 0 for name in names]  # a limit that is not defined beats nothing
    place = 0 if all(beaten) else beaten.index(False)
    row, titles = rows.iloc[place], [title(name) for name in names]
    value, best, floor = float(row[column]), float(scored.winner["value"]), guessing(scored, column)
    way, low = best - floor, float(row[f"{column}_low"])
    _, least, most = scored.against[names[place]]
    share = [1 - gap / way if way > 0 else 1.0 for gap in (best - value, most, least)]
    failed, wrong = int((table["kind"] == "shortcut").sum()) - len(rows), metric.greatest - value
    evidence = Evidence(all(beaten), failed, low > floor, share[1], share[2], least > HALF * wrong)
    single = [at for at, one in enumerate(titles) if one != TOGETHER]
    alone = single[0] if titles[place] == TOGETHER and single else None
    facts = {
        "name": titles[place],
        "value": value,
        "low": low,
        "high": float(row[f"{column}_high"]),
        "failed": failed,
        "verdict": verdict_of(evidence),
        "share": share[0],
        "share_low": share[1],
        "share_high": share[2],
        "errors": (metric.greatest - best) / wrong if wrong > 0 else None,
        "tried": sorted(titles, key=lambda one: (one == TOGETHER, one)),
        "alone": "" if alone is None else titles[alone],
        "alone_value": None if alone is None else float(rows[column].iloc[alone]),
        "words": "",
    }
    if (there := findings.where_wrong.get(names[place])) and there.images:
        facts |= {"wrong": there.images, "right": there.right, "right_low": there.low, "right_high": there.high}
    shortcut = ShortcutVerdict.from_json(facts)
    tested = bool(findings.views and findings.views.words)
    return replace(shortcut, words=words_of(shortcut, metric, experiment.images.objects, tested))


def guessing(scored: Scored, column: str) -> float:
    """What guessing reaches: that of the majority class, where it depends on the images."""
    if scored.guessing is not None:
        return scored.guessing
    board = scored.leaderboard
    majority = board.loc[(board["extractor"] == f"{SHORTCUT}majority class") & board[column].notna(), column]
    return float(majority.iloc[0]) if len(majority) else 0.0


def _sentences(answer: Answer) -> tuple[str, ...]:
    best, groups = answer.best, answer.groups.words
    unreached = (answer.budget.words,) if answer.budget else ()
    if best is None:
        failed = () if answer.budget and not answer.budget.reached else ("Every combination failed.",)
        return *failed, *unreached, "There is nothing to compare.", f"{groups}."
    if answer.chance:
        return answer.chance.words, f"{groups[0].upper()}{groups[1:]}."
    shortcut = answer.shortcut.words if answer.shortcut else "No shortcut could be scored."
    control = controls_sentence(answer.controls, metric_of(best.metric))
    return (
        _best_sentence(best),
        *unreached,
        *([answer.test.words] if answer.test else []),
        *([answer.sites.words] if answer.sites else []),
        _set_sentence(best, answer.best_set),
        *([_algorithms_sentence(answer.algorithms)] if answer.algorithms else []),
        f"{shortcut} {groups[0].upper()}{groups[1:]}.",
        *([control] if control else []),
    )


def _set_sentence(best: Winner, members: int) -> str:
    """About the fitted models of this run, on new images or patients like these."""
    count = best.picked_among
    if count == 1:
        return "There is nothing to compare it with."
    method = "(multiple comparisons with the best, bootstrap over groups)"
    if members == 1:
        return f"With 95 % confidence it is the best of these {count} fitted models {method}."
    if members == count:
        return f"Any of these {count} fitted models may be the best: none is excluded with 95 % confidence {method}."
    return (
        f"With 95 % confidence the best of these {count} fitted models is among the {members} that the leaderboard "
        f"marks with = {method}."
    )


def _algorithms_sentence(algorithms: Algorithms) -> str:
    """About what the methods would do with other training images, which is another question."""
    return (
        f"As algorithms, trained on other images like these, {algorithms.different} of the {algorithms.compared} "
        f"others differ from it (corrected resampled t-test over {algorithms.repeats} x {algorithms.folds} folds, "
        f"Holm, 5 %), and {algorithms.equivalent} are within 1 point of it with a probability of at least 95 % "
        "(Bayesian correlated t-test)."
    )


def _best_sentence(best: Winner) -> str:
    metric = metric_of(best.metric)
    sentence = f"{title(best.names)}, {metric.title} {metric.with_interval(best.value, best.low, best.high)}"
    if best.picked_among == 1:
        return f"The only combination: {sentence}."
    corrected = metric.with_interval(best.corrected, best.corrected_low, best.corrected_high)
    count = best.picked_among
    ties = (
        f" {best.tied} tie at this value; this one comes first: saturated probabilities last, then lower log loss, "
        "fewer features, order in the experiment file."
        if best.tied > 1
        else ""
    )
    dropped = f" ({best.dropped} resamples dropped: a class is missing from their test part)" if best.dropped else ""
    return f"Best of {count}: {sentence}; corrected for selecting the best of {count}: {corrected}{dropped}.{ties}"
