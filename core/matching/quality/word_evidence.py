"""How the words of two texts stand to each other: equal, one standing for another, left over; each with its weight."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import log

import numpy as np
import polars as pl
from numpy.typing import NDArray

from core.matching.compare.words.overlap import is_free, room_for_leftovers, split_equal, stand_ins, take
from core.matching.records.layout import Layout
from core.matching.records.words.text_records import WORDS_KEPT
from core.matching.records.words.texts import number_texts
from core.matching.records.words.token_table import FLAG_BITS, KnownWords, TokenArrays, code_words
from core.matching.text.hashing import flat_points
from core.matching.text.tokens import CODE, NUMBER, token_kind

Weighed = tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class WordEvidence:
    """Words with their weight in bits, the rarest first; of words that stand for each other the similarity between.

    Words that are two of the other text written together stand as `face book`.
    """

    equal: Weighed
    near: tuple[tuple[str, str, float, float], ...]
    left_over_a: Weighed
    left_over_b: Weighed

    def to_lines(self) -> list[str]:
        """In plain text, one line each for what there is."""
        near = ", ".join(f"{a} ~ {b} {likeness:.2f} ({bits:.1f})" for a, b, likeness, bits in self.near)
        parts = [
            ("equal", _listed(self.equal)),
            ("near", near),
            ("left over", f"{_listed(self.left_over_a) or '(none)'} / {_listed(self.left_over_b) or '(none)'}"),
        ]
        alike = not self.left_over_a and not self.left_over_b
        return [f"{name} {text}" for name, text in parts if text and not (alike and name == "left over")]


def _listed(words: Weighed) -> str:
    return ", ".join(f"{word} ({bits:.1f})" for word, bits in words)


def word_evidence(
    values: pl.DataFrame, words: NDArray[np.uint32], tokens: TokenArrays, layout: Layout, known: KnownWords | None
) -> dict[str, WordEvidence]:
    """By field of kind `words`, where both of two records have a text.

    Args:
        values: the two records, normalised. words, tokens: as `pack` made them of these. known: as it was given.
    """
    texts = [[number_texts(values[field.name])[1]] for field in layout.worded]
    spelt = code_words(texts, known=known)[0].words.to_list()
    spans = {field.name: layout.words_of(field.name) for field in layout.worded}
    return {
        name: _evidence(words, span.start, tokens, spelt) for name, span in spans.items() if words[:, span].any(1).all()
    }


def _evidence(words: NDArray[np.uint32], at: int, tokens: TokenArrays, spelt: list[str]) -> WordEvidence:
    room = room_for_leftovers()
    _, n_left, n_right = split_equal(words, (0, 1), at, tokens.weights, room.left, room.right)
    n_found = stand_ins((n_left, n_right), tokens, room)
    order = sorted(range(n_found), key=lambda found: (-room.gains[found], room.names[found]))
    before = room.left.copy(), room.right.copy()
    near = []
    for found in order:
        if not is_free(room, found):
            continue
        place_a, place_b, second = room.places[found].tolist()
        a, b = (spelt[int(side[place]) >> FLAG_BITS] for side, place in zip(before, (place_a, place_b), strict=True))
        if second >= WORDS_KEPT:
            a = f"{a} {spelt[int(before[0][second - WORDS_KEPT]) >> FLAG_BITS]}"
        elif second >= 0:
            b = f"{b} {spelt[int(before[1][second]) >> FLAG_BITS]}"
        codes = [int(before[0][place_a]) >> FLAG_BITS, int(before[1][place_b]) >> FLAG_BITS]
        near.append((a, b, _likeness(tokens, codes) if second < 0 else 1.0, _bits(float(room.gains[found]))))
        take(room, found)
    mine, other = ((words[row, at : at + WORDS_KEPT] >> np.uint32(FLAG_BITS)).tolist() for row in (0, 1))
    equal = [code for code in other if code and code in mine]
    left, right = room.left[:n_left], room.right[:n_right]
    over = [[int(word) >> FLAG_BITS for word in side if word] for side in (left, right)]
    weighed = [tuple((spelt[code], _bits(float(tokens.weights[code]))) for code in codes) for codes in (equal, *over)]
    return WordEvidence(weighed[0], tuple(near), weighed[1], weighed[2])


def _likeness(tokens: TokenArrays, codes: list[int]) -> float:
    a, b = codes
    span = slice(int(tokens.starts[a]), int(tokens.starts[a + 1]))
    there = (tokens.others[span] == b) & (tokens.seconds[span] == 0)
    return float(tokens.similarities[span][there].max())


def _bits(nats: float) -> float:
    return nats / log(2.0)


def marked_words(text: str | None, mark: str) -> str | None:
    """The codes or the numbers of a normalised text; None where it has none."""
    words = (text or "").split()
    points, starts = flat_points(pl.Series(words, dtype=pl.String))
    wanted = _KINDS[mark]
    found = [word for at, word in enumerate(words) if token_kind(points, starts[at], starts[at + 1]) == wanted]
    return " ".join(found) or None


_KINDS: Mapping[str, int] = {"codes": CODE, "numbers": NUMBER}
