"""The corpus: text from anywhere, read once into token ids on disk and a vocabulary."""
