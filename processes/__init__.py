"""Processes of this machine that compute pieces of work, and are kept for the next."""
