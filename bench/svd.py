"""PPMI-SVD: time and exactness of the decomposition, and accuracy of the vectors by setting.

    python bench/svd.py time counts.npz --dim 100        beside SciPy's svds and scikit-learn's randomized_svd
    python bench/svd.py quality counts.npz --eval FOLDER --dims 100 300 --smoothing 0.75 0.9 1
    python bench/svd.py lsa                              beside TfidfVectorizer and TruncatedSVD, on labelled texts
    python bench/svd.py hyperhyper text.txt --python VENV/bin/python --eval FOLDER      whole jobs, text to file

`counts.npz` is a file of embedtrain cooccur. `time` prints seconds and the mean overlap of the 10 nearest neighbours of
words with those of svds; `quality` prints WordSim-353, SimLex-999 and analogies of each setting.

Found on 17 million words, window 2: 10.6 million positive cells of 67,867 words in 100 dimensions take 1.5 s (three
runs: 1.28, 1.53, 1.68), svds 7.7 s, randomized_svd 16.1 s (an earlier run); neighbours as of svds 0.996, of
randomized_svd 0.96. Blocks of 16 vectors need 400 vectors for 100 dimensions of window 5, blocks of 32 need 512.
Window 5 by distance is better than 2 (WordSim-353 0.67 against 0.55, analogies 0.27 against 0.20, smoothing 0.75), by
distance better than uniform in SimLex-999 (0.286 against 0.276). Smoothing, with the exponent 0.25 of singular values:

    smoothing  WordSim-353  SimLex-999  analogies of all words
    0.75       0.665        0.272       0.275
    0.9        0.673        0.284       0.274
    1          0.678        0.285       0.270

Exponents at smoothing 0.75: 0 0.669 0.275 0.270, 0.25 0.665 0.272 0.275, 0.5 0.651 0.268 0.277; with 300 dimensions
0.672 0.293 0.312, 0.675 0.289 0.324, 0.666 0.283 0.332; 1 is worse everywhere. Adding contexts costs analogies (0.257).
All these are of shift 1. With 0.7 and 0.5, pairs count that occur somewhat less than by chance; on the 50,000 words of
hyperhyper, smoothing 1, exponent 0:

    window 4, shift 1.5  0.673  0.285          window 4, shift 0.7  0.681  0.291  0.283
    window 4, shift 1    0.674  0.288  0.274   window 4, shift 0.5  0.680  0.289  0.287

Exponents at window 4, shift 0.7: 0.1 0.682 0.290 0.286, 0.25 0.681 0.289 0.292. The defaults (window 4, smoothing 1,
shift 0.7, exponent 0.1) were chosen by these three measures on this text.
hyperhyper 0.3.0, 100 dimensions, window 2, on the 45,572 words that all have: WordSim-353 0.606, SimLex-999 0.290,
analogies 0.253; embedtrain svd 0.680, 0.292, 0.293, with the settings of hyperhyper 0.569, 0.264, 0.236. Text to file,
alone: 39.2 s against 3.2, 3.4 and 3.5 s, with the same settings 2.1, 2.3 and 2.3 s.
LSA, 50,000 documents of 50 topics (two runs): tf-idf 0.50 and 0.59 s, accuracy of a classifier 0.858; log-entropy 0.57
and 0.45 s, 0.861; scikit-learn 2.5 and 2.6 s, 0.862.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.linalg import svds

from embedtrain import Counts, WordVectors, evaluate_analogies, evaluate_similarity, train_lsa, train_svd
from embedtrain.counts.truncated_svd import decompose
from embedtrain.machine.progress import Stopwatch
from embedtrain.machine.threads import resolve_threads
from embedtrain.training import count_data
from embedtrain.vectors.neighbors import nearest_to_rows, row_norms

Result = tuple[NDArray[np.float32], NDArray[np.float64]]


def timed(run: Callable[[], Any]) -> tuple[float, Any]:
    """Seconds and result of a run."""
    started = time.perf_counter()
    result = run()
    return time.perf_counter() - started, result


def neighbours(vectors: NDArray[np.float32], rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """The 10 nearest rows to each of some."""
    vectors = np.ascontiguousarray(vectors, np.float32)
    return nearest_to_rows(vectors, row_norms(vectors), rows, 10, len(vectors)).rows


def overlap(one: NDArray[np.int64], other: NDArray[np.int64]) -> float:
    """Mean share of common neighbours."""
    return float(np.mean([np.isin(a, b).mean() for a, b in zip(one, other, strict=True)]))


def compare_times(counts: Counts, dim: int, runs: int, others: bool) -> None:
    """Decompose the same matrix by several programs."""
    from sklearn.utils.extmath import randomized_svd

    from embedtrain.models.factorization import Factorization, information
    from embedtrain.models.svd import Svd

    settings = Svd(dim=dim, smoothing=0.9, shift=1.0)
    data = count_data.CountsFromMatrix(counts, settings).read(Stopwatch(), "")
    matrix, transposed, _ = information(data, Factorization(settings).builder, settings)
    csr = sparse.csr_matrix((matrix.values, matrix.columns, matrix.starts), shape=2 * (len(counts),))
    print(f"{csr.nnz:,} cells of {len(counts):,} words, {dim} dimensions")
    threads = resolve_threads(None)
    ours = [timed(lambda: decompose(matrix, transposed, dim, seed=1, threads=threads)) for _ in range(runs + 1)][1:]
    print("embedtrain      " + " ".join(f"{seconds:.2f}" for seconds, _ in ours), flush=True)
    if not others:
        return
    exact_seconds, (U, values, _) = timed(lambda: svds(csr, k=dim))
    order = np.argsort(-values)
    exact = U[:, order], values[order]
    rows = np.sort(np.random.default_rng(0).choice(len(counts), min(5000, len(counts)), replace=False))
    results: dict[str, tuple[float, Result]] = {
        "embedtrain": (ours[-1][0], ours[-1][1][:2]), "svds": (exact_seconds, exact)
    }  # fmt: skip
    options = {"n_iter": 10, "n_oversamples": 100, "random_state": 1}
    seconds, (U, values, _) = timed(lambda: randomized_svd(csr, dim, **options))
    results["randomized_svd"] = seconds, (U, values)
    for name, (seconds, found) in results.items():
        shares = []
        for exponent in (0, 0.5):
            vectors, theirs = found[0] * found[1] ** exponent, exact[0] * exact[1] ** exponent
            shares.append(overlap(neighbours(vectors, rows), neighbours(theirs, rows)))
        print(
            f"{name:15} {seconds:6.2f} s, neighbours of exponents 0 and 0.5: {shares[0]:.4f} {shares[1]:.4f}",
            flush=True,
        )


def compare_quality(counts: Counts, folder: Path, dims: list[int], smoothings: list[float]) -> None:
    """Evaluate settings; smaller dimensions and other exponents follow from one decomposition."""
    print(f"{'':44} WordSim  SimLex  analogies")
    for smoothing in smoothings:
        vectors = train_svd(counts, dim=max(dims), smoothing=smoothing, singular_exponent=0, progress=False)
        assert vectors.factors is not None
        for dim in dims:
            for exponent in (0, 0.25, 0.5, 1):
                table = vectors.vectors[:, :dim] * vectors.factors.singular_values[:dim] ** exponent
                some = WordVectors(vectors.words, np.ascontiguousarray(table, np.float32))
                similar = [
                    evaluate_similarity(some, folder / name).spearman for name in ("wordsim353.tsv", "simlex999.tsv")
                ]
                analogies = evaluate_analogies(some, folder / "questions-words.txt").total.accuracy
                name = f"smoothing {smoothing}, dim {dim}, exponent {exponent}"
                print(f"{name:44} {similar[0]:.4f}  {similar[1]:.4f}  {analogies:.4f}", flush=True)


HYPERHYPER = """
import hyperhyper, sys
if __name__ == "__main__":  # as it starts processes
    with open(sys.argv[1], encoding="utf-8") as lines:
        corpus = hyperhyper.Corpus.from_sents([line.strip() for line in lines])
    vectors = hyperhyper.Bunch("bunch", corpus).svd(dim=100, keyed_vectors=True, evaluate=False)
    vectors.save_word2vec_format("hyperhyper.vec", binary=False)
"""


def compare_hyperhyper(text: Path, python: str, evaluation: Path, runs: int, folder: Path) -> None:
    """Time whole commands in turns, and evaluate their vectors, on the words that both have."""
    ours = [sys.executable, "-m", "embedtrain", "svd", str(text.absolute()), "--quiet"]
    (folder / "script.py").write_text(HYPERHYPER)
    commands = {
        "embedtrain": [*ours, "-o", "embedtrain.vec"],
        "as hyperhyper": [
            *ours, "--window", "2", "--smoothing", "0.75", "--shift", "1", "--singular-exponent", "0",
            "--max-vocab", "50000",
            "-o", "as hyperhyper.vec",
        ],
        "hyperhyper": [python, "script.py", str(text.absolute())],
    }  # fmt: skip
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)}
    without = {name: value for name, value in environment.items() if name != "PYTHONPATH"}
    for name, command in [*list(commands.items())[:2] * runs, ("hyperhyper", commands["hyperhyper"])]:
        used = without if name == "hyperhyper" else environment
        seconds, _ = timed(lambda: subprocess.run(command, cwd=folder, env=used, check=True, capture_output=True))  # noqa: B023
        print(f"{name:15} {seconds:6.1f} s", flush=True)
    found = {name: WordVectors.load(folder / f"{name}.vec") for name in commands}
    common = set.intersection(*(set(vectors.words) for vectors in found.values()))
    for name, vectors in found.items():
        rows = [row for row, word in enumerate(vectors.words) if word in common]
        some = WordVectors([vectors.words[row] for row in rows], vectors.vectors[rows])
        similar = [
            evaluate_similarity(some, evaluation / file).spearman for file in ("wordsim353.tsv", "simlex999.tsv")
        ]
        analogies = evaluate_analogies(some, evaluation / "questions-words.txt").total.accuracy
        print(f"{name:15} {similar[0]:.4f}  {similar[1]:.4f}  {analogies:.4f} of {len(rows):,} words", flush=True)


def labelled_documents(n: int) -> tuple[list[str], NDArray[np.int64]]:
    """Documents of `corpora/generate.py`: two sentences on one of its 50 planted pairs, six on any; and the pairs."""
    sys.path.insert(0, str(Path(__file__).parent.parent / "corpora"))
    import generate

    rng = np.random.default_rng(0)
    pairs = [pair for some in generate.PAIRS.values() for pair in some]
    topics = {word: number for number, pair in enumerate(pairs) for word in pair}
    sentences = list(generate.sentences(4_000_000))
    of_topic: list[list[int]] = [[] for _ in pairs]
    for i, words in enumerate(sentences):
        found = {topics[word] for word in words if word in topics}
        if len(found) == 1:
            of_topic[found.pop()].append(i)
    labels = rng.integers(0, len(pairs), n)
    own = [rng.choice(of_topic[label], 2).tolist() for label in labels]
    others = rng.integers(0, len(sentences), (n, 6)).tolist()
    return [" ".join(" ".join(sentences[i]) for i in [*a, *b]) for a, b in zip(own, others, strict=True)], labels


def compare_lsa(folder: Path, n: int = 50_000) -> None:
    """Classify the documents by vectors of both programs."""
    from sklearn.decomposition import TruncatedSVD
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import normalize

    texts, topics = labelled_documents(n)

    def sklearn() -> Any:
        with open(path, encoding="utf-8") as lines:
            matrix = TfidfVectorizer(token_pattern=r"\S+", min_df=2).fit_transform(lines)
        return TruncatedSVD(100, random_state=1).fit_transform(matrix)

    def ours(weighting: str) -> Callable[[], Any]:
        return lambda: train_lsa(path, weighting=weighting, min_count=2, progress=False).documents.vectors

    path = folder / "documents.txt"
    path.write_text("\n".join(texts))
    train_lsa(path, progress=False)  # compiles
    half = n // 2
    programs = {"tf-idf": ours("tf-idf"), "log-entropy": ours("log-entropy"), "scikit-learn": sklearn}
    for name, run in [*programs.items()] * 2:
        seconds, vectors = timed(run)
        unit = normalize(vectors)
        right = LogisticRegression(max_iter=300).fit(unit[:half], topics[:half]).score(unit[half:], topics[half:])
        print(f"{name:15} {seconds:6.2f} s, accuracy {right:.4f}", flush=True)


def main() -> None:
    """Run one comparison."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["time", "quality", "lsa", "hyperhyper"])
    parser.add_argument("input", type=Path, nargs="?")
    parser.add_argument("--dim", type=int, default=100)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--alone", action="store_true", help="time embedtrain only")
    parser.add_argument("--python", help="of an environment with hyperhyper")
    parser.add_argument("--eval", type=Path, default=Path("eval"))
    parser.add_argument("--dims", type=int, nargs="+", default=[100, 300])
    parser.add_argument("--smoothing", type=float, nargs="+", default=[0.75, 0.9, 1.0])
    settings = parser.parse_args()
    if settings.what in ("lsa", "hyperhyper"):
        with tempfile.TemporaryDirectory() as folder:
            if settings.what == "lsa":
                compare_lsa(Path(folder))
            else:
                compare_hyperhyper(settings.input, settings.python, settings.eval, settings.runs, Path(folder))
        return
    counts = Counts.load(settings.input)
    if settings.what == "time":
        compare_times(counts, settings.dim, settings.runs, not settings.alone)
    else:
        compare_quality(counts, settings.eval, settings.dims, settings.smoothing)


if __name__ == "__main__":
    main()
