"""The audit: copies, pictures under two labels, differences between the classes that are not in the cells."""
