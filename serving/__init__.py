"""Serving: one artefact from the winner, and what it says of a new image."""
