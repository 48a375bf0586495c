"""Figures of a run: a function a file, from a finished run to a `leukobench.reporting.vega.Figure`."""
