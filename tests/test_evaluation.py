"""Evaluation by analogies and by similarity, and the files of both."""

import numpy as np
import pytest

from embedtrain import DataError, SettingError, WordVectors
from embedtrain.vectors import analogies, evaluation_files
from embedtrain.vectors.evaluation import evaluate_analogies, evaluate_similarity
from embedtrain.vectors.evaluation_files import read_analogies, read_pairs, resolve


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


def test_sections_and_coverage(tmp_path, vectors):
    right = answer(vectors, "w1", "w2", "w3", "add", None, False)
    text = f": one\nw1 w2 w3 {right}\nw1 w2 w3 w4\nw1 w2 w3 stranger\n: none\nx y z u\n"
    score = evaluate_analogies(vectors, write(tmp_path / "q", text), ignore_case=False)
    one, none = score.sections
    assert (one.name, len(one.right), len(one.wrong), one.n_questions) == ("one", 1, 1, 3)
    assert (one.accuracy, one.coverage) == (0.5, pytest.approx(2 / 3))
    assert (none.accuracy, none.coverage, none.n_questions) == (None, 0.0, 1)
    assert (score.total.accuracy, score.total.n_known, score.total.coverage) == (0.5, 2, 0.5)


@pytest.mark.parametrize(
    ("words", "question"),
    [
        (["kız", "kiz", "x", "y"], "Kız x y kız"),
        (["Maße", "masse", "x", "y"], "maße x y MASSE"),
        (["istanbul", "x", "y", "z"], "İstanbul x y z"),
        (["σίσυφος", "x", "y", "z"], "ΣΊΣΥΦΟΣ x y z"),
        (["caf\u00e9", "x", "y", "z"], "Cafe\u0301 x y z"),
        (["cafe\u0301", "x", "y", "z"], "caf\u00e9 x y z"),
    ],
)
def test_case_and_normalisation_are_ignored_as_people_read_them(tmp_path, words, question):
    table = np.array([[1, 0], [0.5, 1], [0, 1], [-1, 0.2]], np.float32)
    score = evaluate_analogies(WordVectors(words, table), write(tmp_path / "q", question)).total
    assert score.n_known == 1
    assert evaluate_similarity(WordVectors(words, table), [(question.split()[0], "x", 1)]).n_known == 1


def test_letters_that_upper_case_merges_are_different_words(tmp_path):
    words = ["kiz", "kız", "masse", "maße", "x"]
    vectors = WordVectors(words, np.array([[1, 0], [0, 1], [1, 0.1], [0.1, 1], [1, 1]], np.float32))
    pairs = [("kız", "maße", 3), ("kiz", "masse", 3), ("kiz", "kız", 1), ("masse", "maße", 1)]
    assert evaluate_similarity(vectors, pairs).pearson > 0.98
    assert evaluate_similarity(vectors, [(a.capitalize(), b, score) for a, b, score in pairs]).pearson > 0.98


@pytest.mark.parametrize(("pair", "row"), [(("Polish", "x"), 1), (("polish", "x"), 0), (("POLISH", "x"), 0)])
def test_an_exact_match_wins_and_else_the_most_frequent(pair, row):
    table = np.array([[1, 0], [0, 1], [1, 1], [1, -1], [0, -1]], np.float32)
    vectors = WordVectors(["polish", "Polish", "x", "y", "z"], table)
    exact = vectors.words[row]
    scored = [(*pair, 1), (pair[0], "y", 2), (pair[0], "z", 5)]
    wanted = evaluate_similarity(vectors, [(exact, *rest) for _, *rest in scored], ignore_case=False)
    assert evaluate_similarity(vectors, scored) == wanted


def test_an_exact_match_is_excluded_with_its_other_spellings(tmp_path):
    table = np.array([[1, 0, 0], [1, 0.1, 0], [0, 1, 0], [0, 0, 1], [1, 0.2, 0]], np.float32)
    vectors = WordVectors(["Man", "man", "x", "y", "z"], table)
    score = evaluate_analogies(vectors, write(tmp_path / "q", "x y man Z\n"))
    assert score.total.right + score.total.wrong == [("x", "y", "man", "Z")]
    assert evaluate_analogies(vectors, write(tmp_path / "q", "x x man Z\n")).total.right == [("x", "x", "man", "Z")]


def test_no_candidate_left_is_wrong(tmp_path):
    vectors = WordVectors(["a", "b", "c"], np.eye(3, dtype=np.float32))
    score = evaluate_analogies(vectors, write(tmp_path / "q", "a b c a\n"))
    assert (score.total.right, score.total.wrong) == ([], [("a", "b", "c", "a")])


def test_half_precision_gives_the_same_accuracy(tmp_path, vectors):
    path = write(tmp_path / "q", "".join(f"w{n} w{n + 1} w{n + 2} w{n + 3}\n" for n in range(40)))
    halves = WordVectors(vectors.words, vectors.vectors.astype(np.float16))
    full = WordVectors(vectors.words, halves.vectors.astype(np.float32))
    assert evaluate_analogies(halves, path).total == evaluate_analogies(full, path).total


@pytest.mark.parametrize(
    ("evaluation", "settings", "message"),
    [
        (evaluate_analogies, {"restrict": 0}, "restrict must"),
        (evaluate_analogies, {"restrict": 2.5}, "restrict must be at least 1 word, .* or None for all, got 2.5"),
        (evaluate_analogies, {"method": "x"}, "method must"),
        (evaluate_similarity, {"restrict": 0}, "restrict must"),
        (WordVectors.evaluate_word_pairs, {"delimiter": ""}, "delimiter must be the characters between columns, .* ''"),
        (WordVectors.evaluate_word_pairs, {"encoding": "x"}, "encoding must be one of Python's, as 'utf-8', got 'x'"),
    ],
)
def test_bad_settings_are_refused(tmp_path, vectors, evaluation, settings, message):
    text = "a b c d\n" if evaluation is evaluate_analogies else "a b 1\n"
    with pytest.raises(SettingError, match=message):
        evaluation(vectors, write(tmp_path / "q", text), **settings)


# --- Files ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "name"),
    [(": s t\na b c d\n", "s t"), ("\ufeff:s t\r\n\r\na b  c\td\r\n", "s t"), ("a b c d\n", "msr")],
)
def test_analogies_with_and_without_sections(tmp_path, text, name):
    assert read_analogies(write(tmp_path / "msr.txt", text)) == [(name, [("a", "b", "c", "d")])]


@pytest.mark.parametrize(
    ("text", "delimiter"),
    [
        ("1984\t2001\t1.5\na\tb\t2\n", None),
        ("# note\n1984,2001,1.5\n\na,b,2\n", None),
        ("Word 1,Word 2,Human (mean)\r\n1984,2001,1.5\r\na,b,2\r\n", None),
        ('"1984","2001",1.5\n"a","b",2\n', None),
        ("1984\t2001\tN\t1.5\t9\na\tb\tV\t2\t7\n", None),
        ("word1\tword2\tPOS\tscore\tmore\n1984\t2001\tN\t1.5\t9\na\tb\tV\t2\t7\n", None),
        ("1984;2001;1.5\na;b;2", None),
        ("word1 word2 mean\n1984 2001 1.5\na  b 2\n", None),
        ("1984|2001|1.5\na|b|2\n", "|"),
        ("1984||2001||1.5\na || b || 2\n", "||"),
    ],
)
def test_pairs_with_every_delimiter_and_heading(tmp_path, text, delimiter):
    assert read_pairs(write(tmp_path / "p", text), delimiter) == [("1984", "2001", 1.5), ("a", "b", 2.0)]


def test_words_of_pairs_may_hold_spaces(tmp_path):
    assert read_pairs(write(tmp_path / "p", "a\tb\t1\nc d\te\t2\n")) == [("a", "b", 1.0), ("c d", "e", 2.0)]


@pytest.mark.parametrize("heading", ["", "id\tword1\tword2\tscore\n"])
def test_a_column_of_numbers_before_the_words_is_refused(tmp_path, heading):
    with pytest.raises(DataError, match="the first column holds numbers, not words; leave it out"):
        read_pairs(write(tmp_path / "p", f"{heading}1\ta\tb\t4\n2\tc\td\t3\n"))
    assert len(read_pairs(write(tmp_path / "p", f"{heading}1984\ta\tN\t4\nb\tc\tN\t3\n"))) == 2


def test_pairs_in_another_encoding(tmp_path):
    path = write(tmp_path / "p", "né,b,1\n".encode("latin-1"))
    assert read_pairs(path, encoding="latin-1") == [("né", "b", 1.0)]
    with pytest.raises(DataError, match="line 1: not UTF-8; convert the file to it, if it is text"):
        read_pairs(path)


@pytest.mark.parametrize("read", [read_analogies, read_pairs])
def test_questions_come_from_standard_input(tmp_path, monkeypatch, read):
    with open(write(tmp_path / "q", "a b c d\n" if read is read_analogies else "a b 1\n")) as file:
        monkeypatch.setattr("sys.stdin", file)
        assert read("-") == read(tmp_path / "q") or read is read_analogies
    with open(write(tmp_path / "bad", "a\n")) as file:
        monkeypatch.setattr("sys.stdin", file)
        with pytest.raises(DataError, match=r"^standard input, line 1: expected"):
            read("-")


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ("2 3\nking 1 2 3\nqueen 1 2 3\n", "line [12]"),
        ("king 0.1 0.2 0.3 0.4\nqueen 0.1 0.2 0.3 0.4\n", "line [12]"),
        (b"2 2\nking \x00\x00\x80\x3f\x00\x00\x80\x3f\n", "line [12]"),
        (b"PK\x03\x04\x00\x00\xff\xfe", "line 1"),
        (b"a b caf\xe9 d\n", "line 1: not UTF-8"),
        (b"2 2\nking \x01\x02\x80\xff\n", "line 2: not text|line 1: expected"),
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
    with pytest.raises(DataError, match=r"line 3: expected the four words .* got 1 column, 'a,b,c,d'"):
        read_analogies(write(tmp_path / "q", ": s\na b c d\na,b,c,d\n"))
    with pytest.raises(DataError, match=r"line 1: expected two words and a score, .*; put # before a line to leave it"):
        read_pairs(write(tmp_path / "p", "a b\nc d 2\ne f 3\n"))
    for bad in ("c\td", "c\td\tx", "c\t\t1", "c\td\tnan"):
        with pytest.raises(DataError, match="line 2: expected two words and a score"):
            read_pairs(write(tmp_path / "p", f"a\tb\t1\n{bad}\n"))


def test_comments_are_left_out_of_analogies_too(tmp_path):
    (section,) = read_analogies(write(tmp_path / "q", "# a b c\na b c d\n#e f g h\n"))
    assert section.questions == [("a", "b", "c", "d")]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a\tb\t1,5\nc\td\t2,5\n", 2),
        ("a b 1,5\nc d 2,5\n", 2),
        ("word1;word2;score\na;b;2,5\n", 2),
        ("a b 1\nc d 2\ne f 2,5\n", 3),
    ],
)
def test_decimal_commas_are_named(tmp_path, text, line):
    with pytest.raises(DataError, match=rf"line {line}: expected two words and a score, .*; write 2.5 for 2,5$"):
        read_pairs(write(tmp_path / "p", text))


@pytest.mark.parametrize("heading", ["word1 word2 score", "word1,word2,score", "a b c"])
def test_a_heading_of_analogies_is_named(tmp_path, heading):
    with pytest.raises(DataError, match=r"line 1: expected the four words .*; put # before a line to leave it out$"):
        read_analogies(write(tmp_path / "q", f"{heading}\na b c d\n"))


@pytest.mark.parametrize("read", [read_analogies, read_pairs])
def test_a_file_that_cannot_be_read_is_refused(tmp_path, read):
    with pytest.raises(DataError, match="no such file"):
        read(tmp_path / "missing")
    with pytest.raises(DataError, match="cannot read"):
        read(tmp_path)


def test_bundled_names_need_gensim(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(evaluation_files, "find_spec", lambda name: None)
    with pytest.raises(DataError, match="'google' is a file that comes with gensim, which is not installed"):
        resolve("google")
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
@pytest.mark.parametrize(
    ("pairs", "coverage"), [("w1 w2 1\nw3 w4 1\nw5 w6 1\n", 1), ("w1 w2 1\nx y 1\n", 0.5), ("x z 1\nx y 1\n", 0)]
)
def test_constant_scores_and_fewer_than_two_known_pairs_have_no_correlation(tmp_path, vectors, pairs, coverage):
    score = evaluate_similarity(vectors, write(tmp_path / "p", pairs))
    assert np.isnan([score.spearman, score.pearson, score.spearman_p, score.pearson_p]).all()
    assert score.coverage == coverage


def test_questions_can_be_read_before(tmp_path, vectors):
    analogies, pairs = write(tmp_path / "q", "w1 w2 w3 w4\n"), write(tmp_path / "p", "w1 w2 1\nw3 w4 2\nw5 w6 2\n")
    assert evaluate_analogies(vectors, read_analogies(analogies)) == evaluate_analogies(vectors, analogies)
    assert evaluate_similarity(vectors, read_pairs(pairs)) == evaluate_similarity(vectors, pairs)
    assert evaluate_similarity(vectors, []).coverage == 0


# --- gensim's names ---------------------------------------------------------------------------------------------------


def test_word_analogies_take_the_same_settings(tmp_path, vectors):
    rng = np.random.default_rng(5)
    path = write(
        tmp_path / "q", "".join(" ".join(rng.choice(vectors.words[6:26], 4, replace=False)) + "\n" for _ in range(200))
    )
    for settings, names in (
        ({}, {}),
        ({"restrict": 20}, {"restrict_vocab": 20}),
        ({"method": "mul"}, {"method": "mul"}),
        ({"ignore_case": False}, {"case_insensitive": False}),
    ):
        score = evaluate_analogies(vectors, path, **settings).total
        accuracy, sections = vectors.evaluate_word_analogies(path, **names)
        cased = str if "ignore_case" in settings else str.upper
        assert (accuracy, sections[-1]["correct"]) == (
            score.accuracy, [tuple(map(cased, question)) for question in score.right]
        )  # fmt: skip
    added, multiplied = (evaluate_analogies(vectors, path, method=method).total for method in ("add", "mul"))
    assert added != multiplied
    assert vectors.evaluate_word_analogies(write(tmp_path / "none", "x y z u\n"))[0] == 0.0


def test_word_pairs_take_the_same_settings(tmp_path, vectors):
    path = write(tmp_path / "p", "w0|w1|1\nw2|w3|2\nw4|w5|2\nw6|w50|9\n".encode("utf-8-sig"))
    pearson, spearman, unknown = vectors.evaluate_word_pairs(path, "|", "utf8", 20)
    assert unknown == 25
    score = evaluate_similarity(vectors, read_pairs(path, "|"), restrict=20)
    assert (pearson.statistic, pearson.pvalue) == tuple(pearson) == (score.pearson, score.pearson_p)
    assert (spearman.statistic, spearman.pvalue) == tuple(spearman) == (score.spearman, score.spearman_p)
    assert vectors.evaluate_word_pairs(path, "|")[2] == 0
    path = write(tmp_path / "p", "KING Queen 1\nw1 w2 3\nw3 w4 2\n")
    assert vectors.evaluate_word_pairs(path, case_insensitive=False)[2] == pytest.approx(100 / 3)
