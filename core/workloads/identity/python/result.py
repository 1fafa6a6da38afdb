"""The answer of a match in Python: frames read from the files of the run, which are gone with it."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Any, Generic, cast

import polars as pl

from core.errors import ConfigError
from core.linkage.results import explanation
from core.linkage.results.report_facts import gather
from core.linkage.results.report_page import render
from core.linkage.run_record import beside
from core.matching.quality.evaluation import Evaluation, evaluate_labels
from core.workloads.identity.python.explained import Explained, Page
from core.workloads.identity.python.frames import F, as_pandas, as_polars


class MatchResult(Generic[F]):
    """What `headrace.match` found; frames are of the kind that was given, polars where files were.

    Its files lie in a private temporary folder and go when the result is closed (`with`, `close`) or no longer used.
    """

    def __init__(self, folder: TemporaryDirectory[str], out: Path, summary: dict[str, Any], *, pandas: bool) -> None:
        self.summary = summary
        """Figures of the run: rows, entities, matches, seconds, notices, ... as `headrace match --json` prints them."""
        self._folder, self._out, self._pandas = folder, out, pandas

    @property
    def out(self) -> Path:
        """The file of the entities, beside which the others stand. Raises ConfigError: the result was closed."""
        return self._here(self._out)

    @cached_property
    def entities(self) -> F:
        """A row for each record, in the order given: `id`, `entity_id`, and `source` (from 0) of linked files."""
        return self._frame(self._entities)

    @cached_property
    def pairs(self) -> F:
        """Each pair that was accepted or is worth a review: ids, score in bits, confidence, rule, decision, joined."""
        return self._frame(pl.read_parquet(self._here(beside(self._out, "pairs"))))

    @cached_property
    def best_records(self) -> F:
        """One row for each entity: the best value of each field, and the record that it came from.

        Raises:
            ConfigError: they were not asked for.
        """
        path = self._out.with_name("best.parquet")
        if not path.is_file():
            raise ConfigError("best records were not asked for: headrace.match(..., best_records=True)")
        return self._frame(pl.read_parquet(path))

    @property
    def notices(self) -> list[str]:
        """What should be known though it stopped nothing."""
        return list(self.summary["notices"])

    def explain(self, a: object, b: object) -> Explained:
        """Why the records with these ids are one entity or not, by field. Raises InputError: there is no such id."""
        run = explanation.run_of_output(self._here(self._out))
        evidence = explanation.explain(run, str(a), str(b))
        decision = explanation.decision_of(self._out, evidence)
        return Explained(evidence, bool(decision["same_entity"]), decision["in_the_way"])

    def report(self, *, with_values: bool = False) -> Page:
        """The page of `headrace report`, shown inline in a notebook. with_values: of pairs near the threshold."""
        return Page(render(gather(self._here(self._out), with_values=with_values)))

    def evaluate(self, truth: Any, *, id: str = "id", entity: str = "entity") -> Evaluation:  # noqa: A002
        """Pairwise and B-cubed precision, recall and F1 against known entities.

        Args:
            truth: frame, or path of a file; id, entity: its columns. Records without a truth are left out.
        Raises:
            ConfigError: it has no such columns, or names no record of the result.
        """
        known = _known(truth, id, entity)
        if "source" in self._entities.columns and self._entities["id"].is_duplicated().any():
            raise ConfigError("the linked files share ids, so that a truth by id alone says nothing")
        both = known.join(self._entities.select(pl.col("id").cast(pl.String), "entity_id"), on="id", how="left")
        if both["entity_id"].null_count() == len(both):
            raise ConfigError(f"the truth names no record of the result; is {id!r} the column of its ids?")
        return evaluate_labels(both["entity_id"], both["true"])

    def close(self) -> None:
        """Remove the files of the run; frames that were read stay."""
        self._folder.cleanup()

    def __enter__(self) -> MatchResult[F]:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        rows, entities = self.summary["rows"], self.summary["entities"]
        return f"{rows:,} records are {entities:,} entities ({self.summary['matches']:,} pairs accepted)"

    @cached_property
    def _entities(self) -> pl.DataFrame:
        return pl.read_parquet(self._here(self._out))

    def _here(self, path: Path) -> Path:
        if not path.is_file():
            raise ConfigError("the result was closed, and its files are gone")
        return path

    def _frame(self, frame: pl.DataFrame) -> F:
        return cast(F, as_pandas(frame) if self._pandas else frame)


def _known(truth: Any, id_column: str, entity: str) -> pl.DataFrame:
    from core.intake.whole_columns import read_table

    frame = as_polars(truth) if not isinstance(truth, str | Path) else read_table(Path(truth), {id_column, entity})
    if frame is None or not {id_column, entity} <= set(frame.columns):
        there = "no frame" if frame is None else f"columns {', '.join(frame.columns)}"
        raise ConfigError(f"the truth needs the columns {id_column!r} and {entity!r} (`id`, `entity`); it has {there}")
    return frame.select(id=pl.col(id_column).cast(pl.String), true=pl.col(entity)).drop_nulls()
