"""Studies of experiments and finished runs: planned costs, leaks, the sealed holdout, several data sets."""
