"""The command `skipgram`, and what all commands of training share."""

import gzip
import json
import shlex
from pathlib import Path

import generate
import numpy as np
import pytest
from commands import LONG_NAME, SETTINGS, contents, error_of, named, raising, run
from programs import embedtrain

from embedtrain import Corpus, DataError, Interrupted, TrainingError, WordVectors, train_skipgram
from embedtrain.corpus.text_chunks import read_chunks
from embedtrain.models import MODELS
from embedtrain.models.skipgram import SkipGram
from embedtrain.training import text_checks
from embedtrain.training.declarations import declaration, declared

pytestmark = pytest.mark.usefixtures("warm_kernels")


def test_training_writes_vectors_that_load(folder):
    done = run("skipgram", "text.txt", *SETTINGS, "-o", "x.vec")
    assert (done.exit_code, done.stdout) == (0, "")
    vectors = WordVectors.load("x.vec")
    again = train_skipgram("text.txt", dim=8, epochs=1, threads=1, min_count=2)
    assert list(vectors.words) == again.words
    assert vectors.vectors.tolist() == again.vectors.tolist()


@pytest.mark.parametrize("name", ["x.vec.gz", "x.vec.bz2", "x.glove.xz", "x.bin.gz", "x.npz", "x.npy", "x.tsv"])
def test_the_suffix_of_the_output_is_its_format(folder, name):
    for _ in range(2):  # an output of the same kind is replaced
        assert run("skipgram", "text.txt", *SETTINGS, "-o", name).exit_code == 0
    assert run("skipgram", "text.txt", *SETTINGS, "-o", "x.vec").exit_code == 0
    assert run("convert", "x.vec", f"again-{name}").exit_code == 0
    if (folder / name).is_file() and name != "x.npz":  # which has settings too
        assert (folder / name).read_bytes() == (folder / f"again-{name}").read_bytes()


@pytest.mark.parametrize("command", ["skipgram", "cbow", "glove"])
def test_an_output_of_no_known_format_is_refused_before_training(folder, command):
    before = contents(folder)
    for name, problem in {
        "x.csv": "no format is written as .csv, got x.csv; end the name in ",
        "x.ZIP": "no format is written as .zip",
        "x.npz.gz": "the format npz is not compressed as .gz; name a file without it",
    }.items():
        assert problem in error_of(run(command, "text.txt", "-o", name), 2)
    assert contents(folder) == before


def test_a_folder_with_other_files_is_not_an_output(folder):
    (folder / "x.npy").mkdir()
    (folder / "x.npy" / "notes.txt").write_text("")
    assert "x.npy: it holds notes.txt" in error_of(run("skipgram", "text.txt", "-o", "x.npy"), 1)


def test_the_summary_names_a_next_command_that_works():
    done = run("skipgram", "text.txt", *SETTINGS, "-o", "a name.vec")
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("next ")]
    name, *args = shlex.split(line.removeprefix("next "))
    assert name == "embedtrain"
    asked = run(*args)
    assert asked.exit_code == 0
    assert len(asked.stdout.splitlines()) == 10


def test_the_summary_says_what_was_done():
    done = run("skipgram", "text.txt", *SETTINGS, "-o", "x.vec")
    vectors = WordVectors.load("x.vec")
    n_tokens = len(Path("text.txt").read_text().split())
    for part in (f"{n_tokens:,} tokens of ", f"{len(vectors)} words", "1 epoch,", "1 thread,", "x.vec", "8 dimensions"):
        assert part in done.stderr


@pytest.mark.usefixtures("doubtful_text")
def test_notes_on_the_text_are_shown_a_line_each():
    done = run("skipgram", "text.txt", *SETTINGS)
    assert done.exit_code == 0
    shown = [line for line in done.stderr.splitlines() if line.startswith("Note: ")]
    assert ["control character" in note for note in shown].count(True) == 1
    assert ["not UTF-8" in note for note in shown].count(True) == 1
    assert len(shown) == 2


@pytest.mark.usefixtures("doubtful_text")
def test_quiet_says_nothing_and_no_notes_and_replaces_an_old_output(folder):
    (folder / "text.vec").write_bytes(b"old")
    done = run("skipgram", "text.txt", *SETTINGS, "--quiet")
    assert (done.exit_code, done.stdout, done.stderr) == (0, "", "")
    assert WordVectors.load("text.vec").vectors.shape[1] == 8


@pytest.mark.parametrize(
    ("corpus", "output"),
    [
        ("a.txt", "a.vec"), ("A.Txt.GZ", "A.vec"), ("text", "text.vec"), ("a.b.txt", "a.b.vec"),
        ("texts/a.txt", "a.vec"), ("texts/a text.txt", "a text.vec"), ("texts", "texts.vec"), ("texts/", "texts.vec"),
        ("texts/../texts", "texts.vec"), (".", "current.vec"), ("b.c.jsonl.gz", "b.c.vec"), ("b.ndjson", "b.vec"),
        ("texts|a.txt", "vectors.vec"), ("a.txt|texts", "vectors.vec"), ("texts/*", "vectors.vec"),
        ("?.txt", "vectors.vec"),
    ],
)  # fmt: skip
def test_the_output_is_named_after_a_single_corpus(folder, monkeypatch, corpus, output):
    (folder / "current" / "texts").mkdir(parents=True)
    monkeypatch.chdir(folder / "current")
    text = (folder / "text.txt").read_bytes()
    record = json.dumps({"text": text.decode()}).encode()
    for path in ("a.txt", "A.Txt.GZ", "text", "a.b.txt", "texts/a.txt", "texts/a text.txt", "b.c.jsonl.gz", "b.ndjson"):
        content = record if "json" in path else text
        Path(path).write_bytes(gzip.compress(content) if path.lower().endswith(".gz") else content)
    before = set(contents(folder / "current"))
    assert run("skipgram", *corpus.split("|"), *SETTINGS).exit_code == 0
    assert set(contents(folder / "current")) - before == {output}


def test_help_shows_no_aliases():
    shown = run("skipgram", "--help").stdout
    assert "--dim" in shown
    assert not [alias for alias in ("--size", "--iter", "--workers", "--neg ", "--ws", "--alpha") if alias in shown]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.model)
def test_defaults_are_those_of_the_library(calls, model):
    assert run(model.model, "text.txt").exit_code == 0
    ((corpus, settings),) = calls
    defaults = model()
    for field in declared(model):
        if declaration(field).option is not None and field.name != "progress":
            assert getattr(settings, field.name) == getattr(defaults, field.name)
    assert settings.progress == "auto", "and not as in the library, which reports on a terminal only"
    assert corpus == Corpus("text.txt")


NAMES = {
    "skipgram": [
        ("--size 7", "dim", 7), ("--size=7", "dim", 7), ("--vector_size 7", "dim", 7), ("--vector-size 7", "dim", 7),
        ("--dim 7", "dim", 7), ("--iter 7", "epochs", 7), ("--workers 7", "threads", 7), ("--neg 7", "negative", 7),
        ("--ws 7", "window", 7), ("--min_count 7", "min_count", 7), ("--mincount 7", "min_count", 7),
        ("--minCount 7", "min_count", 7), ("--ns_exponent 0.5", "noise_exponent", 0.5), ("--lr 0.5", "lr", 0.5),
        ("--window_mode fixed", "window_mode", "fixed"), ("--sample 0", "sample", 0), ("--hs", "hs", True),
        ("--checkpoint-every 3", "checkpoint_every", 3),
        ("--invalid-utf8 refuse", "corpus", Corpus("text.txt", invalid_utf8="refuse")),
        ("--field body", "corpus", Corpus("text.txt", field="body")),
        ("--lowercase one.txt", "corpus", Corpus("one.txt", "text.txt", lowercase=True)),
        ("--force", "corpus", Corpus("text.txt", force=True)),
    ],
    "glove": [
        ("--vector-size 7", "dim", 7), ("--size=7", "dim", 7), ("--iter 7", "epochs", 7), ("--workers 7", "threads", 7),
        ("--eta 0.5", "lr", 0.5), ("--context 7", "window", 7), ("--window-size 7", "window", 7),
        ("--minCount 7", "min_count", 7), ("--x_max 7", "x_max", 7), ("--alpha 0.5", "alpha", 0.5),
        ("--vectors context", "vectors", "context"), ("--vectors=word", "vectors", "word"),
        ("--left-only", "symmetric", False), ("--symmetric", "symmetric", True), ("--memory 500M", "memory", "500M"),
        ("--field body", "corpus", Corpus("text.txt", field="body")),
        ("--lowercase one.txt", "corpus", Corpus("one.txt", "text.txt", lowercase=True)),
        ("--force", "corpus", Corpus("text.txt", force=True)),
    ],
}  # fmt: skip


@pytest.mark.parametrize(
    ("command", "args", "setting", "value"),
    [pytest.param(command, *row, id=f"{command} {row[0]}") for command, rows in NAMES.items() for row in rows],
)
def test_options_and_names_of_other_tools_are_understood(calls, command, args, setting, value):
    done = run(command, *args.split(), "text.txt")
    assert done.exit_code == 0
    ((corpus, settings),) = calls
    assert (corpus if setting == "corpus" else getattr(settings, setting)) == value


def test_temporary_files_lie_beside_the_output(calls, folder):
    assert run("skipgram", "text.txt", "-o", "folder/x.vec").exit_code == 0
    assert Path(calls[0][1].temp_folder).resolve() == (folder / "folder").resolve()


REFUSED_BY_TRAINING = [
    (1, [LONG_NAME], f"cannot read {LONG_NAME[:200]}"),
    (1, ["text.txt", "-o", LONG_NAME], f"cannot write {LONG_NAME}"),
    (2, ["good.vec", "-o", "good.vec"], "would replace the corpus good.vec"),
    (2, ["text.txt", "--seed", "99999999999"], "seed must be a whole number between 0 and 2147483647, got 99999999999"),
    (2, ["text.txt", "--dim", "0"], "dim must be a whole number of at least 1, got 0"),
    (2, ["text.txt", "--dim", "x"], "'x' is not a valid integer"),
    (2, ["text.txt", "--dim"], "--dim"),
    (2, ["text.txt", "--min-count", "2", "--dim", "1000000000"], "lower --dim"),
    (2, ["text.txt", "--lr", "0"], "lr must be above 0 and at most 1000, got 0.0; the default is 0.025"),
    (2, ["text.txt", "--window-mode", "wide"], "'wide' is not one of"),
    (2, ["text.txt", "-size", "200"], "did you mean --dim 200?"),
    (2, ["text.txt", "-window", "8"], "did you mean --window 8?"),
    (2, ["text.txt", "-iter", "3", "--quiet"], "did you mean --epochs 3?"),
    (2, ["text.txt", "-min-count", "3"], "did you mean --min-count 3?"),
    (2, ["text.txt", "--alpha", "0.1"], "use --lr 0.1"),
    (2, ["text.txt", "-alpha", "0.1"], "--lr 0.1"),
    (2, ["--train", "text.txt"], "--train"),
    (2, ["text.txt", "--vocab", "words.txt"], "--vocab; use --read-vocab words.txt, or in glove --vocab words.txt"),
    (2, ["text.txt", "--x-max", "10"], "--x-max; it is an option of glove"),
    (2, ["text.txt", "--cbow-update", "corrected"], "--cbow-update; it is an option of cbow"),
    (2, ["text.txt", "-hs", "1"], "did you mean --hs?"),
    (2, ["text.txt", "-cbow", "1"], "the model is the command: skipgram, cbow, glove"),
    (2, ["text.txt", "-loss", "hs"], "hierarchical softmax --hs"),
]


@pytest.mark.parametrize(("status", "args", "message"), REFUSED_BY_TRAINING, ids=named(REFUSED_BY_TRAINING))
def test_bad_input_of_training_is_one_line(folder, status, args, message):
    before = contents(folder)
    line = error_of(run("skipgram", *args), status)
    assert message.lower() in line.lower()
    assert contents(folder) == before


@pytest.mark.usefixtures("doubtful_text")
def test_text_that_is_not_utf8_is_refused_where_asked():
    line = error_of(run("skipgram", "text.txt", *SETTINGS, "--invalid-utf8", "refuse"), 1)
    assert r"b'caf\xe9' is not UTF-8" in line


def test_diverged_training_leaves_the_old_output_alone(folder):
    toy = " ".join(token for tokens in generate.sentences(5000) for token in tokens)
    (folder / "text.txt").write_text(toy)
    (folder / "text.vec").write_bytes(b"old")
    before = contents(folder)
    line = error_of(run("skipgram", "text.txt", "--lr", "10", "--dim", "8", "--threads", "1", "--quiet"), 1)
    assert "try --lr 0.025" in line
    assert contents(folder) == before


def test_training_without_pairs_leaves_the_old_output_alone(folder, monkeypatch):
    monkeypatch.setattr(text_checks, "_has_pairs", lambda *_: True)  # else it is refused before
    (folder / "text.txt").write_text("a b\nb c\nc a\n" * 3)
    (folder / "text.vec").write_bytes(b"old")
    before = contents(folder)
    result = run("skipgram", "text.txt", "--sample", "1e-6", "--min-count", "1", "--quiet")
    assert result.exit_code == 1
    assert "epochs had no pair of words; --sample 1e-06 removes 100% of the tokens; for small text use" in result.stderr
    assert contents(folder) == before


@pytest.mark.parametrize("error", [DataError, TrainingError, MemoryError])
def test_an_error_while_training_is_one_line(folder, monkeypatch, error):
    monkeypatch.setattr(SkipGram, "run", raising(error("in the middle")))
    (folder / "text.vec").write_bytes(b"old")
    before = contents(folder)
    error_of(run("skipgram", "text.txt"), 1)
    assert contents(folder) == before


@pytest.mark.parametrize("model", [one for one in MODELS if hasattr(one, "run")], ids=lambda model: model.model)
def test_an_interruption_while_training_saves_what_was_trained(monkeypatch, model):
    vectors = WordVectors(["a", "b"], np.eye(2, dtype=np.float32))
    monkeypatch.setattr(model, "run", raising(Interrupted(vectors)))
    done = run(model.model, "text.txt", "--quiet")
    assert (done.exit_code, done.stdout) == (130, "")
    output = "text.npz" if model.model == "item2vec" else "text.vec"
    assert done.stderr == f"Error: interrupted; {output} holds what was trained so far\n"
    assert list(WordVectors.load(output).words) == ["a", "b"]


def test_an_interruption_before_training_saves_nothing(folder, monkeypatch):
    monkeypatch.setattr(SkipGram, "run", raising(KeyboardInterrupt()))
    before = contents(folder)
    done = run("skipgram", "text.txt")
    assert done.exit_code == 130
    assert "Error: interrupted; nothing was saved" in done.stderr
    assert contents(folder) == before


@pytest.mark.parametrize("corpus", [["parts"], ["parts/*"], ["parts/1.*", "parts/2*"], None], ids=str)
def test_many_files_are_one_corpus(parts, corpus):
    assert run("skipgram", *(corpus or parts), *SETTINGS, "-o", "parts.vec").exit_code == 0
    assert run("skipgram", "text.txt", *SETTINGS).exit_code == 0
    assert Path("parts.vec").read_bytes() == Path("text.vec").read_bytes()


def test_the_order_of_files_is_that_of_the_arguments(parts):
    for name, corpus in (("forth", parts), ("back", parts[::-1])):
        assert run("skipgram", *corpus, *SETTINGS, "-o", name).exit_code == 0
    assert Path("forth").read_bytes() != Path("back").read_bytes()
    assert set(WordVectors.load("forth").words) == set(WordVectors.load("back").words)


@pytest.mark.parametrize(
    ("name", "field", "options"),
    [("text.jsonl", "text", []), ("text.jsonl", "body", ["--field", "body"]), ("dump", "body", ["--field", "body"])],
)
def test_json_lines_give_the_text_of_their_field(folder, name, field, options):
    lines = (folder / "text.txt").read_text().splitlines()
    records = [{field: line, "id": number, "title": "other words"} for number, line in enumerate(lines)]
    (folder / name).write_text("".join(json.dumps(record) + "\n" for record in records))
    assert run("skipgram", name, *options, *SETTINGS, "-o", "json.vec").exit_code == 0
    assert run("skipgram", "text.txt", *SETTINGS, "-o", "text.vec").exit_code == 0
    assert Path("json.vec").read_bytes() == Path("text.vec").read_bytes()


def test_a_field_that_no_record_has_is_one_line(folder):
    (folder / "x.jsonl").write_text('{"body": "a b"}\n')
    assert "no record has the field 'text'; name another with --field, they have 'body'" in error_of(
        run("skipgram", "x.jsonl"), 1
    )


def test_training_takes_the_file_of_vocab():
    assert run("vocab", "text.txt", "--min-count", 1).exit_code == 0
    train = ["skipgram", "text.txt", *SETTINGS[:-1], "1"]
    assert run(*train, "--read-vocab", "text.vocab", "--save-vocab", "saved").exit_code == 0
    assert run(*train, "-o", "plain.vec").exit_code == 0
    assert Path("text.vec").read_bytes() == Path("plain.vec").read_bytes()
    assert Path("saved").read_bytes() == Path("text.vocab").read_bytes()


def test_words_that_the_text_lacks_are_noted(folder):
    (folder / "words").write_text("the 30\nunheard 20\nin 10\n")
    done = run("skipgram", "text.txt", *SETTINGS, "--sample", 0, "--read-vocab", "words")
    assert done.exit_code == 0
    assert "Note: 1 of the 3 words of the vocabulary do not occur in text.txt" in done.stderr.splitlines()
    assert list(WordVectors.load("text.vec").words) == ["the", "unheard", "in"]


def test_a_vocabulary_of_another_text_is_one_line(folder):
    (folder / "words").write_text("unheard 20\nunseen 10\n")
    line = error_of(run("skipgram", "text.txt", *SETTINGS, "--read-vocab", "words"), 1)
    assert "text.txt holds none of the 2 words of the vocabulary" in line


def test_max_vocab_is_that_of_the_library():
    assert run("skipgram", "text.txt", *SETTINGS, "--max-vocab", "30").exit_code == 0
    wanted = train_skipgram("text.txt", dim=8, epochs=1, threads=1, min_count=2, max_vocab=30)
    assert len(wanted) == 30
    assert list(WordVectors.load("text.vec").words) == wanted.words


def test_a_second_training_with_a_cache_reads_no_text(monkeypatch):
    assert run("skipgram", "text.txt", *SETTINGS, "--cache", "cache", "-o", "first.vec").exit_code == 0

    def read(corpus, processes, **options):
        assert corpus.in_memory
        return read_chunks(corpus, processes, **options)

    monkeypatch.setattr("embedtrain.corpus.encoding.read_chunks", read)
    assert run("skipgram", "text.txt", *SETTINGS, "--cache", "cache", "-o", "second.vec").exit_code == 0
    assert Path("first.vec").read_bytes() == Path("second.vec").read_bytes()


def test_text_from_a_pipe_is_trained_on(folder):
    text = (folder / "text.txt").read_text()
    before = set(contents(folder))
    done = embedtrain("skipgram", "-", *SETTINGS, "--cache", "cache", input=text)
    assert (done.returncode, done.stdout) == (0, "")
    assert "Note: standard input is not kept in the cache: it cannot be recognised later" in done.stderr.splitlines()
    assert set(contents(folder)) - before == {"vectors.vec", "cache"}
    assert contents(folder / "cache") == {}
    assert run("skipgram", "text.txt", *SETTINGS).exit_code == 0
    assert Path("vectors.vec").read_bytes() == Path("text.vec").read_bytes()
