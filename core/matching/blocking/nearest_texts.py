"""Passes `top: k`: each text meets the k texts that are most like it, by rare words and runs of letters in common.

How alike two texts are is the cosine of their features, each weighed by ln(1 + n / df) over n distinct texts: words,
and runs of four letters of words, each kind half of the length of a text. Equal texts enter once and by one record,
that with the least hash: copies of a text would use up its neighbours' places, and the pass of whole texts joins them.

What it costs is bounded before a pair is made: at most k pairs a text, from at most POSTINGS_MAX entries of lists of at
most LIST_MAX texts, the rarest features first. So a feature of more texts brings nobody together.
"""

from __future__ import annotations

from concurrent.futures import Executor
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.matching.blocking.blocks import SAME, Blocks
from core.matching.jit import kernel
from core.matching.records.layout import Layout
from core.matching.records.record_hashes import record_hashes
from core.matching.records.sources import Boundaries, source_numbers
from core.matching.records.words.text_records import HASH_WORD, SIGNATURE_WORD, WORDS_KEPT
from core.matching.records.words.token_table import FLAG_BITS
from core.matching.specs.passes import PassSpec
from core.matching.text.hashing import combine, splitmix

LIST_MAX, POSTINGS_MAX = 400, 4_000
GRAM = 4
GRAMS_ROWS_MAX = 5_000_000
"""Of more rows words alone are features: runs of letters are ten times as many."""
RANGE_TEXTS = 20_000
_EDGE = np.uint64(1)
_GRAM_SEED = np.uint64(0x67726D)


class Texts(NamedTuple):
    """T distinct texts: the record that stands for each, its source, and a name that no order of rows changes."""

    rows: NDArray[np.int64]
    sources: NDArray[np.uint8]
    names: NDArray[np.uint64]


class Features(NamedTuple):
    """What brings texts together. Those of a text stand one behind the other, the rarest first; F lists of texts."""

    starts: NDArray[np.int64]  # (T + 1,) where those of each text begin
    numbers: NDArray[np.uint32]  # the list of each
    weights: NDArray[np.float32]  # its weight in the text, of which all squares sum to 1 at most
    list_starts: NDArray[np.int64]  # (F + 1,)
    texts: NDArray[np.uint32]  # of each list, ascending
    listed: NDArray[np.float32]  # the weight of the feature in each


@dataclass(frozen=True, eq=False)
class Nearest:
    """Blocks of two records each, and how many texts with something in common were no block, for k others were nearer.

    Counted from each side.
    """

    blocks: Blocks
    n_cut: int


@dataclass(frozen=True, eq=False)
class WordGrams:
    """Hash of each word by code, and of its runs of letters: those of word c are members[starts[c] : starts[c + 1]]."""

    words: NDArray[np.uint64]
    starts: NDArray[np.int64]
    members: NDArray[np.uint64]

    @classmethod
    def of(cls, hashes: NDArray[np.uint64], points: tuple[NDArray[np.uint32], NDArray[np.int64]]) -> WordGrams:
        """Cut words into runs of four letters, their ends counted as letters; shorter words are one run.

        Args:
            hashes: by code. points: of the words by code, as of `flat_points`.
        """
        sizes = np.maximum(np.diff(points[1]) + 2 - GRAM + 1, 1)
        starts = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        members = np.empty(starts[-1], dtype=np.uint64)
        fill_grams(points[0], points[1], starts, members)
        return cls(hashes, starts, members)

    @classmethod
    def without(cls, hashes: NDArray[np.uint64]) -> WordGrams:
        """Words alone."""
        return cls(hashes, np.zeros(len(hashes) + 1, dtype=np.int64), np.zeros(0, dtype=np.uint64))


@kernel
def fill_grams(
    points: NDArray[np.uint32], word_starts: NDArray[np.int64], starts: NDArray[np.int64], out: NDArray[np.uint64]
) -> None:
    """Hash each run of letters of each word."""
    for word in range(len(starts) - 1):
        begin = word_starts[word]
        length = word_starts[word + 1] - begin + 2
        for first in range(starts[word + 1] - starts[word]):
            state = _GRAM_SEED
            for place in range(first, min(first + GRAM, length)):
                inside = 0 < place < length - 1
                state = splitmix(state ^ (np.uint64(points[begin + place - 1]) if inside else _EDGE))
            out[starts[word] + first] = state


def nearest_texts(
    words: NDArray[np.uint32],
    layout: Layout,
    rule: PassSpec,
    grams: WordGrams,
    boundaries: Boundaries,
    pool: Executor,
) -> Nearest:
    """The pairs of a pass `top: k`.

    Args:
        words: all records. grams: of the words by code, without runs of letters where the pass asks for none.
        boundaries: texts meet those of other sources alone, and k of all these together.
    Cost: some 10 us and 600 bytes a text of eight words with runs of letters, a third with words alone.
    """
    places = np.array([layout.offset[field] for field in rule.fields], dtype=np.int64)
    texts = texts_of(words, places, boundaries)
    features = features_of(words, places, texts, grams)
    spans = [(lo, min(lo + RANGE_TEXTS, len(texts.rows))) for lo in range(0, len(texts.rows), RANGE_TEXTS)]
    found = pool.map(lambda span: _search(span, texts, features, rule.top or 1, linked=len(boundaries) > 0), spans)
    every = list(found)
    left = np.concatenate([np.repeat(np.arange(*span), rule.top or 1) for span in spans] or [np.zeros(0, np.int64)])
    right = np.concatenate([near.ravel() for near, _ in every] or [np.zeros(0, np.int64)])
    met = right >= 0
    ends = texts.rows[left[met]], texts.rows[right[met]]
    keys = np.unique(np.minimum(*ends).astype(np.uint64) << np.uint64(32) | np.maximum(*ends).astype(np.uint64))
    rows = np.stack([keys >> np.uint64(32), keys & np.uint64(0xFFFFFFFF)], axis=1).astype(np.uint32).ravel()
    depth = np.tile(np.array([0, SAME], dtype=np.uint8), len(keys))
    return Nearest(Blocks(rows, depth), sum(n_seen for _, n_seen in every) - int(met.sum()))


def texts_of(words: NDArray[np.uint32], places: NDArray[np.int64], boundaries: Boundaries) -> Texts:
    """The distinct texts of all records; those without a word are none."""
    names, sources = np.zeros(len(words), dtype=np.uint64), source_numbers(np.arange(len(words)), boundaries)
    name_texts(words, places, names)
    rows = np.flatnonzero(names)
    order = rows[np.lexsort((record_hashes(words)[rows], sources[rows], names[rows]))]
    first = np.ones(len(order), dtype=np.bool_)
    first[1:] = (names[order[1:]] != names[order[:-1]]) | (sources[order[1:]] != sources[order[:-1]])
    chosen = order[first]
    return Texts(chosen, sources[chosen], names[chosen])


@kernel
def name_texts(words: NDArray[np.uint32], places: NDArray[np.int64], out: NDArray[np.uint64]) -> None:
    """out[row] = hash of the texts at some places; 0 where none has a word."""
    for row in range(len(out)):
        state, any_word = np.uint64(0), np.uint32(0)
        for at in places:
            any_word |= words[row, at]
            whole = np.uint64(words[row, at + HASH_WORD]) << np.uint64(32) | np.uint64(words[row, at + SIGNATURE_WORD])
            state = combine(state, whole ^ splitmix(np.uint64(words[row, at + SIGNATURE_WORD + 1])))
        out[row] = state if any_word != 0 else np.uint64(0)


def features_of(words: NDArray[np.uint32], places: NDArray[np.int64], texts: Texts, grams: WordGrams) -> Features:
    """The features of each text that stand in others too, and the lists of all features, each text in a list once."""
    starts = np.zeros(len(texts.rows) + 1, dtype=np.int64)
    count_features(words, places, texts.rows, grams.starts, starts)
    hashes, is_gram = np.empty(starts[-1], dtype=np.uint64), np.empty(starts[-1], dtype=np.bool_)
    fill_features(words, places, texts.rows, (grams.words, grams.starts, grams.members), starts, (hashes, is_gram))
    # What a text has twice is written once, so the end is empty.
    hashes = hashes[: starts[-1]]
    _, places_of, n_texts = np.unique(hashes, return_inverse=True, return_counts=True)
    del hashes
    idf = np.log1p(len(texts.rows) / n_texts).astype(np.float64)
    weights = np.zeros(starts[-1], dtype=np.float32)
    numbers: NDArray[np.uint32] = places_of.astype(np.uint32)
    kept = starts.copy()
    weigh_features((starts, kept), numbers, is_gram, (idf, n_texts), weights)
    list_starts = np.concatenate([[0], np.cumsum(np.where(n_texts <= LIST_MAX, n_texts, 0))]).astype(np.int64)
    listed, of_texts = np.empty(list_starts[-1], dtype=np.float32), np.empty(list_starts[-1], dtype=np.uint32)
    fill_lists(kept, numbers, weights, list_starts, (of_texts, listed))
    n_kept = kept[-1]
    return Features(kept, numbers[:n_kept].copy(), weights[:n_kept].copy(), list_starts, of_texts, listed)


@kernel
def list_codes(words: NDArray[np.uint32], row: np.int64, places: NDArray[np.int64], out: NDArray[np.uint32]) -> int:
    """Write the codes of the words of a record's texts; returns how many."""
    n_codes = 0
    for at in places:
        for place in range(at, at + WORDS_KEPT):
            code = words[row, place] >> np.uint32(FLAG_BITS)
            out[n_codes] = code
            n_codes += int(code != 0)
    return n_codes


@kernel
def count_features(
    words: NDArray[np.uint32], places: NDArray[np.int64], rows: NDArray[np.int64], gram_starts: NDArray[np.int64],
    starts: NDArray[np.int64],
) -> None:  # fmt: skip
    """starts[t + 1] = features of the first t texts, those that a text has twice counted twice."""
    codes = np.empty(len(places) * WORDS_KEPT + 1, dtype=np.uint32)
    for text in range(len(rows)):
        n_found = 0
        for code in codes[: list_codes(words, rows[text], places, codes)]:
            n_found += 1 + gram_starts[code + 1] - gram_starts[code]
        starts[text + 1] = starts[text] + n_found


@kernel
def fill_features(
    words: NDArray[np.uint32], places: NDArray[np.int64], rows: NDArray[np.int64],
    grams: tuple[NDArray[np.uint64], NDArray[np.int64], NDArray[np.uint64]], starts: NDArray[np.int64],
    found: tuple[NDArray[np.uint64], NDArray[np.bool_]],
) -> None:  # fmt: skip
    """Write the features of each text once, closing up `starts`; found = (hash, whether it is a run of letters)."""
    word_hashes, gram_starts, members = grams
    hashes, is_gram = found
    codes = np.empty(len(places) * WORDS_KEPT + 1, dtype=np.uint32)
    n_kept, begin = 0, np.int64(0)
    for text in range(len(rows)):
        room = np.empty(starts[text + 1] - begin, dtype=np.uint64)
        n_words = list_codes(words, rows[text], places, codes)
        n_found = n_words
        for word in range(n_words):
            room[word] = word_hashes[codes[word]]
            for gram in range(gram_starts[codes[word]], gram_starts[codes[word] + 1]):
                room[n_found] = members[gram]
                n_found += 1
        room[:n_words].sort()
        room[n_words:].sort()
        begin = starts[text + 1]
        for at in range(n_found):
            if at in (0, n_words) or room[at] != room[at - 1]:
                hashes[n_kept], is_gram[n_kept] = room[at], at >= n_words
                n_kept += 1
        starts[text + 1] = n_kept


@kernel
def weigh_features(
    spans: tuple[NDArray[np.int64], NDArray[np.int64]], numbers: NDArray[np.uint32], is_gram: NDArray[np.bool_],
    counts: tuple[NDArray[np.float64], NDArray[np.int64]], weights: NDArray[np.float32],
) -> None:  # fmt: skip
    """Weigh the features of each text, and keep those of few texts and of more than one, the rarest first, in place.

    Args:
        spans: where the features of each text begin, before and (written) after.
        counts: weight of each feature, and in how many texts it stands.
    """
    (starts, kept), (idf, n_texts) = spans, counts
    n_kept = 0
    for text in range(len(starts) - 1):
        squares = np.zeros(2)
        for at in range(starts[text], starts[text + 1]):
            squares[int(is_gram[at])] += idf[numbers[at]] ** 2
        halves = 2.0 if squares[0] > 0 and squares[1] > 0 else 1.0
        mine = numbers[starts[text] : starts[text + 1]].copy()
        grams = is_gram[starts[text] : starts[text + 1]].copy()
        order = np.argsort(n_texts[mine], kind="mergesort")
        for place in order:
            number = mine[place]
            if 1 < n_texts[number] <= LIST_MAX:
                numbers[n_kept] = number
                weights[n_kept] = idf[number] / np.sqrt(squares[int(grams[place])] * halves)
                n_kept += 1
        kept[text + 1] = n_kept


@kernel
def fill_lists(
    starts: NDArray[np.int64], numbers: NDArray[np.uint32], weights: NDArray[np.float32],
    list_starts: NDArray[np.int64], out: tuple[NDArray[np.uint32], NDArray[np.float32]],
) -> None:  # fmt: skip
    """Write the texts of each feature, ascending, and its weight in each."""
    ends = list_starts[:-1].copy()
    texts, listed = out
    for text in range(len(starts) - 1):
        for at in range(starts[text], starts[text + 1]):
            place = ends[numbers[at]]
            texts[place], listed[place] = text, weights[at]
            ends[numbers[at]] += 1


def _search(
    span: tuple[int, int], texts: Texts, features: Features, k: int, *, linked: bool
) -> tuple[NDArray[np.int64], int]:
    near = np.full((span[1] - span[0], k), -1, dtype=np.int64)
    return near, int(find_nearest(span, texts, features, linked, near))


@kernel
def find_nearest(span: tuple[int, int], texts: Texts, features: Features, linked: bool, near: NDArray[np.int64]) -> int:
    """The k nearest of each text of a span, (n, k), -1 behind the last; returns how many had something in common."""
    names, n_seen = texts.names, 0
    # A place more: what is written and not counted.
    scores, touched = np.zeros(len(names), dtype=np.float32), np.empty(POSTINGS_MAX + 1, dtype=np.int64)
    best = np.empty(near.shape[1], dtype=np.float32)
    for text in range(span[0], span[1]):
        n_touched = add_lists(text, texts, features, linked, scores, touched)
        mine, n_best = near[text - span[0]], 0
        for other in touched[:n_touched]:
            n_best = enter(other, scores[other], n_best, names, mine, best)
            scores[other] = 0
        n_seen += n_touched
    return n_seen


@kernel
def add_lists(
    text: np.int64, texts: Texts, features: Features, linked: bool, scores: NDArray[np.float32],
    touched: NDArray[np.int64],
) -> int:  # fmt: skip
    """Add what a text has in common with each other to `scores`; returns how many were `touched`."""
    starts, numbers, weights, list_starts, others, listed = features
    n_read, n_touched = 0, 0
    for at in range(starts[text], starts[text + 1]):
        begin, end = list_starts[numbers[at]], list_starts[numbers[at] + 1]
        n_read += end - begin
        if n_read > POSTINGS_MAX:
            break
        for place in range(begin, end):
            other = np.int64(others[place])
            if other != text and not (linked and texts.sources[other] == texts.sources[text]):
                touched[n_touched] = other
                n_touched += int(scores[other] == 0)
                scores[other] += weights[at] * listed[place]
    return n_touched


@kernel
def enter(
    other: np.int64, score: np.float32, n_best: int, names: NDArray[np.uint64], near: NDArray[np.int64],
    best: NDArray[np.float32],
) -> int:  # fmt: skip
    """Give a text its place among the nearest so far, if it has one; returns how many there are."""
    k = len(near)
    if n_best == k and not goes_before(score, names[other], best[k - 1], names[near[k - 1]]):
        return n_best
    place = n_best if n_best < k else k - 1
    while place > 0 and goes_before(score, names[other], best[place - 1], names[near[place - 1]]):
        near[place], best[place] = near[place - 1], best[place - 1]
        place -= 1
    near[place], best[place] = other, score
    return min(n_best + 1, k)


@kernel
def goes_before(score: np.float32, name: np.uint64, other: np.float32, other_name: np.uint64) -> bool:
    """Whether a text is nearer than another, or as near and first by name."""
    return bool(score > other or (score == other and name < other_name))
