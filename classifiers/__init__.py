"""Classifiers on feature vectors. The registry names them without importing scikit-learn or XGBoost."""

from __future__ import annotations

from ..registry import Registry

CLASSIFIERS = Registry("classifier")
CLASSIFIERS.add("svm_linear", "leukobench.classifiers.svm:svm_linear")
CLASSIFIERS.add("svm_rbf", "leukobench.classifiers.svm:svm_rbf")
CLASSIFIERS.add("random_forest", "leukobench.classifiers.random_forest:random_forest")
CLASSIFIERS.add("xgboost", "leukobench.classifiers.boosting:xgboost")
CLASSIFIERS.add("naive_bayes", "leukobench.classifiers.naive_bayes:naive_bayes")
CLASSIFIERS.add("knn", "leukobench.classifiers.knn:knn")
CLASSIFIERS.add("logistic_regression", "leukobench.classifiers.logistic_regression:logistic_regression")
CLASSIFIERS.add("lda", "leukobench.classifiers.lda:lda")
