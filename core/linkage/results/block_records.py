"""The records that share a pass's key with a pair, read from the input again: what a cut or a window was about."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import polars as pl

from core.intake.source import Source
from core.matching.blocking.block_keys import fill_keys
from core.matching.quality.missed_pairs import Placing, place
from core.matching.records.layout import Layout
from core.matching.records.pack_text import pack_text
from core.matching.records.placeholders import null_values
from core.matching.records.vocabulary import Vocabulary, code_columns, remap
from core.matching.records.words.texts import Texts, number_texts
from core.matching.records.words.token_table import KnownWords, code_words
from core.matching.specs.spec import MatchSpec
from core.matching.standardise.normalise import normalise_field
from core.storage.workspace import Array

SCAN_ROWS = 250_000


class At(NamedTuple):
    """A record that was found: number of its file, row in it, and the record."""

    source: int
    row: int
    record: pl.DataFrame

    @property
    def name(self) -> tuple[int, str]:
        """Its source and id, which tell it from every other record."""
        return self.source, str(self.record["id"][0])


class Scan(NamedTuple):
    """What is read again: the files that were matched when both records were, in order, and how keys are made.

    placeholders: packed values by field that count as missing. on_progress: called with rows read and rows in all.
    """

    sources: Sequence[Source]
    spec: MatchSpec
    placeholders: Mapping[str, Array]
    window: int
    on_progress: Callable[[int, int], None]


def placings(scan: Scan, pair: tuple[At, At], names: Sequence[str]) -> list[Placing]:
    """How the pair stood in the block of each of some passes, whose keys it shares.

    Cost: the files are read and packed once, as by `ingest`; the records of the blocks are held in memory.
    """
    narrow = scan.spec.only(names)
    made = [_keys(at.record, scan, narrow, at.source) for at in pair]
    # As `sort_keys` has them: the bits that make room for row numbers tell no blocks apart.
    n_rows = sum(source.rows for source in scan.sources)
    shift = np.uint64(max(n_rows - 1, 1).bit_length())
    found = [_Mates(made[0][0, column] >> shift, [], [0, 0]) for column in range(len(narrow.passes))]
    n_read = 0
    for number, lo, frame in _ranges(scan.sources):
        keys = _keys(frame, scan, narrow, number)
        inside = [at.row - lo if at.source == number and 0 <= at.row - lo < len(frame) else None for at in pair]
        for column, mates in enumerate(found):
            mates.add(number, frame, (keys[:, column] != 0) & (keys[:, column] >> shift == mates.key), inside)
        n_read += len(frame)
        scan.on_progress(n_read, n_rows)
    return [_place(scan, each.name, mates) for each, mates in zip(narrow.passes, found, strict=True)]


@dataclass
class _Mates:
    """The records of one block so far, by file, and the places of the pair among them."""

    key: np.uint64
    records: list[tuple[int, pl.DataFrame]]
    places: list[int]
    n_records: int = 0

    def add(self, number: int, frame: pl.DataFrame, shared: Array, inside: Sequence[int | None]) -> None:
        for side, row in enumerate(inside):
            if row is not None:
                self.places[side] = self.n_records + int(np.count_nonzero(shared[:row]))
        self.n_records += int(np.count_nonzero(shared))
        self.records.append((number, frame.filter(pl.Series(shared))))


def known_words(sources: Sequence[Source], spec: MatchSpec, on_progress: Callable[[int, int], None]) -> KnownWords:
    """In how many texts of the records each word stands, counted again. Cost: as by `ingest`."""
    fields = Layout.of(spec).worded
    texts: list[list[Texts]] = [[] for _ in fields]
    n_read, n_rows = 0, sum(source.rows for source in sources)
    for _, _, frame in _ranges(sources):
        for of_field, field in zip(texts, fields, strict=True):
            of_field.append(number_texts(normalise_field(frame[field.column], field))[1])
        n_read += len(frame)
        on_progress(n_read, n_rows)
    table = code_words(texts)[0]
    return KnownWords(table.to_frame(), table.n_texts)


def _ranges(sources: Sequence[Source]) -> Iterator[tuple[int, int, pl.DataFrame]]:
    for number, source in enumerate(sources):
        for lo in range(0, source.rows, SCAN_ROWS):
            yield number, lo, source.read(lo, min(lo + SCAN_ROWS, source.rows))


def _place(scan: Scan, name: str, mates: _Mates) -> Placing:
    layout = Layout.of(scan.spec)
    number = next(at for at, each in enumerate(scan.spec.passes) if each.name == name)
    packed = [_packed(frame, scan, layout, source) for source, frame in mates.records if len(frame)]
    # Windows follow the codes, which ascend with their strings under any vocabulary, so it must be one for all.
    vocabulary, tables = code_columns([strings.strings for _, strings in packed])
    for (words, _), table in zip(packed, tables, strict=True):
        remap(words, layout, table)
    words = np.concatenate([words for words, _ in packed])
    return place(words, vocabulary, layout, number, (mates.places[0], mates.places[1]), scan.window)


def _packed(frame: pl.DataFrame, scan: Scan, layout: Layout, source: int) -> tuple[Array, Vocabulary]:
    words, vocabulary = pack_text(frame, layout, scan.sources[source].date_order)
    for field in layout.names:
        if field in scan.placeholders:
            null_values(words, layout, field, scan.placeholders[field])
    return words, vocabulary


def _keys(frame: pl.DataFrame, scan: Scan, narrow: MatchSpec, source: int) -> Array:
    """(n, passes) u64 keys of some passes."""
    layout = Layout.of(narrow)
    words, vocabulary = _packed(frame, scan, layout, source)
    keys = np.zeros((len(words), len(narrow.passes)), dtype=np.uint64, order="F")
    for number in range(keys.shape[1]):
        fill_keys(words, layout.ops.keys[number], vocabulary.arrays, keys[:, number])
    return keys
