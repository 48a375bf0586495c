"""The steps of a run, one file each; `leukobench.pipeline` is their table of contents."""
