"""Bundles are made here: one combination fitted on all images, with its network, its checks and its model card."""
