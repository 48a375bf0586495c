"""What an experiment may say: the experiment, its choices, presets, and the files that hold it."""
