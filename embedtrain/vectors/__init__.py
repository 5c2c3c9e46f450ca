"""Word vectors: look-ups, nearest neighbours, evaluation, and the methods that load and save them."""
