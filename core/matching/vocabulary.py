"""One vocabulary for all coded fields of a job, and the packing of normalised columns into records.

A code is one normalised string whichever field it stands in; code 0 is "missing". Strings are kept in ascending order,
so codes sort as their strings do. Hashes are functions of the string alone: the vocabulary of one range and that of the
whole job give equal keys.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from core.matching.hashing import flat_bytes, flat_points, hash_span, hash_spans
from core.matching.jit import kernel
from core.matching.layout import Layout
from core.matching.nicknames import nickname_hashes
from core.matching.packing import pack_digits, pack_emails, pack_streets
from core.matching.sound import sounds
from core.matching.spec import FieldSpec
from core.matching.streets import street_tables

NEGATIVE_ZERO_BITS = np.uint32(0x80000000)


class VocabularyArrays(NamedTuple):
    """The vocabulary as the kernels read it; V codes, code 0 included."""

    points: NDArray[np.uint32]  # all code points
    starts: NDArray[np.int64]  # (V + 1,)
    hash: NDArray[np.uint64]  # (V,) of the string; 0 for code 0
    class_hash: NDArray[np.uint64]  # (V,) of the nickname class
    sound: NDArray[np.uint64]  # (V,) phonetic key
    letters: NDArray[np.uint64]  # (V,) bit c % 64 set for each code point c: tells most pairs apart unread
    longest: int  # code points of the longest string


@dataclass(frozen=True, eq=False)
class Vocabulary:
    """Distinct strings, ascending, with what the kernels need to know of each. Build with `build`."""

    strings: pl.Series
    arrays: VocabularyArrays

    @classmethod
    def build(cls, strings: pl.Series) -> Vocabulary:
        """Make the vocabulary of some strings; nulls, empty strings and doubles are dropped.

        Cost: about 1 s per million distinct strings.
        """
        distinct = strings.cast(pl.String).drop_nulls().unique()
        ordered = distinct.filter(distinct != "").sort()
        return cls._of_sorted(pl.concat([pl.Series([""], dtype=pl.String), ordered]).rename("string"))

    @classmethod
    def _of_sorted(cls, strings: pl.Series) -> Vocabulary:
        points, starts = flat_points(strings)
        n_codes = len(strings)
        hashes, classes, heard, letters = (np.zeros(n_codes, dtype=np.uint64) for _ in range(4))
        hash_spans(points, starts, hashes)
        sounds(points, starts, heard)
        letter_sets(points, starts, letters)
        class_hashes(points, starts, nickname_hashes(), classes)
        longest = int(np.diff(starts).max(initial=0))
        return cls(strings, VocabularyArrays(points, starts, hashes, classes, heard, letters, longest))

    def __len__(self) -> int:
        return len(self.strings)

    @property
    def points(self) -> NDArray[np.uint32]:
        """Code points of all strings, one after the other."""
        return self.arrays.points

    @property
    def starts(self) -> NDArray[np.int64]:
        """(V + 1,) where each string begins in `points`."""
        return self.arrays.starts

    @property
    def hash(self) -> NDArray[np.uint64]:
        """(V,) hash of each string."""
        return self.arrays.hash

    @property
    def class_hash(self) -> NDArray[np.uint64]:
        """(V,) hash of each string's nickname class."""
        return self.arrays.class_hash

    @property
    def sound(self) -> NDArray[np.uint64]:
        """(V,) phonetic key of each string."""
        return self.arrays.sound

    def to_frame(self) -> pl.DataFrame:
        """The strings alone, to be stored: everything else is rebuilt from them."""
        return self.strings.to_frame("string")

    @classmethod
    def from_frame(cls, frame: pl.DataFrame) -> Vocabulary:
        """Rebuild what `to_frame` stored; the codes stay as they were."""
        return cls._of_sorted(frame["string"])

    def codes(self, values: pl.Series) -> NDArray[np.uint32]:
        """Code of each value; 0 for null. Every value must be in the vocabulary."""
        dtype = pl.Enum(self.strings)
        return values.cast(dtype).to_physical().fill_null(0).cast(pl.UInt32).to_numpy()


@kernel
def letter_sets(points: NDArray[np.uint32], starts: NDArray[np.int64], out: NDArray[np.uint64]) -> None:
    """Which code points, modulo 64, each string has: one bit each."""
    for row in range(len(starts) - 1):
        found = np.uint64(0)
        for at in range(starts[row], starts[row + 1]):
            found |= np.uint64(1) << np.uint64(points[at] & np.uint32(63))
        out[row] = found


@kernel
def class_hashes(
    points: NDArray[np.uint32],
    starts: NDArray[np.int64],
    names: tuple[NDArray[np.uint64], NDArray[np.uint64]],
    out: NDArray[np.uint64],
) -> None:
    """Hash of each string's nickname class, by its first word unless that is an initial.

    `names` = (hashes of the listed names, ascending; hash of the full form of each).
    """
    for row in range(len(starts) - 1):
        start, stop = starts[row], starts[row + 1]
        end = start
        while end < stop and points[end] != 32:
            end += 1
        if end - start < 2:
            end = stop
        hashed = hash_span(points, start, end)
        at = np.searchsorted(names[0], hashed)
        known = at < len(names[0]) and names[0][at] == hashed
        out[row] = names[1][at] if known else hashed


def pack(normalised: pl.DataFrame, layout: Layout) -> tuple[NDArray[np.uint32], Vocabulary]:
    """Pack normalised columns into records.

    Args:
        normalised: as `normalise` returns it.
    Returns:
        (n, layout.stride) uint32, C-contiguous, and the vocabulary of exactly these rows.
    Cost: about 2 s per million persons.
    """
    words = np.zeros((len(normalised), layout.stride), dtype=np.uint32)
    coded = [normalised[field.name].cast(pl.String) for field in layout.coded]
    distinct = [column.unique().rename("string") for column in coded]
    vocabulary = Vocabulary.build(pl.concat(distinct) if distinct else pl.Series([], dtype=pl.String))
    for field, column in zip(layout.coded, coded, strict=True):
        words[:, layout.offset[field.name]] = vocabulary.codes(column)
    for field in layout.spec.fields:
        if field not in layout.coded:
            words[:, layout.words_of(field.name)] = packed_field(field, normalised[field.name])
    return words, vocabulary


def packed_field(field: FieldSpec, column: pl.Series) -> NDArray[np.uint32]:
    """Words of one normalised column that has no codes: (n, width)."""
    if field.kind == "date":
        return column.fill_null(0).cast(pl.UInt32).to_numpy()[:, None]
    if field.kind == "number":
        bits = column.cast(pl.Float32).fill_null(0.0).to_numpy().view(np.uint32).copy()
        # 0.0 has no bit set, which would read as missing: it is kept as -0.0.
        bits[(bits == 0) & column.is_not_null().to_numpy()] = NEGATIVE_ZERO_BITS
        return bits[:, None]
    units, starts = flat_bytes(column)
    out = np.zeros((len(column), 4 if field.kind == "street" else 2), dtype=np.uint32)
    if field.kind == "street":
        pack_streets(units, starts, street_tables(), out)
    elif field.kind == "email":
        pack_emails(units, starts, out)
    else:
        pack_digits(units, starts, out)
    return out


def merge(vocabularies: Sequence[Vocabulary]) -> tuple[Vocabulary, list[NDArray[np.uint32]]]:
    """Unite the vocabularies of ranges.

    Returns:
        The common vocabulary, and per input a table from its codes to the common ones, for `remap`.
    """
    strings = [each.strings.rename("string") for each in vocabularies]
    whole = Vocabulary.build(pl.concat(strings) if strings else pl.Series([], dtype=pl.String))
    return whole, [whole.codes(each.strings) for each in vocabularies]


def remap(words: NDArray[np.uint32], layout: Layout, table: NDArray[np.uint32]) -> None:
    """Rewrite the codes of records in place through a table of `merge`."""
    for word in layout.coded_words:
        words[:, word] = table[words[:, word]]


def frequencies(words: NDArray[np.uint32], layout: Layout, n_codes: int) -> dict[str, NDArray[np.uint32]]:
    """How often each code occurs, per field that adjusts for term frequency; index 0 counts the missing ones.

    Counts of ranges under one vocabulary add up.
    """
    return {
        field.name: np.bincount(words[:, layout.offset[field.name]], minlength=n_codes).astype(np.uint32)
        for field in layout.spec.fields
        if field.term_frequency
    }


def field_values(words: NDArray[np.uint32], layout: Layout, field: str) -> NDArray[np.uint64]:
    """One uint64 per record that is equal exactly when the field's first two words are; 0 when missing."""
    columns: Mapping[int, NDArray[np.uint32]] = dict(enumerate(words[:, layout.words_of(field)].T))
    low = columns[0].astype(np.uint64)
    return low | (columns[1].astype(np.uint64) << np.uint64(32)) if len(columns) > 1 else low
