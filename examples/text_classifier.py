"""Classify texts by averaged word vectors: ``pip install ".[sklearn]"``, then ``python examples/text_classifier.py``.

A logistic regression learns ten classes (colours, foods, …) from sentences with half of the words of each class, and is
tested on sentences with the other half, which it can know by their vectors only. A classifier of bags of words, trained
and tested on the same sentences, is the baseline.
"""

from __future__ import annotations

import argparse

from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from toy_text import CLASS_OF, CLASSES, sentences

import embedtrain
from embedtrain.sklearn import TextEmbedder

TAUGHT, NEW = ({word for words in CLASSES.values() for word in words[half::2]} for half in (0, 1))


def sentences_with(wanted: set[str]) -> tuple[list[str], list[str]]:
    """Return the sentences whose class words are all of one class and among `wanted`, and their classes."""
    texts, classes = [], []
    for sentence in sentences(100_000, seed=2):
        named = CLASS_OF.keys() & sentence
        if named <= wanted and len({CLASS_OF[word] for word in named}) == 1:
            texts.append(" ".join(sentence))
            classes.append(CLASS_OF[named.pop()])
    return texts, classes


def main() -> None:
    """Train vectors on text without classes, and print the accuracy of both classifiers."""
    parser = argparse.ArgumentParser(description="Classify sentences by averaged word vectors.")
    parser.add_argument("--tokens", type=int, default=300_000, help="words of text to train on [%(default)s]")
    text = sentences(parser.parse_args().tokens, seed=1)
    vectors = embedtrain.train_skipgram(text, dim=50, progress=False)
    models = {
        "averaged vectors": make_pipeline(TextEmbedder(vectors), LogisticRegression(C=100, max_iter=1000)),
        "bags of words": make_pipeline(CountVectorizer(), LogisticRegression(max_iter=1000)),
    }
    for name, model in models.items():
        print(f"{model.fit(*sentences_with(TAUGHT)).score(*sentences_with(NEW)):.3f}  {name}")


if __name__ == "__main__":
    main()
