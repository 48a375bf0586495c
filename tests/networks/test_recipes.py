"""Well-known networks: the table in the package, and the one of the document."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from leukobench.config.choice import Choice
from leukobench.networks.recipes import licence_of, parameters_of, recipes

DOCUMENT = Path(__file__).parents[2] / "docs" / "extractors.md"


def test_recipes_name_extractors_with_their_parameters() -> None:
    assert len(recipes()) == len({one.repository for one in recipes()}) >= 14
    for one in recipes():
        parameters = yaml.safe_load(one.parameters or "{}")
        assert Choice.model_validate({one.name: parameters}).parameters == parameters
        assert all([one.numbers, one.input, one.licence])
    assert {one.repository for one in recipes() if one.gated} == {
        *("MahmoodLab/UNI2-h", "MahmoodLab/CONCH", "paige-ai/Virchow2"),
    }


def test_licences_are_known_by_repository() -> None:
    assert licence_of("mahmoodlab/uni2-h@main") == "CC-BY-NC-ND-4.0"
    assert licence_of("owner/name") == "not stated"


def test_the_document_says_what_the_table_says() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    lines = [line.strip("|").split("|") for line in text.splitlines() if line.startswith("| ")]
    rows = [[cell.strip().strip("`") for cell in line] for line in lines]
    for one in recipes():
        (row,) = [row for row in rows if row[0] == one.title]
        size = f"{one.megabytes:,}" if one.megabytes else "?"
        gate = "gated" if one.gated else "open"
        assert row[1:7] == [one.name, f"{one.numbers:,}", str(one.input), size, one.licence, gate]


def test_every_example_of_the_document_is_yaml_that_names_extractors() -> None:
    blocks = re.findall(r"```yaml\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)
    choices = [choice for block in blocks for choice in yaml.safe_load(block)["extractors"]]
    assert len(choices) >= 5
    named = {Choice.model_validate(choice).name: Choice.model_validate(choice).parameters for choice in choices}
    assert {one.name for one in recipes() if one.parameters} <= named.keys()
    assert named["timm:vit_giant_patch14_224"]["model_args"] == parameters_of("MahmoodLab/UNI2-h")["model_args"]


@pytest.mark.torch
def test_architectures_of_the_recipes_are_those_that_timm_builds() -> None:
    timm = pytest.importorskip("timm")
    torch = pytest.importorskip("torch")
    from leukobench.networks.network import TORCH, ImageInput
    from leukobench.networks.timm_models import TimmModel, create

    virchow2 = {"img_size": 224, "init_values": 1e-5, "reg_tokens": 4, "mlp_ratio": 5.3375, "global_pool": ""}
    others = {
        "MahmoodLab/UNI2-h": ("vit_giant_patch14_224", {}, 1),
        "paige-ai/Virchow2": ("vit_huge_patch14_224", virchow2, 2),
    }
    for one in recipes():
        name = one.name.removeprefix("timm:")
        architecture, arguments, parts = others.get(one.repository, (name.partition(".")[0], {}, 1))
        if architecture.startswith("hf-hub") or one.name == "table or onnx":
            continue
        arguments = {**arguments, **yaml.safe_load(one.parameters or "{}").get("model_args", {})}
        model = TimmModel(name, architecture, arguments, {}, ImageInput((one.input, one.input), TORCH))
        with torch.device("meta"):
            module = create(model)
        assert module.num_features * parts == one.numbers
        assert abs(sum(p.numel() for p in module.parameters()) * 4e-6 - one.megabytes) < 0.02 * one.megabytes
        if architecture == name.partition(".")[0]:
            assert timm.get_pretrained_cfg(name).input_size[1] == one.input
