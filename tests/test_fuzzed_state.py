"""Damaged cache entries, checkpoints and files of counts: as they were, made anew, or refused in a line."""

import io
import json
import random
import tracemalloc
import warnings

import numpy as np
import pytest
from scipy import sparse
from test_fuzzed_formats import NUMBERS, TRACED, damaged

from embedtrain import Corpus, train_cbow, train_glove, train_skipgram
from embedtrain.corpus.cache import encode_cached, list_cache
from embedtrain.counts.matrix import Counts, as_counts
from embedtrain.errors import EmbedtrainError
from embedtrain.training.checkpoint import read_settings

SENTENCES = [["a", "bc", "dé", "a", "e"], ["f", "a", "bc"], ["a", "e", "a", "dé"]] * 4
USUAL = {"dim": 3, "epochs": 3, "min_count": 1, "threads": 1, "progress": False}
DTYPES = [*"bBhiIqQefd?", ">i4", ">i8", ">f4", "S3", "U2", "c8", "M8[s]"]
JSON = [None, True, -1, 0, 1, 2**70, 1e300, float("nan"), float("inf"), "", "x", [], {}, [[1]], {"a": 1}]


def other_array(chance, array):
    """The array with a wrong number, shape or type, and at times the same."""
    kind = chance.randrange(7)
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if kind < 3 and array.size and array.dtype.kind in "iuf":
            array = array.copy()
            numbers = array.reshape(-1).view(f"i{array.itemsize}")
            places = [chance.randrange(len(numbers)) for _ in range(chance.choice([1, 1, 3]))]
            numbers[places] = np.array([chance.choice(NUMBERS) for _ in places], np.uint64).astype(numbers.dtype)
            return array
        if kind == 3:
            try:
                return array.astype(chance.choice(DTYPES))
            except (ValueError, TypeError):
                return np.zeros(array.shape, chance.choice(DTYPES))
        if kind == 4:
            return np.atleast_1d(array)[: chance.randrange(4)]
        if kind == 5:
            return array.reshape(chance.choice([(-1,), (1, *array.shape), (*array.shape, 1)]))
        return np.resize(array, chance.choice([(), (0,), array.size + 1, (2, array.size), (*array.shape[::-1],)]))


def other_json(chance, known):
    """The JSON with another value somewhere."""
    known = json.loads(json.dumps(known))
    inside = known
    while True:
        keys = list(inside) if isinstance(inside, dict) else range(len(inside))
        if not keys:
            return known
        key = chance.choice(keys)
        if isinstance(inside[key], (dict, list)) and inside[key] and chance.random() < 0.8:
            inside = inside[key]
            continue
        if chance.random() < 0.2:
            del inside[key]
        else:
            inside[key] = chance.choice(JSON)
        return known


def other_archive(chance, data):
    """The bytes of an archive of arrays, damaged before or after they were packed."""
    if chance.random() < 0.3:
        return damaged(chance, data)
    with np.load(io.BytesIO(data)) as archive:
        arrays = dict(archive)
    name = chance.choice([*arrays, *["about"] * ("about" in arrays) * len(arrays)])
    if name == "about":
        text = arrays[name].tobytes()
        known = json.dumps(other_json(chance, json.loads(text))).encode()
        arrays[name] = np.frombuffer(known if chance.random() < 0.8 else damaged(chance, text), np.uint8)
    elif chance.random() < 0.1:
        del arrays[name]
    else:
        arrays[name] = other_array(chance, arrays[name])
    file = io.BytesIO()
    chance.choice([np.savez, np.savez_compressed])(file, **arrays)
    return file.getvalue()


def attempt(seed, folder, action, *args, **options):
    """What `action` returns; None if it refuses in a line. Other exceptions, warnings and much memory are failures."""
    if seed % TRACED == 0:
        tracemalloc.start()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            warnings.filterwarnings("ignore", category=UserWarning)
            return action(*args, **options)
    except EmbedtrainError as error:
        message = str(error).replace(str(folder), "")
        assert message.isprintable(), (seed, message)
        assert len(message) < 600, (seed, message)
        return None
    except Exception as error:
        raise AssertionError(f"seed {seed}") from error
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 64 << 20, seed


def test_any_entry_of_a_cache_is_used_or_made_anew(tmp_path, exhaustive):
    text, cache = tmp_path / "text.txt", tmp_path / "cache"
    text.write_text("".join(" ".join(words) + "\n" for words in SENTENCES), encoding="utf-8")
    encode_cached(Corpus(text), cache, threads=1)
    entry = list_cache(cache)[0].path
    whole = entry.read_bytes()
    n, n_anew = 10_000 if exhaustive else 100, 0
    for seed in range(n):
        data = damaged(random.Random(seed), whole)
        entry.write_bytes(data)
        attempt(seed, tmp_path, list_cache, cache)
        found = attempt(seed, tmp_path, encode_cached, Corpus(text), cache, threads=1)
        n_anew += entry.read_bytes() == whole != data
        words = np.array(found.vocabulary.words[:])
        sentences = np.split(words[found.ids], found.offsets[1:-1])
        assert [sentence.tolist() for sentence in sentences] == SENTENCES, seed
    assert 0.3 * n < n_anew < n


def test_any_counts_are_read_as_a_matrix_or_refused(tmp_path, exhaustive):
    words = [f"w{row}" for row in range(6)]
    matrix = sparse.csr_array(sparse.random(6, 6, 0.4, "csr", np.float32, random_state=1))
    vocabulary, path = tmp_path / "words.txt", tmp_path / "x.npz"
    vocabulary.write_text("\n".join(words))
    as_counts(matrix, words, np.arange(6), {"window": 5}).save(path)
    whole = [(path.read_bytes(), None)]
    for kind in ("csr", "csc", "coo", "bsr", "dia"):
        sparse.save_npz(path, matrix.asformat(kind), compressed=kind != "csc")
        whole.append((path.read_bytes(), vocabulary))
    records = np.zeros(5, [("word", "<i4"), ("context", "<i4"), ("count", "<f8")])
    records["word"], records["context"], records["count"] = [1, 2, 6, 1, 3], [2, 2, 1, 2, 5], [0.5, 1, 2, 3, 4]
    n, n_read = 20_000 if exhaustive else 150, 0
    for seed in range(n):
        chance = random.Random(seed)
        if chance.random() < 0.1:
            path, data, names = tmp_path / "x.bin", damaged(chance, records.tobytes()), vocabulary
        else:
            path, (data, names) = tmp_path / "x.npz", chance.choice(whole)
            data = other_archive(chance, data)
        path.write_bytes(data)
        found = attempt(seed, tmp_path, Counts.load, path, names, mmap=chance.random() < 0.5)
        if found is None:
            continue
        n_read += 1
        got = found.matrix
        assert (got.dtype, got.indices.dtype, got.indptr.dtype) == ("f4", "i4", "i4"), seed
        assert (len(got.indptr), got.indptr[0], got.indptr[-1]) == (len(found) + 1, 0, len(got.indices)), seed
        assert (got.indptr[1:] >= got.indptr[:-1]).all(), seed
        assert ((got.indices >= 0) & (got.indices < len(found))).all(), seed
        assert got.has_canonical_format, seed
        assert len(got.data) == len(got.indices), seed
        assert ((got.data >= 0) & (got.data < np.inf)).all(), seed
        assert found.counts is None or (found.counts.shape == (len(found),) and (found.counts >= 0).all()), seed
        attempt(seed, tmp_path, found.save, tmp_path / "again.npz")
        if seed % 8 == 0:
            attempt(seed, tmp_path, train_glove, found, dim=2, epochs=1, threads=1, progress=False)
    assert 0.02 * n < n_read < 0.9 * n, "both happen"


RUNS = {
    "skipgram": (train_skipgram, {"sample": 0}),
    "paths": (train_cbow, {"sample": 0, "hs": True, "negative": 0}),
    "glove": (train_glove, {}),
}


@pytest.mark.parametrize("name", RUNS)
def test_any_checkpoint_is_continued_or_refused(tmp_path, name, exhaustive):
    train, settings = RUNS[name]
    path = tmp_path / "run.checkpoint"
    train(SENTENCES, checkpoint=path, callback=lambda epoch: epoch.number == 2, **settings, **USUAL)
    whole, n, n_read = path.read_bytes(), 4000 if exhaustive else 40, 0
    for seed in range(n):
        path.write_bytes(damaged(random.Random(seed), whole))
        attempt(seed, tmp_path, read_settings, path)
        found = attempt(seed, tmp_path, train, SENTENCES, resume=path, **settings, **USUAL)
        if found is not None:
            n_read += 1
            assert np.isfinite(found.vectors).all(), seed
            assert len(found.report.losses) in (2, 3), seed
    assert 0.02 * n < n_read < 0.7 * n, "both happen"
