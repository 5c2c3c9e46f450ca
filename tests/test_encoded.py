"""Encoded corpora: sentences, chunks, cuts and splits."""

from itertools import accumulate, combinations, pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from text_files import refused

from embedtrain.corpus import encoded
from embedtrain.corpus.encoding import encode
from embedtrain.corpus.vocabulary import Vocabulary
from embedtrain.errors import DataError
from embedtrain.machine.words import PackedWords

SENTENCES = st.lists(st.lists(st.sampled_from("aaabbcdefgh"), min_size=1, max_size=12), min_size=1, max_size=15)
AT_ONCE = [1, 2, 7, 1 << 20]  # tokens in a part: borders fall everywhere
UNIT = 5

any_part = pytest.mark.parametrize("at_once", AT_ONCE)


def corpus_of(sentences):
    return encode(sentences, threads=1)


def plain(corpus):
    """The sentences of an encoded corpus, after a check of its arrays."""
    ids, offsets, words = corpus.ids.tolist(), corpus.offsets.tolist(), list(corpus.vocabulary.words)
    assert (corpus.ids.dtype, corpus.offsets.dtype) == ("int32", "int64")
    assert not corpus.ids.flags.writeable
    assert not corpus.offsets.flags.writeable
    assert (offsets[0], offsets[-1]) == (0, len(ids))
    assert all(a < b for a, b in pairwise(offsets)), "no sentence is empty"
    return [[words[i] for i in ids[a:b]] for a, b in pairwise(offsets)]


def vocabulary(words):
    return Vocabulary(words, np.ones(len(words), np.int64))


# --- Sentences --------------------------------------------------------------------------------------------------------


@any_part
@settings(derandomize=True, deadline=None, max_examples=40)
@given(sentences=SENTENCES)
def test_sentences_are_counted_and_the_longest_is_found(at_once, sentences):
    corpus = corpus_of([[], *sentences, []])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(encoded, "_AT_ONCE", at_once)
        assert corpus.n_sentences == len(sentences)
        assert corpus.longest_sentence == max(map(len, sentences))
    assert plain(corpus) == sentences


# --- In the ids of another vocabulary ---------------------------------------------------------------------------------


@any_part
@settings(derandomize=True, deadline=None, max_examples=80)
@given(sentences=SENTENCES, words=st.lists(st.sampled_from("abcdefghxyz"), unique=True, min_size=1))
def test_tokens_of_other_words_are_left_out(at_once, sentences, words):
    corpus = corpus_of(sentences)
    wanted = [left for tokens in sentences if (left := [token for token in tokens if token in words])]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(encoded, "_AT_ONCE", at_once)
        if wanted:
            other = vocabulary(words)
            taken = corpus.with_vocabulary(other)
            assert plain(taken) == wanted
            assert taken.vocabulary is other
            n_absent = len(set(words) - {token for tokens in sentences for token in tokens})
            note = f"{n_absent:,} of the {len(words):,} words of the vocabulary do not occur in the text"
            assert taken.notes == ((note,) if n_absent else ())
            assert taken.n_sentences == len(wanted)
            assert taken.ids.max() < len(words)
        else:
            with refused(f"the text holds none of the {len(words)} words of the vocabulary"):
                corpus.with_vocabulary(vocabulary(words))
    assert plain(corpus) == sentences, "the corpus is as it was"


def test_notes_are_kept(tmp_path):
    (tmp_path / "text.txt").write_bytes(b"a\0b " + b"word " * 400 + b"caf\xe9\n")
    corpus = encode(tmp_path / "text.txt", threads=2)
    assert len(corpus.notes) == 2
    assert corpus.with_vocabulary(vocabulary(["b", "caf\ufffd"])).notes == corpus.notes
    assert plain(corpus.with_vocabulary(vocabulary(["b", "caf\ufffd"]))) == [["b", "caf\ufffd"]]


def test_messages_name_the_text():
    corpus = corpus_of([["a", "b"]])
    with refused(r"held\.txt holds none of the 1 words of the vocabulary"):
        corpus.with_vocabulary(vocabulary(["c"]), name="held.txt")
    (note,) = corpus.with_vocabulary(vocabulary(["b", "c"]), name="held.txt").notes
    assert note == "1 of the 2 words of the vocabulary do not occur in held.txt"


def test_a_vocabulary_may_hold_its_words_in_any_sequence():
    corpus = corpus_of([["a", "b", "c"]])
    for words in (["c", "a"], ("c", "a"), PackedWords(np.frombuffer(b"ca", np.uint8), np.array([0, 1, 2]))):
        assert corpus.with_vocabulary(vocabulary(words)).ids.tolist() == [1, 0]


def test_copies_are_in_the_given_folder(tmp_path):
    corpus, missing = corpus_of([["a", "b"], ["c"]]), tmp_path / "missing"
    with refused("cannot write temporary files in .*missing"):
        corpus.with_vocabulary(corpus.vocabulary, missing)
    with refused("cannot write temporary files in .*missing"):
        corpus.split(0.5, 1, missing)


# --- Held out ---------------------------------------------------------------------------------------------------------


def runs(taken, offsets):
    """Sentences of what is taken: tokens that follow each other, in one sentence, without a gap. As (begin, end)."""
    found = []
    for begin, end in pairwise(offsets):
        for position in range(begin, end):
            if taken[position]:
                if position > begin and taken[position - 1]:
                    found[-1] = (found[-1][0], position + 1)
                else:
                    found.append((position, position + 1))
    return found


def numbered(lengths):
    """Sentences of these lengths, in which no word occurs twice: so it is seen where each token went."""
    ends = list(accumulate(lengths, initial=0))
    return [[f"{n:06}" for n in range(a, b)] for a, b in pairwise(ends)]


@any_part
@settings(derandomize=True, deadline=None, max_examples=60)
@given(
    lengths=st.lists(st.integers(1, 23), min_size=2, max_size=20),
    seed=st.integers(0, 2**64 - 1),
    share=st.sampled_from([0.1, 0.5, 0.9]),
)
def test_a_corpus_is_split_as_by_hand(at_once, lengths, seed, share):
    sentences = numbered(lengths)
    corpus = corpus_of(sentences)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(encoded, "_AT_ONCE", at_once)
        patch.setattr(encoded, "_HOLD_OUT_TOKENS", UNIT)
        try:
            parts = corpus.split(share, seed)
        except DataError as error:
            assert "the corpus is too small to hold out" in str(error)  # noqa: PT017  # by chance all went to one side
            return
    tokens = [token for sentence in sentences for token in sentence]
    offsets = [0, *accumulate(lengths)]
    sides = [{token for sentence in plain(part) for token in sentence} for part in parts]
    assert sides[0] | sides[1] == set(tokens)
    assert not sides[0] & sides[1]
    for part, side in zip(parts, sides, strict=True):
        taken = [token in side for token in tokens]
        for begin, end in pairwise(offsets):
            units = [taken[at : min(at + UNIT, end)] for at in range(begin, end, UNIT)]
            assert all(len(set(unit)) == 1 for unit in units), "units go whole"
        assert plain(part) == [tokens[begin:end] for begin, end in runs(taken, offsets)]
        assert part.vocabulary is corpus.vocabulary


def test_the_split_does_not_depend_on_the_size_of_parts(monkeypatch):
    corpus = corpus_of(numbered([3, 12, 1, 30, 7, 7, 2] * 5))
    monkeypatch.setattr(encoded, "_HOLD_OUT_TOKENS", UNIT)
    found = []
    for at_once in [1, 3, 5, 8, 1 << 20]:
        monkeypatch.setattr(encoded, "_AT_ONCE", at_once)
        found.append([plain(part) for part in corpus.split(0.4, 7)])
    assert all(parts == found[0] for parts in found)


def test_what_is_held_out_depends_on_the_seed_only():
    corpus = corpus_of(numbered([5] * 200))
    held_out = [plain(corpus.split(0.3, seed)[1]) for seed in (1, 1, 2, 2**64 - 1)]
    assert held_out[0] == held_out[1]
    assert all(one != other for one, other in combinations(held_out[1:], 2))


def test_a_larger_share_holds_out_what_a_smaller_one_does():
    corpus = corpus_of(numbered([5] * 200))
    few, many = ({tuple(s) for s in plain(corpus.split(share, 1)[1])} for share in (0.1, 0.3))
    assert few < many


@pytest.mark.parametrize("share", [0.02, 0.1, 0.5, 0.9])
def test_about_the_share_is_held_out(share):
    corpus = corpus_of(numbered([4, 6] * 2500))
    training, held_out = corpus.split(share, 3)
    assert len(training.ids) + len(held_out.ids) == 25_000
    deviation = np.sqrt(share * (1 - share) / 5000)
    assert held_out.n_sentences / 5000 == pytest.approx(share, abs=4 * deviation)
    assert len(held_out.ids) / 25_000 == pytest.approx(share, abs=5 * deviation)


def test_every_part_of_the_text_is_held_out_alike():
    corpus = corpus_of(numbered([5] * 3000))
    numbers = np.array([int(word) for word in corpus.vocabulary.words])[corpus.split(0.5, 11)[1].ids]
    assert np.bincount(numbers // 5000) / 5000 == pytest.approx(0.5, abs=0.07)


def test_sentences_of_a_thousand_tokens_go_whole_and_longer_ones_by_units_of_a_thousand():
    lengths = [1000] * 30 + [1001, 2500, 40_000, 999]
    sentences = numbered(lengths)
    corpus = corpus_of(sentences)
    training, held_out = corpus.split(0.5, 5)
    cuts = set()
    for part in (training, held_out):
        for sentence in plain(part):
            numbers = [int(token) for token in sentence]
            assert numbers == list(range(numbers[0], numbers[-1] + 1))
            cuts |= {numbers[0], numbers[-1] + 1}
    ends = list(accumulate(lengths, initial=0))
    allowed = {at for begin, end in pairwise(ends) for at in range(begin, end, 1000)} | {ends[-1]}
    assert set(ends) <= cuts <= allowed
    assert len(cuts) > len(ends) + 5, "the long one was cut"


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_a_split_with_nothing_on_one_side_is_refused(share):
    corpus = corpus_of(numbered([5] * 10))
    with refused(rf"the corpus is too small to hold out {share:.2%} of its sentences"):
        corpus.split(share, 1)
