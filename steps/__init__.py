"""The steps of a run, one verb a file; `leukobench.pipeline` is their contents page."""
