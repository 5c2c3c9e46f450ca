"""How much of what the toy corpus has planted in it is found in vectors."""

import itertools

import generate
import numpy as np


def class_accuracy(vectors):
    """Share of the words of planted classes whose nearest neighbour among them is of the same class."""
    classes = {word: name for name, words in generate.CLASSES.items() for word in words}
    words = list(classes)
    unit = np.array([vectors[word] / np.linalg.norm(vectors[word]) for word in words])
    cosines = unit @ unit.T - 2 * np.eye(len(words))
    nearest = [words[i] for i in cosines.argmax(axis=1)]
    return np.mean([classes[word] == classes[other] for word, other in zip(words, nearest, strict=True)])


def analogy_accuracy(vectors, relation):
    """Share of the questions of a planted relation that are answered right."""
    questions = [(*one, *other) for one, other in itertools.permutations(generate.PAIRS[relation], 2)]
    return np.mean([vectors.most_similar([b, c], [a], topn=1)[0][0] == d for a, b, c, d in questions])
