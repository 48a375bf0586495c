"""Classifiers: predict the class from the selected features. The registry names them without importing scikit-learn."""

from __future__ import annotations

from ..registry import Registry

CLASSIFIERS = Registry("classifier")
CLASSIFIERS.add("svm_linear", "leukobench.classifiers.svm:svm_linear")
CLASSIFIERS.add("svm_rbf", "leukobench.classifiers.svm:svm_rbf")
CLASSIFIERS.add("svm_linear_primal", "leukobench.classifiers.svm:svm_linear_primal")
CLASSIFIERS.add("svm_rbf_nystroem", "leukobench.classifiers.svm:svm_rbf_nystroem")
CLASSIFIERS.add("random_forest", "leukobench.classifiers.forest:RandomForest")
CLASSIFIERS.add("xgboost", "leukobench.classifiers.boosting:XGBoost")
CLASSIFIERS.add("naive_bayes", "leukobench.classifiers.bayes:NaiveBayes")
CLASSIFIERS.add("knn", "leukobench.classifiers.neighbours:knn")
CLASSIFIERS.add("logistic_regression", "leukobench.classifiers.linear:logistic_regression")
CLASSIFIERS.add("lda", "leukobench.classifiers.linear:lda")
CLASSIFIERS.add("linear_probe", "leukobench.classifiers.linear:LinearProbe")
CLASSIFIERS.add("dense_head", "leukobench.classifiers.cnns.dense_head:DenseHead")
