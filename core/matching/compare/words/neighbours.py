"""Which words of a data set may stand for each other: a slip, a shorter form, one written in two. Found once.

Words meet that share their first three letters, their last three, the first and the last two, or the first two and the
last. Of many that share them the rarest and the most frequent are compared: slips are rare, and slips of something.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.matching.compare.words.spelling import Words, short_form, similarity_of
from core.matching.jit import kernel
from core.matching.records.words.token_table import TokenArrays, TokenTable
from core.matching.text.hashing import hash_span, splitmix
from core.matching.text.string_views import Spread
from core.matching.text.tokens import CODE, NUMBER, WORD, token_kind

BUCKET_MAX = 400
NEAR_MAX = 24
"""Words that may stand for one word, the most similar first."""
PARTS_MIN = 3
JOINTS_MAX = 4
"""Ways in which one word may be written as two."""
SLIP_KEYS = 4
_ROOM = 1 << 20
_ZERO, _S6 = np.uint64(0), np.uint64(63)
_ONE, _S8, _S32, _S40, _S48 = np.uint64(1), np.uint64(8), np.uint64(32), np.uint64(40), np.uint64(48)


class Pairs(NamedTuple):
    """Room for pairs of words."""

    left: NDArray[np.uint32]
    right: NDArray[np.uint32]
    similarities: NDArray[np.float32]


def near_words(table: TokenTable, spread: Spread = map) -> TokenArrays:
    """Find what may stand for each word of a data set.

    Args:
        spread: calls a function on parts of the work; which one changes nothing.
    Cost: some 20 us a word at a hundred thousand words.
    """
    points, starts = table.flat
    kinds, letters = np.zeros(len(table), dtype=np.uint8), np.zeros(len(table), dtype=np.uint64)
    words = Words(points, starts, table.fields, kinds, letters)
    fill_kinds(words)
    found = [*spread(lambda key: _of_key(words, key), range(SLIP_KEYS + 1))]
    left, right, similarities = (np.concatenate(each) for each in zip(*found, strict=True))
    low, high = np.minimum(left, right), np.maximum(left, right)
    # The most similar first; the codes settle ties, so that no order of keys does.
    order = np.lexsort((high, low, -similarities))
    pairs = Pairs(low[order], high[order], similarities[order])
    kept = keep_best(pairs, np.zeros(len(table), dtype=np.uint32))
    whole, first, second = _joints(words)
    codes = np.concatenate([pairs.left[kept], pairs.right[kept], whole])
    others = np.concatenate([pairs.right[kept], pairs.left[kept], first])
    seconds = np.concatenate([np.zeros(2 * len(kept), dtype=np.uint32), second])
    likeness = np.concatenate([pairs.similarities[kept]] * 2 + [np.ones(len(whole), dtype=np.float32)])
    order = np.lexsort((seconds, others, codes))
    ends = np.searchsorted(codes[order], np.arange(len(table) + 1), side="left")
    reach = np.zeros((len(table), 2), dtype=np.uint64)
    np.bitwise_or.at(reach, (codes, others & np.uint32(1)), _ONE << ((others >> np.uint32(1)).astype(np.uint64) & _S6))
    near = others[order], seconds[order], likeness[order]
    return TokenArrays(table.weights, reach, ends.astype(np.int64), *near, table.rare_keys())


def _of_key(words: Words, key: int) -> tuple[NDArray[np.uint32], NDArray[np.uint32], NDArray[np.float32]]:
    """Pairs that share one of the keys; the last key is that of short forms."""
    keys = np.zeros(len(words.kinds), dtype=np.uint64)
    fill_word_keys(words, key, keys)
    order = np.argsort(keys, kind="stable").astype(np.uint32)
    ordered = keys[order]
    borders = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1], [True]]))
    room = Pairs(np.empty(_ROOM, np.uint32), np.empty(_ROOM, np.uint32), np.empty(_ROOM, np.float32))
    parts = [(room.left[:0], room.right[:0], room.similarities[:0])]
    bucket = int(ordered[0] == _ZERO) if len(ordered) else 0
    while bucket < len(borders) - 1:
        bucket, n_found = compare_buckets(words, (order, borders), bucket, key == SLIP_KEYS, room)
        parts.append((room.left[:n_found].copy(), room.right[:n_found].copy(), room.similarities[:n_found].copy()))
    left, right, similarities = (np.concatenate(each) for each in zip(*parts, strict=True))
    return left, right, similarities


@kernel
def fill_kinds(words: Words) -> None:
    """The kind and the letters of each word."""
    for code in range(1, len(words.kinds)):
        begin, end = words.starts[code], words.starts[code + 1]
        words.kinds[code] = token_kind(words.points, begin, end)
        for at in range(begin, end):
            words.letters[code] |= _ONE << np.uint64(words.points[at] & np.uint32(63))


@kernel
def fill_word_keys(words: Words, key: int, out: NDArray[np.uint64]) -> None:
    """One of the keys of each word, its field and kind in it; 0 for numbers and words of fewer than three letters."""
    points = words.points
    for code in range(1, len(out)):
        begin, end = words.starts[code], words.starts[code + 1]
        kind = words.kinds[code]
        # Codes stand for each other by how they begin and end, and by nothing else.
        if end - begin < 3 or kind == NUMBER or (kind == CODE and key > 1):
            continue
        if key == 0:
            a, b, c = points[begin], points[begin + 1], points[begin + 2]
        elif key == 1:
            a, b, c = points[end - 3], points[end - 2], points[end - 1]
        elif key == 2:
            a, b, c = points[begin], points[end - 2], points[end - 1]
        elif key == 3:
            a, b, c = points[begin], points[begin + 1], points[end - 1]
        else:
            a, b, c = points[begin], np.uint32(0), points[end - 1]
        apart = np.uint64(words.fields[code]) << _S40 | np.uint64(kind) << _S48
        state = splitmix(np.uint64(a) | np.uint64(b) << _S32) ^ np.uint64(c) ^ apart
        out[code] = splitmix(state) | _ONE


@kernel
def place_in_bucket(number: int, size: int) -> int:
    """Where the member of a bucket stands that is compared as number `number`: rare ones, then frequent ones."""
    return number if size <= BUCKET_MAX or number < BUCKET_MAX // 2 else size - BUCKET_MAX + number


@kernel
def longest_of(starts: NDArray[np.int64]) -> int:
    """Letters of the longest word."""
    longest = 0
    for code in range(len(starts) - 1):
        longest = max(longest, int(starts[code + 1] - starts[code]))
    return longest


@kernel
def compare_member(
    words: Words, bucket: NDArray[np.uint32], member: int, shortened: bool,
    state: tuple[int, NDArray[np.int32]], room: Pairs,
) -> int:  # fmt: skip
    """Compare one word of a bucket with those after it; returns how many pairs were found by now.

    Args:
        state: how many were found before, and scratch of `osa_within`.
    """
    n_found, rows = state
    a = bucket[place_in_bucket(member, len(bucket))]
    for other in range(member + 1, min(len(bucket), BUCKET_MAX)):
        b = bucket[place_in_bucket(other, len(bucket))]
        similarity = short_form(words, a, b) if shortened else similarity_of(words, a, b, rows)
        if similarity > 0.0:
            room.left[n_found], room.right[n_found] = a, b
            room.similarities[n_found] = similarity
            n_found += 1
    return n_found


@kernel
def compare_buckets(
    words: Words, buckets: tuple[NDArray[np.uint32], NDArray[np.int64]], first: int, shortened: bool, room: Pairs
) -> tuple[int, int]:
    """Compare the words of buckets from `first` on, as long as there is room for all pairs of one more.

    Returns:
        The bucket to go on with, and how many pairs were found.
    """
    order, borders = buckets
    n_found, bucket = 0, first
    rows = np.empty(3 * (longest_of(words.starts) + 2), dtype=np.int32)
    while bucket < len(borders) - 1:
        start, size = borders[bucket], borders[bucket + 1] - borders[bucket]
        n_members = min(size, BUCKET_MAX)
        if n_found + n_members * (n_members - 1) // 2 > len(room.left):
            break
        for member in range(n_members - 1):
            n_found = compare_member(words, order[start : start + size], member, shortened, (n_found, rows), room)
        bucket += 1
    return bucket, n_found


@kernel
def keep_best(pairs: Pairs, counts: NDArray[np.uint32]) -> NDArray[np.int64]:
    """Places of the pairs that are kept: each once, and of each word no more than NEAR_MAX; the best come first."""
    kept = np.empty(len(pairs.left), dtype=np.int64)
    n_kept = 0
    for at in range(len(pairs.left)):
        a, b = pairs.left[at], pairs.right[at]
        if at > 0 and pairs.left[at - 1] == a and pairs.right[at - 1] == b:
            continue
        if counts[a] < NEAR_MAX and counts[b] < NEAR_MAX:
            counts[a] += np.uint32(1)
            counts[b] += np.uint32(1)
            kept[n_kept] = at
            n_kept += 1
    return kept[:n_kept].copy()


def _joints(words: Words) -> tuple[NDArray[np.uint32], NDArray[np.uint32], NDArray[np.uint32]]:
    """Words, and the two that each may be written as, by code."""
    slots = np.zeros(1 << max(2 * len(words.kinds), 4).bit_length(), dtype=np.uint32)
    hashes = np.zeros(len(words.kinds), dtype=np.uint64)
    fill_slots(words, slots, hashes)
    out = np.empty((3, JOINTS_MAX * len(words.kinds)), dtype=np.uint32)
    n_found = find_joints(words, slots, hashes, out)
    whole, first, second = out[:, :n_found].copy()
    return whole, first, second


@kernel
def field_hash(words: Words, field: int, begin: int, end: int) -> np.uint64:
    """Hash of some letters as a word of a field; never 0."""
    return splitmix(hash_span(words.points, begin, end) + np.uint64(field)) | _ONE


@kernel
def fill_slots(words: Words, slots: NDArray[np.uint32], hashes: NDArray[np.uint64]) -> None:
    """A table from the hashes of words to their codes."""
    mask = np.uint64(len(slots) - 1)
    for code in range(1, len(hashes)):
        hashes[code] = field_hash(words, np.int64(words.fields[code]), words.starts[code], words.starts[code + 1])
        slot = (hashes[code] >> _S8) & mask
        while slots[slot] != 0:
            slot = (slot + _ONE) & mask
        slots[slot] = code


@kernel
def code_of(slots: NDArray[np.uint32], hashes: NDArray[np.uint64], wanted: np.uint64) -> np.uint32:
    """The word of a hash; 0 where there is none."""
    mask = np.uint64(len(slots) - 1)
    slot = (wanted >> _S8) & mask
    while slots[slot] != 0 and hashes[slots[slot]] != wanted:
        slot = (slot + _ONE) & mask
    return np.uint32(slots[slot])


@kernel
def find_joints(words: Words, slots: NDArray[np.uint32], hashes: NDArray[np.uint64], out: NDArray[np.uint32]) -> int:
    """Fill out (3, room) with each word and two others that are it written together; returns how many."""
    n_found = 0
    for code in range(1, len(hashes)):
        begin, end, field = words.starts[code], words.starts[code + 1], np.int64(words.fields[code])
        n_mine = 0
        if words.kinds[code] == NUMBER:
            continue
        for cut in range(begin + 1, end):
            if n_mine == JOINTS_MAX or not may_cut(words, code, cut):
                continue
            first = code_of(slots, hashes, field_hash(words, field, begin, cut))
            second = code_of(slots, hashes, field_hash(words, field, cut, end)) if first != 0 else np.uint32(0)
            if second != 0:
                out[0, n_found], out[1, n_found], out[2, n_found] = code, first, second
                n_found += 1
                n_mine += 1
    return n_found


@kernel
def may_cut(words: Words, code: int, cut: int) -> bool:
    """Whether a word may be written in two there: both parts of three letters, or letters and digits apart."""
    before, behind = words.points[cut - 1], words.points[cut]
    if (48 <= before <= 57) != (48 <= behind <= 57):
        return bool(before != 46 and behind != 46)
    kind = words.kinds[code]
    long_enough = min(cut - words.starts[code], words.starts[code + 1] - cut) >= PARTS_MIN
    return bool(long_enough and kind in (WORD, CODE) and not 48 <= before <= 57)
