"""One vocabulary for all coded fields of a job, and the packing of normalised columns into records.

A code is one normalised string whichever field it stands in; code 0 is "missing". Strings are kept in ascending order,
so codes sort as their strings do. Hashes are functions of the bare string, without the marks behind it: the vocabulary
of one range and that of the whole job give equal keys.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from core.matching.jit import kernel
from core.matching.records.layout import Layout
from core.matching.records.packing import pack_digits, pack_emails, pack_points, pack_streets
from core.matching.records.value_places import in_order, one_value
from core.matching.records.words.text_records import pack_texts
from core.matching.records.words.texts import number_texts
from core.matching.records.words.token_table import ALONE, NO_TOKENS, TokenArrays, WordRules
from core.matching.specs.spec import FieldSpec
from core.matching.standardise.names.nicknames import NameTables, name_tables
from core.matching.standardise.names.phonetic import LETTERS_MAX, sound_of
from core.matching.standardise.names.scripts import reading
from core.matching.standardise.names.traits import IDEOGRAPHS, NAME_IDEOGRAPHS_MAX, WELL_KNOWN
from core.matching.standardise.streets import street_tables
from core.matching.text.distinct import sorted_distinct
from core.matching.text.hashing import flat_bytes, flat_points, hash_span, look_up
from core.matching.text.marks import SEPARATOR, split_marks
from core.matching.text.string_views import Spread

# Strings that are described in one go.
SPAN_CODES = 1 << 14
# Fewer strings are looked at one by one.
FEW_STRINGS = 1_000
# Radicals, unified and compatible ideographs; what lies between them has letters, as kana and hangul do.
FIRST_IDEOGRAPH = 0x2E80
NEGATIVE_ZERO_BITS = np.uint32(0x80000000)


class VocabularyArrays(NamedTuple):
    """The vocabulary as the kernels read it; V codes, code 0 included. All but `marks` is of bare strings."""

    points: NDArray[np.uint32]  # all code points
    starts: NDArray[np.int64]  # (V + 1,)
    hash: NDArray[np.uint64]  # (V,) of the string; 0 for code 0
    class_hash: NDArray[np.uint64]  # (V,) of the nickname class
    sound: NDArray[np.uint64]  # (V,) phonetic key
    letters: NDArray[np.uint64]  # (V,) bit c % 64 set for each code point c: tells most pairs apart unread
    packed: NDArray[np.uint64]  # (V, 2) short strings, see `packing.pack_points`
    marks: NDArray[np.uint64]  # (V + 1,) what stands behind each string, and last all that occurs; (0,) if none does
    traits: NDArray[np.uint8]  # (V,) flags of `names.traits`
    longest: int  # code points of the longest string
    ideographs: bool  # whether any string has some
    tokens: TokenArrays = NO_TOKENS  # the words of texts, of another numbering


NOT_STORED = ("longest", "ideographs", "tokens")


@dataclass(frozen=True, eq=False)
class Vocabulary:
    """Distinct strings, ascending, with what the kernels need to know of each. Build with `build`."""

    strings: pl.Series
    arrays: VocabularyArrays

    @classmethod
    def build(cls, strings: pl.Series) -> Vocabulary:
        """Make the vocabulary of some strings; nulls, empty strings and doubles are dropped.

        Cost: about 0.5 s per million distinct strings on one core.
        """
        return cls.coded(strings)[0]

    @classmethod
    def coded(
        cls, values: pl.Series, spread: Spread = map, layout: Layout | None = None
    ) -> tuple[Vocabulary, NDArray[np.uint32]]:
        """Make the vocabulary of some values; also returns the code of each of them, 0 for null."""
        ordered, codes = sorted_distinct(values, spread)
        strings = pl.concat([pl.Series([""], dtype=pl.String), ordered]).rename("string")
        return cls._described(strings, spread, layout), codes

    @classmethod
    def of_sorted(cls, strings: pl.Series, spread: Spread = map) -> Vocabulary:
        """The vocabulary of ascending, distinct strings of which the first is empty."""
        return cls._described(strings, spread)

    @classmethod
    def of_strings(cls, strings: Sequence[str]) -> Vocabulary:
        """`of_sorted` for a few strings, without the half millisecond that columns cost however short they are."""
        column = pl.Series("string", strings, dtype=pl.String)
        if any(SEPARATOR in text for text in strings):
            return cls._described(column)
        points = np.frombuffer("".join(strings).encode("utf-32-le"), dtype="<u4").astype(np.uint32)
        starts = np.zeros(len(strings) + 1, dtype=np.int64)
        np.cumsum([len(text) for text in strings], out=starts[1:])
        return cls._filled(column, (points, starts), np.zeros(0, dtype=np.uint64))

    @classmethod
    def _described(cls, strings: pl.Series, spread: Spread = map, layout: Layout | None = None) -> Vocabulary:
        bare, marks = split_marks(strings)
        return cls._filled(strings, flat_points(bare, spread), marks, spread, layout)

    @classmethod
    def _filled(
        cls,
        strings: pl.Series,
        flat: tuple[NDArray[np.uint32], NDArray[np.int64]],
        marks: NDArray[np.uint64],
        spread: Spread = map,
        layout: Layout | None = None,
    ) -> Vocabulary:
        points, starts = flat
        hashes, classes, heard, letters = (np.zeros(len(strings), dtype=np.uint64) for _ in range(4))
        longest = int(np.diff(starts).max(initial=0))
        packed = np.zeros((len(strings), 2), dtype=np.uint64)
        traits = np.zeros(len(strings), dtype=np.uint8)
        foreign = bool(points.max(initial=0) >= FIRST_IDEOGRAPH)
        arrays = VocabularyArrays(
            points, starts, hashes, classes, heard, letters, packed, marks, traits, longest, foreign
        )
        names = name_tables()
        with_sounds, with_classes = layout is None or layout.reads_sounds, layout is None or layout.reads_classes
        for _ in spread(
            lambda lo: describe(arrays, names, with_sounds, with_classes, lo, lo + SPAN_CODES),
            range(0, len(strings), SPAN_CODES),
        ):
            pass
        if foreign:
            cls._read(strings, arrays, with_sounds, with_classes)
        return cls(strings, arrays)

    @classmethod
    def _read(cls, strings: pl.Series, arrays: VocabularyArrays, sounds: bool, classes: bool) -> None:
        """Give strings in ideographs the sound and the class of how they are read; see `scripts.reading`."""
        codes = np.flatnonzero(arrays.traits & IDEOGRAPHS)
        read = cls.of_strings([reading(text.partition(SEPARATOR)[0]) for text in strings.gather(codes)]).arrays
        if sounds:
            arrays.sound[codes] = read.sound
        if classes:
            arrays.class_hash[codes] = read.class_hash

    def __len__(self) -> int:
        return len(self.strings)

    @property
    def bare_strings(self) -> pl.Series:
        """(V,) the strings without the marks behind them."""
        return split_marks(self.strings)[0]

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

    def of_bare(self, counts: NDArray[np.int64]) -> NDArray[np.int64]:
        """Counts by code, (V,), each summed over the codes of one bare string and put at the first of them."""
        if len(self.arrays.marks) == 0:
            return counts.copy()
        # Strings of one bare string are neighbours, for the separator is below every other character.
        firsts = np.flatnonzero(np.append(True, self.hash[1:] != self.hash[:-1]))
        summed = np.zeros_like(counts)
        summed[firsts] = np.add.reduceat(counts, firsts)
        return summed

    def to_frame(self) -> pl.DataFrame:
        """The strings alone, to be stored: everything else can be rebuilt from them."""
        return self.strings.to_frame("string")

    @classmethod
    def from_frame(cls, frame: pl.DataFrame) -> Vocabulary:
        """Rebuild what `to_frame` stored; the codes stay as they were."""
        return cls.of_sorted(frame["string"])

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """All that kernels need, to be stored and mapped; see `from_arrays`."""
        return {name: array for name, array in self.arrays._asdict().items() if name not in NOT_STORED}

    @classmethod
    def from_arrays(cls, strings: pl.Series, arrays: Mapping[str, NDArray[Any]]) -> Vocabulary:
        """Put together what `to_frame` and `to_arrays` stored.

        Args:
            arrays: may be mapped from files; as copy on write, for kernels are compiled for arrays that can be written.
        """
        kept = {name: np.asarray(array) for name, array in arrays.items()}
        longest, foreign = int(np.diff(kept["starts"]).max(initial=0)), bool((kept["traits"] & IDEOGRAPHS).any())
        return cls(strings, VocabularyArrays(**kept, longest=longest, ideographs=foreign, tokens=NO_TOKENS))

    def with_tokens(self, tokens: TokenArrays) -> Vocabulary:
        """The same with the words of texts."""
        return Vocabulary(self.strings, self.arrays._replace(tokens=tokens))

    def mark_well_known(self, names: Collection[str]) -> None:
        """Note of each of these names that many bear it; in place. Names that do not occur are left out."""
        if len(self) < FEW_STRINGS:
            known = [code for code, text in enumerate(self.strings) if text.partition(SEPARATOR)[0] in names]
        else:
            known = self.bare_strings.is_in(list(names)).arg_true().to_list()
        self.arrays.traits[known] |= WELL_KNOWN

    def codes(self, values: pl.Series) -> NDArray[np.uint32]:
        """Code of each value; 0 for null. Every value must be in the vocabulary."""
        dtype = pl.Enum(self.strings)
        return values.cast(dtype).to_physical().fill_null(0).cast(pl.UInt32).to_numpy()


@kernel
def describe(arrays: VocabularyArrays, names: NameTables, sounds: bool, classes: bool, lo: int, hi: int) -> None:
    """Fill what `VocabularyArrays` has of the strings [lo, hi), as far as there are.

    Cost: 80 ns a string, and 270 more for its sound and 110 for its class.
    """
    points, starts = arrays.points, arrays.starts
    buffer = np.empty(LETTERS_MAX, dtype=np.uint8)
    hi = min(hi, len(starts) - 1)
    for code in range(lo, hi):
        start, stop = starts[code], starts[code + 1]
        arrays.hash[code] = hash_span(points, start, stop)
        arrays.letters[code] = letter_set(points, start, stop)
        if sounds:
            arrays.sound[code] = sound_of(points, start, stop, buffer)
        if classes:
            describe_name(arrays, names, code)
        if arrays.ideographs and has_ideographs(points, start, stop):
            arrays.traits[code] |= IDEOGRAPHS
    pack_points(points, starts[lo : hi + 1], arrays.packed[lo:hi])


@kernel
def letter_set(points: NDArray[np.uint32], start: int, stop: int) -> np.uint64:
    """Which code points, modulo 64, a string has: one bit each."""
    found = np.uint64(0)
    for at in range(start, stop):
        found |= np.uint64(1) << np.uint64(points[at] & np.uint32(63))
    return found


@kernel
def class_word(points: NDArray[np.uint32], start: int, stop: int) -> np.uint64:
    """Hash of the word by which a string is classed: the first unless that is an initial, then all of it."""
    end = start
    while end < stop and points[end] != 32:
        end += 1
    return hash_span(points, start, stop if end - start < 2 else end)


@kernel
def describe_name(arrays: VocabularyArrays, names: NameTables, code: int) -> None:
    """Fill the nickname class of a string, the hash of its full form or its own, and what is known of it as a name."""
    word = class_word(arrays.points, arrays.starts[code], arrays.starts[code + 1])
    full = look_up(names.classes.keys, names.classes.values, word)
    arrays.class_hash[code] = word
    if full != 0:
        arrays.class_hash[code] = full
        traits = np.uint8(look_up(names.traits.keys, names.traits.values, word))
        # Of several words the first alone is known.
        arrays.traits[code] = traits if word == arrays.hash[code] else traits & ~WELL_KNOWN


@kernel
def has_ideographs(points: NDArray[np.uint32], start: int, stop: int) -> bool:
    """Whether a string is a name with Chinese characters."""
    for at in range(start, stop):
        point = np.int64(points[at])
        unified = 0x3400 <= point <= 0x9FFF or 0x20000 <= point <= 0x3FFFF
        if unified or FIRST_IDEOGRAPH <= point <= 0x2FDF or 0xF900 <= point <= 0xFAFF:
            return stop - start <= NAME_IDEOGRAPHS_MAX
    return False


def pack(normalised: pl.DataFrame, layout: Layout, rules: WordRules = ALONE) -> tuple[NDArray[np.uint32], Vocabulary]:
    """Pack normalised columns into records.

    Args:
        normalised: as `normalise` returns it. rules: of words, where there are texts.
    Returns:
        (n, layout.stride) uint32, C-contiguous, and the vocabulary of exactly these rows.
    Cost: about 2 s per million persons.
    """
    words = np.zeros((len(normalised), layout.stride), dtype=np.uint32)
    vocabulary, codes = code_columns([normalised[field.name] for field in layout.coded])
    for field, column in zip(layout.coded, codes, strict=True):
        words[:, layout.offset[field.name]] = column
    texts = {}
    for field in layout.spec.fields:
        if field.kind == "words":
            words[:, layout.offset[field.name]], texts[field.name] = number_texts(normalised[field.name])
        elif field not in layout.coded and field.values > 0:
            words[:, layout.words_of(field.name)] = packed_field(field, normalised[field.name])
    if texts:
        vocabulary = vocabulary.with_tokens(pack_texts(words, layout, texts, rules)[1])
    return words, vocabulary


def packed_field(field: FieldSpec, column: pl.Series) -> NDArray[np.uint32]:
    """Words of one normalised column that has no codes: (n, width), of several values (n, values * width)."""
    if field.values > 1:
        places = [packed_field(one_value(field), column.list.get(k, null_on_oob=True)) for k in range(field.values)]
        return in_order(np.stack(places, axis=1)).reshape(len(column), 2 * field.values)
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
        pack_streets(units, starts, street_tables(field.keeps_units), out)
    elif field.kind == "email":
        pack_emails(units, starts, out)
    else:
        pack_digits(units, starts, out)
    return out


def code_columns(
    columns: Sequence[pl.Series], spread: Spread = map, layout: Layout | None = None
) -> tuple[Vocabulary, list[NDArray[np.uint32]]]:
    """One vocabulary for all values of some columns, and the codes of each column, 0 for null and empty.

    Args:
        spread: calls a function on parts of the work; which one changes nothing.
        layout: whose kernels will read the vocabulary; sounds and nickname classes that they do not read stay 0.
    """
    every = [column.cast(pl.String).rename("string") for column in columns]
    vocabulary, codes = Vocabulary.coded(pl.concat(every) if every else pl.Series([], dtype=pl.String), spread, layout)
    return vocabulary, np.split(codes, np.cumsum([len(column) for column in columns])[:-1]) if every else []


def remap(words: NDArray[np.uint32], layout: Layout, table: NDArray[np.uint32]) -> None:
    """Rewrite the codes of records in place through a table of `code_columns`."""
    for word in layout.coded_words:
        words[:, word] = table[words[:, word]]


def frequencies(words: NDArray[np.uint32], layout: Layout, n_codes: int) -> dict[str, NDArray[np.uint32]]:
    """How often each code occurs, per field that adjusts for term frequency; index 0 counts the missing ones.

    Codes of one bare string are counted apart, see `scoring.model.term_tables`.

    Counts of ranges under one vocabulary add up.
    """
    return {
        field.name: np.bincount(words[:, layout.offset[field.name]], minlength=n_codes).astype(np.uint32)
        for field in layout.spec.fields
        if field.term_frequency
    }


@kernel
def add_counts(places: NDArray[np.uint32], counts: NDArray[np.uint32], totals: NDArray[np.uint32]) -> None:
    """Add counts[i] to totals[places[i]]: a range's counts, by its own codes, to those of all ranges."""
    for i in range(len(places)):
        totals[places[i]] += counts[i]
