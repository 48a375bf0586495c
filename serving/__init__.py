"""Bundles are read here: verified, opened, and used to predict and explain new images."""
