"""Compare films by cosine and recommend some: ``python examples/films.py``.

Two films are alike if the same people watch them. Each of 3,000 people, all made up, watches films of one or two
kinds, popular ones more often. The films that someone watched are a basket, and skip-gram on baskets (item2vec) gives
each film a vector. Nothing else is known about the films.
"""

from __future__ import annotations

import numpy as np

from embedtrain import WordVectors, train_item2vec

FILMS = {
    "space": ["Alien", "Gravity", "Solaris", "Interstellar", "Moon", "Contact", "Star Wars", "Dune", "The Martian"],
    "crime": ["Heat", "Fargo", "The Godfather", "Seven", "Casino", "Chinatown", "Goodfellas", "Zodiac", "The Sting"],
    "love": [
        "Casablanca",
        "Amélie",
        "Titanic",
        "Notting Hill",
        "Before Sunrise",
        "La La Land",
        "Ghost",
        "Her",
        "Carol",
    ],
    "drawn": ["Bambi", "Shrek", "Up", "Toy Story", "Spirited Away", "Persepolis", "Akira", "Coco", "The Lion King"],
}
KIND = {film: kind for kind, films in FILMS.items() for film in films}
POPULARITY = 1 / np.arange(1, 10)  # the first of a kind is watched nine times as often as the last


def baskets(n_people: int, seed: int) -> list[list[str]]:
    """Draw the films that people watched, in order of time."""
    random = np.random.default_rng(seed)
    watched = []
    for _ in range(n_people):
        kinds = random.choice(list(FILMS), 2, replace=False)
        share = random.choice([0.5, 0.9])  # of the first of two kinds
        odds = np.concatenate([share * POPULARITY, (1 - share) * POPULARITY])
        films = [film for kind in kinds for film in FILMS[kind]]
        watched.append(list(random.choice(films, random.integers(3, 8), replace=False, p=odds / odds.sum())))
    return watched


def show(vectors: WordVectors) -> None:
    """Print the cosines of some films, neighbours of one, and recommendations."""
    for a, b in (("Contact", "Star Wars"), ("Contact", "Ghost")):
        print(f"# {vectors.similarity(a, b):5.2f}  {a} and {b}")
    for film, cosine in vectors.neighbors("Persepolis", topn=4):
        print(f"# {cosine:5.2f}  near Persepolis: {film}")
    history = ["Heat", "Seven", "Titanic"]
    print("# after", ", ".join(history), "come", ", ".join(film for film, _ in vectors.recommend(history, topn=3)))


def main() -> None:
    """Train on all films but the last of each person, and recommend that one."""
    watched = baskets(3000, seed=1)
    before, last = [films[:-1] for films in watched], [films[-1] for films in watched]
    # every film is frequent among so few, so none is subsampled
    vectors = train_item2vec(before, dim=16, epochs=20, min_count=1, sample=0, progress=False)
    show(vectors)
    same = np.mean([KIND[film] == KIND[vectors.neighbors(film, topn=1)[0][0]] for film in vectors.words])
    print(f"{same:.3f}  films whose nearest is of their kind")
    recommended = [[film for film, _ in near] for near in vectors.recommend(before, topn=5)]
    popular = [[film for film in vectors.words if film not in history][:5] for history in before]
    for name, lists in (("recommended by vectors", recommended), ("most popular ones", popular)):
        hits = np.mean([film in films for film, films in zip(last, lists, strict=True)])
        print(f"{hits:.3f}  last films among the five {name}")


if __name__ == "__main__":
    main()
