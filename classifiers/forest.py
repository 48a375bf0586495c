"""Random forests, trained several times faster by oneDAL where scikit-learn-intelex is installed."""

from __future__ import annotations

from importlib.util import find_spec
from numbers import Integral
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.ensemble import RandomForestClassifier
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils._param_validation import Interval, StrOptions

from ..errors import EngineError
from ..registry import declares


@declares(
    search_space={"max_features": ["sqrt", 0.1], "min_samples_leaf": [1, 3]},
    stored_types=("sklearn.tree._classes.DecisionTreeClassifier", "sklearn.tree._tree.Tree"),
)
class RandomForest(RandomForestClassifier):
    """scikit-learn's random forest, trained by oneDAL or by scikit-learn.

    Trees of either kind are scikit-learn's own objects, so that prediction, importances and storage are the same. They
    use different random numbers: two engines differ as two seeds do.

    Parameters
    ----------
    n_estimators, max_features, max_depth, min_samples_leaf, min_weight_fraction_leaf : number, str or None
    class_weight, random_state, n_jobs
        See `sklearn.ensemble.RandomForestClassifier`.
    max_bins : int
        Bins a feature between which oneDAL splits; scikit-learn knows none. With 64, forests on network features score
        as with 256, and as scikit-learn's, in seven tenths of the time.
    engine : {"auto", "onedal", "scikit-learn"}
        ``"auto"`` takes oneDAL where it is installed and takes these parameters.

    References
    ----------
    L. Breiman, Random Forests, Machine Learning 45, 2001.
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **RandomForestClassifier._parameter_constraints,
        "max_bins": [Interval(Integral, 2, None, closed="left")],
        "engine": [StrOptions({"auto", "onedal", "scikit-learn"})],
    }

    def __init__(
        self,
        n_estimators: int = 200,
        *,
        max_features: Any = "sqrt",
        max_depth: int | None = None,
        min_samples_leaf: int = 1,
        min_weight_fraction_leaf: float = 0.0,
        class_weight: Any = None,
        random_state: Any = None,
        n_jobs: int | None = None,
        max_bins: int = 64,
        engine: str = "auto",
    ) -> None:
        super().__init__(
            n_estimators,
            max_features=max_features,
            max_depth=max_depth,
            min_samples_leaf=min_samples_leaf,
            min_weight_fraction_leaf=min_weight_fraction_leaf,
            class_weight=class_weight,
            random_state=random_state,
            n_jobs=n_jobs,
        )
        self.max_bins = max_bins
        self.engine = engine

    def fit(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Grow the trees; see `sklearn.ensemble.RandomForestClassifier.fit`.

        Raises
        ------
        EngineError
            `engine` is ``"onedal"`` and oneDAL is not installed.
        """
        if self.engine == "onedal" and not onedal_installed():
            raise EngineError("oneDAL is not installed.", fix="pip install 'leukobench[onedal]', or `engine: auto`.")
        labels = np.asarray(y)
        one_label = labels.ndim > 0 and labels.size == len(labels)
        plain = self.engine == "scikit-learn" or not onedal_installed()
        if plain or self.class_weight == "balanced_subsample" or not one_label:
            return super().fit(X, y, sample_weight)
        from sklearnex.ensemble import RandomForestClassifier as OneDAL

        settings = self.get_params()
        del settings["engine"]
        forest = OneDAL(**settings).fit(X, y, sample_weight)
        self.estimators_ = _trees_of(forest)
        self.estimator_ = DecisionTreeClassifier()
        self.classes_, self.n_classes_, self.n_outputs_ = forest.classes_, len(forest.classes_), 1
        self.n_features_in_ = forest.n_features_in_
        if hasattr(forest, "feature_names_in_"):
            self.feature_names_in_ = np.asarray(forest.feature_names_in_)
        return self


class _NamedOnce(DecisionTreeClassifier):
    """Names its parameters without looking them up: a fourth of a small forest's time went into that."""

    _names = tuple(DecisionTreeClassifier._get_param_names())

    @classmethod
    def _get_param_names(cls) -> list[str]:
        return list(cls._names)


def _trees_of(forest: Any) -> list[DecisionTreeClassifier]:
    """The trees of oneDAL's forest, each of which it clones from one of the class of its `estimator`."""
    forest.estimator = _NamedOnce()
    for tree in forest.estimators_:
        tree.__class__ = DecisionTreeClassifier
    return list(forest.estimators_)


def onedal_installed() -> bool:
    """Whether scikit-learn-intelex is installed, checked without importing it."""
    return find_spec("sklearnex") is not None
