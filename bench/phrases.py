"""Find phrases in the same run with embedtrain and gensim: the same phrases at the same scores, and how long it takes.

    python bench/phrases.py text8lines.txt [--threads 2]

Compared are the whole job, from a file of lines to phrases with their scores, and the work on a text in memory: lists
of tokens for gensim, ids for embedtrain. The 50 best phrases are printed. Also measured is what `map` and `drop` add to
reading, with a map of the words that end in s and 150 frequent words.

Found on text8 in lines of 1,000 words with two threads of an AMD Zen 5 processor: 0.54 s from the file and 0.30 s in
memory, gensim 24.0 s and 22.2 s (45 and 74 times as long), the same 41,945 phrases at equal scores; joining them takes
0.4 s. Reading takes 0.25 s; 10,831 types replaced and 150 dropped add 4 ms, and reading their two files 8 ms, whatever
the length of the text.
"""

import argparse
import os
import statistics
import tempfile
import time
from functools import partial

from embedtrain import find_phrases
from embedtrain.corpus.encoding import encode
from embedtrain.corpus.rewriting import Rewriting, join_phrases
from embedtrain.counts.phrase_scores import score_phrases
from embedtrain.machine.progress import Progress

parser = argparse.ArgumentParser()
parser.add_argument("text")
parser.add_argument("--threads", type=int, default=2)
parser.add_argument("--gensim", action="store_true", help="compare with gensim, which takes most of the time")
args = parser.parse_args()


def seconds(work, n=5):
    """The median seconds of n runs, and the last result."""
    times = []
    for _ in range(n):
        started = time.perf_counter()
        result = work()
        times.append(time.perf_counter() - started)
    return statistics.median(times), result


settings = {"scoring": "default", "threshold": 10.0, "min_count": 5, "threads": args.threads}
settings["progress"] = Progress("counting", None, shown="")
find_phrases([["two", "words"]], min_count=1)
whole, found = seconds(lambda: find_phrases(args.text, threads=args.threads))
text = encode(args.text, threads=args.threads)
in_memory, _ = seconds(lambda: score_phrases(text, (), **settings))
joining, joined = seconds(lambda: join_phrases(text, found.passes[0], args.threads))
print(f"{len(text.ids):,} tokens, {len(found):,} phrases: from the file {whole:.2f} s, in memory {in_memory:.2f} s")
print(f"joining {joining:.2f} s, {len(joined.ids):,} tokens left")
for words, (score, count) in list(found.passes[0].items())[:50]:
    print(f"{'_'.join(words)} {score:.0f} {count}", end=", ")
print()

if args.gensim:
    from gensim.models.phrases import Phrases
    from gensim.models.word2vec import LineSentence

    file_time, scores = seconds(lambda: Phrases(LineSentence(args.text)).export_phrases(), 1)
    with open(args.text, encoding="utf-8") as lines:
        lists = [line.split() for line in lines]
    list_time, _ = seconds(lambda: Phrases(lists).export_phrases(), 1)
    same = scores.keys() == found.scores.keys()
    furthest = max(abs(scores[phrase] / score - 1) for phrase, score in found.scores.items())
    print(f"gensim: from the file {file_time:.2f} s, {file_time / whole:.0f} times as long; ", end="")
    print(f"in memory {list_time:.2f} s, {list_time / in_memory:.0f} times as long")
    print(f"the same phrases: {same}; scores differ by at most {furthest:.1e}, relative")

words = text.vocabulary.words[:]
known = set(words)
with tempfile.TemporaryDirectory() as folder:
    lemmas, stops = os.path.join(folder, "map"), os.path.join(folder, "drop")
    with open(lemmas, "w", encoding="utf-8") as file:
        file.writelines(f"{word}\t{word[:-1]}\n" for word in words[:71_290] if word[-1] == "s" and word[:-1] in known)
    with open(stops, "w", encoding="utf-8") as file:
        file.writelines(f"{word}\n" for word in words[:150])
    ratios, loading = [], []
    for _ in range(15):
        before, _ = seconds(lambda: encode(args.text, threads=args.threads), 1)
        load, rewriting = seconds(lambda: Rewriting(lemmas, stops, None), 1)
        after, _ = seconds(partial(encode, args.text, threads=args.threads, rewriting=rewriting), 1)
        ratios.append(after / before)
        loading.append(load)
print(
    f"reading with {len(rewriting.replacements):,} types replaced and {len(rewriting.dropped)} dropped: "
    f"{statistics.median(ratios):.3f} times as long, and {1000 * statistics.median(loading):.0f} ms for the two files"
)
