"""Train skip-gram and CBOW on a chunk of text, block by block."""
