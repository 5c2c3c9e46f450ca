"""Pictures of vectors: an explorer in one HTML file, and figures."""
