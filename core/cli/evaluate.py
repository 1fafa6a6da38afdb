"""`headrace evaluate`: how good an answer is, against known entities."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from core.errors import InputError, SchemaError

if TYPE_CHECKING:
    import polars as pl

EXAMPLES = """
Compare the entities of OUT with the true ones, and print pairwise and B-cubed precision, recall and F1.

[bold]Examples[/bold]

  headrace evaluate out.parquet --truth persons.parquet --id id --entity entity_id

  headrace evaluate out.csv --truth truth.csv --id rec_id --entity person --json
"""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("evaluate", help=EXAMPLES)(evaluate)


def evaluate(
    out: Annotated[Path, typer.Argument(help="The answer: Parquet or CSV with columns id and entity_id.")],
    truth: Annotated[Path, typer.Option("--truth", help="The true entities: Parquet or CSV; may be the input itself.")],
    id_column: Annotated[str, typer.Option("--id", help="Column of TRUTH that holds the record's id.")],
    entity: Annotated[str, typer.Option("--entity", help="Column of TRUTH that holds the true entity.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of a table.")] = False,
) -> None:
    from core.matching.evaluation import evaluate_labels

    label = "id" if "id" in _header(out) else id_column
    answer = _columns(out, {"id": label, "found": "entity_id"}, keep="source")
    known = _columns(truth, {"id": id_column, "true": entity}, keep="source")
    joined, counts = _join(answer, known, out, truth)
    result = evaluate_labels(joined["found"], joined["true"])
    if as_json:
        print(json.dumps(_as_json(result, counts)))
        return
    _print_table(result)


def _join(answer: pl.DataFrame, known: pl.DataFrame, out: Path, truth: Path) -> tuple[pl.DataFrame, dict[str, int]]:
    """One row per record whose truth is known; a record that OUT lacks has no found entity (its own)."""
    import polars as pl

    both_sources = "source" in answer.columns and "source" in known.columns
    key = ["source", "id"] if both_sources and not answer["id"].is_unique().all() else ["id"]
    _refuse_repeats(answer, key, out)
    _refuse_repeats(known, key, truth)
    unlabelled = int(known["true"].is_null().sum())
    if unlabelled:
        typer.echo(f"notice: {unlabelled} rows of {truth} name no entity and are left out", err=True)
    known = known.filter(pl.col("true").is_not_null())
    if not len(known):
        raise InputError(f"{truth}: no row names an entity, so there is nothing to compare with", path=str(truth))
    if key == ["id"] and known["id"].equals(answer["id"]):
        # The answer has the rows of the input in their order: nothing to look up, whatever their number.
        return known.with_columns(answer["found"]), {"unresolved": 0, "beyond_truth": 0, "unlabelled": unlabelled}
    joined = known.join(answer.with_columns(pl.lit(True).alias("answered")), on=key, how="left")
    unresolved = int(joined["answered"].is_null().sum())
    if unresolved == len(joined):
        raise InputError(
            f"{out} and {truth} share no id, so nothing can be compared; is --id the column whose values OUT repeats?",
            path=str(out),
        )
    if unresolved:
        typer.echo(
            f"notice: {unresolved} of {len(joined)} ids of {truth} are not in {out}: each is an entity of its own",
            err=True,
        )
    beyond = len(answer.join(known, on=key, how="anti"))
    if beyond:
        typer.echo(f"notice: {beyond} ids of {out} have no known entity in {truth} and are left out", err=True)
    return joined, {"unresolved": unresolved, "beyond_truth": beyond, "unlabelled": unlabelled}


def _header(path: Path) -> list[str]:
    from core.linkage.source import columns_of

    return columns_of(path)


def _columns(path: Path, wanted: dict[str, str], *, keep: str) -> pl.DataFrame:
    """The wanted columns of a file under our names, as text, empty as null; `keep` too if the file has it."""
    from core.linkage.source import read_table

    there = _header(path)
    for column in wanted.values():
        if column not in there:
            raise SchemaError(
                f"{path}: no column {column!r}; there are: {', '.join(there)}",
                column=column,
                expected=column,
                got=there,
            )
    names = dict(wanted) | ({keep: keep} if keep in there else {})
    return read_table(path, set(names.values())).select(**names)


def _refuse_repeats(frame: pl.DataFrame, key: list[str], path: Path) -> None:
    empty = int(frame["id"].is_null().sum())
    if empty:
        raise InputError(f"{path}: {empty} rows have an empty id", path=str(path), rows=empty)
    repeated = frame.filter(frame.select(key).is_duplicated())
    if len(repeated):
        first = repeated["id"][0]
        hint = "; both files need a column source to tell them apart" if "source" in frame.columns else ""
        raise InputError(
            f"{path}: id {first!r} stands in more than one row ({len(repeated)} such rows){hint}",
            path=str(path),
            id=first,
            rows=len(repeated),
        )


def _as_json(result: Any, counts: dict[str, int]) -> dict[str, Any]:
    from dataclasses import asdict

    facts = asdict(result)
    scores = {name: facts.pop(name) for name in ("pairwise", "b_cubed")}
    return scores | {name.removeprefix("n_"): value for name, value in facts.items()} | counts


def _print_table(result: Any) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("", "precision", "recall", "F1")
    for name, score in (("pairwise", result.pairwise), ("B-cubed", result.b_cubed)):
        table.add_row(name, *(f"{value:.4f}" for value in (score.precision, score.recall, score.f1)))
    console = Console()
    console.print(table)
    console.print(
        f"{result.n_rows:,} records; entities: {result.n_entities_found:,} found, {result.n_entities_true:,} true; "
        f"pairs: {result.n_pairs_found:,} found, {result.n_pairs_true:,} true, {result.n_pairs_shared:,} shared"
    )
