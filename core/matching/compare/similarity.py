"""String similarities on code points and digits, as numba kernels.

Jaro-Winkler (Jaro 1989, Winkler 1990) equals rapidfuzz bit for bit: transpositions halved with an integer floor,
prefix of at most 4 at weight 0.1, boost above 0.7. "Damerau" is always the optimal string alignment distance (OSA):
Levenshtein plus swaps of neighbours, no character touched twice; a kernel only decides whether it is at most `limit`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.matching.jit import kernel

WINKLER_PREFIX = 4
WINKLER_WEIGHT = 0.1
WINKLER_BOOST_ABOVE = 0.7
DIGITS_MAX = 16
LETTERS_AN_EDIT = 4
WORDS_LETTERS_MIN = 3
BLANK = 32
_ZERO, _ONE, _TWO, _FOUR, _NIBBLE = np.uint64(0), np.uint64(1), np.uint64(2), np.uint64(4), np.uint64(15)
_S56 = np.uint64(56)
_M1, _M2, _M4, _M5 = (np.uint64(int(byte * 8, 16)) for byte in ("55", "33", "0f", "01"))


@kernel
def jaro_winkler(a: NDArray[np.uint32], b: NDArray[np.uint32], flags: NDArray[np.uint8]) -> float:
    """Jaro-Winkler similarity in [0, 1]; `flags` is scratch of at least len(a) + len(b) bytes."""
    n_a, n_b = len(a), len(b)
    if n_a == 0 or n_b == 0:
        return 1.0 if n_a == n_b else 0.0
    reach = max(max(n_a, n_b) // 2 - 1, 0)
    flags[: n_a + n_b] = 0
    common = 0
    for j in range(n_b):
        for i in range(max(j - reach, 0), min(j + reach + 1, n_a)):
            if flags[i] == 0 and a[i] == b[j]:
                flags[i] = 1
                flags[n_a + j] = 1
                common += 1
                break
    if common == 0:
        return 0.0
    return _winkler(_jaro(a, b, flags, common), a, b)


@kernel
def _jaro(a: NDArray[np.uint32], b: NDArray[np.uint32], flags: NDArray[np.uint8], common: int) -> float:
    n_a, n_b = len(a), len(b)
    moved, i = 0, 0
    for j in range(n_b):
        if flags[n_a + j] == 1:
            while flags[i] == 0:
                i += 1
            if a[i] != b[j]:
                moved += 1
            i += 1
    # The order of these sums is rapidfuzz's: another one differs in the last bit.
    total = common / n_a
    total += common / n_b
    total += (common - moved // 2) / common
    return total / 3.0


@kernel
def _winkler(similarity: float, a: NDArray[np.uint32], b: NDArray[np.uint32]) -> float:
    if similarity <= WINKLER_BOOST_ABOVE:
        return similarity
    prefix = 0
    while prefix < min(WINKLER_PREFIX, len(a), len(b)) and a[prefix] == b[prefix]:
        prefix += 1
    boosted = similarity + prefix * WINKLER_WEIGHT * (1.0 - similarity)
    return min(boosted, 1.0)


@kernel
def same_year(a: int, b: int) -> bool:
    """Whether both have a year, the same."""
    return a // 10000 == b // 10000 and a // 10000 > 0


@kernel
def n_bits(value: np.uint64) -> int:
    """Number of bits set. Source: Warren, Hacker's Delight, 5-1."""
    value = value - ((value >> _ONE) & _M1)
    value = (value & _M2) + ((value >> _TWO) & _M2)
    value = (value + (value >> _FOUR)) & _M4
    return int(np.int64((value * _M5) >> _S56))


@kernel
def jaro_winkler_bound(n_a: int, n_b: int, letters_a: np.uint64, letters_b: np.uint64) -> float:
    """The highest Jaro-Winkler two strings of these lengths and letters can have: most pairs need not be read.

    Every letter of one string that the other lacks leaves at least one position without a match.
    """
    if min(n_a, n_b) == 0:
        return 1.0 if n_a == n_b else 0.0
    common = min(n_a - n_bits(letters_a & ~letters_b), n_b - n_bits(letters_b & ~letters_a))
    if common <= 0:
        return 0.0
    jaro = (common / n_a + common / n_b + 1.0) / 3.0
    # The margin covers rounding: a bound may be loose, never low.
    return jaro + min(WINKLER_PREFIX, common) * WINKLER_WEIGHT * (1.0 - jaro) + 1e-12


@kernel
def osa_bound(n_a: int, n_b: int, letters_a: np.uint64, letters_b: np.uint64) -> int:
    """The least OSA distance two strings of these lengths and letters can have."""
    lacking = max(n_bits(letters_a & ~letters_b), n_bits(letters_b & ~letters_a))
    return max(abs(n_a - n_b), lacking)


@kernel
def osa_within(a: NDArray[np.uint32], b: NDArray[np.uint32], limit: int, rows: NDArray[np.int32]) -> bool:
    """Whether the OSA distance is at most `limit`; `rows` is scratch of at least 3 * (len(b) + 1).

    Cost: O(1) for most pairs that differ, by length and common ends; else O(len(a) * len(b)).
    """
    stop_a, stop_b = len(a), len(b)
    if abs(stop_a - stop_b) > limit:
        return False
    while stop_a > 0 and stop_b > 0 and a[stop_a - 1] == b[stop_b - 1]:
        stop_a -= 1
        stop_b -= 1
    start = 0
    while start < min(stop_a, stop_b) and a[start] == b[start]:
        start += 1
    n_a, n_b = stop_a - start, stop_b - start
    if n_a == 0 or n_b == 0:
        return max(n_a, n_b) <= limit
    if limit == 1:
        swapped = n_a == 2 and n_b == 2 and a[start] == b[start + 1] and a[start + 1] == b[start]
        return (n_a == 1 and n_b == 1) or swapped
    return _osa(a[start:stop_a], b[start:stop_b], limit, rows) <= limit


@kernel
def _osa(a: NDArray[np.uint32], b: NDArray[np.uint32], limit: int, rows: NDArray[np.int32]) -> int:
    n_a, n_b = len(a), len(b)
    width = n_b + 1
    before, last, this = 0, width, 2 * width
    for j in range(width):
        rows[last + j] = j
    for i in range(1, n_a + 1):
        rows[this] = i
        least = i
        for j in range(1, width):
            cost = 0 if a[i - 1] == b[j - 1] else 1
            best = min(rows[last + j - 1] + cost, min(rows[last + j], rows[this + j - 1]) + 1)
            if i > 1 and j > 1 and a[i - 1] == b[j - 2] and a[i - 2] == b[j - 1]:
                best = min(best, rows[before + j - 2] + 1)
            rows[this + j] = best
            least = min(least, best)
        # The least of a row never falls again: a swap reaches back two rows, but a row's least grows by 1 at most.
        if least > limit:
            return limit + 1
        before, last, this = last, this, before
    return int(rows[last + n_b])


@kernel
def edits_allowed(longer: int, limit: int) -> int:
    """How many of `limit` edits may be slips: none in fewer than four characters, one in fewer than eight, else more.

    Never more than a quarter of the longer string: an edit that replaces half a name makes another name.
    """
    return min(limit, longer // LETTERS_AN_EDIT)


@kernel
def same_words(points: NDArray[np.uint32], a: tuple[int, int], b: tuple[int, int]) -> bool:
    """Whether spans are equal but for blanks, or the words of one, three letters or more, are words of the other."""
    return equal_but_blanks(points, a, b) or has_words(points, a, b) or has_words(points, b, a)


@kernel
def equal_but_blanks(points: NDArray[np.uint32], a: tuple[int, int], b: tuple[int, int]) -> bool:
    """Whether two spans have the same characters in order, blanks left out."""
    at_a, at_b = a[0], b[0]
    while True:
        while at_a < a[1] and points[at_a] == BLANK:
            at_a += 1
        while at_b < b[1] and points[at_b] == BLANK:
            at_b += 1
        if at_a == a[1] or at_b == b[1]:
            return bool(at_a == a[1] and at_b == b[1])
        if points[at_a] != points[at_b]:
            return False
        at_a += 1
        at_b += 1


@kernel
def has_words(points: NDArray[np.uint32], whole: tuple[int, int], some: tuple[int, int]) -> bool:
    """Whether every word of the span `some` is a word of `whole`, and they have three letters at least."""
    n_letters, begin = 0, some[0]
    while begin < some[1]:
        end = word_end(points, begin, some[1])
        if not has_word(points, whole, begin, end):
            return False
        n_letters += end - begin
        begin = end + 1
    return n_letters >= WORDS_LETTERS_MIN


@kernel
def has_word(points: NDArray[np.uint32], whole: tuple[int, int], begin: int, end: int) -> bool:
    """Whether the characters [begin, end) are a word of the span `whole`."""
    at = whole[0]
    while at < whole[1]:
        stop = word_end(points, at, whole[1])
        if stop - at == end - begin and same_points(points, at, begin, end - begin):
            return True
        at = stop + 1
    return False


@kernel
def word_end(points: NDArray[np.uint32], start: int, stop: int) -> int:
    """Where the word that starts at `start` ends."""
    at = start
    while at < stop and points[at] != BLANK:
        at += 1
    return at


@kernel
def unpack_digits(low: np.uint32, high: np.uint32, out: NDArray[np.uint32]) -> int:
    """Write the digits (each + 1) of two words into `out` (at least 16); returns how many."""
    packed = np.uint64(low) | (np.uint64(high) << np.uint64(32))
    n_digits = 0
    while packed != _ZERO:
        out[n_digits] = np.uint32(packed & _NIBBLE)
        packed = packed >> _FOUR
        n_digits += 1
    return n_digits


@kernel
def nibble_counts(packed: np.uint64) -> np.uint64:
    """How often each digit occurs in packed digits: nibble d of the result; a count of 16 spills over."""
    counts = _ZERO
    while packed != _ZERO:
        counts += _ONE << (_FOUR * (packed & _NIBBLE))
        packed = packed >> _FOUR
    return counts


@kernel
def digits_bound(a: np.uint64, b: np.uint64) -> int:
    """The least OSA distance two packed digit strings can have: digits one has more often than the other."""
    # The highest nibble holds a sixteenth digit only: shorter strings cannot make a count spill over.
    if (a | b) >> np.uint64(60) != _ZERO:
        return 0
    counts_a, counts_b = nibble_counts(a), nibble_counts(b)
    more_a, more_b = 0, 0
    while counts_a != counts_b:
        surplus = int(np.int64(counts_a & _NIBBLE)) - int(np.int64(counts_b & _NIBBLE))
        more_a += max(surplus, 0)
        more_b += max(-surplus, 0)
        counts_a, counts_b = counts_a >> _FOUR, counts_b >> _FOUR
    return max(more_a, more_b)


@kernel
def same_suffix(a: NDArray[np.uint32], b: NDArray[np.uint32], n_last: int) -> bool:
    """Whether both have at least `n_last` digits and the last `n_last` agree."""
    if len(a) < n_last or len(b) < n_last:
        return False
    same = 0
    while same < n_last and a[len(a) - 1 - same] == b[len(b) - 1 - same]:
        same += 1
    return same == n_last


@kernel
def whole_date(date: int) -> bool:
    """Whether a date yyyymmdd has year, month and day."""
    return date // 10000 > 0 and date // 100 % 100 > 0 and date % 100 > 0


@kernel
def have_months(a: int, b: int) -> bool:
    """Whether two dates yyyymmdd both say the month."""
    return a // 100 % 100 > 0 and b // 100 % 100 > 0


@kernel
def date_swapped(a: int, b: int) -> bool:
    """Whether b is a with day and month exchanged; both yyyymmdd and complete."""
    month_a, day_a = a // 100 % 100, a % 100
    return month_a > 0 and day_a > 0 and a // 10000 == b // 10000 and month_a == b % 100 and day_a == b // 100 % 100


@kernel
def date_digits(a: int, b: int) -> int:
    """How many of the eight digits differ, counting two neighbours that changed places once (never across parts)."""
    errors = pair_errors(a % 100, b % 100) + pair_errors(a // 100 % 100, b // 100 % 100)
    year_a, year_b = a // 10000, b // 10000
    if year_a == year_b:
        return errors
    at, n_year = 0, 0
    while at < 4:
        power = 10**at
        digit_a, digit_b = year_a // power % 10, year_b // power % 10
        next_a, next_b = year_a // (power * 10) % 10, year_b // (power * 10) % 10
        if digit_a != digit_b:
            n_year += 1
            if at < 3 and digit_a == next_b and digit_b == next_a:
                at += 1
        at += 1
    return errors + n_year


@kernel
def pair_errors(a: int, b: int) -> int:
    """Digits that differ in two numbers below 100; 1 when they changed places."""
    if a == b:
        return 0
    if a // 10 == b % 10 and a % 10 == b // 10:
        return 1
    return (1 if a // 10 != b // 10 else 0) + (1 if a % 10 != b % 10 else 0)


@kernel
def parts_differing(a: int, b: int) -> int:
    """How many of year, month and day are not the same."""
    differing = 1 if a // 10000 != b // 10000 else 0
    differing += 1 if a // 100 % 100 != b // 100 % 100 else 0
    return differing + (1 if a % 100 != b % 100 else 0)


@kernel
def date_parts(a: int, b: int) -> int:
    """How many of year, month and day are present in both and agree."""
    n_same = 0
    if a // 10000 == b // 10000 and a // 10000 > 0:
        n_same += 1
    if a // 100 % 100 == b // 100 % 100 and a // 100 % 100 > 0:
        n_same += 1
    if a % 100 == b % 100 and a % 100 > 0:
        n_same += 1
    return n_same


@kernel
def dice(a: np.uint64, b: np.uint64) -> float:
    """Dice coefficient of two bit signatures; 0 when either is empty."""
    bits_a, bits_b = n_bits(a), n_bits(b)
    if min(bits_a, bits_b) == 0:
        return 0.0
    return 2.0 * n_bits(a & b) / (bits_a + bits_b)


@kernel
def same_points(points: NDArray[np.uint32], start_a: int, start_b: int, count: int) -> bool:
    """Whether two spans of `count` code points are equal."""
    same = 0
    while same < count and points[start_a + same] == points[start_b + same]:
        same += 1
    return same == count
