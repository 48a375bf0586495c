"""Task, folds, grid, runner, metrics: blind to how features, selectors and classifiers are made."""
