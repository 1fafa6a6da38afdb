"""One record at a time: what `pack_text` does with whole columns, for a caller who waits for the answer.

A column costs polars a millisecond however short it is. Here Latin letters are normalised by a twin and the kernels are
called for one value; only what is left, above all other scripts, takes the way through `normalise_field`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from core.errors import InputError
from core.matching.records.layout import Layout
from core.matching.records.pack_text import PLAIN_KINDS, fill_field, fill_text
from core.matching.specs.levels import CODED_KINDS, SEVERAL_KINDS
from core.matching.specs.spec import FieldSpec
from core.matching.standardise.date_forms import SHORT_YEAR
from core.matching.standardise.dates import iso_dates, order_evidence, read_dates
from core.matching.standardise.full_names import PERSON_PARTS, WHOLE, person_part
from core.matching.standardise.latin import fold_latin, normalise_latin
from core.matching.standardise.normalise import PLACEHOLDER_DATES, normalise_field
from core.matching.standardise.readings import ColumnReading, read_as
from core.matching.standardise.several_values import may_divide, split_values
from core.matching.text.string_views import one_text

# What polars takes off a column's values: Python's own strip takes separators of records (U+001C to U+001F) as well.
_SPACES = "".join(chr(point) for point in range(0x3000 + 1) if chr(point).isspace() and not 0x1C <= point <= 0x1F)

REMEMBERED = 4_096
"""Values of coded fields in other scripts, and whole names: a millisecond of polars each. No others are kept."""


class OneRecord(NamedTuple):
    """A packed record without a vocabulary.

    words: (stride,) u32, 0 in the place of codes. texts: the normalised string of each coded field, "" where missing.
    """

    words: NDArray[np.uint32]
    texts: tuple[str, ...]


class RecordPacker:
    """Packs records under one spec as `pack_text` and the placeholders of a run do. Thread-safe.

    Args:
        date_orders: by date field, True when the day comes first unless a date itself says otherwise.
        placeholders: by field the packed values that count as missing.
        readings: by column, how its values are read that are not read as they are written.
    """

    def __init__(
        self,
        layout: Layout,
        date_orders: Mapping[str, bool],
        placeholders: Mapping[str, Sequence[int]],
        readings: Mapping[str, ColumnReading] = MappingProxyType({}),
    ) -> None:
        self._layout = layout
        # Who asks for a first name gives one: it is no whole name, whatever the columns of the run held.
        self._readings = {name: each for name, each in readings.items() if each.name_part is None}
        self._surname_first = any(each.surname_first for each in readings.values())
        self._orders = dict(date_orders)
        self._suspects = {name: frozenset(map(int, values)) for name, values in placeholders.items()}
        self._words = {field.name: layout.value_words(field.name) for field in layout.spec.fields}
        self._coded = {field.name: at for at, field in enumerate(layout.coded)}
        # Of this object, not of the class: it goes when the object goes.
        self._by_column = lru_cache(REMEMBERED)(self._clean_column)

    def pack(self, values: Mapping[str, str | None]) -> OneRecord:
        """Pack one record.

        Args:
            values: by column of the spec; one that is absent, null or blank is missing. WHOLE gives first and last name
                where these are.
        Raises:
            InputError: a year of two digits that the run does not say how to read; names the field, never the value.
        Cost: 10 us a value; up to 2 ms for one in another script than Latin, and for a date that is not ISO.
        """
        words = np.zeros(self._layout.stride, dtype=np.uint32)
        texts = [""] * len(self._coded)
        whole = (values.get(WHOLE) or "").strip(_SPACES)
        for number, field in enumerate(self._layout.spec.fields):
            if field.values == 0:
                continue
            text = (values.get(field.column) or "").strip(_SPACES)
            if text and field.column in self._readings:
                text = self._as_read(field.column, text)
            elif not text and whole and field.column in PERSON_PARTS:
                text = self._out_of(field.column, whole)
            if not text:
                continue
            if field.kind in CODED_KINDS:
                texts[self._coded[field.name]] = self._clean(number, text)
            else:
                self._fill(field, text, words)
        return OneRecord(words, tuple(texts))

    def _as_read(self, column: str, text: str) -> str:
        texts = pl.Series([text], dtype=pl.String)
        found = read_as(texts, self._readings[column], self._orders.get(column, False))[0]
        return "" if found is None else str(found)

    def _out_of(self, column: str, whole: str) -> str:
        """A part of a whole name."""
        texts = pl.Series([whole], dtype=pl.String)
        found = person_part(texts, PERSON_PARTS[column], surname_first=self._surname_first)[0]
        return "" if found is None else str(found)

    def _clean(self, number: int, text: str) -> str:
        """The normalised string of a coded field."""
        field = self._layout.spec.fields[number]
        unknown = PLAIN_KINDS.get(field.kind) if field.part is None else None
        if unknown is not None and is_plain(text):
            lower = text.lower()
            return "" if lower in unknown else lower
        latin = normalise_latin(text, field.kind) if field.part is None else None
        return self._by_column(number, text) if latin is None else latin

    def _clean_column(self, number: int, text: str) -> str:
        found = normalise_field(pl.Series([text], dtype=pl.String), self._layout.spec.fields[number])[0]
        return "" if found is None else str(found)

    def _fill(self, field: FieldSpec, text: str, words: NDArray[np.uint32]) -> None:
        """The words of a field that has no code, unless they are those of a placeholder; words: (stride,)."""
        row = words[None, :]
        if field.kind == "date":
            self._fill_date(field, text, row)
        elif (field.values > 1 and may_divide(text, field.kind)) or not fill_text(
            field, one_text(_folded(text)), self._layout, row
        ):
            fill_field(field, pl.Series([text], dtype=pl.String), self._layout, row, False)
        for span in self._words[field.name] if field.name in self._suspects else ():
            if _value(words[span]) in self._suspects[field.name]:
                words[span] = 0

    def _fill_date(self, field: FieldSpec, text: str, words: NDArray[np.uint32]) -> None:
        date, left = np.zeros(1, dtype=np.int32), np.zeros(1, dtype=np.bool_)
        iso_dates(one_text(text), date, left)
        if not left[0]:
            if date[0] not in PLACEHOLDER_DATES:
                words[0, self._layout.offset[field.name]] = date[0]
            return
        column = pl.Series([text], dtype=pl.String)
        status = int(read_dates(column, day_first=False)["status"][0])
        if status == SHORT_YEAR:
            raise InputError(
                f"field {field.name} holds a date whose year has two digits; write four, for the records that were "
                "matched do not say how they are read",
                field=field.name,
            )
        evidence = order_evidence(column)
        told = evidence.n_day_first > 0 or evidence.n_month_first > 0
        day_first = evidence.day_first if told else self._orders.get(field.name, False)
        fill_field(field, column, self._layout, words, day_first)


def n_values(text: str | None, field: FieldSpec) -> int:
    """How many values of a field a text holds, 1 where it is not divided."""
    if not text or field.kind not in SEVERAL_KINDS or not may_divide(text, field.kind):
        return 1
    return len(split_values(pl.Series([text.strip(_SPACES)]), field.kind, telephone=field.gathers)[0])


def _folded(text: str) -> str:
    """Without accents, where that leaves ASCII, which the kernels read; else as it is."""
    folded = None if text.isascii() else fold_latin(text)
    return folded if folded and folded.isascii() else text


def _value(words: NDArray[np.uint32]) -> int:
    """`field_values` of one value."""
    low, *others = words.tolist()
    return int(low | others[0] << 32 if others else low)


def is_plain(text: str) -> bool:
    """One value of `ascii_text.plain_words`, not empty: lower case is all it needs."""
    if not (text.isascii() and text.isalnum()):
        return False
    return (len(text) == 1 or len(set(text.lower())) > 1) and (len(text) != 9 or not text.isdigit())


def coded_matrix(records: Sequence[OneRecord], layout: Layout) -> tuple[NDArray[np.uint32], list[str]]:
    """Records as kernels read them, under a vocabulary of exactly these.

    Returns:
        (n, stride) u32, and the strings in the order of their codes, the first of them empty.
    """
    # Python orders strings by code point, as polars does by UTF-8 byte: the codes ascend as those of a run.
    strings = ["", *sorted({text for record in records for text in record.texts if text})]
    codes = {text: code for code, text in enumerate(strings)}
    words = np.stack([record.words for record in records])
    if len(layout.coded):
        words[:, layout.coded_words] = [[codes[text] for text in record.texts] for record in records]
    return words, strings
