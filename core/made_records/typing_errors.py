"""Slips of typing, reading and hearing on many strings at once.

Strings are rows of a byte matrix: (n, width) uint8, ASCII, filled with zeros behind the last letter. An edit is then
index arithmetic on the whole matrix.
"""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from core.made_records.draws import Draws, cumulative

Bytes = NDArray[np.uint8]
Ints = NDArray[np.int64]

_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_KEYBOARD = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
_LOOKS_LIKE = {
    "l": "1",
    "o": "0",
    "e": "c",
    "c": "e",
    "u": "v",
    "v": "u",
    "i": "l",
    "n": "h",
    "h": "n",
    "s": "5",
    "b": "6",
}
_SOUNDS_LIKE = tuple(
    (pair.split(">")[0], pair.split(">")[1])
    for pair in """
ph>f ck>k ie>ei ei>ie ee>ea ll>l nn>n tt>t ss>s sch>sh th>t y>ie c>k k>c z>s s>z son>sen er>ar ai>ay ou>u gh>g v>w d>t
i>y
""".split()
)
# substitution by a neighbour key, insertion, deletion, transposition, misreading, mishearing
_SLIPS = cumulative(np.array([30.0, 17, 20, 14, 9, 10]))


def _neighbour_table() -> Bytes:
    """(256, 4) keys beside each letter, its own case; other characters have themselves."""
    table = np.repeat(np.arange(256, dtype=np.uint8)[:, None], 4, axis=1)
    for row, keys in enumerate(_KEYBOARD):
        for column, key in enumerate(keys):
            near = [(row, column - 1), (row, column + 1), (row + 1, column), (row - 1, column), (row - 1, column + 1)]
            found = [_KEYBOARD[r][c] for r, c in near if 0 <= r < 3 and 0 <= c < len(_KEYBOARD[r])]
            for case in (str.lower, str.upper):
                table[ord(case(key))] = [ord(case(found[k % len(found)])) for k in range(4)]
    for digit in range(10):
        table[48 + digit] = [48 + (digit + step) % 10 for step in (1, 9, 3, 7)]
    return table


def _look_table() -> Bytes:
    table = np.arange(256, dtype=np.uint8)
    for letter, other in _LOOKS_LIKE.items():
        table[ord(letter)] = ord(other)
    return table


_NEIGHBOURS = _neighbour_table()
_LOOKS = _look_table()


def to_bytes(texts: pl.Series, width: int) -> Bytes:
    """Strings as a byte matrix; null is the empty string, what exceeds the width is cut."""
    padded = texts.fill_null("").str.slice(0, width).str.pad_end(width, "\0")
    flat = padded.str.join("")[0].encode("ascii") if len(texts) else b""
    return np.frombuffer(flat, dtype=np.uint8).reshape(len(texts), width).copy()


def to_texts(matrix: Bytes) -> pl.Series:
    """The inverse of `to_bytes`; empty strings become null. No letter may be a line feed."""
    if not len(matrix):
        return pl.Series([], dtype=pl.String)
    lines = np.concatenate((matrix, np.full((len(matrix), 1), 10, dtype=np.uint8)), axis=1).reshape(-1)
    text = lines[lines != 0].tobytes()[:-1].decode("ascii")
    texts = pl.Series([text]).str.split("\n").explode(empty_as_null=False, keep_nulls=False)
    return texts.to_frame("text").select(pl.when(pl.col("text") != "").then(pl.col("text"))).to_series()


def lengths(matrix: Bytes) -> Ints:
    """(n,) letters of each string."""
    counts: Ints = np.count_nonzero(matrix, axis=1).astype(np.int64)
    return counts


def delete_at(matrix: Bytes, position: Ints) -> Bytes:
    """Without the letter at each row's position."""
    width = matrix.shape[1]
    columns = np.arange(width)[None, :]
    source = np.minimum(columns + (columns >= position[:, None]), width - 1)
    out = np.take_along_axis(matrix, source, axis=1)
    out[:, -1] = 0
    return out


def insert_at(matrix: Bytes, position: Ints, letter: Bytes) -> Bytes:
    """With a letter more before each row's position; a full row loses its last letter."""
    columns = np.arange(matrix.shape[1])[None, :]
    source = columns - (columns > position[:, None])
    out = np.take_along_axis(matrix, source, axis=1)
    out[np.arange(len(matrix)), position] = letter
    return out


def swap_at(matrix: Bytes, position: Ints) -> Bytes:
    """With the letters at the position and behind it exchanged."""
    out = matrix.copy()
    rows = np.arange(len(matrix))
    out[rows, position], out[rows, position + 1] = matrix[rows, position + 1], matrix[rows, position]
    return out


def slip(matrix: Bytes, keys: Ints, draws: Draws, name: str) -> Bytes:
    """One slip in each string of two letters or more; nearly all differ then (a swap of equal letters does not)."""
    kind = draws.pick(f"{name} kind", keys, _SLIPS)
    out = matrix.copy()
    length = lengths(matrix)
    # The first letter is mistaken more rarely than the others.
    position = draws.below(f"{name} at", keys, np.maximum(length, 1))
    again = (position == 0) & draws.flag(f"{name} again", keys, 0.6)
    position = np.where(again, np.minimum(1, np.maximum(length - 1, 0)), position)
    choice = draws.below(f"{name} choice", keys, 4)
    rows = np.flatnonzero((kind == 0) | (kind == 4))
    letters = matrix[rows, position[rows]]
    near = _NEIGHBOURS[letters, choice[rows]]
    read = _LOOKS[letters]
    out[rows, position[rows]] = np.where((kind[rows] == 4) & (read != letters), read, near)
    rows = np.flatnonzero(kind == 1)
    # What is inserted is the key pressed twice, or one beside it.
    pressed = matrix[rows, position[rows]]
    out[rows] = insert_at(matrix[rows], position[rows], _beside(pressed, choice[rows]))
    rows = np.flatnonzero((kind == 2) & (length > 2))
    out[rows] = delete_at(matrix[rows], position[rows])
    rows = np.flatnonzero((kind == 3) & (length > 1))
    out[rows] = swap_at(matrix[rows], np.minimum(position[rows], length[rows] - 2))
    rows = np.flatnonzero(kind == 5)
    out[rows] = mishear(matrix[rows], keys[rows], draws, name)
    return out


def _beside(letters: Bytes, choice: Ints) -> Bytes:
    near = np.where(choice == 0, letters, _NEIGHBOURS[letters, choice])
    # An insertion is a small letter even beside a capital.
    small = np.where((near >= 65) & (near <= 90), near + 32, near)
    return np.where(small == 0, ord("e"), small).astype(np.uint8)


def mishear(matrix: Bytes, keys: Ints, draws: Draws, name: str) -> Bytes:
    """Replace one sound by a like one; where no sound fits, a letter by its neighbour."""
    if not len(matrix):
        return matrix
    start = draws.below(f"{name} sound", keys, len(_SOUNDS_LIKE))
    # Strings of Python: few are misheard, and a chain of two dozen column expressions costs more than the loop.
    heard = [_misheard(text, rule) for text, rule in zip(to_texts(matrix).fill_null(""), start.tolist(), strict=True)]
    done = pl.Series(heard, dtype=pl.String)
    out = to_bytes(done, matrix.shape[1])
    same = np.flatnonzero((out == matrix).all(axis=1))
    last = np.maximum(lengths(matrix[same]) - 1, 0)
    out[same, last] = _NEIGHBOURS[matrix[same, last], 0]
    return out


def _misheard(text: str, rule: int) -> str:
    """Two tries: the drawn rule, then the one behind it."""
    for step in range(2):
        sound, other = _SOUNDS_LIKE[(rule + step) % len(_SOUNDS_LIKE)]
        if sound in text:
            return text.replace(sound, other, 1)
    return text


def slip_digit(matrix: Bytes, keys: Ints, draws: Draws, name: str) -> Bytes:
    """One digit of each string wrong (three in four) or two neighbouring digits exchanged; without digits unchanged."""
    out = matrix.copy()
    digit = (matrix >= 48) & (matrix <= 57)
    count = digit.sum(axis=1)
    rank = draws.below(f"{name} digit", keys, np.maximum(count, 1))
    nth = np.cumsum(digit, axis=1) - 1
    chosen = np.argmax(digit & (nth == rank[:, None]), axis=1)
    following = np.argmax(digit & (nth == rank[:, None] + 1), axis=1)
    rows = np.arange(len(matrix))
    here, there = matrix[rows, chosen], matrix[rows, following]
    swap = draws.flag(f"{name} swap", keys, 0.25) & (rank + 1 < count) & (here != there)
    wrong = _NEIGHBOURS[here, draws.below(f"{name} wrong", keys, 4)]
    has = count > 0
    out[rows[has], chosen[has]] = np.where(swap, there, wrong)[has]
    swapped = has & swap
    out[rows[swapped], following[swapped]] = here[swapped]
    return out
