"""The explorer's page without a browser: what it holds, how large it is, and what is refused."""

import base64
import hashlib
import re

import numpy as np
import pytest
from commands import error_of, run
from pages import neighbours_in, read_page
from programs import python
from runs import some_vectors

from embedtrain import DataError, EmbedtrainWarning, SettingError, WordVectors
from embedtrain.explorer import explore as explorer
from embedtrain.explorer.groups import cluster
from embedtrain.explorer.projection import principal_components, scaled

HOSTILE = [
    "</script><script>alert(1)</script>",
    "<img/src=x/onerror=alert(1)>", "<!--", "{{script}}", "'\"`", "&lt;", "\\u003c",
    "😀", "\u202egnirts", "zero\u200bwidth", "\u2028", "نص", "naïve", "constructor", "__proto__", "%2F#?&",
]  # fmt: skip


@pytest.fixture
def page(tmp_path):
    return tmp_path / "page.html"


def words(n):
    return [f"w{row}" for row in range(n)]


def test_neighbours_are_those_of_most_similar(page):
    vectors = some_vectors(words(60))
    vectors.explore(page, neighbors=7, projection="pca")
    rows, cosines = neighbours_in(page)
    for word, near, values in zip(vectors.words, rows, cosines, strict=True):
        wanted = vectors.most_similar(word, topn=7)
        assert [vectors.words[row] for row in near] == [other for other, _ in wanted]
        assert values == pytest.approx([cosine for _, cosine in wanted], abs=0.004)


def test_only_the_first_words_are_in_the_page_and_are_neighbours(page):
    vectors = WordVectors(words(50), some_vectors(words(50)).vectors, counts=np.arange(50, 0, -1))
    vectors.explore(page, limit=20, projection="pca")
    facts = read_page(page)[1]
    assert facts["words"] == words(20)
    assert facts["counts"] == list(range(50, 30, -1))
    assert facts["neighbors"] == 19
    assert neighbours_in(page)[0].max() == 19


@pytest.mark.parametrize(("n", "n_bytes"), [(65_536, 2), (65_537, 4)])
def test_rows_have_two_or_four_bytes(page, n, n_bytes, monkeypatch):
    def search(vectors, arrays, report):
        arrays["rows"][1] = n - 1

    monkeypatch.setattr(explorer, "_search", search)
    WordVectors(words(n), np.ones((n, 2), np.float32)).explore(page, limit=n, neighbors=1, projection="pca")
    assert len(read_page(page)[2]["rows"]) == n_bytes * n
    assert neighbours_in(page)[0][:3, 0].tolist() == [0, n - 1, 0]


def test_the_page_allows_nothing_but_its_own_script_and_style(page):
    some_vectors(words(5)).explore(page, projection="pca")
    text = read_page(page)[0]
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)[1]
    assert "default-src 'none'" in policy
    for tag, directive in ((r'<script type="module">', "script-src"), ("<style>", "style-src")):
        content = re.search(f"{tag}(.*?)</", text, re.DOTALL)[1]
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert f"{directive} 'sha256-{digest}'" in policy
    assert not re.search(r"https?://|\ssrc=|<link|@import|url\(", text)


def test_words_are_never_markup(page):
    WordVectors(HOSTILE, some_vectors(HOSTILE).vectors).explore(page, projection="pca")
    text, facts, _ = read_page(page)
    assert facts["words"] == HOSTILE
    assert len(re.findall("<script", text)) == len(re.findall("</script>", text)) == 2 + len(read_page(page)[2])
    assert "<img" not in text
    assert "<!--" not in text


def test_the_size_is_said_before_it_is_written(page, capsys, monkeypatch):
    vectors = some_vectors(words(3000), dim=50)

    def search(*args, **options):
        assert not page.exists()
        assert "page     3,000 words, 20 neighbours each, " in capsys.readouterr().err
        return nearest(*args, **options)

    nearest = explorer.nearest_to_rows
    monkeypatch.setattr(explorer, "nearest_to_rows", search)
    sizes = []
    monkeypatch.setattr(explorer, "format_bytes", lambda size: sizes.append(size) or "")
    vectors.explore(page, projection="pca", progress="lines")
    assert sizes == [page.stat().st_size]


def test_vectors_are_left_out_where_they_do_not_fit(page):
    vectors = some_vectors(words(2000), dim=500)
    with pytest.warns(EmbedtrainWarning, match=r"no analogies, .*; set max_size=2M to keep them"):
        vectors.explore(page, neighbors=3, projection="pca", max_size="1M")
    assert "vectors" not in read_page(page)[2]
    assert page.stat().st_size < 10**6
    vectors.explore(page, neighbors=3, projection="pca", max_size="2M")
    assert 10**6 < page.stat().st_size < 2 * 10**6


def test_a_page_that_is_too_large_is_refused_with_a_size_that_does(page):
    vectors = some_vectors(words(9000))
    with pytest.raises(SettingError, match=r"need a page of 1.* MB; set max_size=2M, or lower limit"):
        vectors.explore(page, neighbors=40, max_size="1M", projection="pca")
    assert not page.exists()


def test_the_same_vectors_give_the_same_page(page):
    vectors = some_vectors(words(200))
    vectors.explore(page, projection="pca")
    first = page.read_bytes()
    vectors.explore(page, projection="pca")
    assert page.read_bytes() == first


# --- projections and groups -------------------------------------------------------------------------------------------


def test_principal_components_are_those_of_a_singular_value_decomposition():
    rows = np.random.default_rng(1).normal(size=(80, 6)).astype(np.float32) * np.arange(1, 7, dtype=np.float32) + 3
    centred = rows - rows.mean(axis=0)
    axes = np.linalg.svd(centred)[2][:2]
    axes *= np.sign(axes[np.arange(2), np.abs(axes).argmax(axis=1)])[:, None]
    assert principal_components(rows, 2) == pytest.approx(centred @ axes.T, abs=1e-3)


def test_coordinates_keep_their_proportions():
    assert scaled(np.array([[0, 0], [4, 1], [2, 0.5]], np.float32)).tolist() == [
        [0, 24576],
        [65535, 40959],
        [32768, 32768],
    ]


def test_clusters_are_found_ordered_and_named():
    rng = np.random.default_rng(2)
    centres = np.linalg.qr(rng.normal(size=(16, 10)))[0].T
    kind = np.arange(660) % 11 % 10  # the first is twice as large
    rows = centres[kind] + rng.normal(scale=0.05, size=(660, 16))
    rows[0] = centres[0]
    units = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    names, rows = cluster(units, words(660))
    assert all(len(set(rows[kind == one])) == 1 for one in range(10))
    assert rows[0] == 0
    assert names[0].split()[0] == "w0"
    assert len(set(names)) == 10


def test_labels_give_groups(page, tmp_path):
    (tmp_path / "labels.tsv").write_text("w0\tbig things\nw1 small\n\nw 3\tbig things\n", encoding="utf-8")
    vectors = some_vectors(["w0", "w1", "w2", "w 3", "w4"])
    vectors.explore(page, labels=tmp_path / "labels.tsv", projection="pca")
    _, facts, arrays = read_page(page)
    assert facts["labels"] == ["big things", "small"]
    assert list(arrays["labels"]) == [0, 1, 255, 0, 255]
    vectors.explore(page, labels={"w0": "big things", "w1": "small", "w 3": "big things"}, projection="pca")
    assert read_page(page)[1] == facts


def test_rare_labels_are_others(page):
    labels = {word: f"label {row // 2}" for row, word in enumerate(words(24))}
    some_vectors(words(30)).explore(page, labels=labels, projection="pca")
    _, facts, arrays = read_page(page)
    assert facts["labels"] == [*(f"label {row}" for row in range(9)), "other"]
    assert list(arrays["labels"]) == [min(row // 2, 9) for row in range(24)] + [255] * 6


# --- odd and bad input ------------------------------------------------------------------------------------------------


ODD = {
    "one word": np.ones((1, 4)),
    "two words": np.eye(2),
    "1 dimension": np.array([[1.0], [-2], [3]]),
    "2 dimensions": np.eye(3)[:, :2],
    "3 dimensions": np.eye(3),
    "zeros": np.zeros((12, 4)),
    "equal": np.ones((12, 4)),
    "some zeros": np.eye(12)[:, :4],
}


@pytest.mark.parametrize("name", ODD)
def test_odd_vectors_make_a_page(name, page):
    table = ODD[name].astype(np.float32)
    vectors = WordVectors(words(len(table)), table)
    vectors.explore(page, projection="pca")
    _, facts, arrays = read_page(page)
    assert facts["neighbors"] == len(table) - 1
    coordinates = np.frombuffer(arrays["coordinates"], "<u2").reshape(-1, 2)
    assert (len(np.unique(coordinates, axis=0)) == 1) == (name in ("one word", "zeros", "equal"))
    rows, _ = neighbours_in(page)
    known = [word for word, row in zip(vectors.words, table, strict=True) if row.any()]  # others have no direction
    wanted = [[other for other, _ in near] for near in vectors.neighbors(known, len(table))]
    assert [[f"w{row}" for row in rows[vectors.index[word]]] for word in known] == wanted


def test_vectors_that_are_not_finite_are_refused(page):
    with pytest.raises(DataError, match="the vector of 'w1' has no finite length"):
        WordVectors(words(2), np.array([[1, 0], [np.nan, 0]], np.float32)).explore(page)


def test_no_words_are_refused(page):
    with pytest.raises(DataError, match="no words"):
        WordVectors([], np.zeros((0, 3), np.float32)).explore(page)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"limit": 0}, "limit must be a whole number of at least 1, got 0"),
        ({"neighbors": 2.5}, "neighbors must be a whole number of at least 1, got 2.5"),
        ({"projection": "lda"}, "projection must be auto, pca, umap or tsne, got 'lda'"),
        ({"projection": "umap"}, "projection=umap needs "),  # the package, or more words
        ({"max_size": "10"}, "max_size must be a size"),
        ({"coordinates": "c.npy", "projection": "pca"}, "projection=pca is not used with coordinates; leave out one"),
    ],
)
def test_bad_settings_are_refused(settings, message, page):
    with pytest.raises(SettingError, match=message):
        some_vectors(words(5)).explore(page, **settings)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (np.zeros((2, 2)), r"two numbers for each of the 3 words, shape \(3, 2\), got float64 of shape \(2, 2\)"),
        (np.zeros((3, 3)), r"got float64 of shape \(3, 3\)"),
        (np.full((3, 2), "x"), r"got <U1"),
        (np.full((3, 2), np.nan), "nan or inf"),
        (np.full((3, 2), 1e300), "nan or inf"),
        (np.array([[{}, 1]] * 3), "not an array of numpy.save"),
    ],
    ids=["few", "wide", "text", "nan", "large", "objects"],
)
def test_bad_coordinates_are_refused(rows, message, page, tmp_path):
    np.save(tmp_path / "c.npy", rows)
    with pytest.raises(DataError, match=message):
        some_vectors(words(3)).explore(page, coordinates=tmp_path / "c.npy")


def test_a_file_that_is_no_array_is_refused(page, tmp_path):
    np.savez(tmp_path / "c.npz", np.zeros((3, 2)))
    for name, message in (
        ("c.npz", "c.npz is not an array of numpy.save"),
        ("no.npy", "cannot read .*no.npy: no such file"),
    ):
        with pytest.raises(DataError, match=message):
            some_vectors(words(3)).explore(page, coordinates=tmp_path / name)


def test_coordinates_are_those_of_the_file(page, tmp_path):
    np.save(tmp_path / "c.npy", np.array([[0, 0], [10, 0], [5, 10], [99, 99]]))
    some_vectors(words(3)).explore(page, coordinates=tmp_path / "c.npy")
    _, facts, arrays = read_page(page)
    assert facts["projection"] == "file"
    assert np.frombuffer(arrays["coordinates"], "<u2").tolist() == [0, 0, 65535, 0, 32768, 65535]


def test_labels_of_unknown_words_are_counted(page):
    with pytest.warns(EmbedtrainWarning, match="^not among the 4 words: 2 of 3 labelled words"):
        some_vectors(words(4)).explore(page, labels={"w0": "a", "x": "a", "y": "b"}, projection="pca")
    with (
        pytest.warns(EmbedtrainWarning, match="1 of 1 labelled word$"),
        pytest.raises(DataError, match="no word with a label is on the page"),
    ):
        some_vectors(words(4)).explore(page, labels={"x": "a"}, projection="pca")


def test_a_line_without_a_label_is_refused(page, tmp_path):
    (tmp_path / "l.txt").write_text("w0 a\nw1\n")
    with pytest.raises(DataError, match=r"l.txt, line 2: expected a word or node and its label, got 'w1'"):
        some_vectors(words(4)).explore(page, labels=tmp_path / "l.txt", projection="pca")


def test_an_output_that_is_an_input_is_refused(tmp_path):
    path = tmp_path / "x.html"
    some_vectors(words(4)).save(path, format="word2vec")
    before = path.read_bytes()
    assert "would replace the vectors" in error_of(run("explore", path, "-o", path), 2)
    assert path.read_bytes() == before
    assert "the page must end in .html, got x.pdf" in error_of(run("explore", path, "-o", "x.pdf"), 2)


def test_the_command_writes_the_page_of_the_library(tmp_path, page):
    some_vectors(words(40)).save(tmp_path / "x.npz")
    args = ["explore", tmp_path / "x.npz", "-o", page, "--limit", 30, "--neighbors", 5, "--projection", "pca"]
    done = run(*args)
    assert done.exit_code == 0, done.output
    written = page.read_bytes()
    WordVectors.load(tmp_path / "x.npz").explore(page, limit=30, neighbors=5, projection="pca")
    assert page.read_bytes() == written
    assert "cannot read missing.vec" in error_of(run("explore", "missing.vec", "-o", page), 1)


def test_loading_vectors_imports_nothing_of_pictures(tmp_path):
    some_vectors(words(40)).save(tmp_path / "x.npz")
    code = "import sys, embedtrain; embedtrain.WordVectors.load(sys.argv[1]); print(sorted(sys.modules))"
    loaded = python("-c", code, tmp_path / "x.npz").stdout
    for name in ("embedtrain.explorer", "matplotlib", "umap", "scipy", "numba"):
        assert f"'{name}'" not in loaded
