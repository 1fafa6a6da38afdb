"""From the text of a range of rows to packed records: what `normalise` and `pack` do, at a fraction of their cost.

Values of which there are few (names, places, codes) are cleaned once per distinct value; the others go from their bytes
into the record by one kernel. Whatever is not plain ASCII takes the way through `normalise`, value by value.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from core.matching.records.ascii_text import clean_texts, fill_digits, fill_emails, fill_streets, plain_words, refused
from core.matching.records.layout import Layout
from core.matching.records.packing import DIGITS_MAX
from core.matching.records.value_places import in_order, one_value
from core.matching.records.vocabulary import Vocabulary, code_columns, packed_field, remap
from core.matching.records.words.text_records import pack_texts
from core.matching.records.words.texts import Texts, number_texts
from core.matching.records.words.token_table import ALONE, WordRules
from core.matching.specs.levels import CODED_KINDS
from core.matching.specs.spec import FieldSpec
from core.matching.standardise.names.marks import BORN_WORDS
from core.matching.standardise.normalise import normalise_field, require_columns
from core.matching.standardise.several_values import may_be_several, split_values
from core.matching.standardise.streets import street_tables
from core.matching.standardise.unknown_words import GIVEN_UNKNOWN_WORDS, NAME_UNKNOWN_WORDS, UNKNOWN_WORDS
from core.matching.text.distinct import numbered
from core.matching.text.flat_strings import flat_strings
from core.matching.text.string_views import TextChunk, text_chunks

# Kinds of which one plain word needs nothing but lower case, and the words among them that mean "unknown".
PLAIN_KINDS: Mapping[str, tuple[str, ...]] = {
    "given_name": GIVEN_UNKNOWN_WORDS,
    "surname": NAME_UNKNOWN_WORDS,
    "text": UNKNOWN_WORDS,
    "city": UNKNOWN_WORDS,
    "category": UNKNOWN_WORDS,
    "code": UNKNOWN_WORDS,
}
# Kinds whose words are all kept: a kernel cleans any number of them.
WORD_KINDS = ("text", "category")


def pack_text(
    frame: pl.DataFrame,
    layout: Layout,
    date_orders: Mapping[str, bool] | None = None,
    rules: WordRules = ALONE,
) -> tuple[NDArray[np.uint32], Vocabulary]:
    """Pack text into records; the same as `pack(normalise(frame, spec, date_orders), layout, rules)`.

    Args:
        frame: one String column per `spec.columns`; other columns are ignored.
    Returns:
        (n, layout.stride) uint32, C-contiguous, and the vocabulary of exactly these rows.
    Raises:
        SchemaError: a field has no column.
    """
    words, strings, texts = number_text(frame, layout, date_orders)
    vocabulary, (codes,) = code_columns([strings])
    remap(words, layout, codes)
    if texts:
        vocabulary = vocabulary.with_tokens(pack_texts(words, layout, texts, rules)[1])
    return words, vocabulary


class Numbered(NamedTuple):
    """Records without a vocabulary.

    words: as of `pack_text`, but a coded field holds a place among the strings, and the first word of a text its number
    among the texts. strings: in no order, the first of them empty; one may be null, or occur again. texts: by field.
    """

    words: NDArray[np.uint32]
    strings: pl.Series
    texts: dict[str, Texts]


def number_text(frame: pl.DataFrame, layout: Layout, date_orders: Mapping[str, bool] | None = None) -> Numbered:
    """`pack_text` without a vocabulary.

    Cost: about 0.6 s per million persons on one core, and 50 bytes a row beside the result.
    """
    require_columns(frame, layout.spec)
    orders = date_orders or {}
    words = np.zeros((len(frame), layout.stride), dtype=np.uint32)
    strings, n_strings, texts = [pl.Series([""], dtype=pl.String)], 1, {}
    for field in layout.spec.fields:
        if field.values == 0:
            continue
        column = frame[field.column]
        if field.kind == "words":
            words[:, layout.offset[field.name]], texts[field.name] = _worded(field, column)
            continue
        if field.kind not in CODED_KINDS:
            fill_field(field, column, layout, words, orders.get(field.name, False))
            continue
        numbers, cleaned = _coded(field, column)
        words[:, layout.offset[field.name]] = np.where(numbers > 0, numbers + np.uint32(n_strings - 1), np.uint32(0))
        strings.append(cleaned)
        n_strings += len(cleaned)
    return Numbered(words, pl.concat(strings), texts)


def _worded(field: FieldSpec, column: pl.Series) -> tuple[NDArray[np.uint32], Texts]:
    """Clean the distinct values of a column of texts: the number of each row's text, and the texts."""
    numbers, firsts = numbered(column)
    texts, found = number_texts(normalise_field(column.gather(firsts), field))
    return np.append(np.uint32(0), texts)[numbers], found


def _coded(field: FieldSpec, column: pl.Series) -> tuple[NDArray[np.uint32], pl.Series]:
    """Clean the distinct values of a column: the number of each row's (0: missing), and what they become, from 1 on."""
    numbers, firsts = numbered(column)
    distinct = column.gather(firsts).rename("")
    easy, done = _easy(field, distinct)
    # The parts are put one behind the other; the numbers follow them.
    order = np.zeros(len(distinct) + 1, dtype=np.uint32)
    order[1:][done] = np.arange(1, len(easy) + 1)
    order[1:][~done] = np.arange(len(easy) + 1, len(distinct) + 1)
    hard = normalise_field(distinct.filter(~done), field)
    return order[numbers], pl.concat([easy.rename(""), hard.cast(pl.String).rename("")])


def _easy(field: FieldSpec, distinct: pl.Series) -> tuple[pl.Series, NDArray[np.bool_]]:
    """Clean the values that need no more than a kernel: what they become, and which they are."""
    done = np.zeros(len(distinct), dtype=np.bool_)
    if field.part is not None or field.kind not in PLAIN_KINDS:
        return distinct.clear(), done
    with text_chunks(distinct) as chunks:
        if field.kind in WORD_KINDS:
            return _words(distinct, chunks, done), done
        for first, chunk in chunks:
            plain_words(chunk, done[first : first + len(chunk.views)])
    if field.kind == "given_name":
        done &= ~distinct.str.to_lowercase().is_in(list(BORN_WORDS)).fill_null(value=False).to_numpy()
    lower = distinct.filter(done).str.to_lowercase()
    return pl.select(pl.when(~lower.is_in(list(PLAIN_KINDS[field.kind]))).then(lower)).to_series(), done


def _words(distinct: pl.Series, chunks: list[tuple[int, TextChunk]], done: NDArray[np.bool_]) -> pl.Series:
    """What `clean_texts` makes of a column."""
    units = np.empty(int(distinct.str.len_bytes().sum()), dtype=np.uint8)
    starts, n_done = np.zeros(len(distinct) + 1, dtype=np.int64), 0
    for first, chunk in chunks:
        n_done = clean_texts(chunk, refused(), units, starts, done[first : first + len(chunk.views)], n_done)
    return flat_strings("", units, starts[: n_done + 1])


def fill_field(field: FieldSpec, column: pl.Series, layout: Layout, words: NDArray[np.uint32], day_first: bool) -> None:
    """Put a column that has no codes into the records."""
    if field.values > 1:
        _fill_values(field, column, layout, words)
    else:
        _fill_words(field, column, words, layout.words_of(field.name), day_first)


def _fill_words(field: FieldSpec, column: pl.Series, words: NDArray[np.uint32], span: slice, day_first: bool) -> None:
    """Put a column of one value a cell into some columns of the records."""
    kernel = _KERNELS.get(field.kind)
    if kernel is None:
        words[:, span] = packed_field(field, normalise_field(column, field, day_first))
        return
    slow = np.zeros(len(column), dtype=np.bool_)
    with text_chunks(column) as chunks:
        for first, chunk in chunks:
            rows = slice(first, first + len(chunk.views))
            kernel(field, chunk, words[rows], span.start, slow[rows])
    left = np.flatnonzero(slow)
    if len(left):
        words[left, span] = packed_field(field, normalise_field(column.gather(left), field, day_first))


def _fill_values(field: FieldSpec, column: pl.Series, layout: Layout, words: NDArray[np.uint32]) -> None:
    """`fill_field` where a record may have several values: cells that may be divided go value by value."""
    spans, alone = layout.value_words(field.name), one_value(field)
    divided = may_be_several(column, field.kind)
    whole = column.to_frame("cell").select(pl.when(~divided).then("cell")).to_series()
    _fill_words(alone, whole, words, spans[0], False)
    rows = divided.arg_true().to_numpy()
    cells = split_values(column.gather(rows), field.kind, telephone=field.gathers)
    values = np.zeros((len(spans), len(rows), 2), dtype=np.uint32)
    for number, place in enumerate(values):
        _fill_words(alone, cells.list.get(number, null_on_oob=True), place, slice(0, 2), False)
    ordered = in_order(values.swapaxes(0, 1))
    for number, span in enumerate(spans):
        words[rows, span] = ordered[:, number]


def fill_text(field: FieldSpec, chunk: TextChunk, layout: Layout, words: NDArray[np.uint32]) -> bool:
    """`fill_field` for one string of one value by the kernel of its kind; False where that leaves it to columns.

    Args:
        words: (1, stride), all zero at the field.
    """
    kernel, slow = _KERNELS.get(field.kind), np.zeros(1, dtype=np.bool_)
    if kernel is None:
        return False
    kernel(field, chunk, words, layout.offset[field.name], slow)
    return not slow[0]


_Kernel = Callable[[FieldSpec, TextChunk, NDArray[np.uint32], int, NDArray[np.bool_]], None]
_KERNELS: Mapping[str, _Kernel] = {
    "digits": lambda field, chunk, words, at, slow: fill_digits(
        chunk, field.keep_last or DIGITS_MAX, refused(), words, at, slow
    ),
    "street": lambda field, chunk, words, at, slow: fill_streets(
        chunk, street_tables(field.keeps_units), refused(), words, at, slow
    ),
    "email": lambda _, chunk, words, at, slow: fill_emails(chunk, refused(), words, at, slow),
}
