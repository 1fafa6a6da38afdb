"""Tables of names by naming custom, with their spellings and their forms by sex and script."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from itertools import product

import numpy as np
import polars as pl
from numpy.typing import NDArray

from core.made_records.draws import Draws
from core.made_records.persons.profiles import name_lists as lists
from core.made_records.persons.words.vocabulary import Vocabulary

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

ENGLISH, SPANISH, PORTUGUESE, CHINESE, ARABIC, SLAVIC, INDIAN, GERMAN = range(8)
CUSTOMS = ("english", "spanish", "portuguese", "chinese", "arabic", "slavic", "indian", "german")
# men's surname ending, women's, and both in Cyrillic
_SLAVIC_ENDINGS = (
    ("ov/off/ow", "ova", "ов", "ова"),
    ("enko", "enko", "енко", "енко"),
    ("sky/ski/skiy/skyi", "skaya/ska/skaia", "ский", "ская"),
    ("ev/eff/ew", "eva", "ев", "ева"),
    ("in", "ina", "ин", "ина"),
)


@dataclass(frozen=True, slots=True)
class Word:
    """A name: its spellings, the usual one first, and how its own script writes it ("" where that is Latin)."""

    spellings: tuple[str, ...]
    native: str = ""


@dataclass(frozen=True, slots=True)
class NameTables:
    """All names, by code; customs' first, then the plain vocabulary's given names and surnames.

    spellings: all of them behind each other; of word w those from first[w], count[w] of them, the usual one first.
    native: (n_words,) spelling in the own script, -1 without one. feminine: (n_words,) the code of a woman's form.
    letters: (n_words,) lower-case ASCII, for mailboxes. start, size: (3, 8) of men, women, surnames by custom.
    """

    spellings: pl.Series
    first: Ints
    count: Ints
    native: Ints
    feminine: Ints
    letters: pl.Series
    start: Ints
    size: Ints

    def given(self, keys: Ints, male: Flags, custom: Ints, draws: Draws, words: Vocabulary) -> Ints:
        """(n,) codes of given names; equal keys, sex and custom have equal names."""
        unit = draws.unit("given name", keys)
        table = np.where(male, 0, 1)
        code: Ints = self.start[table, custom] + _falling(unit, self.size[table, custom])
        men, women = np.flatnonzero(male & (custom == ENGLISH)), np.flatnonzero(~male & (custom == ENGLISH))
        code[men] = self.start[0, ENGLISH] + words.male_ranks.at(unit[men])
        code[women] = self.start[1, ENGLISH] + words.female_ranks.at(unit[women])
        return code

    def surname(self, keys: Ints, custom: Ints, draws: Draws, words: Vocabulary) -> Ints:
        """(n,) codes of surnames in the man's form."""
        unit = draws.unit("family name", keys)
        code: Ints = self.start[2, custom] + _falling(unit, self.size[2, custom])
        rows = np.flatnonzero(custom == ENGLISH)
        code[rows] = self.start[2, ENGLISH] + words.surname_ranks.at(unit[rows])
        return code

    def spelt(self, codes: Ints, unit: NDArray[np.float64], share: float) -> Ints:
        """(n,) places in `spellings`: a share of those that have several in one of the others. unit: (n,) in [0, 1)."""
        others = self.count[codes] - 1
        other = (unit < share) & (others > 0)
        nth: Ints = (unit / share * np.maximum(others, 1)).astype(np.int64) if share else np.zeros(len(codes), np.int64)
        places: Ints = self.first[codes] + np.where(other, 1 + nth, 0)
        return places


def _falling(unit: NDArray[np.float64], size: Ints) -> Ints:
    """(n,) ranks below `size`, the first ones more often: as u^(3/2)."""
    ranks: Ints = np.minimum((size * unit * np.sqrt(unit)).astype(np.int64), size - 1)
    return ranks


def name_tables(words: Vocabulary) -> NameTables:
    """The customs' names with those of the vocabulary. Cost: 50 ms the first time, and a copy of the vocabulary."""
    own, start, size, feminine = _customs()
    n_own, n_given = len(own), len(words.given)
    count = np.array([len(word.spellings) for word in own])
    first = np.cumsum(count) - count
    latin = [spelling for word in own for spelling in word.spellings]
    native = np.full(n_own + n_given + len(words.surnames), -1)
    scripts = [word.native for word in own if word.native]
    native[[index for index, word in enumerate(own) if word.native]] = len(latin) + np.arange(len(scripts))
    plain = words.given.rename("word").append(words.surnames.rename("word"))
    start, size = start.copy(), size.copy()
    start[:, ENGLISH] = n_own, n_own + words.n_male, n_own + n_given
    size[:, ENGLISH] = words.n_male, n_given - words.n_male, len(words.surnames)
    return NameTables(
        spellings=pl.Series("word", latin + scripts).append(plain),
        first=np.concatenate((first, len(latin) + len(scripts) + np.arange(len(plain)))),
        count=np.concatenate((count, np.ones(len(plain), dtype=np.int64))),
        native=native,
        feminine=np.concatenate((feminine, np.arange(n_own, n_own + len(plain)))),
        letters=pl.Series("word", [_letters(word.spellings[0]) for word in own]).append(plain.str.to_lowercase()),
        start=start,
        size=size,
    )


@cache
def _customs() -> tuple[list[Word], Ints, Ints, Ints]:
    """Words of all customs but the English; start and size (3, 8); (n_words,) code of the woman's form."""
    own: list[Word] = []
    start, size = np.zeros((3, 8), dtype=np.int64), np.ones((3, 8), dtype=np.int64)
    men_slavic, women_slavic = _slavic()
    tables: dict[int, tuple[str | list[Word], ...]] = {
        SPANISH: (lists.SPANISH_MEN, lists.SPANISH_WOMEN, lists.SPANISH_SURNAMES),
        PORTUGUESE: (lists.PORTUGUESE_MEN, lists.PORTUGUESE_WOMEN, lists.PORTUGUESE_SURNAMES),
        CHINESE: (_two_syllables(lists.CHINESE_SYLLABLES), _two_syllables(lists.CHINESE_SYLLABLES_WOMEN),
                  lists.CHINESE_SURNAMES),
        ARABIC: (lists.ARABIC_MEN, lists.ARABIC_WOMEN, lists.ARABIC_SURNAMES),
        SLAVIC: (lists.SLAVIC_MEN, lists.SLAVIC_WOMEN, men_slavic),
        INDIAN: (lists.INDIAN_MEN, lists.INDIAN_WOMEN, lists.INDIAN_SURNAMES),
        GERMAN: (lists.GERMAN_MEN, lists.GERMAN_WOMEN, _german()),
    }  # fmt: skip
    for custom, kinds in tables.items():
        for kind, table in enumerate(kinds):
            found: list[Word] = words_of(table) if isinstance(table, str) else table
            start[kind, custom], size[kind, custom] = len(own), len(found)
            own += found
    feminine = np.arange(len(own) + len(women_slavic))
    first = start[2, SLAVIC]
    feminine[first : first + len(men_slavic)] = len(own) + np.arange(len(women_slavic))
    return own + women_slavic, start, size, feminine


def words_of(table: str) -> list[Word]:
    """The words of one list, in order, none twice; see `name_lists` for how they are written."""
    found = []
    for entry in dict.fromkeys(table.split()):
        latin, _, native = entry.partition("=")
        found.append(Word(tuple(spelling.replace("~", " ") for spelling in latin.split("/")), native))
    return found


def _two_syllables(table: str) -> list[Word]:
    """Given names of one and of two syllables: written together, apart and with a hyphen."""
    syllables = words_of(table)
    apart = ("{0}{1}", "{0} {2}", "{0}-{2}", "{0}-{1}", "{0}{2}")
    pairs = [(a, b) for a, b in product(syllables, syllables) if a is not b]
    # Neighbours of the list are unlike each other: the frequent names are not those of one first syllable.
    pairs = [pairs[index * 367 % len(pairs)] for index in range(len(pairs))]
    two = [
        Word(
            tuple(form.format(a.spellings[0], b.spellings[0].lower(), b.spellings[0]) for form in apart),
            a.native + b.native,
        )
        for a, b in pairs
    ]
    return syllables + two


def _slavic() -> tuple[list[Word], list[Word]]:
    """Surnames of men and of women, in the same order."""
    men, women = [], []
    for endings, stem in product(_SLAVIC_ENDINGS, words_of(lists.SLAVIC_STEMS)):
        of_men, of_women, cyrillic, cyrillic_of_women = endings
        men.append(Word(_joined(stem.spellings, of_men.split("/")), stem.native + cyrillic))
        # A clerk abroad writes a woman by her husband's form now and then: it is her last spelling.
        hers = _joined(stem.spellings, of_women.split("/"))
        women.append(Word(tuple(dict.fromkeys((*hers, men[-1].spellings[0]))), stem.native + cyrillic_of_women))
    return men, women


def _german() -> list[Word]:
    made = [
        Word(_joined(front.spellings, end.spellings))
        for end, front in product(words_of(lists.GERMAN_ENDS), words_of(lists.GERMAN_FRONTS))
    ]
    return words_of(lists.GERMAN_SURNAMES) + made


def _joined(fronts: Iterable[str], ends: Iterable[str]) -> tuple[str, ...]:
    return tuple(front + end for front, end in product(fronts, ends))


def _letters(name: str) -> str:
    """Lower-case letters a mailbox can have: accents away, nothing but a to z."""
    spread = unicodedata.normalize("NFKD", name.replace("ß", "ss"))
    return "".join(letter for letter in spread.lower() if "a" <= letter <= "z")
