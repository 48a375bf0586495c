"""Questions put to experiments and finished runs: what a run will cost, what leaks add, what the sealed images say."""
