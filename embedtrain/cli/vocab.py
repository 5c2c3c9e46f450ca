"""``embedtrain vocab``: the words of a corpus and their counts."""

from __future__ import annotations

import sys
from dataclasses import fields
from typing import TYPE_CHECKING, Any

import click

from embedtrain.cli import options
from embedtrain.errors import one_line
from embedtrain.machine.ranks import Ranks
from embedtrain.training.settings import VocabularySettings

if TYPE_CHECKING:
    from embedtrain.corpus.sources import Corpus
    from embedtrain.corpus.vocabulary import Vocabulary


@click.command(cls=options.GroupedCommand, short_help="Count the words of a corpus.")
@options.settings_options(VocabularySettings)
@options.MERGE
@options.corpus_options
@options.output_option("Vocabulary file; by default the corpus' name with .vocab, here; -: stdout.")
def vocab(output: str | None, quiet: bool, merge: bool, **given: Any) -> None:
    """Count the words of CORPUS and write lines "word count", the most frequent first.

    The format is that of word2vec.c, GloVe and the option --read-vocab.

    With --merge, the inputs are files that vocab wrote for the parts of a text, with --min-count 1; the output is that
    of the whole text.

    Example: embedtrain vocab corpus.txt -o corpus.vocab
    """
    from embedtrain.corpus.vocabulary_file import format_lines, merge_vocabularies, write_vocabulary
    from embedtrain.machine.progress import counted, is_terminal, say

    VocabularySettings(**{field.name: given[field.name] for field in fields(VocabularySettings)})  # checks them
    of_merge = {"min_count", "max_vocab", "force"} if merge else None
    corpus, path, ranks = options.begin_counting(given, output, ".vocab", quiet, of_merge)
    settings = VocabularySettings(**given)
    found = merge_vocabularies(corpus.files(), force=corpus.force) if merge else _count(corpus, settings, ranks)
    words = found.cut(settings.min_count, settings.max_vocab, least=1)
    if ranks.rank > 0:
        return
    if output == "-":
        for lines in format_lines(words):
            if is_terminal(sys.stdout):
                lines = "".join(f"{one_line(line)}\n" for line in lines.split("\n")[:-1])
            click.echo(lines.encode(), nl=False)  # bytes as in the file, for any terminal
        return
    write_vocabulary(path, words)
    say(f"read     {counted(found.n_tokens, 'token')} of {counted(len(found), 'type')}", shown=not quiet)
    share = words.n_tokens / found.n_tokens
    say(f"saved    {path}: {counted(len(words), 'word')}, which cover {share:.1%}", shown=not quiet)


def _count(corpus: Corpus, settings: VocabularySettings, ranks: Ranks) -> Vocabulary:
    """Count the words of a corpus, each rank those of its share."""
    from embedtrain.corpus.cache import encode_text
    from embedtrain.corpus.encoding import count_words
    from embedtrain.corpus.rewriting import Rewriting
    from embedtrain.corpus.text_signs import signs_in_types
    from embedtrain.machine.progress import Progress, note
    from embedtrain.machine.threads import resolve_threads
    from embedtrain.training.text_data import check_shares

    check_shares({"the corpus": corpus.files()}, ranks, settings)
    threads, rewriting = resolve_threads(settings.threads), Rewriting(settings.map, settings.drop, settings.phrases)
    with Progress("reading", None, shown=settings.shown) as progress:
        if settings.cache is None and not rewriting.phrases:
            with settings.compiling():
                count_words([["two", "words"]], threads=1)
            found, notes = count_words(corpus, threads=threads, progress=progress, ranks=ranks)
            if settings.map or settings.drop:
                _, found = rewriting.renumber(found)
        else:
            encoded = encode_text(corpus, settings.cache, rewriting, threads=threads, progress=progress, ranks=ranks)
            found, notes = encoded.vocabulary, encoded.notes
    note(*notes, *signs_in_types(corpus, found))
    return found
