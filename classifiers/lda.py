"""Linear discriminant analysis."""

from __future__ import annotations

from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.pipeline import Pipeline

from .scaling import scaled


def lda(*, shrinkage: float | str | None = "auto", scale: bool = True) -> LinearDiscriminantAnalysis | Pipeline:
    """Return linear discriminant analysis with a shrunken covariance. It knows no class weights.

    Parameters
    ----------
    shrinkage : "auto", float or None, default="auto"
        Share of the diagonal in the covariance within the classes, between 0 and 1; "auto" estimates it (Ledoit, Wolf),
        None takes the covariance as it is, which fails to generalise with nearly as many features as images.
    scale : bool, default=True
        Standardise the features, so that a given share of the diagonal acts on all alike.

    References
    ----------
    R. A. Fisher, The Use of Multiple Measurements in Taxonomic Problems, Annals of Eugenics 7, 1936.
    O. Ledoit, M. Wolf, A Well-Conditioned Estimator for Large-Dimensional Covariance Matrices, J. Multivariate Anal.
    88, 2004.
    """
    return scaled(LinearDiscriminantAnalysis(solver="lsqr", shrinkage=shrinkage), scale)
