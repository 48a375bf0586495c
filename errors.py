"""The exception tree. Every message says what happened, what was expected, what was received and how to fix it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

_UNSEEN = re.compile("[\0-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_LONGEST_LINE = 2_000
_DIGEST = 64
"""Length of an image id."""


def visible(text: str) -> str:
    """`text` with control characters as escapes, so that no name moves the cursor of a terminal or turns its text."""
    return _UNSEEN.sub(lambda sign: sign[0].encode("unicode_escape").decode(), text)


def visible_lines(text: str) -> str:
    """The same of several lines."""
    return "\n".join(map(visible, text.split("\n")))


def _shortened(line: str) -> str:
    half = _LONGEST_LINE // 2
    return line if len(line) <= _LONGEST_LINE else f"{line[:half]} ... {line[-half:]}"


class LeukobenchError(Exception):
    """Base of every error that leukobench raises on purpose.

    Parameters
    ----------
    what : str
        What happened, as one sentence.
    expected, received, fix : str, optional
        What was expected, what was received instead, and how the user can fix it.
    """

    exit_code = 2

    def __init__(self, what: str, *, expected: str = "", received: str = "", fix: str = "") -> None:
        self.what, self.expected, self.received, self.fix = what, expected, received, fix
        parts = [what]
        parts += [f"  expected: {expected}"] if expected else []
        parts += [f"  received: {received}"] if received else []
        parts += [f"  fix: {fix}"] if fix else []
        lines = visible_lines("\n".join(re.sub(r"\n(?! {4})", "\n    ", part) for part in parts)).split("\n")
        super().__init__("\n".join(map(_shortened, lines)))


class ConfigurationError(LeukobenchError):
    """The experiment file or a parameter is invalid."""


class UnknownNameError(ConfigurationError):
    """A name is not in its registry."""


class CodeNotAllowedError(ConfigurationError):
    """Code would run that the user did not allow.

    Parameters
    ----------
    digests : sequence of str
        What `--allow-code` would have to name.
    """

    def __init__(self, what: str, *, digests: Sequence[str] = (), **parts: str) -> None:
        super().__init__(what, **parts)
        self.digests = tuple(digests)


class ImagesError(LeukobenchError):
    """The images or their labels cannot be used for a benchmark."""


class ImagesChangedError(ImagesError):
    """Images were changed, or became unreadable, after the run had indexed them.

    Parameters
    ----------
    reasons : mapping
        Image id or path -> what is wrong with it.
    """

    def __init__(self, reasons: Mapping[str, str]) -> None:
        image, reason = next(iter(reasons.items()))
        image = image[:12] if len(image) == _DIGEST else image
        super().__init__(
            f"{len(reasons)} image{'s' if len(reasons) > 1 else ''} changed or became unreadable after the run had "
            "indexed them.",
            expected="the bytes that were indexed",
            received=f"first: image {image}: {reason}",
            fix="restore the folder, or run the experiment again; leave the folder unchanged during a run.",
        )


class UnreadableImageError(ImagesError):
    """One file does not decode completely as an image."""


class WeightsError(LeukobenchError):
    """Network weights are absent, damaged or belong to another network."""


class EngineError(LeukobenchError):
    """No engine can run the network on this machine."""


class ExtractionError(LeukobenchError):
    """An extractor returned something that is not a feature vector."""


class TrainingError(LeukobenchError):
    """A network could not be trained."""


class StorageError(LeukobenchError):
    """A file could not be read or written."""


class BusyError(StorageError):
    """Another process is working on the same thing."""


class EveryCombinationFailedError(LeukobenchError):
    """The run finished, but no combination has a score."""

    exit_code = 1


class BundleError(LeukobenchError):
    """A bundle is damaged, not a leukobench bundle, too new, or cannot be written."""


class ClusterError(LeukobenchError):
    """The machines that were to compute a run cannot, or were lost; what they finished is kept."""


class TrackingError(LeukobenchError):
    """A tracking server does not answer, or refuses; the run itself is as it was."""
