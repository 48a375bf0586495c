"""Networks of timm: their vectors are timm's own, from weights that the tests make; names, files and poolings."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

timm = pytest.importorskip("timm")
torch = pytest.importorskip("torch")

from leukobench.errors import ConfigurationError, UnknownNameError, WeightsError  # noqa: E402
from leukobench.features.extractors import EXTRACTORS, make_extractor  # noqa: E402
from leukobench.features.together import together  # noqa: E402

pytestmark = pytest.mark.torch
ENGINES = ("openvino", "torch")


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Images that are no squares, so that cropping shows."""
    folder, random = tmp_path_factory.mktemp("pictures"), np.random.default_rng(0)
    paths = [folder / f"{number}.png" for number in range(3)]
    for path, (height, width) in zip(paths, [(200, 240), (130, 120), (160, 333)], strict=True):
        smooth = Image.fromarray(random.integers(0, 256, (12, 15, 3), dtype=np.uint8))
        smooth.resize((width, height), Image.Resampling.BICUBIC).save(path)
    return paths


@pytest.fixture
def weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Make a network with weights far from their beginning, and its file."""
    from safetensors.torch import save_file

    monkeypatch.setenv("LEUKOBENCH_CACHE", str(tmp_path / "cache"))

    def make(name: str, **arguments: Any) -> tuple[Any, Path]:
        torch.manual_seed(7)
        module = timm.create_model(name, **arguments).eval()
        with torch.no_grad():
            for values in module.parameters():
                values.add_(torch.randn_like(values) * 0.05)
        path = tmp_path / f"{name}.safetensors"
        save_file(module.state_dict(), path)
        return module, path

    return make


def vectors(extractor: Any, files: list[Path], threads: int = 1) -> np.ndarray:
    with extractor.open(threads) as opened:
        return np.stack(list(opened.vectors([extractor.read(path.read_bytes()) for path in files])))


def images_of(module: Any, files: list[Path], size: int | None = None) -> Any:
    """What timm's own transform makes of the files."""
    config = timm.data.resolve_model_data_config(module, args={"img_size": size} if size else None)
    transform = timm.data.create_transform(**config, is_training=False)
    return torch.stack([transform(Image.open(path).convert("RGB")) for path in files])


def distance(vectors: np.ndarray, expected: Any) -> float:
    expected = expected.numpy()
    return float(np.max(np.linalg.norm(vectors - expected, axis=1) / np.linalg.norm(expected, axis=1)))


@pytest.mark.parametrize("name", ["test_vit", "test_vit3", "test_resnet", "test_convnext", "test_efficientnet"])
def test_vectors_are_those_of_timm(name: str, weights: Any, files: list[Path]) -> None:
    module, path = weights(name)
    with torch.inference_mode():
        images = images_of(module, files)
        expected = module.forward_head(module.forward_features(images), pre_logits=True)
    for engine in ENGINES:
        extractor = make_extractor(f"timm:{name}", {"weights": str(path), "engine": engine})
        assert distance(vectors(extractor, files), expected) < 1e-5
        assert extractor.identity["engine"] == engine in extractor.description
        assert len(extractor.feature_names) == expected.shape[1]


def test_size_and_arguments_change_the_network(weights: Any, files: list[Path]) -> None:
    module, path = weights("test_vit", img_size=96, reg_tokens=2)
    module.reset_classifier(0)
    with torch.inference_mode():
        expected = module(images_of(module, files, 96))
    for engine in ENGINES:
        parameters = {"weights": str(path), "input": 96, "model_args": {"reg_tokens": 2}, "engine": engine}
        assert distance(vectors(make_extractor("timm:test_vit", parameters), files), expected) < 1e-5


def test_tokens_are_pooled_in_one_pass(weights: Any, files: list[Path]) -> None:
    module, path = weights("test_vit", reg_tokens=2)
    with torch.inference_mode():
        tokens = module.forward_features(images_of(module, files))
    expected = {
        "cls": tokens[:, 0],
        "average": tokens.mean(dim=1),
        "max": tokens.amax(dim=1),
        "cls+mean_patch": torch.cat([tokens[:, 0], tokens[:, 3:].mean(dim=1)], dim=1),
    }
    for engine in ENGINES:
        parameters = {"weights": str(path), "model_args": {"reg_tokens": 2}, "engine": engine}
        members = [make_extractor("timm:test_vit", parameters | {"pooling": pooling}) for pooling in expected]
        (group,) = together(members)
        with group.open(1) as opened:
            joint = np.stack(list(opened.vectors([group.read(file.read_bytes()) for file in files])))
        for member, columns, values in zip(
            members, group.columns(opened.feature_names), expected.values(), strict=True
        ):
            assert distance(joint[:, columns], values) < 1e-5
            np.testing.assert_allclose(joint[:, columns], vectors(member, files), rtol=1e-5, atol=1e-6)


def test_the_order_of_images_and_the_cores_change_nothing(weights: Any, files: list[Path]) -> None:
    _, path = weights("test_resnet")
    extractor = make_extractor("timm:test_resnet", {"weights": str(path)})
    once = vectors(extractor, files)
    np.testing.assert_array_equal(vectors(extractor, files[::-1], threads=2), once[::-1])


def test_maps_have_no_tokens(weights: Any) -> None:
    _, path = weights("test_resnet")
    for engine in ENGINES:
        with pytest.raises(ConfigurationError, match="cannot be pooled"):
            make_extractor("timm:test_resnet", {"weights": str(path), "pooling": "cls", "engine": engine})


def test_a_file_of_other_weights_is_refused(weights: Any, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    _, path = weights("test_vit")
    _, other = weights("test_resnet")
    state = load_file(path)
    save_file({key: value for key, value in state.items() if "blocks.1.mlp" not in key}, tmp_path / "part.safetensors")
    (tmp_path / "cut.safetensors").write_bytes(path.read_bytes()[:1000])
    for wrong in (other, tmp_path / "part.safetensors", tmp_path / "cut.safetensors"):
        with pytest.raises(WeightsError, match="damaged or not those of test_vit"):
            make_extractor("timm:test_vit", {"weights": str(wrong)})
    with pytest.raises(WeightsError, match="safetensors alone"):
        make_extractor("timm:test_vit", {"weights": str(tmp_path / "weights.pth")})
    with pytest.raises(WeightsError, match="does not exist"):
        make_extractor("timm:test_vit", {"weights": str(tmp_path / "none.safetensors")})


def test_a_file_may_lack_the_classifier_or_have_another(weights: Any, files: list[Path], tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    _, path = weights("test_vit")
    state = load_file(path)
    whole = vectors(make_extractor("timm:test_vit", {"weights": str(path)}), files)
    without = {key: value for key, value in state.items() if not key.startswith("head.")}
    save_file(without, tmp_path / "without.safetensors")
    save_file(without | {"head.weight": torch.ones(4, 64), "head.bias": torch.ones(4)}, tmp_path / "four.safetensors")
    for name in ("without", "four"):
        extractor = make_extractor("timm:test_vit", {"weights": str(tmp_path / f"{name}.safetensors")})
        np.testing.assert_array_equal(vectors(extractor, files), whole)


def test_random_weights_are_called_so_and_come_back(files: list[Path], tmp_path: Path, monkeypatch: Any) -> None:
    results = []
    for number in (1, 2):
        monkeypatch.setenv("LEUKOBENCH_CACHE", str(tmp_path / str(number)))
        extractor = make_extractor("timm:test_vit", {"weights": "random:3"})
        results.append(vectors(extractor, files))
    np.testing.assert_array_equal(*results)
    assert "RANDOM" in extractor.description
    assert make_extractor("timm:test_vit", {"weights": "random"}).identity != extractor.identity


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("timm:vit_small_patch14_dino2", "did you mean timm:vit_small_patch14_dinov2"),
        ("timm:test_vit.nowhere", "did you mean timm:test_vit"),
        ("timm:hf-hub:nobody", "OWNER/NAME"),
        ("timm:hf-hub:../../etc/passwd", "OWNER/NAME"),
        ("timm:local-dir:/tmp", "There is no network"),
    ],
)
def test_unknown_names_are_found_out_before_a_download(name: str, words: str) -> None:
    with pytest.raises(UnknownNameError, match=words):
        EXTRACTORS.get(name)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"checkpoint_path": "x.pth"}, "cannot hold checkpoint_path"),
        ({"pretrained": True}, "cannot hold pretrained"),
        ({"no_such": 1}, "cannot build test_vit"),
        ({"img_size": 7}, "cannot build test_vit"),
        ({"mlp_layer": "subprocess.Popen"}, "layer of `model_args` is none"),
        ({"act_layer": "torch.nn.Parameter"}, "layer of `model_args` is none"),
    ],
)
def test_arguments_are_checked_before_any_work(arguments: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        make_extractor("timm:test_vit", {"weights": "random", "model_args": arguments})


@pytest.mark.parametrize("file", ["model.safetensors", "pytorch_model.bin"])
def test_a_repository_of_the_hub_on_this_disk_needs_no_network(
    file: str, weights: Any, files: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module, path = weights("test_vit", reg_tokens=2)
    expected = vectors(make_extractor("timm:test_vit", {"weights": str(path), "model_args": {"reg_tokens": 2}}), files)
    folder = tmp_path / "home" / "hub" / "models--owner--my-vit"
    (folder / "refs").mkdir(parents=True)
    (folder / "refs" / "main").write_text("abc")
    snapshot = folder / "snapshots" / "abc"
    snapshot.mkdir(parents=True)
    settings = timm.get_pretrained_cfg("test_vit").to_dict()
    config = {"architecture": "test_vit", "model_args": {"reg_tokens": 2}, "pretrained_cfg": settings}
    (snapshot / "config.json").write_text(json.dumps(config))
    if file.endswith(".bin"):
        torch.save(module.state_dict(), snapshot / file)
    else:
        path.rename(snapshot / file)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("HF_HUB_CACHE", raising=False)
    extractor = make_extractor("timm:hf-hub:owner/my-vit", {})
    np.testing.assert_array_equal(vectors(extractor, files), expected)
    assert extractor.name == "my-vit"
    assert "owner/my-vit, licence" in extractor.description


def test_well_known_networks_have_their_parameters(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    snapshot = tmp_path / "hub" / "models--paige-ai--Virchow2" / "snapshots" / "main"
    snapshot.mkdir(parents=True)
    (snapshot.parents[1] / "refs").mkdir()
    (snapshot.parents[1] / "refs" / "main").write_text("main")
    small = {"depth": 1, "num_heads": 2, "embed_dim": 16, "reg_tokens": 4, "global_pool": "", "img_size": 28}
    settings = {"input_size": [3, 28, 28], "num_classes": 0}
    config = {"architecture": "vit_huge_patch14_224", "model_args": small, "pretrained_cfg": settings}
    (snapshot / "config.json").write_text(json.dumps(config))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setenv("LEUKOBENCH_CACHE", str(tmp_path / "cache"))
    extractor = make_extractor("timm:hf-hub:paige-ai/Virchow2", {"weights": "random"})
    assert extractor.cut.pooling == "cls+mean_patch"
    assert len(extractor.feature_names) == 32
    assert extractor.model.arguments["mlp_layer"] == "timm.layers.SwiGLUPacked"
    other = make_extractor("timm:hf-hub:paige-ai/Virchow2", {"weights": "random", "pooling": "cls"})
    assert len(other.feature_names) == 16
