"""Combine two models: ``python examples/two_models.py``.

Skip-gram and GloVe learn from the same short text, and make different mistakes. Scaled to length 1 and put one after
the other, their vectors have the means of both models' cosines, in which the mistakes of one weigh half. The first
principal components of these ("svd") have as few dimensions as one model.
"""

from __future__ import annotations

import argparse

from toy_text import CLASS_OF, analogies, sentences

from embedtrain import WordVectors, combine, train_glove, train_skipgram


def scores(vectors: WordVectors) -> tuple[float, float]:
    """The shares of analogies that are right, and of words of classes whose nearest such word is of their class."""
    questions = list(analogies())
    right = sum(vectors.most_similar([b, c], [a], topn=1)[0][0] == d for a, b, c, d in questions)
    words = [word for word in CLASS_OF if word in vectors]
    same = sum(
        next((CLASS_OF[other] == CLASS_OF[word] for other, _ in near if other in CLASS_OF), False)
        for word, near in zip(words, vectors.neighbors(words, topn=30), strict=True)
    )
    return right / len(questions), same / len(words)


def main() -> None:
    """Print the scores of two models and of their combinations."""
    parser = argparse.ArgumentParser(description="Combine two models.")
    parser.add_argument("--tokens", type=int, default=150_000, help="words of text to train on [%(default)s]")
    text = list(sentences(parser.parse_args().tokens))
    skipgram = train_skipgram(text, dim=50, epochs=5, progress=False)
    glove = train_glove(text, dim=50, epochs=40, x_max=10, progress=False)
    models = {"skip-gram": skipgram, "GloVe": glove}
    models |= {f"both, {how}": combine([skipgram, glove], how) for how in ("concat", "average", "svd")}
    for name, vectors in models.items():
        of_analogies, of_classes = scores(vectors)
        print(f"{of_analogies:.3f}  {of_classes:.3f}  {name}")
    print("# analogies; words of a class whose nearest one is of the same")


if __name__ == "__main__":
    main()
