"""Random walks: steps per second, their share in training, whole commands against others, and classification.

    python bench/walks.py speed ppi.edges                       # also on a random graph of 1 M nodes and 10 M edges
    python bench/walks.py commands ppi.edges --pecanpy VENV     # with pecanpy, gensim and what embedtrain requires
    python bench/walks.py labels ppi.edges ppi.labels           # against gensim on the same walks

Defaults of node2vec: 10 walks of 80 nodes, dim 128, window 10, one epoch. On PPI (3,890 nodes, 38,739 lines, 50 labels;
from the ProNE repository), with two cores of an AMD Zen 5: 268 M steps/s of first order, 6 to 55 M of second order
(least at p 0.25, q 4; simple rejection: p 0.05 4 M, p 0.01 2 M), 31 M weighted; 118 M and 36 M (q 0.5) on the random
graph, which is read in 6.0 s; walks take 3 % of training. Whole commands, medians of five: 0.86 s, a walker in Python
with gensim 10.1 s, pecanpy 10.8 s; with q 0.5 0.96 s, pecanpy 18.3 s (two runs each, in one environment). Micro and
macro F1 at 50 %, means of three seeds: 0.211 and 0.183, gensim 0.210 and 0.179.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np

from embedtrain import RandomWalks, WordVectors, evaluate_labels, train_skipgram
from embedtrain.corpus.walk_corpus import WalkCorpus
from embedtrain.machine.threads import available_threads

_PORTION = 1 << 22  # ids


def steps_per_second(corpus: WalkCorpus, seconds: float = 2.0) -> float:
    """Draw walks with all threads for some seconds."""
    read, n = corpus.reader(_PORTION, available_threads()), len(corpus.ids)
    read(0, 0, 1000)
    started, done, epoch, begin = time.perf_counter(), 0, 0, 0
    while time.perf_counter() - started < seconds:
        end = min(begin + _PORTION, n)
        read(epoch, begin, end)
        done += end - begin
        epoch, begin = (epoch + 1, 0) if end == n else (epoch, end)
    return done / (time.perf_counter() - started)


def speed(edges: str) -> None:
    """Print steps per second, and the share of walking in training."""
    for p, q in ((1, 1), (0.5, 2), (2, 0.5), (0.25, 4), (4, 0.25)):
        corpus = RandomWalks(edges, p=p, q=q).encoded(threads=2)
        print(f"{edges}: p {p}, q {q}: {steps_per_second(corpus) / 1e6:.1f} M steps/s", flush=True)
    walking = []
    for _ in range(3):
        source = RandomWalks(edges)
        report = train_skipgram(source, dim=128, window=10, epochs=1, progress=False).report
        corpus = source.encoded(threads=2)
        walking.append(len(corpus.ids) / steps_per_second(corpus, 0.5) / report.seconds["train"])
    print(f"{edges}: walks take {statistics.median(walking):.1%} of training", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        large = Path(folder, "edges")
        ends = np.random.default_rng(1).integers(0, 1_000_000, (10_000_000, 2))
        large.write_text("\n".join(f"{a} {b}" for a, b in ends.tolist()))
        started = time.perf_counter()
        corpus = RandomWalks(large).encoded(threads=2)
        print(f"1 M nodes, 10 M edges: read and counted in {time.perf_counter() - started:.1f} s")
        print(f"1 M nodes, 10 M edges: {steps_per_second(corpus, 3) / 1e6:.1f} M steps/s", flush=True)
        corpus = RandomWalks(large, q=0.5).encoded(threads=2)
        print(f"1 M nodes, 10 M edges, q 0.5: {steps_per_second(corpus, 3) / 1e6:.1f} M steps/s")


def python_walks(edges: str) -> list[list[str]]:
    """Walk in Python, as most scripts do."""
    neighbors: dict[str, list[str]] = {}
    for line in Path(edges).read_text().splitlines():
        a, b = line.split()[:2]
        neighbors.setdefault(a, []).append(b)
        neighbors.setdefault(b, []).append(a)
    walks = []
    for _ in range(10):
        for node in random.sample(list(neighbors), len(neighbors)):
            walk = [node]
            while len(walk) < 80:
                walk.append(random.choice(neighbors[walk[-1]]))
            walks.append(walk)
    return walks


def gensim_vectors(walks: list[list[str]]) -> WordVectors:
    """Train gensim with node2vec's defaults."""
    from gensim.models import Word2Vec

    model = Word2Vec(walks, vector_size=128, window=10, sg=1, min_count=0, epochs=1, workers=2, seed=1)
    return WordVectors(model.wv.index_to_key, model.wv.vectors)


def commands(edges: str, pecanpy: str) -> None:
    """Time whole commands, from the edge list to the vectors file: ours six times, as the first compiles."""
    script = f"""
import sys; sys.path.insert(0, {str(Path(__file__).parent)!r})
import walks; walks.gensim_vectors(walks.python_walks({edges!r})).save("gensim.vec")"""
    with tempfile.TemporaryDirectory() as folder:
        of_others = ["--input", edges, "--output", "pecanpy.vec", "--workers", "2"]
        python = f"{pecanpy}/bin/python"
        ours = [python, "-m", "embedtrain", "node2vec", edges, "-o", "ours.vec", "--quiet"]
        named = {
            "embedtrain": ours,
            "Python and gensim": [python, "-c", script],
            "pecanpy first order": [f"{pecanpy}/bin/pecanpy", *of_others, "--mode", "FirstOrderUnweighted"],
            "pecanpy SparseOTF": [f"{pecanpy}/bin/pecanpy", *of_others, "--mode", "SparseOTF", "--q", "0.5"],
            "embedtrain q 0.5": [*ours, "--q", "0.5"],
        }
        environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)}
        for name, command in named.items():
            seconds = []
            for _ in range(6 if name.startswith("embedtrain") else 2):
                started = time.perf_counter()
                subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True)
                seconds.append(time.perf_counter() - started)
            print(f"{name}: {' '.join(f'{one:.2f}' for one in seconds)} s", flush=True)


def labels(edges: str, file: str) -> None:
    """Compare the classification by our vectors with that by gensim's, on the same walks."""
    for seed in (1, 2, 3):
        source = RandomWalks(edges, seed=seed)
        corpus = source.encoded(threads=2)
        ids, words = corpus.ids[:].reshape(-1, 80), corpus.vocabulary.words[:]
        walks = [[words[i] for i in row if i < len(words)] for row in ids.tolist()]
        ours = train_skipgram(source, dim=128, window=10, epochs=1, seed=seed, progress=False)
        for name, vectors in (("embedtrain", ours), ("gensim", gensim_vectors(walks))):
            scores = evaluate_labels(vectors, file, shares=(0.1, 0.5, 0.9), repeats=10)
            line = ", ".join(f"{score.share:.0%} {score.micro:.4f} {score.macro:.4f}" for score in scores)
            print(f"seed {seed}: {name:10} micro and macro F1: {line}", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", choices=["speed", "commands", "labels"])
    parser.add_argument("edges", type=os.path.abspath)
    parser.add_argument("labels", nargs="?")
    parser.add_argument("--pecanpy", metavar="VENV")
    given = parser.parse_args()
    if given.part == "speed":
        speed(given.edges)
    elif given.part == "commands":
        commands(given.edges, given.pecanpy)
    else:
        labels(given.edges, given.labels)
