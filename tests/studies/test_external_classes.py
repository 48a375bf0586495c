"""Classes by equal names and by a map: what is joined adds up, and what cannot be is refused."""

from __future__ import annotations

import numpy as np
import pytest

from leukobench.errors import ConfigurationError
from leukobench.studies.external_classes import map_classes

MODEL = ["Benign", "Early", "Pre", "Pro"]


def test_equal_names_need_no_map() -> None:
    own = map_classes(["early", "Pro", "smudge"], MODEL)
    assert own.labels == {"early": "Early", "Pro": "Pro"}
    assert own.unmapped == ("smudge",)
    assert own.classes == tuple(MODEL)
    probabilities = np.random.default_rng(0).dirichlet([1, 1, 1, 1], 5)
    assert own.probabilities(probabilities) == pytest.approx(probabilities)


def test_a_map_goes_from_classes_of_the_images_to_those_of_the_model() -> None:
    own = map_classes(["blast", "normal"], ["ALL", "hem"], "blast=ALL, normal=hem")
    assert own.labels == {"blast": "ALL", "normal": "hem"}
    assert own.classes == ("ALL", "hem")


def test_several_classes_of_the_model_are_one() -> None:
    own = map_classes(["ALL", "hem", "Pro"], MODEL, "ALL=Early+Pre+Pro,hem=Benign")
    assert own.classes == ("Benign", "Early+Pre+Pro")
    assert own.labels == {"ALL": "Early+Pre+Pro", "hem": "Benign", "Pro": "Early+Pre+Pro"}
    probabilities = np.array([[0.1, 0.2, 0.3, 0.4]])
    assert own.probabilities(probabilities) == pytest.approx(np.array([[0.1, 0.9]]))
    assert own.sets(np.array([[False, False, True, False]])).tolist() == [[False, True]]
    assert own.codes(np.array([0, 1, 2, 3])).tolist() == [0, 1, 1, 1]


def test_a_name_with_a_plus_is_a_name_where_the_model_has_it() -> None:
    assert map_classes(["x", "b"], ["CD3+", "b"], "x=CD3+").labels["x"] == "CD3+"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("lymphoma=Pro", "the images do not have"),
        ("Early=lymphoma", "the model does not have"),
        ("Early", "cannot be read"),
        ("Early=", "cannot be read"),
        ("Early=Pre,Early=Pro", "names the class Early twice"),
        ("Early=Pre+Pro,other=Pro", "a part of another one"),
        ("Early=Benign+Early+Pre+Pro", "joins all classes"),
    ],
)
def test_a_map_that_names_nothing_is_refused(text: str, words: str) -> None:
    with pytest.raises(ConfigurationError, match=words) as raised:
        map_classes(["Early", "other"], MODEL, text)
    assert "expected:" in str(raised.value)
    assert "received:" in str(raised.value)


def test_other_classes_are_refused_with_both_lists() -> None:
    with pytest.raises(ConfigurationError, match="No class of the images") as raised:
        map_classes(["yes", "no"], MODEL)
    assert "Benign, Early, Pre, Pro" in str(raised.value)
    assert "yes, no" in str(raised.value)
