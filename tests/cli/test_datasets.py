"""``leukobench datasets``."""

from __future__ import annotations

import json

from leukobench.images.datasets import public_sets

from .calls import call, call_apart


def test_all_are_listed_and_one_is_said_in_full() -> None:
    code, words = call("datasets")
    assert code == 0
    assert all(name in words for name in public_sets())
    code, words = call("datasets", "cnmc-2019")
    assert code == 0
    assert all(part in words for part in ("--layout cnmc_challenge", "118 subjects", "CC BY 3.0", "https://", "H8"))
    assert call("datasets", "nothing")[0] == 2


def test_json_has_every_fact() -> None:
    code, text, _ = call_apart("datasets", "pbc", "--json")
    (facts,) = json.loads(text)["datasets"]
    assert (code, facts["images"], facts["layout"]) == (0, 17_092, "folders")
    assert facts["classes"][0] == "basophil"
