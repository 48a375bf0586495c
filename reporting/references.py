"""What a methods paragraph cites: BibTeX entries of the software, the networks and the methods of a run."""

from __future__ import annotations

from collections.abc import Iterable

REFERENCES = {
    "leukobench": (
        "misc", "leukobench: deep image features and classical classifiers, compared honestly and fast",
        "{leukobench developers}", "2026", "howpublished = {Software}",
    ),
    "scikit-learn": (
        "article", "Scikit-learn: Machine Learning in {P}ython",
        "Pedregosa, F. and Varoquaux, G. and Gramfort, A. and others", "2011",
        "journal = {Journal of Machine Learning Research}, volume = {12}, pages = {2825--2830}",
    ),
    "imagenet": (
        "article", "{ImageNet} Large Scale Visual Recognition Challenge",
        "Russakovsky, O. and Deng, J. and Su, H. and others", "2015",
        "journal = {International Journal of Computer Vision}, volume = {115}, pages = {211--252}",
    ),
    "efficientnet": (
        "inproceedings", "{EfficientNet}: Rethinking Model Scaling for Convolutional Neural Networks",
        "Tan, M. and Le, Q. V.", "2019", "booktitle = {Proceedings of ICML}, pages = {6105--6114}",
    ),
    "mobilenetv2": (
        "inproceedings", "{MobileNetV2}: Inverted Residuals and Linear Bottlenecks",
        "Sandler, M. and Howard, A. and Zhu, M. and Zhmoginov, A. and Chen, L.-C.", "2018",
        "booktitle = {Proceedings of CVPR}, pages = {4510--4520}",
    ),
    "inceptionv3": (
        "inproceedings", "Rethinking the Inception Architecture for Computer Vision",
        "Szegedy, C. and Vanhoucke, V. and Ioffe, S. and Shlens, J. and Wojna, Z.", "2016",
        "booktitle = {Proceedings of CVPR}, pages = {2818--2826}",
    ),
    "resnet": (
        "inproceedings", "Deep Residual Learning for Image Recognition",
        "He, K. and Zhang, X. and Ren, S. and Sun, J.", "2016",
        "booktitle = {Proceedings of CVPR}, pages = {770--778}",
    ),
    "vgg": (
        "inproceedings", "Very Deep Convolutional Networks for Large-Scale Image Recognition",
        "Simonyan, K. and Zisserman, A.", "2015", "booktitle = {Proceedings of ICLR}",
    ),
    "densenet": (
        "inproceedings", "Densely Connected Convolutional Networks",
        "Huang, G. and Liu, Z. and van der Maaten, L. and Weinberger, K. Q.", "2017",
        "booktitle = {Proceedings of CVPR}, pages = {4700--4708}",
    ),
    "rfe": (
        "article", "Gene Selection for Cancer Classification using Support Vector Machines",
        "Guyon, I. and Weston, J. and Barnhill, S. and Vapnik, V.", "2002",
        "journal = {Machine Learning}, volume = {46}, pages = {389--422}",
    ),
    "lasso": (
        "article", "Regression Shrinkage and Selection via the Lasso", "Tibshirani, R.", "1996",
        "journal = {Journal of the Royal Statistical Society B}, volume = {58}, pages = {267--288}",
    ),
    "forest": (
        "article", "Random Forests", "Breiman, L.", "2001",
        "journal = {Machine Learning}, volume = {45}, pages = {5--32}",
    ),
    "svm": (
        "article", "Support-Vector Networks", "Cortes, C. and Vapnik, V.", "1995",
        "journal = {Machine Learning}, volume = {20}, pages = {273--297}",
    ),
    "xgboost": (
        "inproceedings", "{XGBoost}: A Scalable Tree Boosting System", "Chen, T. and Guestrin, C.", "2016",
        "booktitle = {Proceedings of KDD}, pages = {785--794}",
    ),
    "smote": (
        "article", "{SMOTE}: Synthetic Minority Over-sampling Technique",
        "Chawla, N. V. and Bowyer, K. W. and Hall, L. O. and Kegelmeyer, W. P.", "2002",
        "journal = {Journal of Artificial Intelligence Research}, volume = {16}, pages = {321--357}",
    ),
}  # fmt: skip
"""Key -> kind of entry, title, authors, year, further fields."""
CITED = {
    "efficientnet": "efficientnet", "mobilenetv2": "mobilenetv2", "inceptionv3": "inceptionv3", "resnet": "resnet",
    "vgg": "vgg", "densenet": "densenet", "rfe": "rfe", "lasso": "lasso", "forest": "forest",
    "random_forest": "forest", "svm_": "svm", "xgboost": "xgboost", "smote": "smote",
}  # fmt: skip
"""How the name of an extractor, a selector, a classifier or a balance begins -> key of what it cites."""


def cited_by(names: Iterable[str]) -> list[str]:
    """Keys that these names cite, each once, in their order."""
    keys = (key for name in names for beginning, key in CITED.items() if name.startswith(beginning))
    return list(dict.fromkeys(keys))


def bibtex(keys: Iterable[str]) -> str:
    """The entries of these keys."""
    return "\n".join(map(_entry, keys))


def _entry(key: str) -> str:
    kind, title, authors, year, more = REFERENCES[key]
    return f"@{kind}{{{key},\n  title = {{{title}}},\n  author = {{{authors}}},\n  year = {{{year}}},\n  {more},\n}}\n"
