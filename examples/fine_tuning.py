"""Train vectors further on a second text: ``python examples/fine_tuning.py``.

The first text is long and general. The second is short, and has words that the first has not: names of new
instruments, foods and so on. Alone it is too short to learn from. Vectors that start from those of the first text know
the other words already, and so learn the new ones from few occurrences; the old ones hardly suffer.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

from toy_text import CLASS_OF, CLASSES, analogies, sentences

from embedtrain import WordVectors, train_skipgram

NEW = {f"{name}{number}": name for name in CLASSES for number in range(3)}  # instrument0, instrument1, …


def second_text(n_tokens: int) -> Iterator[list[str]]:
    """Yield sentences in which half of the words of classes are replaced by new ones of the class."""
    choice = random.Random(1)
    for sentence in sentences(n_tokens, seed=2):
        yield [
            f"{CLASS_OF[word]}{choice.randrange(3)}" if word in CLASS_OF and choice.random() < 0.5 else word
            for word in sentence
        ]


def knows_new_words(vectors: WordVectors) -> float:
    """The share of the new words whose nearest known word is of their class."""
    nearest = {word: [other for other, _ in vectors.most_similar(word, topn=50) if other in CLASS_OF] for word in NEW}
    return sum(bool(found) and CLASS_OF[found[0]] == NEW[word] for word, found in nearest.items()) / len(NEW)


def knows_analogies(vectors: WordVectors) -> float:
    """The share of the planted analogies that come out right."""
    questions = list(analogies())
    known = [question for question in questions if all(word in vectors for word in question)]
    return sum(vectors.most_similar([b, c], [a], topn=1)[0][0] == d for a, b, c, d in known) / len(questions)


def main() -> None:
    """Train on either text, and on the second from the vectors of the first."""
    run = {"dim": 50, "min_count": 2, "progress": False}
    first = train_skipgram(sentences(300_000), epochs=5, **run)
    models = {
        "the second text alone": train_skipgram(second_text(15_000), epochs=5, **run),
        "both, one after the other": train_skipgram(second_text(15_000), epochs=5, init=first, **run),
    }
    print(f"       {knows_analogies(first):.3f}  the first text alone")
    for name, vectors in models.items():
        print(f"{knows_new_words(vectors):.3f}  {knows_analogies(vectors):.3f}  {name}")
    print("# new words whose nearest known word is of their class; analogies")


if __name__ == "__main__":
    main()
