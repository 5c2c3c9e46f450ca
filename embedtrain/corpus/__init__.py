"""The corpus: text, read once into token ids on disk and a vocabulary."""
