"""A card that lists external tests is a new bundle; the old one stays as it is."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from leukobench.bundling.external_card import check_card, write_card
from leukobench.errors import BundleError
from leukobench.serving.container import read_bundle

from ..reporting.test_external import ANSWER

STORED = Path(__file__).parent.parent / "serving" / "bundle-format-1.zip"


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    path = Path(shutil.copy(STORED, tmp_path / "model.zip"))
    for name, digest in (("own", read_bundle(path).digest), ("of another", "0" * 64)):
        folder = tmp_path / "external" / name
        folder.mkdir(parents=True)
        answer = replace(ANSWER, name=name, digest=digest, verdict="lower", sentences=("LOWER | ELSEWHERE",))
        (folder / "answer.json").write_text(json.dumps(answer.to_json()))
    return path


def test_the_card_lists_the_tests_of_this_bundle(bundle: Path, tmp_path: Path) -> None:
    before = bundle.read_bytes()
    digest = write_card(bundle, tmp_path / "tested.zip")
    old, new = read_bundle(bundle), read_bundle(tmp_path / "tested.zip", digest)
    assert bundle.read_bytes() == before
    assert new.digest != old.digest
    card = new.file("model_card.md").decode()
    assert "### own" in card
    assert "- LOWER \\| ELSEWHERE" in card
    assert "of another" not in card
    assert card.index("## External tests") < card.index("## Limits")
    assert {name for name in new.files if new.files[name] != old.files[name]} == {"model_card.md", "manifest.json"}
    assert new.manifest["tested_as"] == [old.digest]
    assert [one["name"] for one in new.manifest["external"]] == ["own"]
    again = write_card(tmp_path / "tested.zip", tmp_path / "again.zip")  # its tests are those of the bundle it is
    assert read_bundle(tmp_path / "again.zip", again).file("model_card.md").decode().count("## External tests") == 1


def test_what_has_no_test_or_no_place_is_refused(bundle: Path, tmp_path: Path) -> None:
    shutil.rmtree(tmp_path / "external" / "own")
    with pytest.raises(BundleError, match="no external test of this bundle"):
        write_card(bundle, tmp_path / "tested")
    with pytest.raises(BundleError, match="is another bundle"):
        check_card(bundle, bundle)
    with pytest.raises(BundleError, match="not part of a bundle"):
        check_card(bundle, tmp_path / "external")
