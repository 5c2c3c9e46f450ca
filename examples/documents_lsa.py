"""Search documents by LSA: ``pip install ".[sklearn]"``, then ``python examples/documents_lsa.py``.

A document is three sentences about one of ten topics (colours, foods, …). Someone searches for a word of a topic, as
"violin". Documents on the topic with other words, as "piano", share nothing with the query, and bags of words do not
find them. LSA reduces the matrix of words and documents to a few dimensions, in which words that occur in similar
documents are near each other, and finds them.
"""

from __future__ import annotations

import argparse

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer
from toy_text import CLASS_OF, CLASSES, sentences

from embedtrain import train_lsa


def documents(n_tokens: int) -> tuple[list[str], NDArray[np.str_]]:
    """Return documents of three sentences about one topic, and their topics."""
    about: dict[str, list[str]] = {topic: [] for topic in CLASSES}
    for sentence in sentences(n_tokens, seed=1):
        topics = {CLASS_OF[word] for word in sentence if word in CLASS_OF}
        if len(topics) == 1:
            about[topics.pop()].append(" ".join(sentence))
    found = [(" ".join(some[i : i + 3]), topic) for topic, some in about.items() for i in range(0, len(some) - 2, 3)]
    np.random.default_rng(1).shuffle(found)
    return [text for text, _ in found], np.array([topic for _, topic in found])


def on_topic(cosines: NDArray[np.float32], word: str, texts: list[str], topics: NDArray[np.str_]) -> float:
    """Of the ten documents nearest to a word that do not have it, the share on its topic."""
    lacking = np.array([word not in text.split() for text in texts])
    nearest = np.argsort(-cosines[lacking], kind="stable")[:10]
    return float((topics[lacking][nearest] == CLASS_OF[word]).mean())


def main() -> None:
    """Print how often documents without the word are on its topic, and what LSA finds for one word."""
    parser = argparse.ArgumentParser(description="Search documents.")
    parser.add_argument("--tokens", type=int, default=200_000, help="words of text to make documents of [%(default)s]")
    texts, topics = documents(parser.parse_args().tokens)
    lsa = train_lsa(texts, dim=50, min_count=1, progress=False).documents
    bags = TfidfVectorizer()
    rows = bags.fit_transform(texts)
    by_bags, by_lsa = [], []
    for word in CLASS_OF:
        by_bags.append(on_topic((rows @ bags.transform([word]).T).toarray()[:, 0], word, texts, topics))
        by_lsa.append(on_topic(lsa.most_similar([lsa.fold_in([word])], topn=None), word, texts, topics))
    print(f"{np.mean(by_bags):.3f}  bags of words\n{np.mean(by_lsa):.3f}  LSA")
    print("# on the topic, of the first ten documents that do not have the word")
    for number, cosine in lsa.most_similar([lsa.fold_in(["violin"])], topn=3):
        print(f"# {cosine:.2f}  {texts[int(number) - 1][:80]}…")


if __name__ == "__main__":
    main()
