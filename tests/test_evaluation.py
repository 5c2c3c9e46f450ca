import numpy as np
import pytest

from embedtrain import DataError, SettingError, WordVectors
from embedtrain.vectors import analogies, questions
from embedtrain.vectors.evaluation import evaluate_analogies, evaluate_similarity
from embedtrain.vectors.questions import find, read_analogies, read_pairs


def write(path, text):
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


@pytest.fixture
def vectors():
    table = np.random.default_rng(0).normal(size=(60, 6)).astype(np.float32)
    return WordVectors(["King", "king", "queen", "man", "Man", "woman", *(f"w{row}" for row in range(54))], table)


def answer(vectors, a, b, c, method, restrict, ignore_case):
    """The answer of plain float64 arithmetic."""
    spelled = [word.upper() if ignore_case else word for word in vectors.words[:restrict]]
    unit = vectors.vectors[: len(spelled)].astype(np.float64)
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    to_a, to_b, to_c = (unit @ unit[spelled.index(word)] for word in (a, b, c))
    shifted = [(1 + cosines) / 2 for cosines in (to_a, to_b, to_c)]
    scores = to_b - to_a + to_c if method == "add" else shifted[1] * shifted[2] / (shifted[0] + 1e-6)
    return next(spelled[row] for row in np.argsort(-scores) if spelled[row] not in (a, b, c))


@pytest.mark.parametrize("method", ["add", "mul"])
@pytest.mark.parametrize("restrict", [None, 20, 1000])
@pytest.mark.parametrize("ignore_case", [True, False])
def test_answers_are_those_of_plain_arithmetic(tmp_path, monkeypatch, vectors, method, restrict, ignore_case):
    monkeypatch.setattr("embedtrain.vectors.neighbors._ROWS", 16)
    monkeypatch.setattr(analogies, "_QUESTIONS", 7)
    rng = np.random.default_rng(1)
    words = vectors.words[:20]
    cased = str.upper if ignore_case else str
    wanted = []
    for _ in range(100):
        a, b, c = (cased(words[row]) for row in rng.choice(20, 3, replace=False))
        wanted.append((a, b, c, answer(vectors, a, b, c, method, restrict, ignore_case)))
    path = write(tmp_path / "q.txt", "".join(" ".join(question) + "\n" for question in wanted))
    score = evaluate_analogies(vectors, path, restrict=restrict, ignore_case=ignore_case, method=method)
    assert score.total.right == wanted
    assert (score.total.accuracy, score.total.coverage) == (1.0, 1.0)


def test_sections_and_coverage_are_told(tmp_path, vectors):
    right = answer(vectors, "w1", "w2", "w3", "add", None, False)
    text = f": one\nw1 w2 w3 {right}\nw1 w2 w3 w4\nw1 w2 w3 stranger\n: none\nx y z u\n"
    score = evaluate_analogies(vectors, write(tmp_path / "q", text), ignore_case=False)
    one, none = score.sections
    assert (one.name, len(one.right), len(one.wrong), one.n_questions) == ("one", 1, 1, 3)
    assert (one.accuracy, one.coverage) == (0.5, pytest.approx(2 / 3))
    assert (none.accuracy, none.coverage, none.n_questions) == (None, 0.0, 1)
    assert (score.total.accuracy, score.total.asked, score.total.coverage) == (0.5, 2, 0.5)


def test_nothing_left_to_answer_with_is_wrong(tmp_path):
    vectors = WordVectors(["a", "b", "c"], np.eye(3, dtype=np.float32))
    score = evaluate_analogies(vectors, write(tmp_path / "q", "a b c a\n"))
    assert (score.total.right, score.total.wrong) == ([], [("A", "B", "C", "A")])


def test_half_precision_gives_the_same_accuracy(tmp_path, vectors):
    path = write(tmp_path / "q", "".join(f"w{n} w{n + 1} w{n + 2} w{n + 3}\n" for n in range(40)))
    halves = WordVectors(vectors.words, vectors.vectors.astype(np.float16).astype(np.float16))
    full = WordVectors(vectors.words, halves.vectors.astype(np.float32))
    assert evaluate_analogies(halves, path).total == evaluate_analogies(full, path).total


@pytest.mark.parametrize(
    ("settings", "message"), [({"restrict": 0}, "restrict must"), ({"method": "x"}, "method must")]
)
def test_bad_settings_are_refused(tmp_path, vectors, settings, message):
    with pytest.raises(SettingError, match=message):
        evaluate_analogies(vectors, write(tmp_path / "q", "a b c d\n"), **settings)


# --- Files ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", [": s t\na b c d\n", "\ufeff:s t\r\n\r\na b  c\td\r\n", ": s t \na b c d"])
def test_analogies_with_sections(tmp_path, text):
    assert read_analogies(write(tmp_path / "q.txt", text)) == [("s t", [("a", "b", "c", "d")])]


def test_analogies_without_sections_are_one(tmp_path):
    assert read_analogies(write(tmp_path / "msr.txt", "a b c d\ne f g h\n")) == [
        ("msr", [("a", "b", "c", "d"), ("e", "f", "g", "h")])
    ]


@pytest.mark.parametrize(
    "text",
    [
        "a\tb\t1.5\nc d\te\t2\n",
        "# note\na,b,1.5\n\nc d,e,2\n",
        "Word 1,Word 2,Human (mean)\r\na,b,1.5\r\nc d,e,2\r\n",
        '"a","b",1.5\n"c d","e",2\n',
        "word1\tword2\tPOS\tscore\tmore\na\tb\tN\t1.5\t9\nc d\te\tV\t2\t7\n",
        "a;b;1.5\nc d;e;2",
    ],
)
def test_judged_pairs_in_every_dress(tmp_path, text):
    assert read_pairs(write(tmp_path / "p", text)) == [("a", "b", 1.5), ("c d", "e", 2.0)]


def test_judged_pairs_with_spaces(tmp_path):
    wanted = [("a", "b", 1.5), ("c", "d", 2.0)]
    assert read_pairs(write(tmp_path / "p", "Word 1 Word 2 Human (mean)\na b 1.5\nc  d 2\n")) == wanted
    assert read_pairs(write(tmp_path / "p", "a|b|1.5\nc|d|2\n"), delimiter="|") == wanted


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ("2 3\nking 1 2 3\nqueen 1 2 3\n", "line [12]"),
        ("king 0.1 0.2 0.3 0.4\nqueen 0.1 0.2 0.3 0.4\n", "line [12]"),
        (b"2 2\nking \x00\x00\x80\x3f\x00\x00\x80\x3f\n", "line [12]"),
        (b"PK\x03\x04\x00\x00\xff\xfe", "line 1"),
        (b"a b caf\xe9 d\n", "line 1: not UTF-8"),
        (b"x" * 100_000, "line 1"),
        ("", "holds no"),
        ("\n\n", "holds no"),
    ],
)
@pytest.mark.parametrize("read", [read_analogies, read_pairs])
def test_other_files_are_refused_in_one_line(tmp_path, content, line, read):
    with pytest.raises(DataError, match=line) as error:
        read(write(tmp_path / "file", content))
    assert str(error.value).startswith(str(tmp_path / "file"))
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < len(str(tmp_path)) + 200


def test_a_bad_line_is_named(tmp_path):
    with pytest.raises(DataError, match=r"line 3: expected the four words .* got 3 columns, 'a b c'"):
        read_analogies(write(tmp_path / "q", ": s\na b c d\na b c\n"))
    for bad in ("c\td", "c\td\tx", "c\t\t1", "c\td\tnan"):
        with pytest.raises(DataError, match="line 2: expected two words and a score"):
            read_pairs(write(tmp_path / "p", f"a\tb\t1\n{bad}\n"))


@pytest.mark.parametrize("read", [read_analogies, read_pairs])
def test_a_file_that_cannot_be_read_is_refused(tmp_path, read):
    with pytest.raises(DataError, match="no such file"):
        read(tmp_path / "missing")
    with pytest.raises(DataError, match="cannot read"):
        read(tmp_path)


def test_bundled_names_need_gensim(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(questions, "find_spec", lambda name: None)
    with pytest.raises(DataError, match="'google' is a file that comes with gensim, which is not installed"):
        find("google")
    write(tmp_path / "google", "a b c d\n")
    assert read_analogies("google")[0].questions == [("a", "b", "c", "d")]


# --- Similarity -------------------------------------------------------------------------------------------------------


def test_correlations_are_those_of_the_cosines(tmp_path, vectors):
    pairs = [(f"w{row}", f"w{row + 20}") for row in range(20)]
    cosines = [vectors.similarity(*pair) for pair in pairs]
    same = "".join(f"{a}\t{b}\t{cosine!r}\n" for (a, b), cosine in zip(pairs, cosines, strict=True))
    score = evaluate_similarity(vectors, write(tmp_path / "p", same + "w1\tstranger\t3\n"))
    assert (score.spearman, score.pearson) == pytest.approx((1, 1))
    assert (score.n_known, score.n_pairs, score.coverage) == (20, 21, pytest.approx(20 / 21))
    cubed = "".join(f"{a} {b} {-(cosine**3)!r}\n" for (a, b), cosine in zip(pairs, cosines, strict=True))
    score = evaluate_similarity(vectors, write(tmp_path / "p", cubed))
    assert score.spearman == pytest.approx(-1)
    assert -1 < score.pearson < -0.5


@pytest.mark.filterwarnings("error")
def test_constant_scores_have_no_correlation(tmp_path, vectors):
    assert np.isnan(evaluate_similarity(vectors, write(tmp_path / "p", "w1 w2 1\nw3 w4 1\nw5 w6 1\n")).spearman)


def test_too_few_known_pairs_are_refused(tmp_path, vectors):
    with pytest.raises(DataError, match="1 of 2 pairs have both words among the vectors, 2 are needed"):
        evaluate_similarity(vectors, write(tmp_path / "p", "w1 w2 1\nx y 1\n"))
