"""The records that share a pass's key with a pair, read from the input again: what a cut or a window was about."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import polars as pl

from core.intake.source import Source
from core.matching.blocking.block_keys import NO_KEY, pass_keys, shared_keys
from core.matching.quality.missed_pairs import Placing, place
from core.matching.records.layout import Layout
from core.matching.records.pack_text import pack_text
from core.matching.records.placeholders import null_values
from core.matching.records.vocabulary import Vocabulary, code_columns, remap
from core.matching.records.words.texts import Texts, number_texts
from core.matching.records.words.token_table import KnownWords, WordRules, code_words
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
    known: the words of the run, where texts have some.
    """

    sources: Sequence[Source]
    spec: MatchSpec
    placeholders: Mapping[str, Array]
    window: int
    on_progress: Callable[[int, int], None]
    known: KnownWords | None = None


def placings(scan: Scan, pair: tuple[At, At], names: Sequence[str]) -> list[Placing]:
    """How the pair stood in the block of each of some passes, whose keys it shares.

    Cost: the files are read and packed once, as by `ingest`; the records of the blocks are held in memory.
    """
    narrow = scan.spec.only(names)
    made = [_keys(at.record, scan, narrow, at.source) for at in pair]
    # As `sort_keys` has them: the bits that make room for row numbers tell no blocks apart.
    n_rows = sum(source.rows for source in scan.sources)
    shift = np.uint64(max(n_rows - 1, 1).bit_length())
    passes = Layout.of(narrow).key_passes
    found = [
        (number, _Mates(key >> shift, [], [0, 0]))
        for number in range(len(narrow.passes))
        for key in _shared(made[0][:, passes == number], made[1][:, passes == number])
    ]
    n_read = 0
    for number, lo, frame in _ranges(scan.sources):
        keys = _keys(frame, scan, narrow, number)
        inside = [at.row - lo if at.source == number and 0 <= at.row - lo < len(frame) else None for at in pair]
        for pass_, mates in found:
            mine = keys[:, passes == pass_]
            mates.add(number, frame, ((mine != NO_KEY) & (mine >> shift == mates.key)).any(axis=1), inside)
        n_read += len(frame)
        scan.on_progress(n_read, n_rows)
    placed = [_place(scan, narrow.passes[number].name, mates) for number, mates in found]
    # Of several blocks of one pass in which both stand, one that makes the pair is enough.
    best = {each.pass_name: each for each in sorted(placed, key=lambda each: each.made)}
    return [best[each.name] for each in narrow.passes]


def _shared(one: Array, other: Array) -> Array:
    """The keys of a pass that two records, (1, c) each, share; what the first is met by where they share none."""
    found = shared_keys(one, other)[0]
    return found[found != NO_KEY] if found.any() else one[0, :1]


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
    words, vocabulary = pack_text(frame, layout, scan.sources[source].date_order, WordRules(known=scan.known))
    for field in layout.names:
        if field in scan.placeholders:
            null_values(words, layout, field, scan.placeholders[field])
    return words, vocabulary


def _keys(frame: pl.DataFrame, scan: Scan, narrow: MatchSpec, source: int) -> Array:
    """(n, Q) u64 keys of some passes, all choices, see `Layout.key_passes`."""
    layout = Layout.of(narrow)
    words, vocabulary = _packed(frame, scan, layout, source)
    return pass_keys(words, vocabulary, layout)
