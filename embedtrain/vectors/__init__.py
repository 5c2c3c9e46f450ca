"""Word vectors: look-ups, nearest neighbours, analogies, evaluation, loading and saving."""
