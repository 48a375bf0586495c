"""Published results: the reference experiments, what is published of them, and the documents that quote them."""
