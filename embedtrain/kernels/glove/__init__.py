"""Count co-occurrences, order them in tiles, and train GloVe on a tile."""
