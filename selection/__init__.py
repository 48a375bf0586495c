"""Selectors: choose the features that a classifier sees. The registry names them without importing scikit-learn."""

from __future__ import annotations

from ..registry import Registry

SELECTORS = Registry("selector")
SELECTORS.add("none", "leukobench.selection.none:NoSelection")
SELECTORS.add("anova", "leukobench.selection.anova:ANOVA")
SELECTORS.add("rfe", "leukobench.selection.rfe:RFE")
SELECTORS.add("lasso", "leukobench.selection.lasso:Lasso")
SELECTORS.add("forest", "leukobench.selection.forest:Forest")
SELECTORS.add("pca", "leukobench.selection.pca:PCA")
