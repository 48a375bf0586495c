"""Bundles are written here: one combination fitted on all images, with its network, its checks and its model card."""
