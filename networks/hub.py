"""Files of the Hugging Face hub: found on this disk, or downloaded once, after licence, gate and size were shown."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..errors import WeightsError
from ..storage import user_path

HOST = "https://huggingface.co/"
WEIGHTS = ("model.safetensors", "open_clip_model.safetensors", "pytorch_model.bin")
"""Names of weights files, the best first; the last one is read by `leukobench.networks.torch_file`."""
WAYS_OUT = (
    "without the hub there are three ways: (1) `weights: FILE.safetensors`, a copy made elsewhere; (2) a table of "
    "embeddings that were computed elsewhere, `{table: FILE}`; (3) the network as a file, `{onnx: FILE}`. "
    "docs/extractors.md has each, step by step."
)
_LOG = logging.getLogger(__name__)
_TIMEOUT_S = 30.0


def hub_folder() -> Path:
    """Where the hub's own client keeps what it downloaded, by the variables that it reads."""
    named = os.environ.get("HF_HUB_CACHE") or os.environ.get("HUGGINGFACE_HUB_CACHE")
    home = os.environ.get("HF_HOME") or Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache") / "huggingface"
    return user_path(named or Path(home) / "hub")


def find(repository: str, names: Sequence[str]) -> Path | None:
    """The first of these files of a repository that lies on this disk, as the hub's client keeps it.

    Parameters
    ----------
    repository : str
        ``owner/name``, or ``owner/name@revision``.
    names : sequence of str
    """
    name, _, revision = repository.partition("@")
    folder = hub_folder() / f"models--{name.replace('/', '--')}"
    try:
        commit = (folder / "refs" / (revision or "main")).read_text(encoding="utf-8").strip()
    except (OSError, ValueError):
        commit = revision
    files = [folder / "snapshots" / commit / file for file in names] if commit else []
    return next((file for file in files if file.is_file()), None)


def fetch(repository: str, names: Sequence[str]) -> Path:
    """The first of these files that the repository holds: from this disk, or downloaded.

    Parameters
    ----------
    repository : str
        ``owner/name``, or ``owner/name@revision``.
    names : sequence of str
        The best first.

    Raises
    ------
    WeightsError
        The hub cannot be reached, the repository is gated, or it holds none of them.
    """
    if file := find(repository, names):
        return file
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    from huggingface_hub import errors

    try:
        file = _download(repository, names)
    except errors.GatedRepoError as error:
        raise _gated(repository, str(error)) from error
    except (errors.RepositoryNotFoundError, errors.RevisionNotFoundError, errors.HFValidationError) as error:
        raise WeightsError(
            f"The hub has no repository {repository}, or does not show it to you.",
            expected="owner/name of a public repository, or of one that your token opens",
            received=repository,
            fix="correct the name; for a private one set HF_TOKEN, or run `hf auth login`.",
        ) from error
    except Exception as error:  # the hub's client passes on those of whichever HTTP library it uses
        raise _unreachable(repository, names, error) from error
    if file is None:
        raise WeightsError(
            f"The repository {repository} holds no weights that can be read.",
            expected=" or ".join(names),
            received=f"none of them in {address(repository)}",
            fix=WAYS_OUT,
        )
    return file


def address(repository: str) -> str:
    """The page of a repository."""
    return HOST + repository.partition("@")[0]


def _download(repository: str, names: Sequence[str]) -> Path | None:
    """Download the first file that is there; None where there is none."""
    from huggingface_hub import HfApi, hf_hub_download

    name, _, revision = repository.partition("@")
    facts = HfApi().model_info(name, revision=revision or None, timeout=_TIMEOUT_S, files_metadata=True)
    sizes = {file.rfilename: file.size or 0 for file in facts.siblings or []}
    chosen = next((file for file in names if file in sizes), None)
    if chosen is None:
        return None
    _LOG.info("downloading %s from %s: %s", chosen, address(name), _terms(facts, sizes[chosen]))
    return Path(hf_hub_download(name, chosen, revision=revision or None))


def _terms(facts: Any, size: int) -> str:
    """Licence, gate and size of a repository's file, in words."""
    card = getattr(facts, "card_data", None)
    licence = getattr(card, "license_name", None) or getattr(card, "license", None) or "not stated"
    gate = "gated: its terms were accepted by the owner of your token" if facts.gated else "not gated"
    return f"licence {licence}, {gate}, {size / 1e6:,.0f} MB"


def _gated(repository: str, reason: str) -> WeightsError:
    page = address(repository)
    return WeightsError(
        f"The weights of {repository} are gated: their owner gives them to those who accept the terms.",
        expected="a token of an account that was given access",
        received=reason.strip().splitlines()[-1] if reason.strip() else "access refused",
        fix=f"read and accept the terms at {page}, then set HF_TOKEN or run `hf auth login`; {WAYS_OUT}",
    )


def _unreachable(repository: str, names: Sequence[str], error: Exception) -> WeightsError:
    reason = str(error).strip().partition("\n")[0]
    return WeightsError(
        f"The weights of {repository} are not on this machine and cannot be downloaded.",
        expected=f"{names[0]} of {address(repository)}",
        received=f"no such file in {hub_folder()}; {type(error).__name__}: {reason}",
        fix=f"connect this machine, or copy the hub's folder from one that has it (HF_HOME names it); {WAYS_OUT}",
    )
