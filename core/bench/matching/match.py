"""How fast and how well persons are matched: ours and other systems, each in a process of its own, one evaluator."""

from __future__ import annotations

import importlib.metadata
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl

from core.bench.harness.process import Ran, run
from core.bench.matching.systems import MatchSetup
from core.errors import SchemaError
from core.intake.columns import FieldHint, plan_columns
from core.intake.whole_columns import read_table
from core.linkage.warm import warm
from core.matching.quality.evaluation import Evaluation, evaluate_labels
from core.matching.specs.spec import load_spec
from core.matching.standardise.normalise import normalise

OnProgress = Callable[[str, int, int], None]
"""Called with what is done, how far, of how much."""


@dataclass(frozen=True, slots=True)
class Records:
    """The input: file, columns of id and truth, and in words where it comes from."""

    path: Path
    id_column: str
    truth_column: str
    origin: str


@dataclass(frozen=True, slots=True)
class MatchMeasured:
    """Figures of one system under one set of settings.

    `seconds` is wall time of its process from start to end, imports and output included; `stages` is what it says of
    its own. Scores are those of its entities against the truth, blocking included. `ratio`: its seconds over those of
    our row with the same rules.
    """

    system: str
    version: str
    settings: dict[str, Any]
    rows: int
    records: str
    seconds: float
    stages: dict[str, float]
    candidate_pairs: int | None
    precision: float
    recall: float
    f1: float
    bcubed_precision: float
    bcubed_recall: float
    bcubed_f1: float
    peak_rss_mb: float
    measured_at: str
    ratio: float | None = None


def measure(records: Records, setups: Sequence[MatchSetup], on_progress: OnProgress) -> list[MatchMeasured]:
    """Run each system in turn on the same records.

    Raises:
        SchemaError: a column is missing. MatchError: a system ended with an error.
    """
    warm()
    with tempfile.TemporaryDirectory(prefix="headrace-bench-") as name:
        folder = Path(name)
        truth = prepare(records, folder)
        found = []
        for done, setup in enumerate(setups):
            on_progress("systems", done, len(setups))
            ran, entities = _run(setup, folder)
            found.append(figures(setup, records.origin, ran, score(entities, truth)))
        on_progress("systems", len(setups), len(setups))
    return with_ratios(found)


def prepare(records: Records, folder: Path) -> pl.DataFrame:
    """Write the records under our names without the truth, as they are and normalised; returns id and truth."""
    spec = load_spec("persons")
    frame = read_table(records.path)
    if records.truth_column not in frame.columns:
        raise SchemaError(
            f"{records.path}: no column {records.truth_column!r} (--truth); there are: {', '.join(frame.columns)}",
            column=records.truth_column,
            expected=records.truth_column,
            got=frame.columns,
        )
    hints = [FieldHint(field.name, field.kind, field.aliases) for field in spec.fields]
    columns = [name for name in frame.columns if name != records.truth_column]
    plan = plan_columns(columns, records.path, records.id_column, {}, hints)
    raw = frame.select(id=plan.id_column, **{name: served[0] for name, served in plan.mapping.items()})
    raw.write_parquet(folder / "raw.parquet")
    restricted, _ = spec.restrict(plan.mapping.keys())
    normal = normalise(raw, restricted)
    date = pl.col(pl.Int32).cast(pl.String).str.zfill(8).str.replace(r"(....)(..)(..)", "$1-$2-$3")
    raw.select("id").hstack(normal.with_columns(date)).write_parquet(folder / "clean.parquet")
    return frame.select(id=plan.id_column, true=records.truth_column)


def _run(setup: MatchSetup, folder: Path) -> tuple[Ran, pl.DataFrame]:
    source, out = folder / f"{setup.files}.parquet", folder / "out.parquet"
    order = {"input": str(source), "out": str(out), "settings": setup.options}
    command = list(setup.command)
    if setup.system == "headrace":
        command += ["match", str(source), *_options(setup), "--out", str(out), "--json"]
        if setup.options["saved_model"]:
            model = folder / "model.json"
            learn = [*setup.command, "model", "train", str(source), *_options(setup), "--out", str(model), "--json"]
            run(learn, order, _environment(folder))
            command += ["--model", str(model)]
    ran = run(command, order, _environment(folder))
    return ran, pl.read_parquet(out, columns=["id", "entity_id"])


def _named(options: Mapping[str, Any]) -> dict[str, Any]:
    """The options with files by their name: where a checkout stands is nobody's business."""
    return {key: Path(value).name if key == "spec" else value for key, value in options.items()}


def _options(setup: MatchSetup) -> list[str]:
    return ["--id", "id", "--spec", setup.options["spec"], "--threads", str(setup.options["threads"])]


def _environment(folder: Path) -> dict[str, str]:
    """A state folder of its own, so that no run goes on where another stopped."""
    return {"HEADRACE_STATE_DIR": str(folder / "state")}


def score(entities: pl.DataFrame, truth: pl.DataFrame) -> Evaluation:
    """Entities as found against the truth; a record that was left out is an entity of its own."""
    joined = truth.join(entities.cast(pl.String), on="id", how="left")
    return evaluate_labels(joined["entity_id"], joined["true"])


def figures(setup: MatchSetup, origin: str, ran: Ran, quality: Evaluation) -> MatchMeasured:
    """What is said of one run: settings without paths, seconds and memory of the process, and the scores."""
    version = ran.answer.get("version", "")
    with suppress(importlib.metadata.PackageNotFoundError):
        version = importlib.metadata.version(setup.system)
    return MatchMeasured(
        system=setup.system,
        version=version,
        settings={"name": setup.name, "files": setup.files, **_named(setup.options)},
        rows=quality.n_rows,
        records=origin,
        seconds=ran.seconds,
        stages=ran.answer["stages"],
        candidate_pairs=ran.answer["candidate_pairs"],
        precision=round(quality.pairwise.precision, 6),
        recall=round(quality.pairwise.recall, 6),
        f1=round(quality.pairwise.f1, 6),
        bcubed_precision=round(quality.b_cubed.precision, 6),
        bcubed_recall=round(quality.b_cubed.recall, 6),
        bcubed_f1=round(quality.b_cubed.f1, 6),
        peak_rss_mb=ran.peak_rss_mb,
        measured_at=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def with_ratios(found: Sequence[MatchMeasured]) -> list[MatchMeasured]:
    """Other systems beside our first row; we are not compared with ourselves."""
    base = found[0]
    return [
        one if one.system == base.system else replace(one, ratio=round(one.seconds / base.seconds, 2)) for one in found
    ]
