"""Tokenise text, number its types, and parse and format floats."""
