"""A run of any model: from a corpus to vectors, or to a plan of it, and how it is survived."""
