"""From images to cached feature vectors. ``EXTRACTORS`` names what can do it."""
