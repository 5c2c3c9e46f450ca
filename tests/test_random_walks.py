"""Random walks as a corpus: the same vectors as from walks in memory, all models, threads and epochs."""

import numpy as np
import planted_graphs
import pytest
from scipy import sparse
from text_files import refused

from embedtrain import (
    EmbedtrainWarning,
    RandomWalks,
    SettingError,
    WordVectors,
    cooccurrence_counts,
    train_cbow,
    train_glove,
    train_skipgram,
    train_svd,
)
from embedtrain.corpus.encoded import EncodedCorpus
from embedtrain.counts import memory_plan

pytestmark = pytest.mark.filterwarnings("ignore::embedtrain.EmbedtrainWarning")
USUAL = {"dim": 16, "window": 5, "sample": 0, "threads": 1}
TRIANGLES = ["a b", "b c", "c a", "c d", "d e", "e f", "f d"]


def in_memory(walks):
    """The walks of the first epoch as arrays."""
    corpus = walks.encoded(threads=1)
    return EncodedCorpus(corpus.ids[:], corpus.offsets, corpus.vocabulary)


@pytest.mark.parametrize("train", [train_skipgram, train_cbow])
@pytest.mark.parametrize("sample", [0, 0.01])
@pytest.mark.parametrize(("walks", "length"), [(10, 12), (40, 7)])
def test_one_epoch_is_that_of_the_walks_in_memory(train, sample, walks, length):
    source = RandomWalks(planted_graphs.communities(), walks=walks, length=length, p=0.5, q=2)
    settings = {**USUAL, "epochs": 1, "sample": sample, "min_count": 1}
    assert np.array_equal(train(source, **settings).vectors, train(in_memory(source), **settings).vectors)


def test_counts_are_those_of_the_walks_in_memory(monkeypatch):
    source = RandomWalks(planted_graphs.communities(), walks=3, length=12)
    counts = [cooccurrence_counts(given, min_count=1, window=4) for given in (source, in_memory(source))]
    assert (counts[0].matrix != counts[1].matrix).nnz == 0
    assert list(counts[0].words) == list(counts[1].words)
    monkeypatch.setattr(memory_plan, "_LEAST_SHARD", 101)
    little = memory_plan.least_bytes(len(counts[0].words), 4)
    few = cooccurrence_counts(source, window=4, memory=little, threads=1)
    assert (few.matrix != counts[0].matrix).nnz == 0


def test_epochs_have_other_walks_and_threads_the_same():
    corpus = RandomWalks(planted_graphs.communities(), length=11).encoded(threads=2)
    n = len(corpus.ids)
    whole = corpus.reader(n)(0, 0, n)[0].copy()
    assert np.array_equal(corpus.reader(n, threads=3)(0, 0, n)[0], whole)
    assert not np.array_equal(corpus.reader(n)(1, 0, n)[0], whole)
    ids, offsets, first = corpus.reader(200)(0, 1000, 1200)
    assert first <= 1000 < 1200 <= first + len(ids)
    assert np.array_equal(ids, whole[first : first + len(ids)])
    assert np.array_equal(offsets, np.arange(0, len(ids) + 1, 11))


def test_one_thread_gives_the_same_bytes(tmp_path):
    walks = RandomWalks(planted_graphs.communities(), q=0.5)
    for name in ("a.vec", "b.vec"):
        train_skipgram(walks, **USUAL).save(tmp_path / name)
    assert (tmp_path / "a.vec").read_bytes() == (tmp_path / "b.vec").read_bytes()
    other = RandomWalks(planted_graphs.communities(), q=0.5, seed=2)
    assert not np.array_equal(train_skipgram(other, **USUAL).vectors, WordVectors.load(tmp_path / "a.vec").vectors)


@pytest.mark.parametrize("train", [train_skipgram, train_cbow, train_glove, train_svd])
def test_planted_communities_are_found(train):
    lines = planted_graphs.communities()
    settings = {train_glove: {"epochs": 25}, train_svd: {}}.get(train, {"epochs": 3, "sample": 0})
    vectors = train(RandomWalks(lines, length=40), dim=16, window=5, **settings)
    assert len(vectors) == planted_graphs.N_GROUPS * planted_graphs.SIZE
    assert planted_graphs.neighbours_of_the_group(vectors) > 0.9


def walked(lines, **options):
    """Walks of 40 nodes, and the names of all nodes."""
    corpus = RandomWalks(lines, length=40, **options).encoded(threads=1)
    return corpus.ids[:].reshape(-1, 40), np.array(corpus.vocabulary.words[:])


def test_p_and_q_lead_back_or_away():
    back, distinct, inside = {}, {}, {}
    for p, q in ((1, 1), (0.1, 1), (10, 1), (1, 0.1), (1, 10)):
        walks, words = walked(planted_graphs.communities(), p=p, q=q)
        group = np.array([word.split(".")[0] for word in words])[walks]
        back[p, q] = (walks[:, 2:] == walks[:, :-2]).mean()
        distinct[p, q] = np.mean([len(set(walk)) for walk in walks.tolist()])
        inside[p, q] = (group[:, 1:] == group[:, :-1]).mean()
    assert back[0.1, 1] > 4 * back[1, 1] > 16 * back[10, 1], "a low p leads back"
    assert distinct[1, 0.1] > distinct[1, 1] > 1.3 * distinct[1, 10], "a low q leads to new nodes"
    assert inside[1, 10] > inside[1, 1] > inside[1, 0.1], "a high q stays in the community"


def test_a_low_q_finds_the_bridges_between_cliques():
    lines = planted_graphs.cliques_with_bridges()
    shares = {}
    for q in (0.1, 1, 10):
        walks, words = walked(lines, walks=50, q=q)
        shares[q] = np.char.startswith(words, "bridge")[walks].mean()
    assert shares[0.1] > 2 * shares[1] > 3 * shares[10]


def test_a_low_q_makes_vectors_of_large_groups_and_a_high_q_of_small_ones():
    """Of cliques in groups, the share of the nearness of a clique that extends to its group."""
    shares = []
    for p, q in ((0.25, 4), (1, 1), (4, 0.25)):
        walks = RandomWalks(planted_graphs.nested_groups(), length=40, p=p, q=q)
        vectors = train_skipgram(walks, dim=32, epochs=10, sample=0, threads=1, progress=False)
        clique, group, other = planted_graphs.mean_cosines(vectors)
        shares.append((group - other) / (clique - other))
    assert shares[0] + 0.05 < shares[1] < shares[2] - 0.05, shares


@pytest.mark.parametrize("seed", [1, 2])
def test_p_and_q_weigh_communities_against_roles(seed):
    """In groups of two sides, walks that return tell the sides apart, walks that lead away only the groups."""
    groups, roles, lines = [], [], planted_graphs.two_sided_groups(seed=seed)
    for p, q in ((0.1, 10), (0.25, 4), (4, 0.25)):
        walks = RandomWalks(lines, p=p, q=q, seed=seed)
        vectors = train_skipgram(walks, dim=32, window=5, epochs=5, sample=0, threads=1, progress=False, seed=seed)
        group, side = planted_graphs.neighbours_of_the_role(vectors)
        groups.append(group)
        roles.append(side)
    assert roles[0] - 0.05 > roles[1] > roles[2] + 0.1, roles
    assert groups[2] > 0.99 > max(groups[:2]) + 0.05, groups


def test_every_node_gets_a_vector_whatever_its_count():
    graph = sparse.coo_array(([1, 1], ([0, 1], [1, 2])), shape=(5, 5))
    with pytest.warns(EmbedtrainWarning, match="2 nodes without edges: their vectors stay as they begin"):
        vectors = train_skipgram(RandomWalks(graph, walks=1, length=2), dim=4, sample=0)
    assert sorted(vectors.words) == ["0", "1", "2", "3", "4"]
    assert np.isfinite(vectors.vectors).all()


def test_vectors_to_start_from_may_have_other_nodes():
    init = WordVectors(["a", "z"], np.eye(2, 16, dtype=np.float32))
    vectors = train_skipgram(RandomWalks(TRIANGLES), init=init, **USUAL)
    assert sorted(vectors.words) == [*"abcdef", "z"]
    assert np.array_equal(vectors["z"], init["z"])
    assert not np.array_equal(vectors["a"], init["a"])


def test_the_walks_are_among_the_settings_and_a_run_is_resumed(tmp_path):
    walks = RandomWalks(TRIANGLES, walks=20, p=2.0, q=0.5)
    seen = []
    settings = {**USUAL, "checkpoint": tmp_path / "run", "callback": lambda epoch: seen.append(epoch) or len(seen) == 2}
    stopped = train_skipgram(walks, **settings)
    assert {"walks": 20, "length": 80, "p": 2.0, "q": 0.5, "walk_seed": 1}.items() <= stopped.settings.items()
    with refused("p is 2.0 in the checkpoint and 1.0 here", SettingError):
        train_skipgram(RandomWalks(TRIANGLES, walks=20, q=0.5), resume=tmp_path / "run", **USUAL)
    with refused("this one has 7 types, not 6"):
        train_skipgram(RandomWalks([*TRIANGLES, "f g"], walks=20, p=2.0, q=0.5), resume=tmp_path / "run", **USUAL)


REFUSED = {
    "p of 0": ({"p": 0}, "p must be between 0.001 and 1000, got 0; 0.25 to 4 are usual"),
    "q not a number": ({"q": float("nan")}, "q must be between 0.001 and 1000, got nan"),
    "one node": ({"length": 1}, "length must be a whole number of at least 2, got 1"),
    "no walks": ({"walks": 0}, "walks must be a whole number of at least 1, got 0"),
    "half a walk": ({"walks": 0.5}, "walks must be a whole number"),
    "a negative seed": ({"seed": -1}, "seed must be a whole number of at least 0"),
}


@pytest.mark.parametrize(("options", "message"), REFUSED.values(), ids=REFUSED)
def test_parameters_out_of_range_are_refused(options, message):
    with refused(message, SettingError):
        RandomWalks(TRIANGLES, **options)


def test_settings_of_text_are_refused(tmp_path):
    (tmp_path / "words").write_text("b 3\na 2\n")
    with refused("valid_share holds out text", SettingError):
        train_skipgram(RandomWalks(TRIANGLES), valid_share=0.1)
    with refused("read_vocab chooses words of a text", SettingError):
        train_skipgram(RandomWalks(TRIANGLES), read_vocab=tmp_path / "words")
