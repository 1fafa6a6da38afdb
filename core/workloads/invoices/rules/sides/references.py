"""Evidence that receipts name items: whole numbers and digits anywhere, tails and slips where the payer is known."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from core.matching.jit import kernel
from core.workloads.invoices.rules.block import NAMES_ITEMS, SILENT, STRANGER, THREADS
from core.workloads.invoices.rules.explanations import Integers
from core.workloads.invoices.rules.sides.number_tokens import Forms, find_numbers, flatten, forms_of, index_of

Floats = NDArray[np.float64]
BITS_MOST: Final = 24.0
LETTER_BITS: Final = 4.0
"""What the letters of a number add to its digits."""
NAMED_BITS_MIN, STRONG_BITS = 3.0, 8.0
TAIL_DIGITS_MIN, SLIP_DIGITS_MIN = 3, 5
SLIP_BITS: Final = 3.0
RANGE_MOST: Final = 15
_RANGE = r"(\d{3,18})\s*(?:-|–|bis|to|thru|through|au|al)\s*(?:[A-Z]{1,4}-?)?(\d{2,18})"
_RANGES = re.compile(rf"(?<!\d)(?={_RANGE}(?!\d))", re.IGNORECASE)
_APART = "\n\n\n\n"
"""Wider than any gap within a number."""
LINES_AT_ONCE = 20_000
_RATE_MIN = 0.05
_LENGTH_SHARE_MIN = 0.1


@dataclass(frozen=True, slots=True)
class Evidence:
    """What texts say of items before anybody knows who pays.

    named: frame of receipt, item (row numbers), bits, word (where in the text it stands); a text may name an item by
    several words. text: (n_receipts,) level. forms: of the items' numbers. tokens: (n, 5) int64, receipt, value, digits
    as written, whether another hit has part of it, its end. rates: (32,) tokens of so many digits that a text has.
    """

    named: pl.DataFrame
    text: Integers
    forms: Forms
    tokens: Integers
    rates: Floats


class Tails(NamedTuple):
    """Arrays for `find_tails`: of items (value, n_digits), of tokens (value, digits) with the first of each receipt."""

    value: Integers
    n_digits: Integers
    token_value: Integers
    token_digits: Integers
    first_token: Integers


def clean_texts(texts: pl.DataFrame) -> pl.Series:
    """One text a row of all columns; check digits of structured references parted from what they protect."""
    whole = texts.select(pl.concat_str(pl.all(), separator=_APART, ignore_nulls=True)).to_series()
    if whole.str.contains(r"(?i)\bRF\d\d").any():
        whole = whole.str.replace_all(r"(?i)\bRF ?(\d\d)[ ]?", "RF$1    ")
    # A payment slip's reference: zeros, the number, one check digit behind it.
    if whole.str.contains("0{8}").any():
        whole = whole.str.replace_all(r"\b0{8,}(\d{2,17})(\d)\b", "${1}${2}    ${1}")
    return with_ranges(whole)


def with_ranges(texts: pl.Series) -> pl.Series:
    """Texts with the numbers written out that `4860 - 62` and `4860 bis 4862` leave out, at most fifteen."""
    hit = texts.str.contains(f"(?i){_RANGE}")
    if not hit.any():
        return texts
    written = [_written_out(text) for text in texts.filter(hit)]
    return texts.scatter(hit.fill_null(False).arg_true(), written)


def _written_out(text: str) -> str:
    more = []
    for first, last in _RANGES.findall(text):
        whole = last if len(last) >= len(first) else first[: len(first) - len(last)] + last
        between = range(int(first) + 1, int(whole) + 1)
        if len(whole) == len(first) and 0 < len(between) <= RANGE_MOST:
            more += [str(number).zfill(len(first)) for number in between]
    return _APART.join([text, *more])


def read_references(numbers: list[pl.Series], texts: pl.Series) -> Evidence:
    """Look for the numbers of items in texts.

    Args:
        numbers: columns that name an item each: its number, its structured reference, its order; null where absent.
    """
    forms = [forms_of(flatten(column)) for column in numbers]
    index = index_of(np.concatenate([key for form in forms for key in (form.whole, form.digits)]))
    found = find_numbers(flatten(texts), index)
    rates = _rates(found.tokens, len(texts))
    hits = _hits(found.hits, len(texts), rates, _items_of(index.keys, forms))
    tokens = found.tokens[:, [0, 1, 2, 5, 4]]
    return Evidence(hits, _text_levels(hits, tokens, forms[0], len(texts)), forms[0], tokens, rates)


def _rates(tokens: Integers, n_texts: int) -> Floats:
    """How many tokens of each number of digits a text has; never quite none."""
    free = tokens[tokens[:, 5] == 0]
    rates: Floats = np.bincount(free[:, 2], minlength=32)[:32] / max(n_texts, 1)
    return np.maximum(rates, _RATE_MIN)


def _items_of(keys: NDArray[np.uint64], forms: list[Forms]) -> pl.DataFrame:
    """Frame of key's place, item, whether it is the whole with letters."""
    frames = []
    for form in forms:
        for column, is_whole in ((form.whole, True), (form.digits, False)):
            item = np.flatnonzero(column)
            place = np.searchsorted(keys, column[item])
            frames.append(pl.DataFrame({"key": place, "item": item, "whole": np.full(len(item), is_whole)}))
    return pl.concat(frames).unique(["key", "item", "whole"]).with_columns(n_items=pl.len().over("key"))


def _hits(hits: Integers, n_texts: int, rates: Floats, items: pl.DataFrame) -> pl.DataFrame:
    """(receipt, item, word, bits) of all hits that say something, the best of an item first."""
    frame = pl.DataFrame({"receipt": hits[:, 0], "key": hits[:, 1], "digits": hits[:, 4], "word": hits[:, 3]})
    n_texts_of = frame.unique(["receipt", "key"]).group_by("key").agg(n_texts=pl.len())
    frame = frame.join(n_texts_of, on="key", maintain_order="left")
    digits = np.minimum(frame["digits"].to_numpy(), 31)
    # A number that far more texts hold than it has items names none of them: a year, an account of one's own.
    chance = pl.Series(rates[digits] / 9.0 / np.exp2((digits - 1) * np.log2(10.0)))
    frame = (
        frame.with_columns(chance=chance)
        .join(items, on="key")
        .with_columns(
            common=pl.when(pl.col("n_texts") > 5 * pl.col("n_items") + 3)
            .then(pl.col("n_texts") / n_texts)
            .otherwise(0.0)
        )
    )
    bits = -pl.max_horizontal("chance", "common").log(2) + pl.when("whole").then(LETTER_BITS).otherwise(0.0)
    return (
        frame.select("receipt", "item", "word", bits=bits.clip(0.0, BITS_MOST))
        .filter(pl.col("bits") >= NAMED_BITS_MIN)
        .sort("receipt", "item", "bits", "word", descending=[False, False, True, False])
        .unique(["receipt", "item", "word"], keep="first", maintain_order=True)
    )


def _text_levels(hits: pl.DataFrame, tokens: Integers, forms: Forms, n_texts: int) -> Integers:
    """Whether texts name items, or numbers that look like those of items but are none."""
    text = np.full(n_texts, SILENT)
    for n_digits in range(SLIP_DIGITS_MIN, 19):
        values = forms.value[forms.n_digits == n_digits]
        if len(values) < max(1, _LENGTH_SHARE_MIN * len(forms.value)):
            continue
        low, high = int(values.min()), int(values.max())
        slack = (high - low) // 5 + 10
        size = np.floor(np.log10(np.maximum(tokens[:, 1], 1))) + 1
        strange = (tokens[:, 3] == 0) & (size == n_digits) & (tokens[:, 1] >= low - slack)
        text[tokens[strange & (tokens[:, 1] <= high + slack), 0]] = STRANGER
    text[hits.filter(pl.col("bits") >= STRONG_BITS)["receipt"].to_numpy()] = NAMES_ITEMS
    return text


def named_by_lines(evidence: Evidence, lines: pl.DataFrame, starts: Integers) -> pl.DataFrame:
    """Items that each line names: of its pool, by whole numbers, digits, tails and slips.

    Args:
        lines: receipt and pool of each, sorted. starts: (n_pools + 1,) first item of each pool.
    Returns:
        line, item, bits, word, sorted by line and item, the best word of an item first.
    """
    pool = np.searchsorted(starts, evidence.named["item"].to_numpy(), side="right") - 1
    known = evidence.named.with_columns(pool=pl.Series(pool))
    numbered = lines.select("receipt", "pool").with_row_index("line").with_columns(pl.col("line").cast(pl.Int64))
    direct = numbered.join(known, on=["receipt", "pool"]).select("line", "item", "bits", "word")
    tails = _tails(evidence, lines, starts).join(direct, on=["line", "word"], how="anti")
    both = pl.concat([direct, tails])
    return both.sort("line", "item", "bits", "word", descending=[False, False, True, False])


def _tails(evidence: Evidence, lines: pl.DataFrame, starts: Integers) -> pl.DataFrame:
    tokens = evidence.tokens[(evidence.tokens[:, 3] == 0) & (evidence.tokens[:, 2] >= TAIL_DIGITS_MIN)]
    receipt = lines["receipt"].to_numpy().astype(np.int64)
    first = np.searchsorted(tokens[:, 0], np.arange((receipt.max() if len(receipt) else 0) + 2))
    arrays = Tails(
        evidence.forms.value,
        evidence.forms.n_digits,
        np.ascontiguousarray(tokens[:, 1]),
        np.ascontiguousarray(tokens[:, 2]),
        first.astype(np.int64),
    )
    pool = lines["pool"].to_numpy().astype(np.int64)
    spans = [(lo, lo + LINES_AT_ONCE) for lo in range(0, len(lines), LINES_AT_ONCE)]
    with ThreadPoolExecutor(THREADS) as threads:
        parts = threads.map(lambda span: _tails_of(arrays, (receipt, pool, starts), span), spans)
        found = np.concatenate([np.zeros((0, 5), np.int64), *parts])
    digits = found[:, 2]
    bits = digits * np.log2(10.0) - np.log2(evidence.rates[np.minimum(digits, 31)])
    bits = np.where(found[:, 3] == 1, bits - np.log2(10.0 * digits) - SLIP_BITS, bits - 1.0)
    word = tokens[found[:, 4], 4]
    frame = pl.DataFrame({"line": found[:, 0], "item": found[:, 1], "bits": np.minimum(bits, BITS_MOST), "word": word})
    return frame.filter(pl.col("bits") >= NAMED_BITS_MIN)


def _tails_of(arrays: Tails, sides: tuple[Integers, Integers, Integers], span: tuple[int, int]) -> Integers:
    """What `find_tails` finds of the lines from and to."""
    lo, hi = span
    receipt, pool, starts = sides
    room = 2 * (hi - lo) + 64
    while True:
        found = np.zeros((room, 5), dtype=np.int64)
        n = find_tails(arrays, (receipt[lo:hi], pool[lo:hi], starts), found)
        if n <= room:
            found[:n, 0] += lo
            return found[:n]
        room = n


@kernel
def find_tails(arrays: Tails, sides: tuple[Integers, Integers, Integers], found: Integers) -> int:
    """Compare each token of a line's receipt with each number of its pool.

    Args:
        sides: receipt and pool of each line, first place of each pool. found: (room, 5), filled with line, item,
            digits compared, 1 for a slip or 0 for a tail, and the token.
    Returns:
        how many there are, also where there is no room.
    """
    receipts, pools, starts = sides
    n = 0
    for line in range(len(receipts)):
        pool = (starts[pools[line]], starts[pools[line] + 1])
        for token in range(arrays.first_token[receipts[line]], arrays.first_token[receipts[line] + 1]):
            n = _find_alike(arrays, (line, token), pool, found, n)
    return n


@kernel
def _find_alike(arrays: Tails, at: tuple[int, int], pool: tuple[int, int], found: Integers, n: int) -> int:
    """Add the items of a pool that a token is the end of, or a slip from, behind the first `n`."""
    line, token = at
    for place in range(pool[0], pool[1]):
        kind = _alike(arrays, token, place)
        if kind == 0:
            continue
        if n < len(found):
            found[n, 0], found[n, 1], found[n, 3], found[n, 4] = line, place, kind - 1, token
            found[n, 2] = arrays.token_digits[token] if kind == 1 else arrays.n_digits[place]
        n += 1
    return n


@kernel
def _alike(arrays: Tails, token: int, place: int) -> int:
    """1: the token is how the number ends; 2: it is the number but for one slip; 0: neither."""
    value, n_digits = arrays.value[place], arrays.n_digits[place]
    written = arrays.token_digits[token]
    if n_digits == 0:
        return 0
    if written < n_digits and value % 10**written == arrays.token_value[token]:
        return 1
    if n_digits >= SLIP_DIGITS_MIN and abs(written - n_digits) <= 1 and is_slip(value, arrays.token_value[token]):
        return 2
    return 0


@kernel
def is_slip(a: int, b: int) -> bool:
    """Whether two numbers differ by one digit changed, left out or added, or by two neighbours swapped."""
    if a == b:
        return False
    low = 1
    while a // low % 10 == b // low % 10 and (a // low > 0 or b // low > 0):
        low *= 10
    a, b = a // low, b // low
    if a // 10 == b // 10 or a // 10 == b or a == b // 10:
        return True
    swapped = a % 10 == b // 10 % 10 and a // 10 % 10 == b % 10
    return swapped and a // 100 == b // 100
