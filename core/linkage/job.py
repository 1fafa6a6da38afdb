"""One job: what is matched, where its files lie, and the arrays that its stages share."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar, cast

import polars as pl
from pydantic import BaseModel, ConfigDict

from core.linkage.ports import BatchSource, Output, Stage
from core.linkage.request import MatchRequest
from core.linkage.source import Source
from core.linkage.workspace import Array, Workspace, load, load_frame
from core.matching.layout import Layout
from core.matching.model import Model, weights
from core.matching.pairs import Scorer
from core.matching.spec import MatchSpec
from core.matching.vocabulary import Vocabulary

T = TypeVar("T")


class JobDescription(BaseModel):
    """What `job.json` holds: enough for any process to work on the job."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: str
    request: MatchRequest
    spec: MatchSpec
    sources: tuple[dict[str, Any], ...]
    notices: tuple[str, ...]
    rows: int


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


class LinkageJob:
    """A described job bound to whoever hands out its batches.

    What a drained stage left behind is loaded once and shared by all threads; it must not be changed.
    """

    def __init__(self, description: JobDescription, workspace: Workspace, batches: BatchSource) -> None:
        self.description = description
        self.workspace = workspace
        self.batches = batches
        self.spec = description.spec
        self.layout = Layout.of(description.spec)
        self.sources = [Source.from_dict(each) for each in description.sources]
        self.rows = description.rows
        self._lock = threading.RLock()
        self._shared: dict[str, Any] = {}

    @property
    def boundary(self) -> int:
        """First row of the second source; 0 when records of one file are matched with each other."""
        return self.sources[0].rows if len(self.sources) > 1 else 0

    @property
    def total_pairs(self) -> float:
        """All pairs that could be the same person."""
        if self.boundary:
            return float(self.boundary) * (self.rows - self.boundary)
        return self.rows * (self.rows - 1) / 2

    @cached_property
    def ranges(self) -> list[Range]:
        """The ingest batches: no range crosses from one source into the next."""
        step = self.description.request.range_rows
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

    def outputs(self, stage: Stage) -> list[Output]:
        """What the batches of a drained stage found, by partition."""
        return self._once(f"outputs:{stage}", lambda: self.batches.outputs(stage))

    def folder(self, stage: Stage) -> Path:
        """The files of a stage that is a single batch."""
        return self.workspace.path(self.outputs(stage)[0]["path"])

    @property
    def words(self) -> Array:
        """Packed records of all sources, (rows, stride) u32, memory-mapped."""
        return self._once("words", lambda: load(self.folder("reduce"), "words"))

    @property
    def vocabulary(self) -> Vocabulary:
        """Every distinct string of the dictionary-coded fields."""
        return self._once("vocabulary", lambda: Vocabulary.from_frame(load_frame(self.folder("reduce"), "strings")))

    @property
    def frequencies(self) -> dict[str, Array]:
        """Per field with term frequencies: how often each code occurs, u32."""

        def read() -> dict[str, Array]:
            frame = load_frame(self.folder("reduce"), "frequencies")
            return {name: frame[name].to_numpy() for name in frame.columns}

        return self._once("frequencies", read)

    @property
    def model(self) -> Model:
        """What training learnt."""
        return self._once("model", lambda: Model.from_json((self.folder("train") / "model.json").read_text()))

    def scorer(self, window: int) -> Scorer:
        """The trained model, ready for the kernels."""

        def make() -> Scorer:
            arrays = weights(self.model, self.vocabulary, self.layout)
            planned = self.outputs("plan")[0]["passes"]
            whole = sum(1 << number for number, each in enumerate(planned) if each["left_out"] == 0)
            return Scorer(self.vocabulary, self.layout, arrays, self.spec.review_bits, self.boundary, window, whole)

        return self._once(f"scorer:{window}", make)

    @property
    def data_fingerprint(self) -> str:
        """SHA-256 of each input, first source first."""
        return "-".join(str(source.digest) for source in self.sources)

    def pass_arrays(self, number: int) -> tuple[Array, Array]:
        """Keys (u64, ascending) and rows (u32) of one blocking pass."""
        folder = self.folder("reduce")
        return load(folder, f"keys-{number:02d}"), load(folder, f"rows-{number:02d}")

    def neighbours(self, number: int) -> tuple[Array, Array]:
        """Rows of one pass in block order, u32, and whether each is in the block of the one before it, (rows - 1,)."""
        keys, rows = self.pass_arrays(number)
        return rows, keys[1:] == keys[:-1]

    @property
    def labels(self) -> Array:
        """Per row the smallest row of its entity, u32."""
        return self._once("labels", lambda: load(self.folder("cluster"), "labels"))

    @property
    def patterns(self) -> Array:
        """Distinct level patterns of all edges, ascending u64; the place of one is its pattern id."""
        return self._once("patterns", lambda: load(self.folder("cluster"), "patterns"))

    def _once(self, name: str, make: Callable[[], T]) -> T:
        with self._lock:
            if name not in self._shared:
                self._shared[name] = make()
            return cast(T, self._shared[name])
