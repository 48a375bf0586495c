"""What a bundle may hold of scikit-learn: estimators of numbers that predict from arrays, and what these consist of.

A type belongs here if a file that somebody made up cannot make it leave the process's memory, run code, or never end:
those that hand indices to compiled code have a check in `estimator_checks`. Not here, with reasons:

- estimators of texts, categories or sparse tables (vectorizers, encoders, `RandomTreesEmbedding`, graphs):
  features are numbers in a dense table;
- `Birch`, which skops does not store, and `SplineTransformer`, whose compiled splines it does not take apart;
- `PolynomialCountSketch`, whose memory no array of it limits;
- what decides on several targets at once (`ClassifierChain`, `MultiOutputClassifier`).
"""

from __future__ import annotations

_ESTIMATORS = {
    "calibration": "CalibratedClassifierCV _CalibratedClassifier _SigmoidCalibration _TemperatureScaling",
    "cluster._agglomerative": "FeatureAgglomeration",
    "cluster._bisect_k_means": "BisectingKMeans",
    "cluster._kmeans": "KMeans MiniBatchKMeans",
    "cross_decomposition._pls": "CCA PLSCanonical PLSRegression PLSSVD",
    "decomposition._dict_learning": "DictionaryLearning MiniBatchDictionaryLearning",
    "decomposition._factor_analysis": "FactorAnalysis",
    "decomposition._fastica": "FastICA",
    "decomposition._incremental_pca": "IncrementalPCA",
    "decomposition._kernel_pca": "KernelPCA",
    "decomposition._lda": "LatentDirichletAllocation",
    "decomposition._nmf": "NMF MiniBatchNMF",
    "decomposition._pca": "PCA",
    "decomposition._sparse_pca": "MiniBatchSparsePCA SparsePCA",
    "decomposition._truncated_svd": "TruncatedSVD",
    "discriminant_analysis": "LinearDiscriminantAnalysis QuadraticDiscriminantAnalysis",
    "dummy": "DummyClassifier",
    "ensemble._bagging": "BaggingClassifier",
    "ensemble._forest": "ExtraTreesClassifier RandomForestClassifier",
    "ensemble._gb": "GradientBoostingClassifier",
    "ensemble._hist_gradient_boosting.gradient_boosting": "HistGradientBoostingClassifier",
    "ensemble._stacking": "StackingClassifier",
    "ensemble._voting": "VotingClassifier",
    "ensemble._weight_boosting": "AdaBoostClassifier",
    "feature_selection._from_model": "SelectFromModel",
    "feature_selection._rfe": "RFE RFECV",
    "feature_selection._sequential": "SequentialFeatureSelector",
    "feature_selection._univariate_selection": (
        "GenericUnivariateSelect SelectFdr SelectFpr SelectFwe SelectKBest SelectPercentile"
    ),
    "feature_selection._variance_threshold": "VarianceThreshold",
    "gaussian_process._gpc": "GaussianProcessClassifier _BinaryGaussianProcessClassifierLaplace",
    "impute._base": "SimpleImputer",
    "impute._knn": "KNNImputer",
    "isotonic": "IsotonicRegression",
    "kernel_approximation": "AdditiveChi2Sampler Nystroem RBFSampler SkewedChi2Sampler",
    "linear_model._logistic": "LogisticRegression LogisticRegressionCV",
    "linear_model._passive_aggressive": "PassiveAggressiveClassifier",
    "linear_model._perceptron": "Perceptron",
    "linear_model._ridge": "RidgeClassifier RidgeClassifierCV",
    "linear_model._stochastic_gradient": "SGDClassifier",
    "manifold._isomap": "Isomap",
    "manifold._locally_linear": "LocallyLinearEmbedding",
    "model_selection._classification_threshold": "FixedThresholdClassifier",
    "model_selection._search": "GridSearchCV RandomizedSearchCV",
    "multiclass": "OneVsOneClassifier OneVsRestClassifier OutputCodeClassifier _ConstantPredictor",
    "naive_bayes": "BernoulliNB CategoricalNB ComplementNB GaussianNB MultinomialNB",
    "neighbors._classification": "KNeighborsClassifier RadiusNeighborsClassifier",
    "neighbors._nca": "NeighborhoodComponentsAnalysis",
    "neighbors._nearest_centroid": "NearestCentroid",
    "neighbors._unsupervised": "NearestNeighbors",
    "neural_network._multilayer_perceptron": "MLPClassifier",
    "neural_network._rbm": "BernoulliRBM",
    "pipeline": "FeatureUnion Pipeline",
    "preprocessing._data": (
        "Binarizer KernelCenterer MaxAbsScaler MinMaxScaler Normalizer PowerTransformer QuantileTransformer "
        "RobustScaler StandardScaler"
    ),
    "preprocessing._discretization": "KBinsDiscretizer",
    "preprocessing._function_transformer": "FunctionTransformer",
    "preprocessing._label": "LabelBinarizer LabelEncoder",
    "preprocessing._polynomial": "PolynomialFeatures",
    "random_projection": "GaussianRandomProjection SparseRandomProjection",
    "semi_supervised._label_propagation": "LabelPropagation LabelSpreading",
    "semi_supervised._self_training": "SelfTrainingClassifier",
    "svm._classes": "LinearSVC NuSVC SVC",
    "tree._classes": "DecisionTreeClassifier DecisionTreeRegressor ExtraTreeClassifier ExtraTreeRegressor",
}
_PARTS = {
    "_loss.link": "HalfLogitLink IdentityLink Interval LogitLink MultinomialLogit",
    "_loss.loss": "ExponentialLoss HalfBinomialLoss HalfMultinomialLoss",
    "ensemble._hist_gradient_boosting.binning": "_BinMapper",
    "ensemble._hist_gradient_boosting.predictor": "TreePredictor",
    "gaussian_process.kernels": (
        "CompoundKernel ConstantKernel DotProduct ExpSineSquared Exponentiation Matern Product RBF RationalQuadratic "
        "Sum WhiteKernel"
    ),
}


def _types(table: dict[str, str]) -> frozenset[str]:
    return frozenset(f"sklearn.{module}.{name}" for module, names in table.items() for name in names.split())


SCIKIT_LEARN = _types(_ESTIMATORS) | _types(_PARTS)
"""Full names of the types that skops may build as objects."""

NOT_NEEDED = frozenset(
    [
        *(
            "_bisecting_tree",
            "_curve_scorer",
            "_kmeans_single",
            "_loss_function_",
            "_optimizer",
            "_scorer",
            "closs",
            "cv",
        ),
        *("cv_results_", "loss_function_", "named_estimators_", "score_func", "scorer_", "scoring"),
    ]
)
"""Attributes of scikit-learn's estimators that only a fit needs, or a look at it: scorers, losses, optimizers."""
