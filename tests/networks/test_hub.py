"""Files of the hub: found where its client keeps them; licence, gate and size are shown before a download."""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from leukobench.errors import WeightsError
from leukobench.networks.hub import fetch, find, hub_folder

NAMES = ("model.safetensors", "pytorch_model.bin")


def stored(hub: Path, repository: str, commit: str = "c0ffee", *, reference: str = "main", **files: str) -> Path:
    """What the hub's client leaves on the disk."""
    folder = hub / f"models--{repository.replace('/', '--')}"
    for path, text in (
        {f"refs/{reference}": commit} | {f"snapshots/{commit}/{name}": t for name, t in files.items()}
    ).items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    return folder / "snapshots" / commit


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    return tmp_path / "hub"


def test_files_are_found_where_the_hub_keeps_them(hub: Path) -> None:
    assert find("owner/name", NAMES) is None
    folder = stored(hub, "owner/name", **{"pytorch_model.bin": "b"})
    assert find("owner/name", NAMES) == folder / "pytorch_model.bin"
    stored(hub, "owner/name", **{"model.safetensors": "s"})
    assert find("owner/name", NAMES) == fetch("owner/name", NAMES) == folder / "model.safetensors"
    tagged = stored(hub, "owner/name", "beef", reference="v2", **{"model.safetensors": "other"})
    assert find("owner/name@v2", NAMES) == find("owner/name@beef", NAMES) == tagged / "model.safetensors"
    assert find("owner/name@v3", NAMES) is None


def test_the_folder_is_that_of_the_hubs_client(hub: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert hub_folder() == hub
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "elsewhere"))
    assert hub_folder() == tmp_path / "elsewhere"
    monkeypatch.delenv("HF_HUB_CACHE")
    monkeypatch.delenv("HF_HOME")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert hub_folder() == tmp_path / "xdg" / "huggingface" / "hub"


class Hub:
    """Stands for the package huggingface_hub, which is not installed here."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, folder: Path, **facts: Any) -> None:
        self.downloads: list[str] = []
        self.folder, self.failure = folder, None
        self.facts = {"gated": False, "card_data": SimpleNamespace(license="apache-2.0")} | facts
        errors: Any = ModuleType("huggingface_hub.errors")
        errors.HFValidationError = type("HFValidationError", (ValueError,), {})
        errors.RepositoryNotFoundError = type("RepositoryNotFoundError", (OSError,), {})
        errors.GatedRepoError = type("GatedRepoError", (errors.RepositoryNotFoundError,), {})
        errors.RevisionNotFoundError = type("RevisionNotFoundError", (OSError,), {})
        module: Any = ModuleType("huggingface_hub")
        module.errors, module.HfApi, module.hf_hub_download = errors, lambda: self, self.download
        self.errors = errors
        monkeypatch.setitem(sys.modules, "huggingface_hub", module)
        monkeypatch.setitem(sys.modules, "huggingface_hub.errors", errors)

    def model_info(self, name: str, **_: Any) -> Any:
        if self.failure:
            raise self.failure
        files = [SimpleNamespace(rfilename=file, size=88_000_000) for file in ("README.md", "model.safetensors")]
        return SimpleNamespace(**self.facts | {"siblings": self.facts.get("siblings", files)})

    def download(self, name: str, file: str, revision: str | None = None) -> str:
        self.downloads.append(file)
        return str(self.folder / file)


def test_licence_gate_and_size_are_shown_before_a_download(
    hub: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    client = Hub(monkeypatch, hub)
    with caplog.at_level(logging.INFO, logger="leukobench"):
        assert fetch("owner/name", NAMES) == hub / "model.safetensors"
    (line,) = caplog.messages
    assert all(part in line for part in ("owner/name", "licence apache-2.0", "not gated", "88 MB"))
    assert client.downloads == ["model.safetensors"]
    caplog.clear()
    Hub(monkeypatch, hub, gated="manual", card_data=SimpleNamespace(license="other", license_name="dinov3-license"))
    with caplog.at_level(logging.INFO, logger="leukobench"):
        fetch("owner/name", NAMES)
    assert "licence dinov3-license, gated: its terms were accepted" in caplog.text


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (
            "GatedRepoError",
            ["gated", "the terms at https://huggingface.co/owner/name", "HF_TOKEN", "three ways"],
        ),
        ("RepositoryNotFoundError", ["has no repository owner/name", "HF_TOKEN"]),
        ("ConnectError", ["cannot be downloaded", "no such file", "three ways", ".safetensors", "{table:", "{onnx:"]),
    ],
)
def test_what_fails_says_what_helps(hub: Path, monkeypatch: pytest.MonkeyPatch, kind: str, words: list[str]) -> None:
    client = Hub(monkeypatch, hub)
    client.failure = getattr(client.errors, kind, type(kind, (Exception,), {}))("no answer")
    with pytest.raises(WeightsError) as raised:
        fetch("owner/name", NAMES)
    assert [word for word in words if word not in str(raised.value)] == []
    assert client.downloads == []


def test_a_repository_without_weights_is_refused(hub: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Hub(monkeypatch, hub, siblings=[SimpleNamespace(rfilename="weights.npz", size=1)])
    with pytest.raises(WeightsError, match="no weights that can be read"):
        fetch("owner/name", NAMES)
