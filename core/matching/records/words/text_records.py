"""The record of a text: its rarest words, what they weigh, and what is known of all of them.

words 0 to 15   the sixteen rarest words, ascending: code above four bits of flags; 0 behind the last
word 16         weight of these sixteen, float32
words 17, 18    a signature of runs of four letters
word 19         hash of the set of all words, never 0
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from core.matching.jit import kernel
from core.matching.records.layout import Layout
from core.matching.records.words.texts import Texts
from core.matching.records.words.token_table import (
    FLAG_BITS,
    TokenArrays,
    TokenMarks,
    TokenTable,
    WordRules,
    code_words,
)

WORDS_KEPT = 16
WEIGHT_WORD, SIGNATURE_WORD, HASH_WORD = 16, 17, 19
TEXT_WORDS = 20
_S32, _LOW = np.uint64(32), np.uint64(0xFFFFFFFF)


def text_records(
    starts: NDArray[np.int64], members: NDArray[np.uint32], codes: NDArray[np.uint32], marks: TokenMarks
) -> NDArray[np.uint32]:
    """Records of the texts of a range, (T + 1, TEXT_WORDS); of number 0, which is no text, all zero.

    Args:
        starts, members: of `Texts`. codes: of the range's words by number, as `code_words` gives them.
    """
    out = np.zeros((len(starts), TEXT_WORDS), dtype=np.uint32)
    fill_texts(codes[members], starts, marks, out[1:])
    return out


def n_cut(starts: NDArray[np.int64], numbers: NDArray[np.uint32]) -> int:
    """How many rows have a text of more words than a record keeps."""
    sizes = np.append(np.int64(0), np.diff(starts))
    return int((sizes[numbers] > WORDS_KEPT).sum())


@kernel
def fill_texts(
    codes: NDArray[np.uint32], starts: NDArray[np.int64], marks: TokenMarks, out: NDArray[np.uint32]
) -> None:
    """Fill the record of each text; codes: of the words of all of them."""
    weight = np.zeros(1, dtype=np.float32)
    weight_bits = weight.view(np.uint32)
    for text in range(len(out)):
        mine = np.sort(codes[starts[text] : starts[text + 1]])
        signature, total, sum_kept = np.uint64(0), np.uint64(0), 0.0
        for place in range(len(mine)):
            code = mine[place]
            signature |= marks.grams[code]
            total += marks.hashes[code]
            if place < WORDS_KEPT:
                out[text, place] = code << np.uint32(FLAG_BITS) | np.uint32(marks.flags[code])
                sum_kept += np.float64(marks.weights[code])
        weight[0] = sum_kept
        out[text, WEIGHT_WORD] = weight_bits[0]
        out[text, SIGNATURE_WORD] = np.uint32(signature & _LOW)
        out[text, SIGNATURE_WORD + 1] = np.uint32(signature >> _S32)
        out[text, HASH_WORD] = max(np.uint32((total ^ total >> _S32) & _LOW), np.uint32(1))


def put_texts(words: NDArray[np.uint32], layout: Layout, records: Mapping[str, NDArray[np.uint32]]) -> None:
    """Replace the number of each text, which stands in the first word of its field, by its record, in place."""
    for name, of_field in records.items():
        words[:, layout.words_of(name)] = of_field[words[:, layout.offset[name]]]


def pack_texts(
    words: NDArray[np.uint32], layout: Layout, texts: Mapping[str, Texts], rules: WordRules
) -> tuple[TokenTable, TokenArrays]:
    """`put_texts` with the words of exactly these texts, of which there is one range; returns the words."""
    names = [field.name for field in layout.worded]
    table, codes = code_words([[texts[name]] for name in names], known=rules.known)
    tokens = rules.near(table)
    marks = table.marks(tokens)
    records = {
        name: text_records(texts[name].starts, texts[name].members, of_field, marks)
        for name, (of_field,) in zip(names, codes, strict=True)
    }
    put_texts(words, layout, records)
    return table, tokens
