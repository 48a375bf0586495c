"""A run on disk and in progress: its folder, identity, progress, costs, log, executors, and the finished run."""
