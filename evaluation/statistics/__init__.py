"""Intervals, the winner's correction, comparisons, calibration, patients: all from out-of-fold predictions."""
