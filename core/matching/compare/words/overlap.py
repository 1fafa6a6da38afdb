"""How much of two texts their words cover, by weight: equal words, words that stand for each other, runs of letters.

Soft TF-IDF (Cohen, Ravikumar and Fienberg 2003). With S the weight of what is covered and W that of each text,
cos = S / sqrt(W_a W_b), con = S / min(W_a, W_b), and x = max(cos, (cos + con) / 2 - 0.08), the second for names that
contain the other. Of short texts that leave words over, x is the mean with the cosine of their runs of four letters.
Numbers, and codes, of which both texts have some that the other lacks, speak against it.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.matching.compare.similarity import n_bits
from core.matching.jit import kernel
from core.matching.records.pair_chunk import NOT_COMPUTED, UNDECIDED, Chunk
from core.matching.records.words.text_records import SIGNATURE_WORD, WEIGHT_WORD, WORDS_KEPT
from core.matching.records.words.token_table import FLAG_BITS, HAS_NEAR, HAS_PARTS, KIND_BITS, TokenArrays
from core.matching.specs.levels import MISSING, SHARED_CODES
from core.matching.text.tokens import CODE, NUMBER

CONTAINED_LESS = 0.08
SHORT_WORDS = 8
NUMBERS_LESS, CODES_LESS = 0.15, 0.10
STAND_INS_MAX = 512
_SHIFT, _KIND = np.uint32(FLAG_BITS), np.uint32(KIND_BITS)
_NEAR, _PARTS = np.uint32(HAS_NEAR), np.uint32(HAS_PARTS)
_ONE, _S6, _S32 = np.uint64(1), np.uint64(63), np.uint64(32)
# Of a signature with so many bits set, how many runs of letters it is likely to have come from: linear counting
# (Whang, Vander-Zanden and Taylor 1990). Of one that is full nothing can be told but that there were many.
_RUNS = -64.0 * np.log1p(-np.minimum(np.arange(65), 63.5) / 64.0)


Buffers = tuple[NDArray[np.float64], NDArray[np.float32]]
"""The similarity of each pair of a chunk, and two numbers, of `Scratch`."""


class Leftovers(NamedTuple):
    """Room for two texts' words that are not equal, and for what may stand for what."""

    left: NDArray[np.uint32]  # (WORDS_KEPT,) words of a record; 0 once something stands for them
    right: NDArray[np.uint32]
    gains: NDArray[np.float64]  # (STAND_INS_MAX,) weight that would be covered
    names: NDArray[np.uint64]  # (STAND_INS_MAX,) what settles ties, the same whichever text comes first
    places: NDArray[np.int8]  # (STAND_INS_MAX, 3) place in `left`, in `right`, and the second one of where two are one


@kernel
def room_for_leftovers() -> Leftovers:
    """Uninitialised."""
    return Leftovers(
        np.empty(WORDS_KEPT, dtype=np.uint32),
        np.empty(WORDS_KEPT, dtype=np.uint32),
        np.empty(STAND_INS_MAX, dtype=np.float64),
        np.empty(STAND_INS_MAX, dtype=np.uint64),
        np.empty((STAND_INS_MAX, 3), dtype=np.int8),
    )


@kernel
def split_equal(
    records: NDArray[np.uint32], rows: tuple[int, int], at: int, weights: NDArray[np.float32],
    left: NDArray[np.uint32], right: NDArray[np.uint32],
) -> tuple[float, int, int]:  # fmt: skip
    """Merge the words of two records: the weight of equal ones, and how many each has left over, listed in two arrays.

    The arrays come one by one here and below: to take them out of a tuple costs more than to read them.
    """
    a, b = rows
    covered, n_left, n_right, i, j = 0.0, 0, 0, 0, 0
    one, two = records[a, at], records[b, at]
    while one != 0 and two != 0:
        if one == two:
            covered += np.float64(weights[one >> _SHIFT])
        # Written always and counted sometimes: no branch to guess wrong.
        left[n_left], right[n_right] = one, two
        n_left += int(one < two)
        n_right += int(two < one)
        step_a, step_b = int(one <= two), int(two <= one)
        i += step_a
        j += step_b
        one = records[a, at + i] if i < WORDS_KEPT else np.uint32(0)
        two = records[b, at + j] if j < WORDS_KEPT else np.uint32(0)
    while i < WORDS_KEPT and records[a, at + i] != 0:
        left[n_left] = records[a, at + i]
        n_left += 1
        i += 1
    while j < WORDS_KEPT and records[b, at + j] != 0:
        right[n_right] = records[b, at + j]
        n_right += 1
        j += 1
    return covered, n_left, n_right


@kernel
def touches(
    words: NDArray[np.uint32], partners: NDArray[np.uint32], counted: tuple[int, int, np.uint32],
    reach: NDArray[np.uint64], starts: NDArray[np.int64], others: NDArray[np.uint32],
) -> bool:  # fmt: skip
    """Whether something that may stand for one of some words is among the partners: of most pairs nothing is.

    Args:
        counted: how many words and partners there are, and the flags of the words that count.
        reach, starts, others: of `TokenArrays`.
    """
    n_words, n_partners, flags = counted
    even, odd = code_masks(partners, n_partners)
    for place in range(n_words):
        code = words[place] >> _SHIFT
        if words[place] & flags == 0 or reach[code, 0] & even | reach[code, 1] & odd == 0:
            continue
        for near in range(starts[code], starts[code + 1]):
            other = others[near]
            mask = odd if other & np.uint32(1) else even
            bit = np.uint64(other >> np.uint32(1)) & _S6
            if mask >> bit & _ONE != 0 and place_of(partners, n_partners, other) >= 0:
                return True
    return False


@kernel
def place_of(words: NDArray[np.uint32], size: int, code: np.uint32) -> int:
    """Where a word of this code stands; -1 where none does."""
    for at in range(size):
        if words[at] >> _SHIFT == code:
            return at
    return -1


@kernel
def code_mask(words: NDArray[np.uint32], size: int) -> np.uint64:
    """One of 64 bits for each word: most that are not there are told by it."""
    mask = np.uint64(0)
    for at in range(size):
        mask |= _ONE << (np.uint64(words[at] >> _SHIFT) & _S6)
    return mask


@kernel
def code_masks(words: NDArray[np.uint32], size: int) -> tuple[np.uint64, np.uint64]:
    """One of 128 bits for each word, those of even codes and those of odd ones; as in `TokenArrays.reach`."""
    even, odd = np.uint64(0), np.uint64(0)
    for at in range(size):
        code = words[at] >> _SHIFT
        bit = _ONE << (np.uint64(code >> np.uint32(1)) & _S6)
        is_odd = np.uint64(code & np.uint32(1))
        even |= bit * (_ONE - is_odd)
        odd |= bit * is_odd
    return even, odd


@kernel
def list_near(sizes: tuple[int, int], tokens: TokenArrays, room: Leftovers) -> int:
    """List which words left over may stand for each other; returns how many do."""
    mask, n_found = code_mask(room.right, sizes[1]), 0
    for place in range(sizes[0]):
        word = room.left[place]
        if word & _NEAR == 0:
            continue
        code = word >> _SHIFT
        for near in range(tokens.starts[code], tokens.starts[code + 1]):
            other = tokens.others[near]
            if mask >> (np.uint64(other) & _S6) & _ONE == 0 or tokens.seconds[near] != 0:
                continue
            partner = place_of(room.right, sizes[1], other)
            if partner >= 0 and n_found < STAND_INS_MAX:
                both = np.float64(tokens.weights[code]) + np.float64(tokens.weights[other])
                room.gains[n_found] = np.float64(tokens.similarities[near]) * both / 2.0
                room.names[n_found] = np.uint64(min(code, other)) << _S32 | np.uint64(max(code, other))
                room.places[n_found, 0], room.places[n_found, 1], room.places[n_found, 2] = place, partner, -1
                n_found += 1
    return n_found


@kernel
def list_parts(sizes: tuple[int, int], swapped: bool, tokens: TokenArrays, n_found: int, room: Leftovers) -> int:
    """List which words left over are two of the other text written together; returns how many are listed by now.

    Args:
        swapped: whether the words written together are of the right text.
    """
    wholes, parts = (room.right, room.left) if swapped else (room.left, room.right)
    n_wholes, n_parts = (sizes[1], sizes[0]) if swapped else sizes
    for place in range(n_wholes):
        word = wholes[place]
        if word & _PARTS == 0:
            continue
        code = word >> _SHIFT
        for near in range(tokens.starts[code], tokens.starts[code + 1]):
            second = tokens.seconds[near]
            if second == 0 or n_found == STAND_INS_MAX:
                continue
            one, two = place_of(parts, n_parts, tokens.others[near]), place_of(parts, n_parts, second)
            if one < 0 or two < 0 or one == two:
                continue
            pieces = np.float64(tokens.weights[tokens.others[near]]) + np.float64(tokens.weights[second])
            room.gains[n_found] = (np.float64(tokens.weights[code]) + pieces) / 2.0
            room.names[n_found] = np.uint64(code) << _S32 | np.uint64(tokens.others[near])
            # A place of 16 and more is of the text that has the two.
            room.places[n_found, 0] = one if swapped else place
            room.places[n_found, 1] = place if swapped else one
            room.places[n_found, 2] = two + (WORDS_KEPT if swapped else 0)
            n_found += 1
    return n_found


@kernel
def cover_leftovers(n_found: int, room: Leftovers) -> tuple[float, bool]:
    """Let words stand for each other, the heaviest first, each once: the weight covered, and whether by slips.

    Words for which something stands become 0.
    """
    covered, by_slips = 0.0, False
    for _ in range(n_found):
        best = -1
        for at in range(n_found):
            if is_free(room, at) and (best < 0 or goes_first(room, at, best)):
                best = at
        if best < 0:
            break
        covered += room.gains[best]
        by_slips = take(room, best) or by_slips
    return covered, by_slips


@kernel
def take(room: Leftovers, at: int) -> bool:
    """Let words stand for each other, which leaves none of them over; returns whether that is a slip."""
    room.left[room.places[at, 0]] = 0
    room.right[room.places[at, 1]] = 0
    second = np.int64(room.places[at, 2])
    if second >= WORDS_KEPT:
        room.left[second - WORDS_KEPT] = 0
    elif second >= 0:
        room.right[second] = 0
    return bool(second < 0)


@kernel
def is_free(room: Leftovers, at: int) -> bool:
    """Whether nothing stands for any of some words yet."""
    second = np.int64(room.places[at, 2])
    if room.left[room.places[at, 0]] == 0 or room.right[room.places[at, 1]] == 0:
        return False
    if second >= WORDS_KEPT:
        return bool(room.left[second - WORDS_KEPT] != 0)
    return bool(second < 0 or room.right[second] != 0)


@kernel
def goes_first(room: Leftovers, at: int, best: int) -> bool:
    """Whether words cover more than others, or as much and come first by their codes."""
    if room.gains[at] != room.gains[best]:
        return bool(room.gains[at] > room.gains[best])
    return bool(room.names[at] < room.names[best])


@kernel
def kinds_left(words: NDArray[np.uint32], size: int) -> int:
    """Bit k set where a word of kind k is left over."""
    found = 0
    for at in range(size):
        if words[at] != 0:
            found = int(found | 1 << np.int64(words[at] & _KIND))
    return found


@kernel
def gram_cosine(records: NDArray[np.uint32], rows: tuple[int, int], at: int) -> float:
    """Cosine of the runs of four letters of two texts, as their signatures tell it."""
    a, b = rows
    place = at + SIGNATURE_WORD
    one = np.uint64(records[a, place]) | np.uint64(records[a, place + 1]) << _S32
    two = np.uint64(records[b, place]) | np.uint64(records[b, place + 1]) << _S32
    runs_a, runs_b = _RUNS[n_bits(one)], _RUNS[n_bits(two)]
    shared = runs_a + runs_b - _RUNS[n_bits(one | two)]
    return float(max(shared, 0.0) / np.sqrt(runs_a * runs_b))


@kernel
def stand_ins(sizes: tuple[int, int], tokens: TokenArrays, room: Leftovers) -> int:
    """List all that may stand for words left over of two texts; returns how many."""
    if sizes[0] == 0 or sizes[1] == 0:
        return 0
    n_found = list_near(sizes, tokens, room)
    n_found = list_parts(sizes, False, tokens, n_found, room)
    return list_parts(sizes, True, tokens, n_found, room)


@kernel
def share_of(covered: float, weight_a: float, weight_b: float) -> float:
    """x of two texts of these weights before anything is taken off."""
    cosine = covered / np.sqrt(weight_a * weight_b)
    contained = covered / min(weight_a, weight_b)
    return float(min(max(cosine, (cosine + contained) / 2.0 - CONTAINED_LESS), 1.0))


@kernel
def settle_overlap(
    chunk: Chunk, at: int, threshold: float, tokens: TokenArrays, buffers: Buffers,
    settled: tuple[NDArray[np.uint8], int],
) -> None:  # fmt: skip
    """Texts that cover each other by at least `threshold`; once per pair and field."""
    records, lefts, rights, size = chunk
    similarity, floats = buffers
    levels, level = settled
    room, bits = room_for_leftovers(), floats.view(np.uint32)
    left, right = room.left, room.right
    weights, reach, starts, others = tokens.weights, tokens.reach, tokens.starts, tokens.others
    for pair in range(size):
        if levels[pair] != UNDECIDED:
            continue
        if similarity[pair] == NOT_COMPUTED:
            a, b = lefts[pair], rights[pair]
            covered, n_left, n_right = split_equal(records, (a, b), at, weights, left, right)
            by_slips = False
            if touches(left, right, (n_left, n_right, _NEAR | _PARTS), reach, starts, others) or touches(
                right, left, (n_right, n_left, _PARTS), reach, starts, others
            ):
                more, by_slips = cover_leftovers(stand_ins((n_left, n_right), tokens, room), room)
                covered += more
            bits[0], bits[1] = records[a, at + WEIGHT_WORD], records[b, at + WEIGHT_WORD]
            found = share_of(covered, np.float64(floats[0]), np.float64(floats[1]))
            kinds_a, kinds_b = kinds_left(left, n_left), kinds_left(right, n_right)
            short = records[a, at + SHORT_WORDS] == 0 and records[b, at + SHORT_WORDS] == 0
            if short and (by_slips or kinds_a | kinds_b != 0):
                found = (found + min(gram_cosine(records, (a, b), at), 1.0)) / 2.0
            both = kinds_a & kinds_b
            found -= NUMBERS_LESS if (both >> NUMBER) & 1 else 0.0
            found -= CODES_LESS if (both >> CODE) & 1 else 0.0
            similarity[pair] = max(found, 0.0)
        if similarity[pair] >= threshold:
            levels[pair] = level


@kernel
def settle_parts(chunk: Chunk, at: int, opcode: int, tokens: TokenArrays, levels: NDArray[np.uint8]) -> None:
    """Codes: 1 where one is shared, 0 where both texts have some and none in common. Numbers: 0 where each text has one
    that the other lacks, 1 where both have some and it is not so. MISSING where a text has none."""
    records, left, right, size = chunk
    room, weights = room_for_leftovers(), tokens.weights
    kind = CODE if opcode == SHARED_CODES else NUMBER
    for pair in range(size):
        rows = (left[pair], right[pair])
        n_a, n_b = count_kind(records, rows[0], at, kind), count_kind(records, rows[1], at, kind)
        levels[pair] = np.uint8(MISSING)
        if n_a == 0 or n_b == 0:
            continue
        _, n_left, n_right = split_equal(records, rows, at, weights, room.left, room.right)
        n_found = stand_ins((n_left, n_right), tokens, room)
        if n_found > 0:
            cover_leftovers(n_found, room)
        rest_a, rest_b = count_left(room.left, n_left, kind), count_left(room.right, n_right, kind)
        lacking = rest_a == n_a and rest_b == n_b if kind == CODE else rest_a > 0 and rest_b > 0
        levels[pair] = np.uint8(0 if lacking else 1)


@kernel
def count_kind(records: NDArray[np.uint32], row: int, at: int, kind: int) -> int:
    """How many words of a kind a record has."""
    found, place = 0, 0
    while place < WORDS_KEPT and records[row, at + place] != 0:
        found += int(np.int64(records[row, at + place] & _KIND) == kind)
        place += 1
    return found


@kernel
def count_left(words: NDArray[np.uint32], size: int, kind: int) -> int:
    """How many words of a kind are left over."""
    found = 0
    for at in range(size):
        found += int(words[at] != 0 and np.int64(words[at] & _KIND) == kind)
    return found
