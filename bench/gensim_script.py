"""What a gensim user runs from start to saved file, one epoch: python bench/gensim_script.py TEXT OUTPUT DIM."""

import sys

from gensim.models import Word2Vec

text, output, dim = sys.argv[1:]
model = Word2Vec(
    corpus_file=text, sg=1, vector_size=int(dim), window=5, negative=5, sample=1e-4, min_count=5, epochs=1,
    workers=2,
)  # fmt: skip
model.wv.save_word2vec_format(output)
