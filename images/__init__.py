"""What comes in: layouts (path to label and patient), reading, the index with its ledger, and synthetic smears."""
