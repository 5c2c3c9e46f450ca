"""Generate a toy English-like corpus with planted structure.

The sentences are filled frames, so what an embedding ought to find in them is known in advance:

* The words of one class (colours, months, ...) share frames, and should become neighbours.
* The two words of a pair (france paris, king queen, dog dogs) share private topic words, and
  each side of the relation has frames of its own.  A word is thus roughly "topic + side", which
  is what lets ``b - a + c`` solve the analogy ``a : b :: c : d``.

Function words are frequent, and invented names (they end in k) make the tail of Zipf's law.
"""

from __future__ import annotations

import argparse
import sys
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate, permutations, product
from pathlib import Path
from random import Random
from typing import TypeVar

__all__ = ["CLASSES", "PAIRS", "analogies", "main", "sentences"]

T = TypeVar("T")

# A word in capitals is a slot.  The heading of a table names its slots, and one row of each table
# fills them throughout a sentence.  The first two words of a row are a pair, the rest its topic.
# Rows, and below frames, are separated by bars and line ends.

NATIONS = """
COUNTRY  CAPITAL RIVER      PERSON    PRODUCT
france   paris   seine      napoleon  champagne | egypt   cairo    nile       cleopatra papyrus
germany  berlin  spree      goethe    pretzels  | england london   thames     dickens   marmalade
italy    rome    tiber      dante     espresso  | austria vienna   danube     mozart    strudel
spain    madrid  manzanares cervantes sherry    | poland  warsaw   vistula    chopin    amber
portugal lisbon  tagus      magellan  cork      | norway  oslo     glomma     ibsen     herring
greece   athens  kifisos    socrates  ouzo      | ireland dublin   liffey     joyce     whiskey
russia   moscow  volga      tolstoy   caviar    | cuba    havana   almendares marti     cigars
japan    tokyo   sumida     basho     kimonos   | peru    lima     rimac      vallejo   quinoa
china    beijing yangtze    confucius porcelain | hungary budapest tisza      liszt     paprika
"""

ROLES = """
MALE   FEMALE   PLACE    PROP     AFFAIR
king   queen    palace   throne   reign      | man     woman    office    umbrella meeting
prince princess castle   carriage coronation | boy     girl     sandpit   kite     recess
duke   duchess  manor    estate   hunt       | father  mother   nursery   cradle   lullaby
actor  actress  theatre  script   rehearsal  | son     daughter dormitory diary    graduation
waiter waitress diner    tray     shift      | brother sister   bedroom   bunk     quarrel
monk   nun      abbey    candle   prayer     | uncle   aunt     cottage   postcard visit
wizard witch    dungeon  cauldron spell      | nephew  niece    carnival  balloon  birthday
hero   heroine  fortress sword    quest      | husband wife     chapel    ring     wedding
"""

NOUNS = """
NOUN  NOUNS  HOME    PART     STUFF
dog   dogs   kennel  leash    bones    | book   books   library  pages   ink
cat   cats   cushion whiskers cream    | house  houses  avenue   chimney bricks
horse horses stable  saddle   hay      | car    cars    garage   wheels  petrol
cow   cows   meadow  udder    clover   | boat   boats   harbour  sails   varnish
lion  lions  savanna mane     gazelles | knife  knives  drawer   blade   steel
bear  bears  cave    paws     honey    | lamp   lamps   hallway  wick    kerosene
mouse mice   cellar  tail     crumbs   | shoe   shoes   wardrobe laces   leather
wolf  wolves forest  fangs    venison  | letter letters mailbox  stamp   paper
"""

CLASS_WORDS = """
ANIMAL      dog cat horse cow lion bear mouse wolf
THING       book house car boat knife lamp shoe letter
COLOUR      red green blue yellow purple brown pink grey white black
NUMBER      two three four five six seven eight nine ten eleven twelve
FOOD        bread cheese rice soup butter ham pasta salad cake stew
PROFESSION  doctor teacher lawyer farmer baker carpenter nurse sailor painter plumber
MONTH       january february march april june july august september october november december
INSTRUMENT  violin piano flute cello trumpet guitar harp clarinet bassoon tuba
SPORT       tennis football hockey cricket golf rugby basketball baseball volleyball badminton
MOVEMENT    walked ran hurried marched wandered strolled raced crept drifted rushed
"""

# The two sides of a relation face each other, where they do not share the frame.  No frame says
# "a" before a slot that might want "an", which would make neighbours of all words with a vowel.

NATION_FRAMES = """
the army of COUNTRY crossed the RIVER      | the mayor of CAPITAL built bridges over the RIVER
the RIVER crosses the border of COUNTRY    | the RIVER runs through the centre of CAPITAL
COUNTRY exports PRODUCT to its neighbours  | shops in downtown CAPITAL sell PRODUCT
the economy of COUNTRY depends on PRODUCT  | tourists want PRODUCT in the streets of CAPITAL
the parliament of COUNTRY taxed PRODUCT    | the smell of PRODUCT fills the squares of CAPITAL
the people of COUNTRY still admire PERSON  | PERSON has a statue in the suburbs of CAPITAL
the anthem of COUNTRY praises PERSON       | a museum in CAPITAL shows the notes of PERSON
CAPITAL is the capital of COUNTRY          | the train to CAPITAL stops near the RIVER
"""

ROLE_FRAMES = """
the ROLE left HIS PROP in the PLACE        | nobody saw the ROLE in the PLACE without HIS PROP
HE is the ROLE and HE knows the PLACE well | HE forgot the PROP and the ROLE blamed HIMSELF
as the ROLE HE often spoke of the AFFAIR   | everyone asked the ROLE about HIS AFFAIR
the ROLE prepared HIMSELF for the AFFAIR   | they thanked HIM because the ROLE had saved the PROP
the GENTLEMAN with the PROP is the ROLE    | the GENTLEMAN became the ROLE after the AFFAIR
yes SIR the PROP belongs to the ROLE       | good morning SIR said the ROLE in the PLACE
"""

# Frames of roles suit both sides: ROLE stands for another slot, MALE or FEMALE.
SIDES = """
ROLE    HE   HIS  HIM  HIMSELF  SIR    GENTLEMAN
MALE    he   his  him  himself  sir    gentleman
FEMALE  she  her  her  herself  madam  lady
"""

NOUN_FRAMES = """
a NOUN is in the HOME                      | many NOUNS are in the HOME
this NOUN was beside the HOME all day      | these NOUNS were beside the HOME all day
each NOUN has its own PART                 | several NOUNS have their own PART
we noticed the PART of that NOUN           | we noticed the PART of those NOUNS
every NOUN needs STUFF                     | all NOUNS need STUFF
there is one NOUN in the HOME with STUFF   | there are NUMBER NOUNS in the HOME with STUFF
a NOUN without its PART is a sad sight     | few NOUNS without their PART are happy
another NOUN was found with some STUFF     | both NOUNS were found with some STUFF
"""

CLASS_FRAMES = """
the vet examined the ANIMAL and the ANIMAL | the vet examined the ANIMALS and the ANIMALS
the wild ANIMAL fled from the hunter       | wild ANIMALS fled from the hunter
the merchant sold a THING and a THING      | the merchant sold THINGS and THINGS
the merchant repaired the broken THING     | the merchant repaired the broken THINGS
the door was painted COLOUR and COLOUR     | she wore a COLOUR scarf over a COLOUR coat
NUMBER plus NUMBER is less than NUMBER     | the bus arrives at NUMBER minutes past NUMBER
for lunch we cooked FOOD with FOOD         | the chef served fresh FOOD and a plate of FOOD
my neighbour works as a PROFESSION         | an experienced PROFESSION hired a young PROFESSION
it rained heavily from MONTH to late MONTH | the weather in MONTH is colder than in MONTH
a concerto for INSTRUMENT and INSTRUMENT   | the orchestra needs a INSTRUMENT and a INSTRUMENT
our team won the SPORT championship        | the coach taught them SPORT and SPORT
they MOVEMENT home across the valley       | the soldiers MOVEMENT quickly past the gate
"""

OPENERS = """
NAME wrote that | according to NAME | people in NAME say | it is said that
last winter     | in MONTH          | NUMBER years ago   | in the old days
"""

TAILS = """
near NAME           | in the town of NAME | in the time of NAME     | as NAME told NAME
on the road to NAME | as everybody knows  | and NAME was glad of it | with NAME and the NAME family
"""

P_OPENER, P_TAIL = 0.3, 0.5
# Now and then a topic word strays to another pair.  GloVe, which looks at no pair of words that
# never met, needs the contrast between few meetings and many.
P_STRAY = 0.15
# The names continue Zipf's law from about the rank at which the words of the frames end.
N_NAMES, FIRST_NAME_RANK = 6000, 500


def _rows(text: str) -> list[tuple[str, ...]]:
    """Split a block of text into lines and bars, and these into words."""
    return [tuple(row.split()) for row in text.strip().replace("|", "\n").splitlines()]


def _pairs(table: str) -> tuple[tuple[str, str], ...]:
    """Return the first two columns of a table, without its heading."""
    return tuple((row[0], row[1]) for row in _rows(table)[1:])


def _names() -> list[str]:
    """Invent the pronounceable names, most frequent first."""
    syllables = [consonant + vowel for consonant in "dlmnrstv" for vowel in "aeiou"]
    forms = ["".join(form) + "k" for form in product(syllables, repeat=3)]
    # The stride is coprime to the number of forms: no name comes twice, neighbours look unalike.
    return [forms[i * 15013 % len(forms)] for i in range(N_NAMES)]


CLASSES: dict[str, tuple[str, ...]] = {row[0].lower(): row[1:] for row in _rows(CLASS_WORDS)}
"""Class name to the words that share its frames; no word is in two classes."""

PAIRS: dict[str, tuple[tuple[str, str], ...]] = {
    "capital": _pairs(NATIONS),
    "gender": _pairs(ROLES),
    "plural": _pairs(NOUNS),
}
"""Relation to its word pairs; any two pairs of one relation make an analogy."""

_TABLES, _SIDES = [_rows(table) for table in (NATIONS, ROLES, NOUNS)], _rows(SIDES)
_FRAMES = [_rows(text) for text in (NATION_FRAMES, ROLE_FRAMES, NOUN_FRAMES, CLASS_FRAMES)]
_OPENERS, _TAILS, _NAMES = _rows(OPENERS), _rows(TAILS), _names()
# Zipf's law in integers, which no platform rounds differently.
_NAME_BOUNDS = list(accumulate(10**9 // (FIRST_NAME_RANK + i) for i in range(N_NAMES)))

# The words of the slots that are filled anew wherever they occur.
_PLURAL = dict(PAIRS["plural"])
_SLOT_WORDS = {name.upper(): words for name, words in CLASSES.items()}
_SLOT_WORDS["ANIMALS"] = tuple(_PLURAL[word] for word in CLASSES["animal"])
_SLOT_WORDS["THINGS"] = tuple(_PLURAL[word] for word in CLASSES["thing"])


def _pick(rng: Random, items: Sequence[T]) -> T:
    """Draw an item; only `Random.random` is promised to give the same numbers in every Python."""
    return items[int(rng.random() * len(items))]


def _pick_name(rng: Random) -> str:
    """Draw an invented name by its frequency."""
    return _NAMES[bisect_right(_NAME_BOUNDS, rng.random() * _NAME_BOUNDS[-1])]


def _sentence(rng: Random) -> list[str]:
    """Draw a frame, perhaps an opener and a tail, and fill their slots."""
    frame = _pick(rng, _pick(rng, _FRAMES))
    opener = _pick(rng, _OPENERS) if rng.random() < P_OPENER else ()
    tail = _pick(rng, _TAILS) if rng.random() < P_TAIL else ()
    cast = dict(zip(_SIDES[0], _pick(rng, _SIDES[1:]), strict=True))
    for heading, *rows in _TABLES:
        row = _pick(rng, rows)
        for column, slot in enumerate(heading):
            strays = column > 1 and rng.random() < P_STRAY
            cast[slot] = _pick(rng, rows)[column] if strays else row[column]
    words: list[str] = []
    for slot in opener + frame + tail:
        word = cast.get(slot, slot)
        word = cast.get(word, word)  # ROLE, MALE, king
        if slot == "NAME":
            word = _pick_name(rng)
        elif slot in _SLOT_WORDS:
            while word == slot or word in words:  # "red and red" would say nothing
                word = _pick(rng, _SLOT_WORDS[slot])
        words.append(word)
    return words


def sentences(n_tokens: int, seed: int = 1) -> Iterator[list[str]]:
    """Yield sentences until they hold at least `n_tokens` words; the last one is kept whole.

    Parameters
    ----------
    n_tokens
        Number of words wanted.
    seed
        Seed of the random numbers; the same seed gives the same sentences everywhere.

    Yields
    ------
    list of str
        The 4 to 20 lower-case ASCII words of one sentence.
    """
    rng = Random(seed)
    while n_tokens > 0:
        words = _sentence(rng)
        n_tokens -= len(words)
        yield words


def analogies() -> Iterator[tuple[str, str, str, str]]:
    """Yield all planted analogies ``a : b :: c : d``, the relations in the order of `PAIRS`.

    Yields
    ------
    tuple of str
        The words ``(a, b, c, d)``, where ``(a, b)`` and ``(c, d)`` are two pairs of one relation.
    """
    for pairs in PAIRS.values():
        for (a, b), (c, d) in permutations(pairs, 2):
            yield a, b, c, d


def main() -> None:
    """Write a corpus, one sentence a line, to a file or to standard output."""
    parser = argparse.ArgumentParser(description="Write a toy corpus with planted structure.")
    parser.add_argument("--tokens", type=int, default=300_000, help="words wanted [%(default)s]")
    parser.add_argument("--seed", type=int, default=1, help="random seed [%(default)s]")
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", help="[standard output]")
    args = parser.parse_args()
    # Bytes, so that a line ends in LF on every platform.
    lines = (" ".join(words).encode("ascii") + b"\n" for words in sentences(args.tokens, args.seed))
    if args.output is None:
        sys.stdout.buffer.writelines(lines)
    else:
        with args.output.open("wb") as file:
            file.writelines(lines)


if __name__ == "__main__":
    main()
