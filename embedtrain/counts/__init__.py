"""Co-occurrence counts: a sparse matrix and the words of its rows."""
