"""Experiments: their keys, choices, presets and experiment files."""
