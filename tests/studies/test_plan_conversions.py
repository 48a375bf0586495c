"""Networks are converted by another process, as this one would have converted them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from leukobench.features.extractors import make_extractor
from leukobench.features.together import together
from leukobench.networks import openvino_ir
from leukobench.studies.plan_conversions import convert, converting

Make = Callable[..., Any]
TINY = "tiny_network:TINY"


def test_there_is_nothing_to_convert_for_other_extractors(experiment: Make) -> None:
    with converting(experiment()) as conversion:
        assert conversion is None


def files(cache: Path) -> dict[str, bytes]:
    """Weights of the converted networks; the graphs beside them also name layers by what a process built before."""
    return {path.relative_to(cache).as_posix(): path.read_bytes() for path in cache.rglob("model.bin")}


@pytest.mark.slow
def test_what_another_process_converted_is_what_this_one_would_have_converted(
    experiment: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    choices = [{TINY: {"pooling": pooling, "engine": "openvino"}} for pooling in ("average", "multilevel")]
    choices.append({TINY: {"weights": "random:1", "engine": "openvino"}})
    networks = [make_extractor(name, parameters) for choice in choices for name, parameters in choice.items()]
    with converting(experiment(extractors=choices)) as conversion:
        conversion.result()
    there = files(tmp_path / "cache")
    assert len(there) == 2, "one for both poolings, and one of other weights"
    with monkeypatch.context() as here:
        here.setenv("LEUKOBENCH_CACHE", str(tmp_path / "here"))
        convert(networks)
        assert files(tmp_path / "here") == there
    monkeypatch.setattr(openvino_ir, "_convert", None)
    for one in (*together(networks), networks[2]):
        with one.open(1) as opened:
            assert opened.feature_names
