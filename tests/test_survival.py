"""Runs that are killed at any moment, and runs whose disk is full."""

import json
import random
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections import Counter
from contextlib import suppress

import generate
import pytest
from click.testing import CliRunner
from programs import POSIX, start_python

from embedtrain import Corpus, WordVectors, cli, train_skipgram
from embedtrain.corpus.cache import encode_cached, list_cache
from embedtrain.training.checkpoint import Checkpoint

pytestmark = pytest.mark.slow
LEFT = ".embedtrain-*"  # what is temporary


def write_text(path, n_tokens, seed=1):
    path.write_text("".join(" ".join(tokens) + "\n" for tokens in generate.sentences(n_tokens, seed)))


# --- Killed runs ------------------------------------------------------------------------------------------------------


class Place:
    """A folder in which a run is tried again and again."""

    def __init__(self, folder, text, epochs):
        self.folder, self.text, self.epochs, self.said = folder, text, epochs, folder / "said"
        self.out, self.cache = folder / "out", folder / "cache"
        self.vectors, self.checkpoint, self.log = self.out / "v.vec", folder / "run.ckpt", folder / "run.jsonl"
        self.out.mkdir(parents=True)

    def start(self):
        """A run from the beginning, or from the checkpoint if there is one."""
        command = ["-m", "embedtrain", "skipgram", self.text, "--epochs", self.epochs]
        files = ["-o", self.vectors, "--cache", self.cache, "--checkpoint", self.checkpoint, "--log", self.log]
        how = ["--checkpoint-every", "0", "--threads", "1", "--valid-share", "0.05", "--dim", "16"]
        resume = ["--resume", self.checkpoint] if self.checkpoint.exists() else []
        self.began = time.time()
        with open(self.said, "wb") as said:
            return start_python(*command, *files, *how, *resume, stderr=said)

    def forget(self):
        """What a run would go on from; its vectors stay."""
        shutil.rmtree(self.cache, ignore_errors=True)
        for path in (self.checkpoint, self.log):
            path.unlink(missing_ok=True)

    def logged(self):
        """What the log tells of the epochs, but for their speed; a line that was cut short may be its last."""
        lines = self.log.read_text().splitlines(keepends=True) if self.log.exists() else []
        records = [json.loads(line) for line in lines if line.endswith("\n")]
        assert len(lines) - len(records) <= (not lines[-1].endswith("\n") if lines else 0)
        for record in records:
            del record["speed"]
        return records

    def left(self):
        """Unfinished files and folders of the last run; those of earlier ones stay for a week."""
        found = [path for folder in (self.folder, self.out, self.cache) for path in folder.glob(LEFT)]
        return [path for path in found if path.stat().st_mtime > self.began]

    def encodes(self):
        """Signs that the corpus was just encoded."""
        return list(self.cache.glob(LEFT))

    def saves(self):
        """Signs that the vectors are being saved."""
        return list(self.out.glob(f"{LEFT}.part"))

    def require_whole(self, copy):
        """Check that whatever has its final name is whole."""
        if self.vectors.exists():
            WordVectors.load(self.vectors)
        if self.checkpoint.exists():
            Checkpoint.load(self.checkpoint)
        self.logged()
        if self.cache.exists() and list_cache(self.cache):
            shutil.copytree(self.cache, copy)
            (entry,) = list_cache(copy)
            inode = entry.path.stat().st_ino
            encoded = encode_cached(Corpus(self.text), copy, threads=1)
            assert len(encoded.ids) == entry.n_tokens
            assert entry.path.stat().st_ino == inode, "the entry was not as it should be, and made anew"
            shutil.rmtree(copy)


def nothing():
    """No sign to wait for."""
    return []


def end(start, number, sign, seconds):
    """The exit status of a run that gets a signal, some time after a new sign of something, if it has not ended."""
    before = set(sign())
    process = start()
    while sign is not nothing and process.poll() is None and before.issuperset(sign()):
        time.sleep(0.001)
    with suppress(subprocess.TimeoutExpired):
        return process.wait(seconds)
    process.send_signal(number)
    return process.wait(60)


@POSIX
def test_killed_runs_go_on_and_come_to_the_same(tmp_path, exhaustive, record_property):
    kills, epochs = (100, 16) if exhaustive else (6, 3)  # 64 checkpoints an epoch
    record_property("figures", f"{kills} kills")
    text = tmp_path / "text.txt"
    write_text(text, 100_000)
    never = Place(tmp_path / "never", text, epochs)
    train_skipgram([["two", "words"]], sample=0, dim=8, epochs=1, min_count=1, progress=False)  # kernels are compiled
    began = time.perf_counter()
    assert never.start().wait(120) == 0, never.said.read_text()
    seconds = time.perf_counter() - began
    place, chance = Place(tmp_path / "killed", text, epochs), random.Random(1)
    n_kills, interrupted = 0, False
    while True:
        goes_on = place.checkpoint.exists()
        number = signal.SIGTERM if chance.random() < 0.25 else signal.SIGKILL
        sign = chance.choice([nothing] * 8 + [place.saves if goes_on else place.encodes] * 2)  # both are short
        moment = chance.uniform(0, seconds if sign is nothing else 0.02)
        if n_kills == kills:
            sign, moment = nothing, 120
        status = end(place.start, number, sign, moment)
        said = place.said.read_text()
        place.require_whole(tmp_path / "copy")
        interrupted |= status == 130
        if not interrupted and place.vectors.exists():
            assert place.vectors.read_bytes() == never.vectors.read_bytes(), f"{said}; it is the old one or the new one"
        if status != 0:
            ends = {signal.SIGKILL: (-signal.SIGKILL,), signal.SIGTERM: (130, -signal.SIGTERM, -signal.SIGINT)}
            assert status in ends[number], f"{said}; {'resumed' if goes_on else 'from the beginning'}, kill {n_kills}"
            assert "Traceback" not in said
            n_kills += 1
            continue
        assert place.vectors.read_bytes() == never.vectors.read_bytes()
        assert place.logged() == never.logged()
        assert [record["number"] for record in place.logged()] == list(range(1, epochs + 1))
        assert not place.left()
        if n_kills == kills:
            break
        interrupted = False
        place.forget()


# --- Full disks -------------------------------------------------------------------------------------------------------


def contents(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def train(text, folder, *options):
    """A run with all its files in a folder."""
    files = {"-o": "v.vec", "--checkpoint": "run.ckpt", "--log": "run.jsonl", "--save-vocab": "v.vocab"}
    arguments = [str(part) for option, name in files.items() for part in (option, folder / name)]
    settings = ["--epochs", "2", "--threads", "1", "--min-count", "1", "--valid-share", "0.1", "--quiet"]
    return CliRunner().invoke(cli.main, ["skipgram", str(text), *arguments, *settings, *options])


@pytest.mark.parametrize("cached", [True, False])
def test_a_full_disk_is_said_in_a_line_and_leaves_what_was_there(tmp_path, small_disk, monkeypatch, cached):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    text, other, (folder, leave) = tmp_path / "text.txt", tmp_path / "other.txt", small_disk
    options = ["--cache", str(folder / "cache")] if cached else []
    write_text(other, 5_000, seed=3)
    assert train(other, folder, *options).exit_code == 0
    kept = contents(folder / "cache")
    write_text(text, 10_000)
    assert train(text, folder, *options).exit_code == 0
    old = contents(folder)
    write_text(text, 40_000, seed=2)
    failed, room = Counter(), 0
    while True:
        leave(room)
        done, new = train(text, folder, *options), contents(folder)
        assert not [path for path in folder.rglob(LEFT)], room
        assert kept.items() <= contents(folder / "cache").items()
        if done.exit_code == 0:
            break
        lines = done.stderr.splitlines()
        assert (done.exit_code, len(lines)) == (1, 1), (room, lines)
        found = re.fullmatch(
            rf"Error: cannot write (temporary files in )?{folder}/?(.*): No space left on device(?:; (.*) holds .*)?",
            lines[0],
        )
        assert found, (room, lines)
        path = found[2]
        failed["temporary" if found[1] else path.split("/")[0]] += 1
        assert (found[3] is not None) == (path in ("run.ckpt", "run.jsonl", "v.vec")), lines
        if found[3] is not None:  # beside the other outputs, or in the temporary folder
            assert len(WordVectors.load(found[3])) > 100
        if new["v.vec"] != old["v.vec"]:  # of a run whose checkpoint or log failed, what was trained so far
            assert path in ("run.ckpt", "run.jsonl")
            assert len(WordVectors.load(folder / "v.vec")) > 100
        Checkpoint.load(folder / "run.ckpt")
        assert [json.loads(line)["number"] for line in new["run.jsonl"].splitlines()] in ([1], [1, 2])
        if cached:
            assert [entry.n_tokens > 0 for entry in list_cache(folder / "cache")] == [True, True]
        room += 4096 * (1 + room // 32768)  # an eighth more, in whole pages
    assert new["v.vec"] != old["v.vec"]
    assert failed.keys() >= {"temporary", "run.ckpt", "v.vec"} | ({"cache"} if cached else set()), failed
