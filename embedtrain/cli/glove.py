"""``embedtrain glove``: from a text file, or counts, to vectors that fit the logarithms of co-occurrence counts."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from embedtrain.cli.options import Exactly, TrainingCommand, counting_options, training_options
from embedtrain.cli.training import REFUSED, read_text, run_command, was_given

if TYPE_CHECKING:
    from embedtrain.corpus.sources import Corpus

_ONLY_WORD2VEC = "it belongs to skipgram and cbow; GloVe takes no samples"
_REFUSED = {
    **REFUSED,
    **dict.fromkeys(("negative", "hs", "sample", "noise-exponent"), _ONLY_WORD2VEC),
    "cbow-update": "it belongs to cbow",
    "window-mode": "it belongs to skipgram and cbow; GloVe's windows weigh by --weighting",
    "valid": "the cost of cells is no measure of held-out text; --valid belongs to skipgram and cbow",
    "valid-share": "the cost of cells is no measure of held-out text; --valid-share belongs to skipgram and cbow",
    "patience": "it needs held-out text, which GloVe has none of; choose --epochs",
    "vocab-file": "use --vocab {value} for counts, --read-vocab {value} for text",
    "distance-weighting": "use --weighting distance or --weighting uniform",
}


@click.command(
    cls=TrainingCommand, refused=_REFUSED, short_help="Train vectors that fit how often words stand beside each other."
)
@training_options(epochs=25, threads="Default, and 0: all. The result is the same with any number.")
@counting_options
@click.option("--vocab", "words", metavar="FILE", help="Words of counts that have none, a line each, row by row.")
@click.option("--x-max", default=10.0, show_default=True, help="Counts below it weigh less: (count / x-max) ** alpha.")
@click.option("--alpha", default=0.75, show_default=True, help="That exponent; the learning rate is --lr.")
@click.option(
    "--vectors", type=Exactly(["sum", "word", "context"]), default="sum", show_default=True,
    help="Save the sum of word and context vectors, or one of them.",
)  # fmt: skip
@click.option("--lr", default=0.05, show_default=True, help="Initial step of AdaGrad.")
@click.pass_context
def glove(ctx: click.Context, /, **settings: Any) -> None:
    """Train word vectors on how often the words of CORPUS stand beside each other (GloVe).

    The result is the same with any number of threads, and counts can be given; on 100 MB of Wikipedia it answered
    fewer analogies than word2vec (32 %, skip-gram 38).

    CORPUS is text: files, plain or compressed, folders, patterns, or - for standard input. UTF-8, a sentence a line,
    tokens between spaces; or JSON lines. Or it is a file of counts: of embedtrain cooccur, an .npz of SciPy, or
    GloVe's cooccurrence.bin, with --vocab. The vectors are written in word2vec text format.
    """
    from embedtrain.machine.interrupts import deferred_interrupts

    with deferred_interrupts():  # libraries lose interrupts while they are imported
        from embedtrain.counts.counts_file import is_counts_file
        from embedtrain.models.glove import plan_glove, train_glove

    def read(settings: dict[str, Any]) -> tuple[Corpus | Path, dict[str, list[Any]]]:
        sources = settings["corpus"]
        counts = [source for source in sources if is_counts_file(source)]
        if not counts:
            return read_text(settings)
        if len(sources) > 1:
            raise click.UsageError(f"{counts[0]} holds counts: train on that one file, or on text alone")
        for name in ("field", "lowercase", "invalid_utf8"):
            del settings[name]
            if was_given(ctx, name):
                raise click.UsageError(f"--{name.replace('_', '-')} says how text is read; {sources[0]} holds counts")
        path = Path(settings.pop("corpus")[0])
        words = [] if settings["words"] is None else [settings["words"]]
        return path, {"the counts": [path], "the file of --vocab": words}

    run_command(ctx, settings, train_glove, plan_glove, read=read)
