"""Why two records were joined, or not, told from what a finished run left behind."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from core.errors import ConfigError, InputError
from core.intake.source import Source
from core.jobs.ports import Output, Stage
from core.linkage.description import JobDescription, hints_of
from core.linkage.history.base_run import reopen
from core.linkage.history.kept_apart import KEPT_APART, in_words
from core.linkage.results.block_records import SCAN_ROWS, At, Scan, known_words, placings
from core.linkage.run_record import RunRecord, beside, read_record, read_table, run_path, scan_table, unused_passes
from core.linkage.stage_files import load_placeholders
from core.matching.quality.explain import Explanation, explain_records
from core.matching.quality.missed_pairs import Placing
from core.matching.records.layout import Layout
from core.matching.scoring.model import Model
from core.storage.workspace import Workspace


@dataclass(frozen=True)
class Run:
    """What an explanation needs of a finished run.

    whole_passes: those that neither cut nor windowed a block. unused: the wide ones that it had no room for.
    """

    description: JobDescription
    model: Model
    placeholders: dict[str, list[int]]
    window: int
    whole_passes: tuple[str, ...]
    unused: tuple[str, ...] = ()


@dataclass(frozen=True)
class RunExplanation(Explanation):
    """An explanation of two records of a run. records: source (from 0) and id of each."""

    records: tuple[tuple[int, str], tuple[int, str]] = ((0, ""), (0, ""))


def run_of_output(out: Path) -> Run:
    """Read the run that `headrace match` wrote beside its output. Raises as `record_of_output`."""
    return run_of_record(record_of_output(out))


def record_of_output(out: Path) -> RunRecord:
    """Read the record that `headrace match` wrote beside its output.

    Raises:
        ConfigError: there is none, or it is not whole.
    """
    path = run_path(out)
    if not path.is_file():
        raise ConfigError(f"there is no {path}; give the `out` of a finished `headrace match`", fields=("out",))
    with suppress(ValueError):
        record = read_record(out)
        if record.passes is not None and all("complete" in planned for planned in record.passes):
            return record
    raise ConfigError(f"{path} is no record of a run by this version; match again to explain")


def run_of_record(record: RunRecord) -> Run:
    """What an explanation needs of a record."""
    passes = record.passes or ()
    return Run(record.job, record.model, record.placeholders, record.window, _whole(passes), unused_passes(passes))


def run_of_job(workspace: Workspace, description: JobDescription, outputs: dict[Stage, list[Output]]) -> Run:
    """Read what a job of the queue left in its workspace.

    Args:
        outputs: of the stages `reduce`, `train` and `plan`.
    Raises:
        ConfigError: the job has not come so far, or its workspace is gone.
    """
    try:
        model = (workspace.path(outputs["train"][0]["path"]) / "model.json").read_text()
        placeholders = load_placeholders(workspace.path(outputs["reduce"][0]["path"]))
        plan = outputs["plan"][0]
    except (IndexError, FileNotFoundError):
        raise ConfigError(
            "the job has no model and plan in its workspace: it did not come so far, or they were removed"
        ) from None
    whole, unused = _whole(plan["passes"]), unused_passes(plan["passes"])
    return Run(description, Model.from_json(model), placeholders, plan["window"], whole, unused)


def _whole(passes: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    return tuple(each["name"] for each in passes if each["complete"])


def explain(
    run: Run, id_a: str, id_b: str, on_progress: Callable[[int, int], None] = lambda done, total: None
) -> RunExplanation:
    """Compare two records as the run did, and say which passes made the pair, which missed it, which left it out.

    Of linked files an id alone is looked for in the first one first, the second id in the last one first and in the
    file of the other record last; `1:17` is the record 17 of the second file.

    Args:
        on_progress: rows read and rows in all, where the block of the two has to be looked at.
    Raises:
        InputError: an id is not in the input, or the input is no longer what was matched.
    Cost: the input is read up to the records, once more where a pass whose key they share cut or windowed blocks, and
    once for how many texts have each word where the spec has texts.
    """
    spec = run.description.spec
    with tempfile.TemporaryDirectory(prefix="headrace-") as folder:
        sources = _sources(run.description, Workspace(folder))
        linked = bool(run.description.request.link)
        first = _find(sources, id_a, range(len(sources)), linked=linked)
        pair = first, _find(sources, id_b, _others_first(len(sources), first.source), linked=linked)
        if pair[0][:2] == pair[1][:2]:
            raise InputError(f"{id_a!r} and {id_b!r} are the same record; name two", id=id_a)
        suspects = {name: np.array(values, dtype=np.uint64) for name, values in run.placeholders.items()}
        orders = [sources[at.source].date_order for at in pair]
        texts = pl.concat([at.record for at in pair]).select(spec.columns)
        known = known_words(sources, spec, on_progress) if Layout.of(spec).worded else None
        found = RunExplanation(
            **vars(explain_records(texts, run.model, spec, orders, suspects, known)),
            records=(pair[0].name, pair[1].name),
        )
        if linked and pair[0].source == pair[1].source:
            path = sources[pair[0].source].path
            barred = f"both are records of {path}, and the run compared records of different files only"
            return replace(found, compared_by=(), barred=barred)
        reference = run.description.request.reference_source
        if reference is not None and reference not in (pair[0].source, pair[1].source):
            barred = f"neither is a record of {sources[reference].path}, which alone gives answers"
            return replace(found, compared_by=(), barred=barred)
        found = _without_unused(found, run)
        questioned = [name for name in found.compared_by if name not in run.whole_passes]
        if not questioned:
            return found
        # An increment compares a record with those before it, so files that came later are no part of its blocks.
        last = len(sources) if linked else max(at.source for at in pair) + 1
        scan = Scan(sources[:last], spec, suspects, run.window, on_progress, known)
        left_out = tuple(each for each in placings(scan, pair, questioned) if not each.made)
    missing = {each.pass_name for each in left_out}
    made = tuple(name for name in found.compared_by if name not in missing)
    return replace(found, compared_by=made, left_out_by=(*found.left_out_by, *left_out))


def _without_unused(found: RunExplanation, run: Run) -> RunExplanation:
    """Count the passes that the run had no room for neither as making the pair nor as missing it."""
    missed = [each for each in zip(found.missed_by, found.missed_why, strict=True) if each[0] not in run.unused]
    return replace(
        found,
        compared_by=tuple(name for name in found.compared_by if name not in run.unused),
        missed_by=tuple(name for name, _ in missed),
        missed_why=tuple(why for _, why in missed),
        left_out_by=tuple(
            Placing(name, 0, run.window, 0, no_room=True) for name in found.compared_by if name in run.unused
        ),
    )


def _sources(description: JobDescription, scratch: Workspace) -> list[Source]:
    """Open the inputs again: the checked copies of text files went with the run's workspace."""
    return reopen(description, hints_of(description.spec), scratch.root)


def _others_first(n_sources: int, source: int) -> list[int]:
    """Numbers of all sources, the last one first, but this one last: a pair of linked records is of two files."""
    return [*(number for number in reversed(range(n_sources)) if number != source), source]


def _find(sources: list[Source], record_id: str, numbers: Iterable[int], *, linked: bool) -> At:
    """Find a record in the first source that has it; where files are linked `1:17` names the source too."""
    found = next((at for number in numbers if (at := _at(sources[number], number, record_id)) is not None), None)
    if found is None and linked:
        number, colon, inside = record_id.partition(":")
        if colon and number.isdecimal() and int(number) < len(sources):
            found = _at(sources[int(number)], int(number), inside)
    if found is None:
        names = " or ".join(str(source.path) for source in sources)
        raise InputError(f"there is no record {record_id!r} in {names}", id=record_id)
    return found


def _at(source: Source, number: int, record_id: str) -> At | None:
    for lo in range(0, source.rows, SCAN_ROWS):
        frame = source.read(lo, min(lo + SCAN_ROWS, source.rows))
        found = frame["id"].index_of(record_id)
        if found is not None:
            return At(number, lo + found, frame[found : found + 1])
    return None


def records_of(run: Run, ids: Collection[str]) -> dict[tuple[int, str], dict[str, str | None]]:
    """Values of records by source and id, under the names of the spec's fields; source 0 unless files are linked.

    Raises as `explain`.
    """
    found: dict[tuple[int, str], dict[str, str | None]] = {}
    linked = bool(run.description.request.link)
    with tempfile.TemporaryDirectory(prefix="headrace-") as folder:
        for number, source in enumerate(_sources(run.description, Workspace(folder))):
            for lo in range(0, source.rows, SCAN_ROWS):
                rows = source.read(lo, min(lo + SCAN_ROWS, source.rows)).filter(pl.col("id").is_in(list(ids)))
                found |= {(number if linked else 0, str(row["id"])): row for row in rows.to_dicts()}
    return found


def decision_of(out: Path, found: RunExplanation) -> dict[str, Any]:
    """What the run's output says of the two explained: their entities, and whether they are one."""
    table = read_table(out)
    # Ids are those of a file: the output of linked files says of which.
    linked = "source" in table.columns
    wanted = [(source if linked else 0, record_id) for source, record_id in found.records]
    source = pl.col("source").cast(pl.Int64) if linked else pl.lit(0, pl.Int64).alias("source")
    rows = table.select(source, pl.col("id").cast(pl.String), "entity_id").filter(
        pl.col("id").is_in([record_id for _, record_id in wanted])
    )
    entities = {(source, record_id): entity for source, record_id, entity in rows.iter_rows()}
    entity_a, entity_b = (entities.get(name) for name in wanted)
    return {
        "entity_a": entity_a,
        "entity_b": entity_b,
        "same_entity": entity_a is not None and entity_a == entity_b,
        "in_the_way": _in_the_way(out, wanted, linked=linked),
    }


def _in_the_way(out: Path, wanted: Sequence[tuple[int, str]], *, linked: bool) -> str | None:
    """What kept the two apart although their pair was accepted; None where nothing did, or nothing says."""
    path = beside(out, "pairs")
    if not path.is_file():
        return None
    pairs = scan_table(path)
    if KEPT_APART[0] not in pairs.collect_schema().names():
        return None
    names = ("source_a", "id_a", "source_b", "id_b") if linked else ("id_a", "id_b")
    found = None
    for a, b in (wanted, wanted[::-1]):
        values = (a[0], a[1], b[0], b[1]) if linked else (a[1], b[1])
        same = [pl.col(name).cast(pl.String) == str(value) for name, value in zip(names, values, strict=True)]
        rows = pairs.filter(*same).select(pl.col(KEPT_APART).cast(pl.String)).collect().rows()
        found = in_words(*rows[0]) if rows else found
    return found
