"""Run a scenario of `test_guard_pages.py` with a guard page at one side of every array that a kernel is given.

Each kernel that Python calls gets copies of its arrays, each in a mapping of its own that ends or begins at a page that
cannot be touched, in read-only pages if the array is read-only; they are copied back afterwards.

Usage: python guarded.py SIDE SCENARIO FILE. FILE holds the name of the kernel that runs, and at the end, as JSON, how
often each was called, with how many arrays. A kernel that touches a guard page ends the process with SIGSEGV.
"""

import ctypes
import itertools
import json
import mmap
import os
import pkgutil
import sys
import tempfile
import warnings
from collections import Counter
from contextlib import suppress
from importlib import import_module
from pathlib import Path

import numpy as np
from numba.core.registry import CPUDispatcher

sys.path.insert(0, str(Path(__file__).parent))
from embedtrain import (
    Corpus,
    EmbedtrainError,
    RandomWalks,
    WordVectors,
    cooccurrence_counts,
    find_phrases,
    kernels,
    skipgram_pairs,
    train_cbow,
    train_glove,
    train_lsa,
    train_skipgram,
    train_svd,
)
from embedtrain.counts import memory_plan
from embedtrain.formats import text_parsing
from embedtrain.kernels.compilation import _Inlined
from embedtrain.machine import memory

PAGE = mmap.PAGESIZE
LIBC = ctypes.CDLL(None, use_errno=True)
LIBC.mmap.restype = ctypes.c_void_p
LIBC.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, *[ctypes.c_int] * 3, ctypes.c_long]
LIBC.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
LIBC.mprotect.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
NONE, READ = 0, 1

calls, arrays = Counter(), Counter()


def arrays_in(value):
    if isinstance(value, np.ndarray):
        assert value.flags.c_contiguous
        return [value]
    assert value is None or isinstance(value, (bool, int, float, tuple, np.generic)), type(value)
    return [array for part in value for array in arrays_in(part)] if isinstance(value, tuple) else []


class Mapping:
    """Bytes beside a guard page, in the place of arrays that share memory."""

    def __init__(self, at_end, begin, end):
        self.begin, self.end, self.arrays = begin, end, []
        used = -(-(end - begin) // PAGE) * PAGE
        base = LIBC.mmap(
            None, used + PAGE, mmap.PROT_READ | mmap.PROT_WRITE, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, -1, 0
        )
        assert base not in (None, ctypes.c_void_p(-1).value), "no mapping"
        self.place, self.data, guard = (base, used + PAGE), *((base, base + used) if at_end else (base + PAGE, base))
        self.memory, self.first = (ctypes.c_char * used).from_address(self.data), used - (end - begin) if at_end else 0
        assert LIBC.mprotect(guard, PAGE, NONE) == 0

    def copy_of(self, array):
        """The array in the guarded bytes."""
        copy = np.ndarray(array.shape, array.dtype, self.memory, self.first + array.ctypes.data - self.begin)
        copy[...] = array
        copy.setflags(write=array.flags.writeable)
        self.arrays.append((array, copy))
        return copy

    def protect(self):
        """Let nothing be written if all arrays are read-only."""
        if len(self.memory) and not any(array.flags.writeable for array, _ in self.arrays):
            assert LIBC.mprotect(self.data, len(self.memory), READ) == 0

    def close(self):
        """Copy what was written back, and end the mapping."""
        for array, copy in self.arrays:
            if array.flags.writeable:
                array[...] = copy
        LIBC.munmap(*self.place)


def mappings_of(found, at_end):
    """A mapping for each run of bytes that arrays share or one has alone."""
    runs = []
    for begin, end in sorted((array.ctypes.data, array.ctypes.data + array.nbytes) for array in found):
        if runs and begin < runs[-1][1]:
            runs[-1][1] = max(runs[-1][1], end)
        elif [begin, end] not in runs:
            runs.append([begin, end])
    return [Mapping(at_end, *run) for run in runs]


def guarded(value, mappings):
    """The value with copies of all arrays in it."""
    if isinstance(value, np.ndarray):
        begin, end = value.ctypes.data, value.ctypes.data + value.nbytes
        holders = [mapping for mapping in mappings if mapping.begin <= begin and end <= mapping.end]
        return min(holders, key=lambda mapping: mapping.end - mapping.begin).copy_of(value)
    if isinstance(value, tuple):
        parts = [guarded(part, mappings) for part in value]
        return type(value)(*parts) if hasattr(value, "_fields") else tuple(parts)
    return value


def guard_kernels(at_end, running):
    """Let every kernel that Python calls run on guarded copies, and write its name into a file while it runs."""

    class Guarded(CPUDispatcher):
        def __call__(self, *args):
            name = f"{self.py_func.__module__.removeprefix('embedtrain.kernels.')}.{self.py_func.__name__}"
            os.pwrite(running, name.ljust(100).encode(), 0)
            found = arrays_in(args)
            mappings = mappings_of(found, at_end)
            args = guarded(args, mappings)
            for mapping in mappings:
                mapping.protect()
            result = super().__call__(*args)
            assert not arrays_in(result), "an array of the mapping would outlive it"
            for mapping in mappings:
                mapping.close()
            calls[name] += 1
            arrays[name] += len(found)
            return result

    for module in pkgutil.walk_packages(kernels.__path__, "embedtrain.kernels."):
        for value in vars(import_module(module.name)).values():
            if isinstance(value, CPUDispatcher) and not isinstance(value, _Inlined):
                value.__class__ = Guarded


# --- Scenarios --------------------------------------------------------------------------------------------------------

QUIET = {"progress": False, "threads": 1}


def sentences(n_words, lengths=(1, 2, 40, 1, 7, 130, 3, 25, 64, 2)):
    """Sentences of one word and of many, over few words."""
    rng = np.random.default_rng(n_words)
    return [[f"w{word}" for word in rng.integers(0, n_words, length)] for length in lengths]


def each(**values):
    """All combinations of the values of settings."""
    return [dict(zip(values, chosen, strict=True)) for chosen in itertools.product(*values.values())]


def trained(train, settings):
    """Train with settings at their extremes, frozen words among them."""
    sizes = each(dim=[1, 7, 8, 16, 33, 100, 300], window=[1, 5, 100], negative=[0, 1, 5, 20], hs=[False, True])
    usual = {"min_count": 1, "sample": 0, "epochs": 1, **QUIET, **settings}
    n_refused = 0
    for size, n_words in itertools.product(sizes, [2, 3, 17]):
        if size["negative"] or size["hs"]:
            text = sentences(n_words)
            init = WordVectors(["w0", "w1", "new"], np.ones((3, size["dim"]), np.float32))
            for more in ({}, {"sample": 0.05, "window_mode": "fixed"}, {"init": init, "freeze": True}):
                try:
                    train(text, valid_share=0.2 if n_words == 17 else 0, **{**usual, **size, **more})
                except EmbedtrainError:  # diverged, nothing left to learn from
                    n_refused += 1
    return n_refused


def skipgram():
    return trained(train_skipgram, {})


def cbow():
    return trained(train_cbow, {})


def corrected():
    return trained(train_cbow, {"cbow_update": "corrected"})


def glove():
    n_refused = 0
    for size, n_words in itertools.product(each(dim=[1, 7, 8, 16, 33, 100, 300], window=[1, 5, 100]), [2, 3, 17, 700]):
        init = WordVectors(["w0", "w1", "new"], np.ones((3, size["dim"]), np.float32))
        for more in ({}, {"symmetric": False, "weighting": "uniform"}, {"init": init, "freeze": True}):
            try:
                train_glove(sentences(n_words), min_count=1, epochs=2, **QUIET, **size, **more)
            except EmbedtrainError:
                n_refused += 1
    return n_refused


def subwords():
    """Words of all lengths, also without n-grams, new ones and those that are kept."""
    n_refused = 0
    sizes = each(dim=[1, 7, 16, 33], window=[1, 5, 100], subwords=["1-1", "3-6", "2-9"], buckets=[0, 1, 1000])
    for size, train, n_words in itertools.product(sizes, [train_skipgram, train_cbow], [2, 17]):
        text = sentences(n_words)
        init = WordVectors(["w0", "w1", "new"], np.ones((3, size["dim"]), np.float32))
        for more in ({}, {"hs": True, "negative": 0}, {"init": init, "init_words": "union", "freeze": True}):
            try:
                train(text, min_count=1, sample=0, epochs=1, **QUIET, **size, **more)
            except EmbedtrainError:
                n_refused += 1
    return n_refused


def factors():
    """Matrices of words, and of words and documents, narrow and wide, with rows of zeros."""
    n_refused = 0
    for dim, n_words, window in itertools.product([1, 7, 33, 100], [2, 3, 17, 300], [1, 5, "all"]):
        for train, more in ((train_svd, {"window": window}), (train_lsa, {}), (train_lsa, {"weighting": "count"})):
            try:
                train(sentences(n_words), dim=dim, min_count=1, **QUIET, **more)
            except EmbedtrainError:
                n_refused += 1
    return n_refused


def counting():
    memory_plan._TASK_CELLS, memory_plan._LEAST_SHARD, memory._LEAST = 1, 100, 1
    for window, n_words, symmetric in itertools.product([1, 2, 5, 100], [2, 3, 17, 300], [True, False]):
        least = memory_plan.least_bytes(n_words, window)
        for size in (None, least, 2 * least):
            cooccurrence_counts(
                sentences(n_words), window=window, symmetric=symmetric, min_count=1, memory=size, **QUIET
            )
    return 0


def texts():
    """Texts of all lengths around the steps of the tokenizer, in all its ways, in one chunk and in many."""
    rng = np.random.default_rng(1)
    alphabet = [
        *"abcABC",
        " ",
        " ",
        "\n",
        "\t",
        "\0",
        "é",
        "ß",
        "İ",
        "don't",
        "’",
        "-",
        "_",
        "漢",
        "ไทย",
        "👍",
        "\u200b",
        "\u00ad",
    ]
    pieces = [piece.encode() for piece in alphabet] + [b"\xff", b"\xe2\x82", b"\r\n", b"w" * 70, b"w" * 5000]
    ways = each(tokenize=["spaces", "words"], lowercase=[False, True], normalize=["none", "nfc"])
    for n, way in itertools.product([*range(1, 140, 3), 1000, 5000], ways):
        data = b"".join(rng.choice(np.array(pieces, object), n))
        with suppress(EmbedtrainError):
            cooccurrence_counts(Corpus([data[:n].decode("utf-8", "replace"), "a b"], **way), min_count=1, **QUIET)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "text"
            path.write_bytes(data[:n])
            with suppress(EmbedtrainError):
                cooccurrence_counts(Corpus(path, force=True, **way), min_count=1, **QUIET)
    return 0


def floats():
    """Vectors written and read as text: numbers of all kinds and lengths, rows of all lengths, damaged ones too."""
    rng = np.random.default_rng(1)
    text_parsing._BLOCK = 40  # of which kernels parse all but the first
    n_refused = 0
    with tempfile.TemporaryDirectory() as folder:
        for dim, n_words, name in itertools.product([1, 7, 8, 16, 33, 100, 300], [1, 2, 3, 17], ["x.vec", "x.glove"]):
            bits = rng.integers(0, 1 << 32, (n_words, dim), np.uint64).astype(np.uint32).view(np.float32)
            values = np.where(np.isfinite(bits), bits, 0).astype(np.float32)
            for vectors in (values, np.round(values % 10, 3), np.full_like(values, -1.17549435e-38)):
                path = Path(folder) / name
                words = [f"w{'é' * (row * 7)}{row}" for row in range(n_words)]
                WordVectors(words, vectors).save(path, threads=1)
                read = WordVectors.load(path, threads=1, format={"x.vec": "word2vec", "x.glove": "glove"}[name])
                assert np.array_equal(read.vectors, vectors)
                whole = path.read_bytes()
                for end in rng.integers(0, len(whole), 20):
                    path.write_bytes(whole[:end] + b" .e+-9\n"[: end % 8])
                    try:
                        WordVectors.load(path, threads=1, errors="skip" if end % 2 else "strict")
                    except EmbedtrainError:
                        n_refused += 1
    return n_refused


def neighbors():
    for dim, n_words, topn in itertools.product([1, 7, 8, 33, 300], [1, 2, 17, 64, 65, 1000], [1, 2, 10, 2000]):
        words = [f"w{row}" for row in range(n_words)]
        vectors = WordVectors(words, np.random.default_rng(1).standard_normal((n_words, dim)).astype(np.float32))
        for n_queries in (20, 100):
            vectors.neighbors((words * n_queries)[:n_queries], topn=topn)
    return 0


def walks():
    """Walks on graphs of all kinds, directed ones with dead ends."""
    for n_nodes, length, p, directed, weighted in itertools.product(
        [2, 3, 17, 70], [2, 5, 300], [0.1, 1, 3], *[[False, True]] * 2
    ):
        ends = np.random.default_rng(n_nodes).integers(0, n_nodes, (2 * n_nodes, 2)).tolist()
        lines = [f"{a} {b} {1 + a}" for a, b in [*ends, (0, 1)]]
        source = RandomWalks(lines, 3, length, p, 0.5, directed=directed, weighted=weighted)
        train_skipgram(source, dim=1, epochs=2, sample=0, **QUIET)
    return 0


def phrases():
    """Phrases found and joined, with connectors and dropped words, and pairs of windows."""
    for n_words, passes, connectors, drop in itertools.product([2, 3, 17], [1, 3], [(), ["w0"]], [None, ["w1"]]):
        text = sentences(n_words)
        settings = {"threshold": 0.01, "min_count": 1, "drop": drop, **QUIET}
        find_phrases(text, passes=passes, connectors=connectors, **settings)
        for window, mode in itertools.product([1, 5, 1000], ["dynamic", "fixed"]):
            with suppress(EmbedtrainError):
                pairs = skipgram_pairs(text, window=window, window_mode=mode, min_count=1, sample=0.1, **QUIET)
                list(pairs.batches())
    return 0


SCENARIOS = {
    f.__name__: f
    for f in (skipgram, cbow, corrected, subwords, glove, factors, counting, texts, floats, neighbors, walks, phrases)
}

if __name__ == "__main__":
    side, scenario, path = sys.argv[1:]
    running = os.open(path, os.O_RDWR | os.O_CREAT)
    guard_kernels(side == "end", running)
    warnings.simplefilter("ignore")
    n_refused = SCENARIOS[scenario]()
    Path(path).write_text(json.dumps({"calls": calls, "arrays": arrays, "refused": n_refused}))
