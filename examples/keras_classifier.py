"""Start a Keras ``Embedding`` layer from our vectors: ``pip install ".[examples]"``, then
``python examples/keras_classifier.py``. It runs on JAX, or on what the environment variable ``KERAS_BACKEND`` names.

The task is that of ``text_classifier.py``: ten classes of sentences, tested on sentences with words of the classes that
no training sentence has. The network averages the rows of an embedding layer and classifies the mean. The rows are
random at first, or those of vectors from text without classes, which stay as they are (frozen) or are trained further
(fine-tuned). Training moves only the rows of the words in its sentences: random rows of new words stay random.
"""

from __future__ import annotations

import argparse
import os

os.environ.setdefault("KERAS_BACKEND", "jax")  # before the import of Keras, which otherwise takes TensorFlow
import keras
import numpy as np
from numpy.typing import NDArray
from text_classifier import NEW, TAUGHT, sentences_with
from toy_text import CLASSES, sentences

import embedtrain

LENGTH = 20  # words of a sentence, at most


def numbers(texts: list[str], rows: dict[str, int]) -> NDArray[np.int32]:
    """The rows of the words of texts, (n_texts, LENGTH), padded with 0."""
    table = np.zeros((len(texts), LENGTH), np.int32)
    for line, text in zip(table, texts, strict=True):
        found = [rows[word] for word in text.split() if word in rows][:LENGTH]
        line[: len(found)] = found
    return table


def network(matrix: NDArray[np.float32], start: str, *, trainable: bool) -> keras.Model:
    """An embedding layer, the mean of its rows, and a softmax over the classes."""
    initial = keras.initializers.Constant(matrix) if start == "ours" else "uniform"
    rows = keras.layers.Embedding(*matrix.shape, embeddings_initializer=initial, mask_zero=True, trainable=trainable)
    classes = keras.layers.Dense(len(CLASSES), activation="softmax")
    model = keras.Sequential([rows, keras.layers.GlobalAveragePooling1D(), classes])
    model.compile(keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def main() -> None:
    """Print the accuracy of three networks on sentences with new words."""
    parser = argparse.ArgumentParser(description="Classify sentences with Keras.")
    parser.add_argument("--tokens", type=int, default=300_000, help="words of text to train on [%(default)s]")
    vectors = embedtrain.train_skipgram(sentences(parser.parse_args().tokens, seed=1), dim=50, progress=False)
    rows = {word: row for row, word in enumerate(vectors.words, 1)}  # 0 is padding
    matrix = vectors.embedding_matrix(rows)
    (taught, its_classes), (new, new_classes) = sentences_with(TAUGHT), sentences_with(NEW)
    number = {name: i for i, name in enumerate(CLASSES)}
    y, new_y = (np.array([number[name] for name in names]) for names in (its_classes, new_classes))
    for name, start, trainable in (
        ("random rows, trained", "random", True),
        ("our rows, frozen", "ours", False),
        ("our rows, fine-tuned", "ours", True),
    ):
        keras.utils.set_random_seed(1)
        model = network(matrix, start, trainable=trainable)
        model.fit(numbers(taught, rows), y, epochs=10, batch_size=128, verbose=0)
        _, accuracy = model.evaluate(numbers(new, rows), new_y, verbose=0)
        print(f"{accuracy:.3f}  {name}")


if __name__ == "__main__":
    main()
