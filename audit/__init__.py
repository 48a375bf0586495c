"""The audit: copies, images under two labels, class differences unrelated to the cells."""
