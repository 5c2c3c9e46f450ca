"""Figures of words: places, labels, groups, pairs, fonts, and what is refused."""

import sys
from itertools import combinations

import numpy as np
import pytest
from commands import error_of, raising, run
from runs import some_vectors

from embedtrain import DataError, SettingError, WordVectors
from embedtrain.explorer import figure

WORDS = ["king", "queen", "man", "woman", "paris", "france", "rome", "italy", "$x^2$", "</s>", "naïve"]


@pytest.fixture(scope="module")
def vectors():
    return some_vectors(WORDS, dim=6)


@pytest.fixture
def matplotlib():
    return pytest.importorskip("matplotlib", reason="matplotlib is not installed; the extra [plot] has it")


@pytest.fixture
def saved(tmp_path, vectors):
    vectors.save(tmp_path / "x.vec")
    return tmp_path / "x.vec"


def labels_of(ax):
    return {text.get_text(): text for text in ax.texts if text.get_text()}


@pytest.mark.clients
@pytest.mark.usefixtures("matplotlib")
def test_words_lie_at_their_principal_components(vectors):
    ax = vectors.plot(WORDS[:8])
    units = np.array([vectors.get_vector(word, norm=True) for word in WORDS[:8]])
    centred = units - units.mean(axis=0)
    places = np.array([labels_of(ax)[word].xy for word in WORDS[:8]])
    axes = np.linalg.svd(centred)[2][:2]
    assert places @ places.T == pytest.approx(centred @ axes.T @ axes @ centred.T, abs=1e-4)  # up to signs
    assert np.asarray(ax.collections[0].get_offsets()) == pytest.approx(places)


@pytest.mark.clients
@pytest.mark.usefixtures("matplotlib")
def test_labels_do_not_overlap():
    from matplotlib.text import Text

    rng = np.random.default_rng(5)
    words = [f"word{row}" * (1 + row % 3) for row in range(40)]
    ax = WordVectors(words, rng.normal(size=(40, 2)).astype(np.float32)).plot(words)  # on a circle
    ax.figure.draw_without_rendering()
    boxes = [Text.get_window_extent(text) for text in labels_of(ax).values()]  # without lines to points
    assert len(boxes) == 40
    assert not any(one.padded(-1).overlaps(other.padded(-1)) for one, other in combinations(boxes, 2))
    frame = ax.bbox
    assert all(frame.x0 <= box.x0 and box.x1 <= frame.x1 and frame.y0 <= box.y0 and box.y1 <= frame.y1 for box in boxes)


@pytest.mark.clients
@pytest.mark.usefixtures("matplotlib")
def test_groups_have_colours_and_a_legend_and_pairs_arrows(vectors):
    groups = {"people": ["king", "man"], "$x_$": ["</s>"]}
    ax = vectors.plot(groups, pairs=[("france", "paris"), ("italy", "rome"), ("man", "woman")])
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["people", "$x_$"]
    assert [len(drawn.get_offsets()) for drawn in ax.collections] == [2, 1, 5]
    assert len({tuple(drawn.get_facecolor()[0]) for drawn in ax.collections}) == 3
    labels = labels_of(ax)
    arrows = [(tuple(text.xy), tuple(text.xyann)) for text in ax.texts if not text.get_text()]
    assert arrows[0] == (tuple(labels["paris"].xy), tuple(labels["france"].xy))
    assert len(arrows) == 3


@pytest.mark.clients
def test_axes_of_the_caller_are_drawn_on(vectors, matplotlib):
    from matplotlib.figure import Figure

    ax = Figure().subplots()
    assert vectors.plot(["king", "queen"], ax) is ax
    assert set(labels_of(ax)) == {"king", "queen"}


@pytest.mark.clients
@pytest.mark.usefixtures("matplotlib")
@pytest.mark.parametrize(
    "table", [np.ones((1, 4)), np.eye(2), np.array([[1.0], [-2], [3]]), np.zeros((3, 3)), np.ones((3, 3))]
)
def test_odd_vectors_are_drawn(table):
    words = WORDS[: len(table)]
    assert set(labels_of(WordVectors(words, table.astype(np.float32)).plot(words))) == set(words)


@pytest.mark.clients
@pytest.mark.usefixtures("matplotlib")
@pytest.mark.parametrize(("suffix", "start"), [(".png", b"\x89PNG"), (".svg", b"<?xml"), (".PDF", b"%PDF")])
def test_the_command_writes_a_figure(suffix, start, saved, tmp_path):
    path = tmp_path / f"figure{suffix}"
    done = run(
        "plot", saved, "king", "queen", "--group", "cities", "paris rome", "--pair", "france", "paris", "-o", path
    )
    assert (done.exit_code, done.stdout) == (0, ""), done.output
    assert path.read_bytes().startswith(start)


def test_words_with_spaces_and_parts_of_groups_are_taken(tmp_path, monkeypatch):
    some_vectors(["red mug", "tea", "saw"]).save(tmp_path / "x.npz")
    given = []
    monkeypatch.setattr(WordVectors, "plot", lambda self, groups, pairs: given.append(groups) or raising(KeyError())())
    run("plot", tmp_path / "x.npz", "--group", "a", "red mug", "--group", "a", "tea saw", "-o", tmp_path / "x.png")
    assert given == [{"": [], "a": ["red mug", "tea", "saw"]}]


@pytest.mark.clients
def test_a_font_that_has_the_characters_is_found(matplotlib):
    from matplotlib import font_manager

    usual = figure._characters(font_manager.findfont(font_manager.FontProperties()))
    fonts = [font for font in font_manager.fontManager.ttflist if "STIX" in font.name]  # comes with matplotlib
    word = next(
        chr(code) for font in fonts for code in figure._characters(font.fname) - usual if chr(code).isprintable()
    )
    families = figure._families(f"a{word}")
    assert len(families) == 2
    assert families[0] == "sans-serif"
    assert figure._families("plain") == ["sans-serif"]


@pytest.mark.clients
@pytest.mark.parametrize(
    ("word", "font"),
    [("東京", "Noto Sans CJK"), ("ひ", "Noto Sans CJK"), ("ไทย", "Noto Sans Thai"), ("👧", "Noto Emoji")],
    ids=["cjk", "kana", "thai", "emoji"],
)
def test_an_error_names_a_font(word, font, matplotlib, monkeypatch):
    latin = frozenset(range(128))
    monkeypatch.setattr(figure, "_characters", lambda path: latin)
    with pytest.raises(DataError, match=f"no installed font has '.' of '{word}'; install {font}"):
        some_vectors([word]).plot([word])


@pytest.mark.clients
def test_words_from_right_to_left_are_shaped_or_refused(matplotlib, monkeypatch):
    from matplotlib import ft2font

    words = ["שלום", "سلام"]
    if hasattr(ft2font, "__libraqm_version__"):
        assert set(labels_of(some_vectors(words).plot(words))) == set(words)
    monkeypatch.delattr(ft2font, "__libraqm_version__", raising=False)
    with pytest.raises(SettingError, match="from right to left, which needs matplotlib 3"):
        some_vectors(words).plot(words)


@pytest.mark.clients
@pytest.mark.usefixtures("matplotlib")
@pytest.mark.parametrize(
    ("words", "pairs", "error", "message"),
    [
        (["kingg"], [], DataError, "'kingg' is not among the 11 words; similar spelling: king"),
        ([], [], DataError, "no words to plot"),
        ("king", [], SettingError, r"words must be a list of words, got the str 'king'; write \['king'\]"),
        ({"pets": [""]}, [], DataError, "'' is not among the 11 words"),
        (["king"], ["ab"], SettingError, "pairs must be a list of pairs of words"),
        (["king"], [("king", "tsar")], DataError, "'tsar' is not among"),
    ],
)
def test_bad_words_are_refused(words, pairs, error, message, vectors):
    with pytest.raises(error, match=message):
        vectors.plot(words, pairs=pairs)


def test_without_matplotlib_the_error_says_how_to_install_it(vectors, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(SettingError, match=r"pip install 'embedtrain\[plot\]'"):
        vectors.plot(["king"])


def test_bad_outputs_of_the_command_are_refused(saved, tmp_path):
    assert "must end in .png, .svg, .pdf, got x.gif" in error_of(run("plot", saved, "king", "-o", "x.gif"), 2)
    assert "there is no folder" in error_of(run("plot", saved, "king", "-o", tmp_path / "no" / "x.png"), 1)
