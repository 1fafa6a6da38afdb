"""What clerks, shops and scrapers do to texts of any length: words left out, shortened, exchanged, mistyped.

All functions take (n,) texts and (n,) keys and work on all rows at once; null stays null.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from core.made_records.draws import Draws
from core.made_records.shapes import Flags, Ints
from core.made_records.typing_errors import slip, to_bytes, to_texts

_WIDTH = 32
_VOWELS = "[aeiouAEIOU]"


@dataclass(frozen=True, slots=True)
class Forms:
    """Things with several names. names: all behind each other; of thing i those from first[i], count[i] of them."""

    names: pl.Series
    first: Ints
    count: Ints

    def __len__(self) -> int:
        return len(self.first)

    def drawn(self, name: str, keys: Ints, draws: Draws) -> pl.Series:
        """(n,) the usual name of a thing drawn for each key, all alike often."""
        return self.names.gather(self.first[draws.below(name, keys, len(self))])

    def pick(self, codes: Ints, unit: NDArray[np.float64], share: float | NDArray[np.float64]) -> pl.Series:
        """(n,) the usual name of each thing, and in a share of those with several another one. unit: (n,) in [0, 1)."""
        others = self.count[codes] - 1
        nth = (unit / np.maximum(share, 1e-9) * np.maximum(others, 1)).astype(np.int64)
        return self.names.gather(self.first[codes] + np.where((unit < share) & (others > 0), 1 + nth, 0))


def forms(table: str) -> Forms:
    """Read `usual/other/other` entries, separated by commas or line ends; "-" is a name that is left out (null)."""
    things = [entry.strip().split("/") for line in table.strip().splitlines() for entry in line.split(",")]
    things = [[name.strip() for name in thing] for thing in things if thing != [""]]
    count = np.array([len(thing) for thing in things], dtype=np.int64)
    names = pl.Series("name", [None if name == "-" else name for thing in things for name in thing], dtype=pl.String)
    return Forms(names, np.cumsum(count) - count, count)


def falling(name: str, keys: Ints, size: int, draws: Draws) -> Ints:
    """(n,) ranks below `size`, the first ones more often: as u^2."""
    unit = draws.unit(name, keys)
    return np.minimum((size * unit * unit).astype(np.int64), size - 1)


def where(flags: Flags, texts: pl.Series, others: pl.Series | None = None) -> pl.Series:
    """(n,) the texts where flagged, elsewhere the others (null unless given)."""
    others = pl.Series(texts.name, [None], dtype=pl.String) if others is None else others
    return texts.zip_with(
        pl.Series(flags), others if len(others) == len(texts) else others.new_from_index(0, len(texts))
    )


def joined(*parts: pl.Series | str, separator: str = "") -> pl.Series:
    """(n,) the parts behind each other, those that are null left out; null where all are."""
    named = {str(index): part for index, part in enumerate(parts) if isinstance(part, pl.Series)}
    pieces = [pl.lit(part) if isinstance(part, str) else pl.col(str(index)) for index, part in enumerate(parts)]
    text = pl.concat_str(pieces, separator=separator, ignore_nulls=True)
    return pl.DataFrame(named).select(pl.when(text != "").then(text).alias("text")).to_series()


def between(before: str, texts: pl.Series, after: str = "") -> pl.Series:
    """(n,) with something before and behind each text; null stays null."""
    return texts.to_frame("t").select(pl.format(before + "{}" + after, pl.col("t"))).to_series()


def arranged(parts: Mapping[str, pl.Series], orders: Sequence[str], choice: Ints) -> pl.Series:
    """(n,) the parts in one of several orders, a blank between; an order names parts: `brand type`. choice: (n,)."""
    frame = pl.DataFrame(dict(parts))
    found, rows = [], []
    for index, order in enumerate(orders):
        at = np.flatnonzero(choice == index)
        text = pl.concat_str([pl.col(part) for part in order.split()], separator=" ", ignore_nulls=True)
        found.append(frame[at].select(text.alias("text")).to_series())
        rows.append(at)
    place = np.empty(len(choice), dtype=np.int64)
    place[np.concatenate(rows)] = np.arange(len(choice))
    return pl.concat(found).gather(place)


@dataclass(frozen=True, slots=True)
class Haste:
    """Shares of the words that are dropped, shortened, mistyped, or change place with the next; 0 to 1."""

    drop: float = 0.0
    shorten: float = 0.0
    slip: float = 0.0
    swap: float = 0.0

    @classmethod
    def of(cls, rates: Mapping[str, float]) -> Haste:
        """What the rates `dropped`, `shortened`, `slip` and `swapped` say; those not given are 0."""
        return cls(*(rates.get(name, 0.0) for name in ("dropped", "shortened", "slip", "swapped")))


@dataclass(frozen=True, slots=True)
class Clerk:
    """Who writes the records with these keys, and how often he does what. prefix: of the names of his draws."""

    keys: Ints
    rates: Mapping[str, float]
    draws: Draws
    prefix: str = ""

    def rate(self, what: str) -> float:
        """The rate of that name, 0 if the kind has none."""
        return self.rates.get(what, 0.0)

    def does(self, what: str) -> Flags:
        """(n,) in which records he does it, by its rate."""
        return self.draws.flag(f"{self.prefix}{what}", self.keys, self.rate(what))

    def keeps(self, what: str, texts: pl.Series) -> pl.Series:
        """(n,) the texts, null in a share of the records: the rate `no {what}`."""
        return where(~self.does(f"no {what}"), texts)

    def word(self, table: Forms, codes: Ints, what: str, share: float) -> pl.Series:
        """(n,) a name of each thing, another than the usual one in a share of the records."""
        return table.pick(codes, self.draws.unit(f"{self.prefix}{what} word", self.keys), share)


def hurried(texts: pl.Series, keys: Ints, name: str, haste: Haste, draws: Draws, spare_first: bool = True) -> pl.Series:
    """(n,) texts as someone in haste writes them. Words with a digit or a brace are neither dropped nor changed.

    The first word stays unless `spare_first` is false; texts of one or two words lose none.
    Cost: 1.5 us a word.
    """
    lists = texts.str.split(" ")
    count = lists.list.len().fill_null(0).to_numpy().astype(np.int64)
    words = lists.explode(empty_as_null=False, keep_nulls=False).alias("word")
    row = np.repeat(np.arange(len(texts)), count)
    position = np.arange(len(row)) - np.repeat(np.cumsum(count) - count, count)
    own = keys[row] * 64 + np.minimum(position, 63)
    free = ~words.str.contains(r"[\d{]").to_numpy() & ((position > 0) | (not spare_first))
    length = words.str.len_chars().to_numpy()
    shorter = free & (length >= 6) & draws.flag(f"{name} shorten", own, haste.shorten)
    words = _changed(words, np.flatnonzero(shorter), lambda some, at: _shortened(some, own[at], name, draws))
    mistyped = free & ~shorter & (length >= 4) & draws.flag(f"{name} slip", own, haste.slip)
    words = _changed(words, np.flatnonzero(mistyped), lambda some, at: slipped(some, own[at], name, draws))
    kept = ~(free & (count[row] > 2) & draws.flag(f"{name} drop", own, haste.drop))
    order = position + 1.5 * draws.flag(f"{name} swap", own, haste.swap)
    frame = pl.DataFrame({"row": row, "order": order, "word": words}).filter(pl.Series(kept)).sort("row", "order")
    text = frame.group_by("row", maintain_order=True).agg(pl.col("word").str.join(" "))
    return pl.DataFrame({"row": np.arange(len(texts))}).join(text, on="row", how="left", maintain_order="left")["word"]


def _changed(texts: pl.Series, rows: Ints, change: Callable[[pl.Series, Ints], pl.Series]) -> pl.Series:
    if not len(rows):
        return texts
    place = np.arange(len(texts))
    place[rows] = len(texts) + np.arange(len(rows))
    fresh = change(texts.gather(rows), rows)
    return pl.concat([texts, fresh.alias(texts.name)]).gather(place)


def _shortened(words: pl.Series, keys: Ints, name: str, draws: Draws) -> pl.Series:
    """Three or four letters of the beginning, with a full stop or without; or the consonants."""
    way = draws.below(f"{name} way", keys, 4)
    bare = words.str.strip_chars(",.;:")
    start = where(way == 0, bare.str.slice(0, 3), bare.str.slice(0, 4))
    bones = joined(bare.str.slice(0, 1), bare.str.slice(1).str.replace_all(_VOWELS, "")).str.slice(0, 5)
    return where(way == 3, bones, where(way == 1, between("", start, "."), start))


def slipped(texts: pl.Series, keys: Ints, name: str, draws: Draws) -> pl.Series:
    """One slip of typing in each text; in those with letters beyond ASCII, or very long ones, a letter left out."""
    plain = ((texts.str.len_bytes() == texts.str.len_chars()) & (texts.str.len_bytes() <= _WIDTH)).fill_null(False)
    rows = np.flatnonzero(plain.to_numpy())
    matrix = to_bytes(texts.gather(rows), _WIDTH)
    texts = _changed(texts, rows, lambda _, at: to_texts(slip(matrix, keys[at], draws, f"{name} slip")))
    rest = np.flatnonzero(~plain.to_numpy() & (texts.str.len_chars() > 3).fill_null(False).to_numpy())
    return _changed(texts, rest, lambda some, at: _without_letter(some, keys[at], name, draws))


def _without_letter(texts: pl.Series, keys: Ints, name: str, draws: Draws) -> pl.Series:
    length = texts.str.len_chars().to_numpy().astype(np.int64)
    frame = pl.DataFrame({"t": texts, "at": 1 + draws.below(f"{name} letter", keys, np.maximum(length - 1, 1))})
    text, at = pl.col("t"), pl.col("at")
    return frame.select(pl.concat_str(text.str.slice(0, at), text.str.slice(at + 1))).to_series()


def some_slipped(
    texts: pl.Series, keys: Ints, name: str, share: float | NDArray[np.float64], draws: Draws
) -> pl.Series:
    """(n,) the texts, a share of them with one slip."""
    rows = np.flatnonzero(
        draws.flag(f"{name} slips", keys, share) & (texts.str.len_chars() > 3).fill_null(False).to_numpy()
    )
    return _changed(texts, rows, lambda some, at: slipped(some, keys[at], name, draws))


_ONSETS = "b br c cl d dr f fl g gr h j k l m n p pr qu r s st t tr v w z x sk".split()
_VOWEL = "a e i o u ai ea io".split()
_CODAS = "n r l x s t m nd rk st th v lt".split()


def coined(numbers: Ints) -> pl.Series:
    """(n,) invented words of two syllables such as Brevonar, the same for the same number; neighbours are unlike."""
    mixed = (numbers.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(20)
    columns: list[pl.Series] = []
    for table in (_ONSETS, _VOWEL, _CODAS, _VOWEL, _CODAS):
        mixed, digit = np.divmod(mixed, np.uint64(len(table)))
        columns.append(pl.Series(str(len(columns)), table).gather(digit.astype(np.int64)))
    return pl.DataFrame(columns).select(pl.concat_str(pl.all()).str.to_titlecase()).to_series()
