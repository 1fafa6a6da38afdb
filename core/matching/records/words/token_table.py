"""All words of a data set: in how many texts each stands, what it weighs, and its code.

A code is one word of one field: two fields weigh a word apart. Codes of a field ascend as its words grow more frequent,
so the first words of a record are its rarest. Texts that say the same count once: copies make no word common.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from core.matching.jit import kernel
from core.matching.records.words.texts import Texts, word_hashes
from core.matching.standardise.organisation_names import COMMON_WORDS
from core.matching.text.distinct import sorted_distinct
from core.matching.text.hashing import flat_points, hash_span, splitmix
from core.matching.text.string_views import Spread
from core.matching.text.tokens import token_kind

CODES_MAX = 1 << 28
"""Codes are the upper 28 bits of a word of a record; below them stand its kind and what may stand for it."""
GRAM = 4
RARE_TEXTS_MAX = 100
"""A word of more distinct texts makes no key: each would be compared with all others."""
COMMON_SHARE = 0.25
"""What a legal form, or a word that all firms use, weighs of what it would by its frequency."""
_ONE, _SIX_BITS = np.uint64(1), np.uint64(58)
_EDGE = np.uint64(1)


class TokenArrays(NamedTuple):
    """The words of a data set as comparison reads them. V codes from 1 on; 0 is no word.

    What may stand for a word lies behind each other: another word (`others`), or two that are it in one (`others` and
    `seconds`, else 0). Every pair of words is there for both.
    """

    weights: NDArray[np.float32]  # (V + 1,) by how few texts have the word, in nats
    reach: NDArray[
        np.uint64
    ]  # (V + 1, 2) bit c // 2 % 64 of place c % 2 set for each other code c that may stand for it
    starts: NDArray[np.int64]  # (V + 2,) where the words begin that may stand for each
    others: NDArray[np.uint32]
    seconds: NDArray[np.uint32]
    similarities: NDArray[np.float32]
    rare_keys: NDArray[np.uint64]  # (V + 1,) see `TokenTable.rare_keys`


NO_TOKENS = TokenArrays(
    np.zeros(0, dtype=np.float32),
    np.zeros((0, 2), dtype=np.uint64),
    np.zeros(0, dtype=np.int64),
    np.zeros(0, dtype=np.uint32),
    np.zeros(0, dtype=np.uint32),
    np.zeros(0, dtype=np.float32),
    np.zeros(0, dtype=np.uint64),
)
"""Of a data set without texts."""


class TokenMarks(NamedTuple):
    """What records are made of, by code, (V + 1,) each."""

    weights: NDArray[np.float32]
    flags: NDArray[np.uint8]  # kind, HAS_NEAR, HAS_PARTS
    grams: NDArray[np.uint64]  # one bit for each run of four letters, the ends of the word counted as letters
    hashes: NDArray[np.uint64]


KIND_BITS, HAS_NEAR, HAS_PARTS = 3, 4, 8
FLAG_BITS = 4


@dataclass(frozen=True, eq=False)
class TokenTable:
    """Words by code, the first of them empty: spelling, field, texts it stands in, and weight.

    A field is its place among those of kind `words`; n_texts: distinct texts by field.
    """

    words: pl.Series
    fields: NDArray[np.uint8]
    texts: NDArray[np.uint32]
    n_texts: tuple[int, ...]
    weights: NDArray[np.float32]
    flat: tuple[NDArray[np.uint32], NDArray[np.int64]]

    @classmethod
    def of(
        cls, words: pl.Series, fields: NDArray[np.uint8], texts: NDArray[np.uint32], n_texts: Sequence[int]
    ) -> TokenTable:
        """Weigh words.

        Args:
            words, fields, texts: by code, the empty word first. n_texts: distinct texts by field.
        Raises:
            OverflowError: more words than a record can tell apart.
        """
        if len(words) > CODES_MAX:
            raise OverflowError(f"{len(words):,} different words; at most {CODES_MAX:,}")
        totals = np.array(n_texts, dtype=np.float64)[fields] if len(n_texts) else np.zeros(len(words))
        weights = np.log1p(totals / np.maximum(texts, 1))
        weights[words.is_in(list(COMMON_WORDS)).to_numpy()] *= COMMON_SHARE
        weights[0] = 0.0
        return cls(words, fields, texts, tuple(n_texts), weights.astype(np.float32), flat_points(words))

    def __len__(self) -> int:
        return len(self.words)

    def marks(self, tokens: TokenArrays) -> TokenMarks:
        """What records are made of, once it is known what may stand for each word."""
        points, starts = self.flat
        found = TokenMarks(
            self.weights,
            np.zeros(len(self), dtype=np.uint8),
            np.zeros(len(self), dtype=np.uint64),
            np.zeros(len(self), dtype=np.uint64),
        )
        describe_tokens(points, starts, tokens, found)
        return found

    def rare_keys(self) -> NDArray[np.uint64]:
        """(V + 1,) what each word is as a key: its hash, or 0 for one of a single text, or of too many."""
        makes_key = (self.texts > 1) & (self.texts <= RARE_TEXTS_MAX)
        return np.where(makes_key, word_hashes(self.words), np.uint64(0))

    def to_frame(self) -> pl.DataFrame:
        """`word`, `field` and `texts` by code."""
        return pl.DataFrame({"word": self.words, "field": self.fields, "texts": self.texts})


class KnownWords(NamedTuple):
    """What a finished run knows: `word`, `field` and `texts` as of `TokenTable.to_frame`; distinct texts by field."""

    frame: pl.DataFrame
    n_texts: tuple[int, ...]


def no_near(table: TokenTable) -> TokenArrays:
    """Where nothing stands for a word but itself."""
    nothing = np.zeros(len(table) + 1, dtype=np.int64)
    reach = np.zeros((len(table), 2), dtype=np.uint64)
    return NO_TOKENS._replace(weights=table.weights, reach=reach, starts=nothing, rare_keys=table.rare_keys())


@dataclass(frozen=True)
class WordRules:
    """What decides on words beside the texts: what may stand for one, and where their frequencies are taken from.

    known: None: from the texts themselves; else a word that is not known counts as one of a single text.
    """

    near: Callable[[TokenTable], TokenArrays] = no_near
    known: KnownWords | None = None


ALONE = WordRules()
Coded = tuple[TokenTable, list[list[NDArray[np.uint32]]]]


def code_words(texts: Sequence[Sequence[Texts]], spread: Spread = map, known: KnownWords | None = None) -> Coded:
    """One table of words for all texts, and the codes of the words of each range.

    Args:
        texts: by field those of each range. known: see `WordRules`.
    Returns:
        The table; and by field and range (V + 1,) codes by the numbers of the range, the first 0.
    Cost: about 1 us a distinct word, and 16 bytes a distinct text.
    """
    columns, fields, counts, n_texts, tables = [pl.Series([""], dtype=pl.String)], [0], [np.zeros(1, np.uint32)], [], []
    base = 1
    for number, parts in enumerate(texts):
        every = pl.concat([part.words for part in parts]) if parts else pl.Series([], dtype=pl.String)
        ordered, places = sorted_distinct(every, spread)
        cuts = np.cumsum([len(part.words) for part in parts])[:-1]
        local = [np.append(np.uint32(0), each) for each in np.split(places, cuts)] if parts else []
        frequency, n_distinct = _frequencies(parts, local, len(ordered))
        if known is not None:
            frequency, n_distinct = (
                _known(ordered, known.frame.filter(pl.col("field") == number)),
                known.n_texts[number],
            )
        order = np.argsort(frequency, kind="stable")
        codes = np.zeros(len(ordered) + 1, dtype=np.uint32)
        codes[order + 1] = np.arange(base, base + len(ordered), dtype=np.uint32)
        columns.append(ordered.gather(order))
        fields += [number] * len(ordered)
        counts.append(frequency[order])
        n_texts.append(n_distinct)
        tables.append([codes[each] for each in local])
        base += len(ordered)
    words = pl.concat([column.rename("word") for column in columns])
    return TokenTable.of(words, np.array(fields, dtype=np.uint8), np.concatenate(counts), n_texts), tables


def _known(words: pl.Series, frame: pl.DataFrame) -> NDArray[np.uint32]:
    """In how many texts of a finished run each word stands; 1 for words that it has not met."""
    found = words.rename("word").to_frame().join(frame, on="word", how="left", maintain_order="left")["texts"]
    return found.fill_null(1).cast(pl.UInt32).to_numpy().copy()


def _frequencies(
    parts: Sequence[Texts], local: Sequence[NDArray[np.uint32]], n_words: int
) -> tuple[NDArray[np.uint32], int]:
    """In how many distinct texts each word stands, (n_words,), and how many there are."""
    frequency, n_texts = np.zeros(n_words + 1, dtype=np.uint32), 0
    total = sum(len(part.hashes) for part in parts)
    seen = np.zeros(1 << max(2 * total, 16).bit_length(), dtype=np.uint64)
    for part, table in zip(parts, local, strict=True):
        n_texts += count_texts(part.hashes, part.starts, table[part.members], (seen, frequency))
    return frequency[1:], n_texts


@kernel
def count_texts(
    hashes: NDArray[np.uint64], starts: NDArray[np.int64], members: NDArray[np.uint32],
    room: tuple[NDArray[np.uint64], NDArray[np.uint32]],
) -> int:  # fmt: skip
    """Count the words of texts that were not met before; returns how many texts that were.

    Args:
        room: the hashes seen so far in slots, 0 where free, a power of two of them; and counts by place.
    """
    seen, counts = room
    mask = np.uint64(len(seen) - 1)
    n_new = 0
    for text in range(len(hashes)):
        key = hashes[text] if hashes[text] != np.uint64(0) else _ONE
        slot = splitmix(key) & mask
        while seen[slot] != np.uint64(0) and seen[slot] != key:
            slot = (slot + _ONE) & mask
        if seen[slot] == key:
            continue
        seen[slot] = key
        n_new += 1
        for at in range(starts[text], starts[text + 1]):
            counts[members[at]] += np.uint32(1)
    return n_new


@kernel
def describe_tokens(
    points: NDArray[np.uint32], starts: NDArray[np.int64], tokens: TokenArrays, out: TokenMarks
) -> None:
    """Fill flags, grams and hashes of all words but the empty one."""
    for code in range(1, len(out.flags)):
        begin, end = starts[code], starts[code + 1]
        flags = token_kind(points, begin, end)
        for near in range(tokens.starts[code], tokens.starts[code + 1]):
            flags |= HAS_NEAR if tokens.seconds[near] == 0 else HAS_PARTS
        out.flags[code] = flags
        out.hashes[code] = hash_span(points, begin, end)
        out.grams[code] = gram_bits(points, begin, end)


@kernel
def gram_bits(points: NDArray[np.uint32], begin: int, end: int) -> np.uint64:
    """One of 64 bits for each run of four letters, the ends of the word counted as letters; of short words for all."""
    found = np.uint64(0)
    length = end - begin + 2
    for first in range(max(length - GRAM + 1, 1)):
        state = np.uint64(0)
        for place in range(first, min(first + GRAM, length)):
            inside = 0 < place < length - 1
            state = splitmix(state ^ (np.uint64(points[begin + place - 1]) if inside else _EDGE))
        found |= _ONE << (state >> _SIX_BITS)
    return found
