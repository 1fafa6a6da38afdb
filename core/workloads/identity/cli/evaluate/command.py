"""`headrace evaluate`: how good an answer is, against known entities."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from core.errors import ConfigError, InputError, SchemaError

if TYPE_CHECKING:
    import polars as pl

EXAMPLES = """
Compare the entities of OUT with the true ones, and print pairwise and B-cubed precision, recall and F1; or with pairs
that somebody labelled, and print how many of each kind OUT has right.

[bold]Examples[/bold]

  headrace evaluate out.parquet --truth persons.parquet --id id --entity entity_id

  headrace evaluate out.csv --truth truth.csv --id rec_id --entity person --json

  headrace evaluate out.csv --pairs labels.csv

LABELS of --pairs has columns id_a, id_b and decision (match or differ; 1 or 0 will do).
"""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("evaluate", help=EXAMPLES)(evaluate)


def evaluate(
    out: Annotated[Path, typer.Argument(help="The answer: Parquet or CSV with columns id and entity_id.")],
    truth: Annotated[
        Path | None,
        typer.Option("--truth", help="The true entities: Parquet or CSV; may be the input itself.", show_default=False),
    ] = None,
    id_column: Annotated[
        str | None, typer.Option("--id", help="Column of TRUTH that holds the record's id.", show_default=False)
    ] = None,
    entity: Annotated[
        str | None, typer.Option("--entity", help="Column of TRUTH that holds the true entity.", show_default=False)
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of a table.")] = False,
    pairs: Annotated[
        Path | None,
        typer.Option("--pairs", metavar="LABELS", help="Labelled pairs instead of TRUTH.", show_default=False),
    ] = None,
    decision: Annotated[
        str | None,
        typer.Option("--decision", help="Column of LABELS that holds the label (decision).", show_default=False),
    ] = None,
) -> None:
    if pairs is not None:
        from core.workloads.identity.cli.evaluate.pairs import evaluate_pairs

        if (truth, id_column, entity) != (None, None, None):
            raise ConfigError("--pairs goes without --truth, --id and --entity: labels are of pairs, not of entities")
        evaluate_pairs(out, pairs, decision, as_json=as_json)
        return
    if truth is None or id_column is None or entity is None or decision is not None:
        raise ConfigError(
            "say what OUT is compared with: --truth FILE --id COLUMN --entity COLUMN for known entities, or --pairs "
            "FILE for labelled pairs, with --decision COLUMN if need be"
        )
    _evaluate_entities(out, truth, (id_column, entity), as_json=as_json)


def _evaluate_entities(out: Path, truth: Path, columns: tuple[str, str], *, as_json: bool) -> None:
    from core.matching.quality.evaluation import evaluate_labels

    _refuse_pairs(truth)
    id_column, entity = columns
    label = "id" if "id" in _header(out) else id_column
    # Not named here, so that the ids are gone when the labels are compared.
    found, true, counts = _side_by_side(
        _Side.read(out, {"id": label, "found": "entity_id"}), _Side.read(truth, {"id": id_column, "true": entity})
    )
    result = evaluate_labels(found, true)
    if as_json:
        print(json.dumps(_as_json(result, counts)))
        return
    _print_table(result)


def _refuse_pairs(truth: Path) -> None:
    """A label of a pair must not be taken for an entity: figures would come out, and mean nothing."""
    there = _header(truth)
    if {"id_a", "id_b"} <= set(there):
        raise SchemaError(
            f"{truth} names pairs (id_a, id_b), not the entity of each record; give it with --pairs",
            path=str(truth),
            column="id_a",
            expected="a record's id and its entity",
            got=there,
        )


@dataclass(frozen=True, slots=True)
class _Side:
    """A file's wanted columns under our names, each cell as a hash: texts of 70 million records fill the memory."""

    path: Path
    names: dict[str, str]
    cells: pl.DataFrame

    @classmethod
    def read(cls, path: Path, wanted: dict[str, str]) -> _Side:
        """Read `wanted` (our name -> the file's), and the column `source` if the file has it."""
        from core.intake.whole_columns import read_labels

        there = _header(path)
        for column in wanted.values():
            if column not in there:
                raise SchemaError(
                    f"{path}: no column {column!r}; there are: {', '.join(there)}",
                    column=column,
                    expected=column,
                    got=there,
                )
        names = wanted | ({"source": "source"} if "source" in there else {})
        return cls(path, names, read_labels(path, set(names.values())).select(**names))

    def keyed(self, key: list[str]) -> pl.DataFrame:
        """The cells with a `key` that no two rows share. Raises InputError: an id is empty, or stands in two rows."""
        import polars as pl

        empty = self.cells["id"].null_count()
        if empty:
            raise InputError(f"{self.path}: {empty} rows have an empty id", path=str(self.path), rows=empty)
        one = pl.col("id") if key == ["id"] else pl.struct(key).hash()
        keyed = self.cells.with_columns(one.alias("key"))
        if _repeats(keyed["key"]):
            self._refuse_repeats(key)
        return keyed

    def _refuse_repeats(self, key: list[str]) -> None:
        """Look again at the texts: it is they that must differ."""
        from core.intake.whole_columns import read_table

        texts = read_table(self.path, set(self.names.values())).select(**{name: self.names[name] for name in key})
        repeated = texts.filter(texts.is_duplicated())
        if len(repeated):
            first = repeated["id"][0]
            hint = "; both files need a column source to tell them apart" if "source" in self.names else ""
            raise InputError(
                f"{self.path}: id {first!r} stands in more than one row ({len(repeated)} such rows){hint}",
                path=str(self.path),
                id=first,
                rows=len(repeated),
            )


def _repeats(keys: pl.Series) -> bool:
    ordered = keys.sort()
    return bool((ordered == ordered.shift()).any())


def _side_by_side(answer: _Side, known: _Side) -> tuple[pl.Series, pl.Series, dict[str, int]]:
    """Found and true labels of each record whose truth is known; null for a record that the answer lacks (its own)."""
    both_sources = "source" in answer.names and "source" in known.names
    key = ["source", "id"] if both_sources and _repeats(answer.cells["id"]) else ["id"]
    found, true = answer.keyed(key), known.keyed(key)
    unlabelled = true["true"].null_count()
    if unlabelled:
        typer.echo(f"notice: {unlabelled} rows of {known.path} name no entity and are left out", err=True)
        true = true.drop_nulls("true")
    if not len(true):
        raise InputError(
            f"{known.path}: no row names an entity, so there is nothing to compare with", path=str(known.path)
        )
    if true["key"].equals(found["key"]):
        # The answer has the rows of the input in their order: nothing to look up, whatever their number.
        return found["found"], true["true"], {"unresolved": 0, "beyond_truth": 0, "unlabelled": unlabelled}
    labels, missing = _looked_up(found.sort("key"), true["key"])
    if missing == len(true):
        raise InputError(
            f"{answer.path} and {known.path} share no id, so nothing can be compared; is --id the column whose values "
            "OUT repeats?",
            path=str(answer.path),
        )
    beyond = len(found) - (len(true) - missing)
    if missing:
        of = f"{missing} of {len(true)} ids of {known.path}"
        typer.echo(f"notice: {of} are not in {answer.path}: each is an entity of its own", err=True)
    if beyond:
        said = f"notice: {beyond} ids of {answer.path} have no known entity in {known.path} and are left out"
        typer.echo(said, err=True)
    return labels, true["true"], {"unresolved": missing, "beyond_truth": beyond, "unlabelled": unlabelled}


def _looked_up(found: pl.DataFrame, keys: pl.Series) -> tuple[pl.Series, int]:
    """Labels of the records with these keys, null where there is none, and how many there are not; `found` in order."""
    import polars as pl

    if not len(found):
        return pl.repeat(None, len(keys), dtype=pl.UInt64, eager=True), len(keys)
    at = found["key"].search_sorted(keys).clip(upper_bound=len(found) - 1)
    there = found["key"].gather(at) == keys
    labels = found["found"].gather(at)
    return pl.select(pl.when(there).then(labels)).to_series(), int((~there).sum())


def _header(path: Path) -> list[str]:
    from core.intake.whole_columns import columns_of

    return columns_of(path)


def _as_json(result: Any, counts: dict[str, int]) -> dict[str, Any]:
    from dataclasses import asdict

    facts = asdict(result)
    scores = {name: facts.pop(name) for name in ("pairwise", "b_cubed")}
    return scores | {name.removeprefix("n_"): value for name, value in facts.items()} | counts


def _print_table(result: Any) -> None:
    from core.terminal.tables import emit, emit_facts

    scores = {"pairwise": result.pairwise, "B-cubed": result.b_cubed}
    rows = [
        {"": name, **{part: f"{getattr(score, part.lower()):.4f}" for part in ("precision", "recall", "F1")}}
        for name, score in scores.items()
    ]
    emit("", rows, as_json=False)
    pairs = f"{result.n_pairs_found:,} found, {result.n_pairs_true:,} true, {result.n_pairs_shared:,} shared"
    entities = f"{result.n_entities_found:,} found, {result.n_entities_true:,} true"
    emit_facts("", {"records": result.n_rows, "entities": entities, "pairs": pairs})
