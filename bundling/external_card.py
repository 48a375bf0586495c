"""A card that lists external tests: the same bundle, written again with a digest of its own."""

from __future__ import annotations

from pathlib import Path

from ..errors import BundleError
from ..evaluation.metrics import metric_of
from ..runs.external_answer import ExternalAnswer, external_answers
from ..serving.container import MANIFEST, Contents, read_bundle
from ..storage import user_path
from .writing import check_target, write_bundle

CARD = "model_card.md"
_HEADING = "## External tests"
_NEXT = "\n## Limits\n"
_EARLIER = "tested_as"


def check_card(bundle: Path, target: Path) -> None:
    """Refuse, before any work, what is no bundle, or a place that it cannot be written to.

    Raises
    ------
    BundleError
    """
    bundle, target = user_path(bundle), user_path(target).resolve()
    read_bundle(bundle)
    check_target(target)
    if target == bundle.resolve():
        raise BundleError(
            "A bundle with another card is another bundle.",
            expected="a new place: its digest differs",
            received=str(target),
            fix="choose another name with --card.",
        )


def write_card(bundle: Path, target: Path) -> str:
    """Write the bundle again, with the external tests beside it on its card and in its manifest.

    Parameters
    ----------
    bundle : Path
    target : Path
        A folder, or a zip by its ending.

    Returns
    -------
    str
        Digest of the new bundle, SHA-256 (hex).

    Raises
    ------
    BundleError
        There is no test of this bundle, or it cannot be written there.
    """
    bundle = user_path(bundle)
    check_card(bundle, target)
    contents = read_bundle(bundle)
    digests = {contents.digest, *contents.manifest.get(_EARLIER, [])}
    tests = [one for one in external_answers(bundle.absolute().parent).values() if one.digest in digests]
    if not tests:
        raise BundleError(
            "There is no external test of this bundle.",
            expected=f"answer.json below {bundle.absolute().parent / 'external'} with its digest",
            received=contents.digest,
            fix="run `leukobench external BUNDLE IMAGES` first.",
        )
    manifest = {name: value for name, value in contents.manifest.items() if name not in ("kind", "format")}
    manifest |= {_EARLIER: sorted(digests), "external": [_summary(one) for one in tests]}
    files = {name: data for name, data in contents.files.items() if name != MANIFEST}
    files[CARD] = _card(contents, tests).encode("utf-8")
    return write_bundle(user_path(target), manifest, files)


def _summary(one: ExternalAnswer) -> dict[str, object]:
    keys = ("name", "time", "digest", "metric", "verdict", "sentences")
    return {key: value for key, value in one.to_json().items() if key in keys}


def _card(contents: Contents, tests: list[ExternalAnswer]) -> str:
    """The card, with a section before that on limits."""
    card = contents.file(CARD).decode("utf-8")
    before, limits, after = card.partition(_NEXT)
    before = before.partition(f"\n{_HEADING}\n")[0].rstrip("\n")
    section = [_HEADING, "Tests on labelled images of other sources, of the bundle with the digest that they name."]
    section += [_section(one) for one in tests]
    return "\n\n".join([before, *section]) + "\n" + limits + after


def _section(one: ExternalAnswer) -> str:
    lines = [f"### {_plain(one.name)}", f"{one.time}; bundle {one.digest}; {metric_of(one.metric).title}"]
    return "\n\n".join([*lines, "\n".join(f"- {_plain(sentence)}" for sentence in one.sentences)])


def _plain(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
