"""One job: what is matched, where its files lie, and the arrays that its stages share."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import compress
from typing import Any, TypeVar

import polars as pl

from core.intake.source import Source
from core.jobs.ports import Outputs
from core.jobs.staged_job import StagedJob, StageTable
from core.linkage.description import JobDescription
from core.linkage.stage_files import load_edges, load_tokens
from core.matching.blocking.block_keys import WINDOW_DEFAULT
from core.matching.blocking.blocks import Blocks, cut, pairs_of
from core.matching.blocking.shared_passes import key_parts
from core.matching.blocking.wide_passes import fitting, room_of
from core.matching.compare.patterns import pattern_texts
from core.matching.edges import Edges
from core.matching.records.layout import Layout
from core.matching.records.sources import WITHIN_ONE, Boundaries, boundaries_of, pairs_across
from core.matching.records.vocabulary import NOT_STORED, Vocabulary, VocabularyArrays
from core.matching.scoring.calibration.held_out import Calibration
from core.matching.scoring.model import Model, weights
from core.matching.scoring.score_pairs import Scorer
from core.storage.workspace import Array, Workspace, load, load_frame

T = TypeVar("T")

# A range is an eighth of a small input and never so large that its text needs much memory.
RANGE_ROWS_MIN, RANGE_ROWS_MAX = 25_000, 500_000


@dataclass(frozen=True, slots=True)
class Range:
    """Rows [lo, hi) of one source; `first_row` numbers them across the sources."""

    source: int
    lo: int
    hi: int
    first_row: int

    @property
    def rows(self) -> int:
        """How many."""
        return self.hi - self.lo


class LinkageJob(StagedJob):
    """A described job bound to what its batches found.

    What a drained stage left behind is loaded once and shared by all threads; it must not be changed.
    """

    def __init__(
        self, description: JobDescription, table: StageTable, workspace: Workspace, batches: Outputs, **how: Any
    ) -> None:
        """`how`: `threads`, `at_once`, `keeps_files` of `StagedJob`."""
        super().__init__(table, workspace, batches, **how)
        self.description = description
        self.spec = description.spec
        self.layout = Layout.of(description.spec)
        self.sources = [Source.from_dict(source, workspace.file) for source in description.sources]
        self.rows = description.rows

    @cached_property
    def boundaries(self) -> Boundaries:
        """First rows of all sources but the first; empty when records are matched whatever their source."""
        return boundaries_of(self._sizes) if self.description.request.link else WITHIN_ONE

    @property
    def linked(self) -> bool:
        """Whether only pairs of two sources are compared."""
        return len(self.boundaries) > 0

    @property
    def _sizes(self) -> list[int]:
        return [source.rows for source in self.sources]

    @property
    def since(self) -> int:
        """First row of the records that an increment adds; 0 when all are matched with each other."""
        return self.description.since

    @property
    def total_pairs(self) -> float:
        """All pairs that could be the same person."""
        if self.linked:
            return float(pairs_across(self._sizes))
        return self.rows * (self.rows - 1) / 2

    @cached_property
    def ranges(self) -> list[Range]:
        """The ingest batches: no range crosses from one source into the next."""
        step = self.description.request.range_rows or min(max(-(-self.rows // 8), RANGE_ROWS_MIN), RANGE_ROWS_MAX)
        found: list[Range] = []
        first = 0
        for number, source in enumerate(self.sources):
            found.extend(
                Range(number, lo, min(lo + step, source.rows), first + lo) for lo in range(0, source.rows, step)
            )
            first += source.rows
        return found

    def read(self, part: Range) -> pl.DataFrame:
        """Read the text of a range: `id`, then the mapped fields of the spec, trimmed, empty as null."""
        frame = self.sources[part.source].read(part.lo, part.hi)
        return frame.select("id", *self.spec.columns)

    def date_orders(self, source: int) -> dict[str, bool]:
        """Which date columns of a source write the day before the month."""
        return dict(self.sources[source].date_order)

    @property
    def words(self) -> Array:
        """Packed records of all sources, (rows, stride) u32, memory-mapped."""
        return self._once("words", lambda: load(self.folder("reduce"), "words"))

    @property
    def vocabulary(self) -> Vocabulary:
        """Every distinct string of the dictionary-coded fields; what is known of them is memory-mapped."""

        def read() -> Vocabulary:
            folder = self.folder("reduce")
            strings = load_frame(folder, "strings")["string"]
            try:
                arrays = {name: load(folder, name) for name in VocabularyArrays._fields if name not in NOT_STORED}
            except FileNotFoundError:
                # A run of an earlier release knew less of a string than kernels read today.
                return Vocabulary.of_sorted(strings)
            found = Vocabulary.from_arrays(strings, arrays)
            return found.with_tokens(load_tokens(folder)) if self.layout.worded else found

        return self._once("vocabulary", read)

    @property
    def counted_fields(self) -> list[str]:
        """The fields that adjust for term frequency."""
        return [field.name for field in self.spec.fields if field.term_frequency]

    @property
    def frequencies(self) -> dict[str, Array]:
        """Per field with term frequencies: how often each code occurs, u32."""
        return dict(zip(self.counted_fields, load(self.folder("reduce"), "counts"), strict=True))

    @property
    def n_sorted(self) -> int:
        """How many passes are sorted: all, unless there is no room for any wide one."""
        return len(self.spec.passes) if room_of(self.rows) else self.spec.n_always

    @property
    def passes_in_use(self) -> tuple[int, ...]:
        """Numbers of the passes that make pairs: of the wide ones those that there is room for, the first ones first.

        An increment has none that the run it adds to was without.
        """

        def chosen() -> tuple[int, ...]:
            frozen = self.description.frozen
            left_out = () if frozen is None else frozen.left_out
            always = range(self.spec.n_always)
            wide = [n for n in range(len(always), self.n_sorted) if self.spec.passes[n].name not in left_out]
            there_is = fitting([self.pairs_of_pass(number) for number in wide], room_of(self.rows))
            return (*always, *compress(wide, there_is))

        return self._once("passes_in_use", chosen)

    def pairs_of_pass(self, number: int) -> int:
        """How many pairs a pass makes of the records of all sources."""
        parts = cut(self.blocks(number), WINDOW_DEFAULT, len(self.layout.refinements[number]))
        return int(pairs_of(parts.sizes, WINDOW_DEFAULT).sum())

    @property
    def passes_planned(self) -> tuple[int, ...]:
        """Numbers of the passes that the plan says were in use."""
        planned = self.outputs("plan")[0]["passes"]
        return tuple(number for number, each in enumerate(planned) if each.get("used", True))

    def blocks(self, number: int) -> Blocks:
        """The blocks of one pass, memory-mapped."""
        batch = next(at for at, found in enumerate(self.outputs("block")) if number in found["passes"])
        folder = self.folder("block", batch)
        return Blocks(load(folder, f"rows-{number:02d}"), load(folder, f"depth-{number:02d}"))

    def n_cut(self, number: int) -> int:
        """Of a pass with `top`: how many texts with something in common it left out, counted from each side."""
        return sum(int(found.get("cut", {}).get(str(number), 0)) for found in self.outputs("block"))

    @property
    def ids(self) -> tuple[Array, Array]:
        """Record ids of all rows: their bytes (u8) behind each other, and where each begins (i64, rows + 1)."""
        folder = self.folder("reduce")
        return load(folder, "ids"), load(folder, "id_starts")

    @property
    def model(self) -> Model:
        """What training learnt."""
        return self._once("model", lambda: Model.from_json((self.folder("train") / "model.json").read_text()))

    @property
    def calibration(self) -> Calibration:
        """What the scores of the model are worth; answers of a reference are weighed by their scores as they are.

        Their probabilities and that of no answer are 1 together, which those corrected one by one would not be.
        """
        if self.description.request.reference is not None:
            return Calibration()
        return Calibration.of(self.model)

    def scorer(self, window: int) -> Scorer:
        """The trained model, ready for the kernels."""

        def make() -> Scorer:
            arrays = weights(self.model, self.vocabulary, self.layout)
            planned = self.outputs("plan")[0]["passes"]
            whole = sum(1 << number for number, each in enumerate(planned) if each["complete"])
            return Scorer(
                self.vocabulary,
                self.layout,
                arrays,
                self.calibration.least_score(self.spec),
                boundaries=self.boundaries,
                window=window,
                whole_passes=whole,
                since=self.since,
                parts=key_parts(self.layout.ops, self.passes_planned),
            )

        return self._once(f"scorer:{window}", make)

    @property
    def data_fingerprint(self) -> str:
        """SHA-256 of each input, first source first."""
        return "-".join(str(source.digest) for source in self.sources)

    @property
    def labels(self) -> Array:
        """Per row the smallest row of its entity, u32."""
        return self._once("labels", lambda: load(self.folder("cluster"), "labels"))

    @property
    def named(self) -> Array:
        """Per entity, at its smallest row, the row whose id names it, u32."""
        return self._once("named", lambda: load(self.folder("cluster"), "named"))

    @property
    def renamed(self) -> tuple[Array, pl.Series]:
        """Entities that are not named after their smallest record id: smallest row (ascending u32), and id."""

        def read() -> tuple[Array, pl.Series]:
            frame = load_frame(self.folder("cluster"), "renamed")
            return frame["label"].to_numpy(), frame["entity_id"]

        return self._once("renamed", read)

    @property
    def patterns(self) -> Array:
        """Distinct level patterns of all edges, ascending u64; the place of one is its pattern id."""
        return self._once("patterns", lambda: load(self.folder("cluster"), "patterns"))

    @property
    def pattern_texts(self) -> pl.Series:
        """Each pattern in words, by its id."""
        return self._once("pattern_texts", lambda: pattern_texts(self.patterns, self.layout))

    @property
    def edges(self) -> Edges:
        """The pairs that clustering saw, ascending by (left, right)."""
        return self._once("edges", lambda: load_edges(self.folder("cluster")))

    @property
    def kept_apart(self) -> pl.DataFrame:
        """Accepted pairs whose records are of two entities, and why; see `results.kept_apart`."""
        return self._once("apart", lambda: load_frame(self.folder("cluster"), "apart"))

    @property
    def answers(self) -> pl.DataFrame | None:
        """What a reference answers, see `partners.Answers`; None where there is none."""
        if self.description.request.reference is None:
            return None
        return self._once("answers", lambda: load_frame(self.folder("cluster"), "answers"))

    @property
    def settles_values(self) -> bool:
        """Whether golden records are wanted: by a database, or as a file."""
        request = self.description.request
        return (self.batches.publishes and request.publish == "all") or request.entities is not None
