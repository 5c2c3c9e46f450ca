"""Files of counts: what is written is read, here and by NumPy and SciPy; whatever is no such file is refused."""

import io
import json
import struct
import tracemalloc
import zipfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from programs import python
from scipy import sparse
from text_files import refused

from embedtrain import __version__
from embedtrain.counts.counts_file import is_counts_file
from embedtrain.counts.matrix import Counts, as_counts
from embedtrain.errors import DataError, SettingError
from embedtrain.machine.npz import array_names, map_arrays, write_arrays
from embedtrain.machine.words import PackedWords

WORDS = ["the", "🙂", "дом", "e\u0301", "\ufffd"]
SETTINGS = {"window": 10, "weighting": "harmonic", "symmetric": True}
ANY_WORDS = st.lists(
    st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp", "Zs"]), min_size=1, max_size=8),
    min_size=2, max_size=9, unique=True,
)  # fmt: skip


def random_matrix(n=5, density=0.5, seed=0):
    matrix = sparse.random(n, n, density, "csr", np.float32, random_state=seed)
    return sparse.csr_array(matrix)


@pytest.fixture
def counts():
    return as_counts(random_matrix(), WORDS, np.array([9, 7, 5, 5, 0]), SETTINGS)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "text.counts"


@pytest.fixture
def vocabulary(tmp_path):
    path = tmp_path / "vocab.txt"
    path.write_text("".join(f"{word} {10 + row}\n" for row, word in enumerate(WORDS)), encoding="utf-8")
    return path


def require_same(found, wanted):
    for name in ("data", "indices", "indptr"):
        one, other = getattr(found.matrix, name), getattr(wanted.matrix, name)
        assert (one.dtype, one.tobytes()) == (other.dtype, other.tobytes())
    assert found.matrix.shape == wanted.matrix.shape
    assert list(found.words) == list(wanted.words)
    assert (found.counts is None) == (wanted.counts is None)
    assert found.counts is None or found.counts.tolist() == wanted.counts.tolist()
    assert found.settings == wanted.settings


def is_mapped(array):
    while array is not None and not isinstance(array, np.memmap):
        array = array.base
    return array is not None


# --- This package's own files -----------------------------------------------------------------------------------------


def test_what_is_saved_is_loaded(path, counts):
    counts.save(path)
    require_same(Counts.load(path), counts)
    without = Counts(counts.matrix, PackedWords(np.frombuffer(b"abcdefgh", np.uint8), np.arange(6)))
    without.save(path)
    require_same(Counts.load(path), without)


@settings(derandomize=True, deadline=None, max_examples=40)
@given(ANY_WORDS)
def test_all_words_that_a_vocabulary_can_hold_come_back(tmp_path_factory, words):
    path = tmp_path_factory.getbasetemp() / "any.counts"
    as_counts(sparse.csr_array(np.eye(len(words))), words).save(path)
    assert Counts.load(path).words == words


def test_scipy_and_numpy_read_it(path, counts):
    counts.save(path)
    found = sparse.load_npz(path)
    assert (found.format, found.dtype, found.shape) == ("csr", np.float32, (5, 5))
    assert (found != counts.matrix).nnz == 0
    with np.load(path) as arrays:
        assert arrays["_is_array"]
        assert arrays["words"].tobytes().decode() == "".join(WORDS)
        assert np.diff(arrays["word_starts"]).tolist() == [len(word.encode()) for word in WORDS]
        assert arrays["counts"].tolist() == [9, 7, 5, 5, 0]
        about = json.loads(arrays["about"].tobytes())
    names = ["format", "shape", "_is_array", "words", "word_starts", "indptr", "indices", "data", "counts"]
    assert about == {"arrays": names, "format": 1, "embedtrain": __version__, "settings": SETTINGS}


@pytest.mark.skipif("os.name == 'nt'", reason="Windows replaces no mapped file, so that files are read there")
def test_loaded_counts_are_mapped_and_aligned(path):
    for n in range(2, 20):  # names, headers and words take other room every time
        as_counts(random_matrix(n, 0.9), [f"{'w' * n}{row}" for row in range(n)]).save(path)
        matrix = Counts.load(path).matrix
        for array in (matrix.data, matrix.indices, matrix.indptr):
            assert is_mapped(array)
            assert array.ctypes.data % 64 == 0
            assert array.flags.aligned
            assert not array.flags.writeable


def test_a_file_can_be_replaced_by_what_is_loaded_from_it(path, counts):
    counts.save(path)
    loaded = Counts.load(path)
    loaded.save(path)
    require_same(loaded, counts)
    require_same(Counts.load(path), counts)


def test_a_vocabulary_for_a_file_with_words_is_refused(path, counts, vocabulary):
    counts.save(path)
    with refused("has its own words; leave out the file of words .*vocab.txt", SettingError):
        Counts.load(path, vocabulary)


def with_arrays(path, **changes):
    with np.load(path) as arrays:
        contents = {**arrays, **changes}
    with open(path, "wb") as file:
        np.savez(file, **{name: array for name, array in contents.items() if array is not None})


def as_bytes(**about):
    return np.frombuffer(json.dumps(about).encode(), np.uint8)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"about": as_bytes(format=2, embedtrain="9.8")},
            r"it has the format 2 of embedtrain 9\.8, this is .* reads the ",
        ),
        ({"about": as_bytes(embedtrain="9.8")}, "it is damaged"),
        ({"about": as_bytes(format=1)}, "it is damaged"),
        ({"about": np.zeros(5, np.uint8)}, "it is damaged"),
        ({"word_starts": None}, r"it is damaged .*\(it lacks word_starts\)"),
        ({"counts": None}, r"it is damaged .*\(it lacks counts\)"),
        ({"word_starts": np.array([0, 3, 2, 4, 5, 6])}, "it is damaged"),
        ({"word_starts": np.array([0, 3, 4, 5, 6, 99])}, "it is damaged"),
        ({"word_starts": np.array([-1, 3, 4, 5, 6, 7])}, "it is damaged"),
        ({"word_starts": np.array([0, 3, 7])}, "it is damaged"),
        ({"word_starts": np.array([0, 1, 2, 3, 4, 5])}, "it is damaged"),  # in the middle of a character
        ({"words": np.zeros(19, np.uint8)}, "is empty or holds whitespace"),
        ({"counts": np.arange(4)}, r"got shape \(4,\)"),
        ({"indices": None}, "it is damaged"),
        ({"indices": np.full(12, 5, np.int32)}, "its indices hold 5, and must be 0 to 4"),
        ({"indptr": np.array([0, 9, 3, 3, 3, 12], np.int32)}, "its indptr must be 6 numbers"),
        ({"indptr": np.array([0, 2, 3, 3, 3, 99], np.int32)}, "it is damaged"),
        ({"data": np.full(12, np.nan, np.float32)}, r'the count of ".*" \(row 0\) beside .* is nan'),
        ({"data": np.array([{}] * 12, object)}, "it is damaged"),
        ({"data": np.ones(11, np.float32)}, "it is damaged"),
        ({"shape": np.array([4, 5])}, "it is damaged"),
        ({"format": np.array(b"xyz")}, "it is damaged"),
        ({"format": None}, "holds no counts, but other arrays: "),
    ],
)
def test_a_file_that_says_other_things_is_refused(path, counts, changes, message):
    counts.save(path)
    with_arrays(path, **changes)
    with refused(f"{path.name}.*{message}"):
        Counts.load(path)


DEEP = b"[" * 100_000


@pytest.mark.parametrize(
    "about",
    [
        DEEP,
        b'{"format": Infinity, "embedtrain": "9.8"}',
        b'{"format": "' + b"x" * 60_000 + b'", "embedtrain": "9.8"}',
        b'{"format": 2, "embedtrain": null}',
    ],
    ids=["deep", "infinite", "long", "null"],
)
def test_strange_json_is_refused_in_a_line(path, counts, about):
    counts.save(path)
    with_arrays(path, about=np.frombuffer(about, np.uint8))
    with refused("it (is damaged|has the format (inf|x{20}|2) of embedtrain (9.8|None), )"):
        Counts.load(path)


def test_counts_of_the_other_byte_order_are_read(path, counts):
    counts.save(path)
    arrays = ("data", "indices", "indptr", "word_starts", "counts", "shape")
    with np.load(path) as known:
        other = {name: known[name].astype(known[name].dtype.newbyteorder(">")) for name in arrays}
    with_arrays(path, **other)
    require_same(Counts.load(path), counts)
    matrix = counts.matrix.copy()
    matrix.data, matrix.indices, matrix.indptr = other["data"], other["indices"], other["indptr"]
    require_same(as_counts(matrix, WORDS, other["counts"], SETTINGS), counts)


def test_counts_can_be_loaded_without_a_map(path, counts):
    counts.save(path)
    found = Counts.load(path, mmap=False)
    require_same(found, counts)
    path.write_bytes(b"")
    require_same(found, counts)
    for array in (found.matrix.data, found.matrix.indices, found.matrix.indptr, found.counts):
        assert not is_mapped(array)
        assert not array.flags.writeable


def test_a_file_that_was_cut_is_refused(path, counts):
    counts.save(path)
    whole = path.read_bytes()
    for length in {*range(0, len(whole), 11), *range(len(whole) - 30, len(whole))}:
        path.write_bytes(whole[:length])
        with refused(path.name, (DataError, SettingError)):
            Counts.load(path)


def test_a_changed_byte_anywhere_is_refused_or_changes_nothing(path, exhaustive):
    counts = as_counts(random_matrix(2, 1), ["a", "bc"], np.array([2, 1]), {"window": 2})
    counts.save(path)
    whole = path.read_bytes()
    harmless, places = 0, range(0, len(whole), 1 if exhaustive else 7)
    for place in places:
        changed = bytearray(whole)
        changed[place] ^= 1 + place % 255
        path.write_bytes(changed)
        try:
            found = Counts.load(path)
        except (DataError, SettingError):
            continue
        harmless += 1
        require_same(found, counts)
    assert harmless < len(places) / 3, "dates, permissions and the like, of ten arrays"


def test_a_word_that_no_file_can_hold_is_refused_and_nothing_written(path, counts):
    with refused(r"the word '\\ud800' holds half of a surrogate pair"):
        Counts(counts.matrix, [*WORDS[:4], "\ud800"]).save(path)
    assert not path.exists()


# --- SciPy's files ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("compressed", [True, False])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64])
@pytest.mark.parametrize(
    "kind", ["csr_array", "csr_matrix", "csc_array", "coo_array", "coo_matrix", "bsr_array", "dia_array"]
)
def test_what_scipy_saves_is_loaded_with_the_words_in_their_order(tmp_path, vocabulary, kind, dtype, compressed):
    matrix = (random_matrix() * 9).astype(dtype)
    path = tmp_path / "counts.npz"
    sparse.save_npz(path, getattr(sparse, kind)(matrix), compressed=compressed)
    found = Counts.load(path, vocabulary)
    np.testing.assert_array_equal(found.matrix.toarray(), matrix.toarray().astype(np.float32))
    assert (list(found.words), found.counts.tolist(), found.settings) == (WORDS, [10, 11, 12, 13, 14], {})


def test_words_without_counts_will_do(path, vocabulary, counts):
    vocabulary.write_text("\n".join(WORDS), encoding="utf-8")
    with open(path, "wb") as file:
        sparse.save_npz(file, counts.matrix)
    require_same(Counts.load(path, vocabulary), Counts(counts.matrix, WORDS))


def test_counts_without_words_are_refused(path, counts):
    with open(path, "wb") as file:
        sparse.save_npz(file, counts.matrix)
    message = "has no words; name the file of its words, a line each in the order of its rows, with words"
    with refused(message, SettingError):
        Counts.load(path)
    np.zeros(4, np.int64).tofile(path)
    with refused("has no words; name the file of its words", SettingError):
        Counts.load(path)


# --- GloVe's files ----------------------------------------------------------------------------------------------------


def test_a_file_of_glove_is_loaded(path, vocabulary):
    record = np.dtype([("word", "<i4"), ("context", "<i4"), ("count", "<f8")])
    np.array([(5, 1, 0.5), (1, 2, 2.25)], record).tofile(path)
    found = Counts.load(path, vocabulary)
    assert (found.matrix[4, 0], found.matrix[0, 1], found.matrix.nnz) == (0.5, 2.25, 2)
    assert (list(found.words), found.counts.tolist()) == (WORDS, [10, 11, 12, 13, 14])
    vocabulary.write_text("the 3\nof 2\n")
    with refused("text.counts, record 1: expected two words of 1 to 2 and a count .*, got 5, 1 and 0.5"):
        Counts.load(path, vocabulary)


# --- Other files ------------------------------------------------------------------------------------------------------


def npz(**arrays):
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


def zipped(name, content):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(name, content)
    return file.getvalue()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "holds no counts: it is empty"),
        (
            b"the quick brown fox\n" * 16,
            "holds no counts: it looks like text, which must have another name; counts are",
        ),
        (b"\xba\x16O/\x0c\0\0\0", "holds no counts: it is a fastText model; counts are"),
        (zipped("text.txt", b"the quick brown fox"), "holds no counts, but other arrays: text.txt; counts are"),
        (npz(), "holds no counts, but other arrays: "),
        (npz(about=np.zeros(3), words=np.zeros(2)), "holds no counts, but other arrays: about, words; counts are"),
        (b"PK\x03\x04 and no more", r"it is damaged or holds no counts \(File is not a zip file\)"),
        (b"\x93NUMPY\x01\x00v\x00" + b" " * 118, "0 bytes|record|more; it is cut, or no counts"),
    ],
)
def test_what_is_no_file_of_counts_is_refused(path, vocabulary, content, message):
    path.write_bytes(content)
    with refused(f"{path.name}.*({message})"):
        Counts.load(path, vocabulary)
    path.unlink()
    with refused("cannot read .*text.counts: no such file"):
        Counts.load(path, vocabulary)
    path.mkdir()
    with refused("cannot read .*text.counts: "):
        Counts.load(path, vocabulary)


def test_counts_are_told_from_texts(tmp_path, counts):
    made = {
        "own": counts.save,
        "csr.npz": lambda path: sparse.save_npz(path, counts.matrix),
        "coo.npz": lambda path: sparse.save_npz(path, sparse.coo_array(counts.matrix)),
        "cooccurrence.bin": lambda path: path.write_bytes(bytes(16)),
        "text": lambda path: path.write_text("PK the quick brown fox\n"),
        "text.npz": lambda path: path.write_text("the quick brown fox\n"),
        "empty": lambda path: path.write_bytes(b""),
        "other.npz": lambda path: np.savez(path, data=np.zeros(3)),
        "cut.npz": lambda path: path.write_bytes(b"PK\x03\x04 and no more"),
        "text.zip": lambda path: path.write_bytes(zipped("text.txt", b"the quick brown fox")),
        "folder.bin": lambda path: path.mkdir(),
    }
    for name, make in made.items():
        make(tmp_path / name)
    found = {name for name in [*made, "missing.bin", "-", "a\0b", "x" * 999] if is_counts_file(tmp_path / name)}
    named = {"text.npz", "other.npz", "cut.npz"}  # of which reading says what is wrong
    assert found == {"own", "csr.npz", "coo.npz", "cooccurrence.bin"} | named


def test_commands_recognise_counts_without_numba_and_scipy(path, counts):
    counts.save(path)
    program = (
        "import sys; from embedtrain.counts.counts_file import is_counts_file; "
        "print(is_counts_file(sys.argv[1]), {'numba', 'scipy'} & set(sys.modules))"
    )
    assert python("-c", program, path).stdout == "True set()\n"


# --- Arrays in a file -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("piece", [1, 64, 1 << 18])
def test_arrays_of_all_kinds_come_back(tmp_path, monkeypatch, piece):
    monkeypatch.setattr("embedtrain.machine.npz._PART", piece)
    arrays = {
        "table": np.arange(12, dtype=np.float32).reshape(3, 4)[:, :3],
        "scalar": np.array(True),
        "text": np.array(b"csr"),
        "empty": np.zeros((0, 3)),
        "wide": np.array([2**40]),
    }
    path = tmp_path / "arrays"
    with open(path, "wb") as file:
        write_arrays(file, arrays)
    for found in (map_arrays(path), dict(np.load(path))):
        assert list(found) == list(arrays)
        for name, array in arrays.items():
            assert (found[name].dtype, found[name].shape) == (array.dtype, array.shape)
            np.testing.assert_array_equal(found[name], array)


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_what_numpy_writes_is_read_with_nothing_unpickled(tmp_path, save):
    path = tmp_path / "arrays.npz"
    table = np.asfortranarray(np.arange(6.0).reshape(2, 3))
    save(path, table=table, none=np.zeros(0), one=np.array(3))
    found = map_arrays(path)
    assert {name: array.tolist() for name, array in found.items()} == {"table": table.tolist(), "none": [], "one": 3}
    assert not any(array.flags.writeable for array in found.values())
    save(path, table=np.array([{}], object))
    with pytest.raises(ValueError, match=r"table\.npy cannot be an array of shape .* and type object"):
        map_arrays(path)


def test_arrays_of_other_names_are_not_read(tmp_path):
    np.savez_compressed(tmp_path / "x.npz", wanted=np.arange(3), large=np.zeros(1 << 26, np.uint8))
    assert array_names(tmp_path / "x.npz") == ["wanted", "large"]
    tracemalloc.start()
    (found,) = map_arrays(tmp_path / "x.npz", {"wanted"}).values()
    assert found.tolist() == [0, 1, 2]
    assert tracemalloc.get_traced_memory()[1] < 1 << 23
    tracemalloc.stop()


def header(text, length=None):
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text) if length is None else length) + text


NESTED = b"{'descr': '|u1', 'fortran_order': False, 'shape': " + b"(" * 4000 + b")" * 4000 + b"}\n"
UNARY = b"{'descr': '|u1', 'fortran_order': False, 'shape': (" + b"-" * 9000 + b"1,)}\n"
HUGE = b"{'descr': '|u1', 'fortran_order': False, 'shape': (10000000000000,)}\n"
WRONG_HEADERS = {
    "nested": header(NESTED),
    "signs": header(UNARY),
    "huge": header(HUGE),
    "version 2": b"\x93NUMPY\x02\x00" + struct.pack("<I", 1 << 31) + b" " * 99,
    "none": b"",
}


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("content", WRONG_HEADERS.values(), ids=WRONG_HEADERS)
def test_headers_that_nest_or_promise_much_are_refused(path, counts, content, method):
    with zipfile.ZipFile(path, "w", method) as archive:
        for name in ("format", "shape", "data"):
            archive.writestr(f"{name}.npy", content)
    with refused("it is damaged or holds no counts"):
        Counts.load(path)


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_an_array_that_ends_early_is_refused(tmp_path, save):
    """The archive promises more than there is, with the right checksum of what there is."""
    save(tmp_path / "x.npz", data=np.full(1000, 7, np.uint8))
    with zipfile.ZipFile(tmp_path / "x.npz") as archive:
        array = archive.read("data.npy").replace(b"(1000,)", b"(9000,)")
        method = archive.infolist()[0].compress_type
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        archive.writestr("data.npy", array)
    content, size = bytearray(file.getvalue()), struct.pack("<I", len(array))
    central = content.rindex(b"PK\x01\x02")
    assert content[central + 24 : central + 28] == size
    content[central + 24 : central + 28] = struct.pack("<I", len(array) + 8000)
    (tmp_path / "x.npz").write_bytes(content)
    with pytest.raises((ValueError, EOFError, zipfile.BadZipFile)):
        map_arrays(tmp_path / "x.npz")
