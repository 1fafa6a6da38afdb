"""`headrace match`: records of one file with each other, or of several files across."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from core.metrics.process import usable_cores
from core.terminal.become_flow import become_flow
from core.terminal.options import BadRows, CsvForExcel
from core.workloads.identity.cli.given_pairs import GivenPairs, match_given_pairs
from core.workloads.identity.cli.link_options import (
    Changed,
    Delimiter,
    Encoding,
    LinkFiles,
    LinkIds,
    LinkMaps,
    OneToOne,
    Reference,
    Removed,
    Shared,
    Sheet,
    SkipLines,
    delimiter_of,
    link_ids,
    link_mappings,
)

if TYPE_CHECKING:
    from core.workloads.identity.cli.planning import Teller

Via = Literal["local", "prefect"]
Publish = Literal["links", "records", "all"]

EPILOG = """
Examples:

  headrace match people.csv --id person_no --out resolved.parquet

  headrace match people.csv --id rec_id --map last_name=surname --map zip=postcode --map email= --out resolved.csv

  headrace match people.csv --id person_no --plan

  headrace match people.xlsx --sheet Customers --skip-lines 3 --id person_no --out resolved.csv

  headrace match 'people/*.parquet' --id person_no --out resolved.parquet

  headrace match june.csv --against resolved.parquet --out june.parquet

  headrace match corrected.csv --changed replace --removed gone.csv --against resolved.parquet --out july.parquet

  headrace match people.csv --id person_no --via prefect --lookup

  headrace match table:crm.customers --id customer_no --out resolved.parquet

  headrace match people.csv --id person_no --pairs suspects.csv --out scored.csv

  headrace match crm.csv --link shop.csv --id id --link-id member_no --link-map last_name=NAME1 --out linked.parquet

  headrace match crm.parquet --link billing.csv --link shop.csv --out linked.parquet --json

  headrace match papers.csv --link scraped.csv --shared papers.csv --id id --out linked.parquet

  headrace match payers.csv --link customers.csv --reference customers.csv --id id --out answers.parquet

Beside OUT stand OUT.pairs (every pair accepted or worth a review) and OUT.run.json (model and figures; for `explain`).
"""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("match", epilog=EPILOG)(match)


def match(
    context: typer.Context,
    records: Annotated[
        str | None,
        typer.Argument(
            metavar="[INPUT]",
            help="file (CSV, workbook, JSON, Parquet, Arrow), folder or pattern of parts, -, s3://... or table:NAME",
            show_default=False,
        ),
    ] = None,
    more: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[FILE ... field=column ...]",
            help="further parts of the same table, and more --map pairs",
            show_default=False,
        ),
    ] = None,
    out: Annotated[Path | None, typer.Option(help=".parquet, .csv or .xlsx: id and entity_id of every row")] = None,
    entities: Annotated[Path | None, typer.Option(help=".parquet, .csv or .xlsx: a golden record an entity")] = None,
    csv_for_excel: CsvForExcel = False,
    with_columns: Annotated[
        str | None, typer.Option(help="columns of INPUT to write beside id and entity_id: all, or a,b,c")
    ] = None,
    id_column: Annotated[
        str | None, typer.Option("--id", help="column that names each record (default: id)", show_default=False)
    ] = None,
    spec: Annotated[
        str | None, typer.Option(help="built-in match spec, or a YAML file (default: persons)", show_default=False)
    ] = None,
    maps: Annotated[
        list[str] | None, typer.Option("--map", help="field=column; a+b joins columns, nothing leaves the field out")
    ] = None,
    link: LinkFiles = None,
    link_id: LinkIds = None,
    link_map: LinkMaps = None,
    against: Annotated[
        str | None, typer.Option(help="OUT of a finished match, or a job's number: add INPUT to it, under its model")
    ] = None,
    changed: Changed = "refuse",
    removed: Removed = None,
    decisions: Annotated[
        Path | None,
        typer.Option(help="decisions by people: a filled-in `headrace review export`, or `ledger[:DATASET]`"),
    ] = None,
    one_to_one: OneToOne = False,
    shared: Shared = None,
    reference: Reference = None,
    pairs: GivenPairs = None,
    model: Annotated[Path | None, typer.Option(help="trained model to use instead of learning one")] = None,
    allow_drift: Annotated[
        bool, typer.Option("--allow-drift", help="use the model although the records have drifted from its own")
    ] = False,
    lookup: Annotated[
        bool, typer.Option("--lookup", help="publish what `headrace lookup` needs as well (prefect)")
    ] = False,
    via: Annotated[
        Via, typer.Option("--via", help="local: this process only; prefect: queue in PostgreSQL, runs in the UI")
    ] = "local",
    publish: Annotated[
        Publish | None,
        typer.Option(
            "--publish",
            help="prefect: what goes to the database. links: entities, members, matches; records: identities too; "
            "all: golden records too (default)",
            show_default=False,
        ),
    ] = None,
    dataset: Annotated[
        str | None,
        typer.Option(
            help="prefect: name the answer is published under (default: by spec and input)", show_default=False
        ),
    ] = None,
    rerun: Annotated[
        bool, typer.Option("--rerun", help="prefect: start anew although the same request was answered before")
    ] = False,
    bad_rows: BadRows = "raise",
    bad_values: Annotated[
        Literal["missing", "refuse"],
        typer.Option(help="missing: what cannot be read is missing, or kept as digits; refuse: stop at the first"),
    ] = "missing",
    year_pivot: Annotated[
        int | None,
        typer.Option(help="first of the hundred years that two digits stand for (default: no date in the future)"),
    ] = None,
    plan: Annotated[bool, typer.Option("--plan", help="check the input, say what would be done, and end")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="match although a name has no column; ask nothing")] = False,
    encoding: Encoding = None,
    delimiter: Delimiter = None,
    skip_lines: SkipLines = 0,
    sheet: Sheet = None,
    as_json: Annotated[bool, typer.Option("--json", help="print the figures as JSON")] = False,
    threads: Annotated[int | None, typer.Option(min=1, help="kernel threads (default: all cores)")] = None,
    memory_gb: Annotated[
        float | None, typer.Option(min=0.1, help="memory a process may hold (default: 60 % of what is free)")
    ] = None,
    keep_workspace: Annotated[bool, typer.Option(help="keep the files of the stages (local)")] = False,
) -> None:
    """Find which records are the same person (or supplier, or ...), and say so for every row."""
    from core.settings import read_settings
    from core.workloads.identity.cli import match_options
    from core.workloads.identity.cli.job_files import dataset_of, input_file, output_of
    from core.workloads.identity.cli.planning import Teller, asking, show_outline
    from core.workloads.identity.summary import show

    records = records or match_options.only_removed(removed, against)
    match_options.refuse_half_erased(against, via, changes=removed is not None or changed == "replace")
    files, more_maps = match_options.files_and_maps(context, more or ())
    request = match_options.matching_request(
        {
            "input": input_file(records, via),
            "id_column": id_column,
            "spec": spec,
            "link": tuple(input_file(each, via) for each in link or ()),
            "link_id": link_ids(link_id or (), len(link or ())),
            "link_mapping": link_mappings(link_map or (), len(link or ())),
            "against": None if against is None else str(output_of(against)),
            "changed": changed,
            "removed": None if removed is None else str(removed),
            "decisions": None if decisions is None else str(decisions),
            "one_to_one": one_to_one or None,
            "shared": tuple(shared or ()),
            "reference": reference,
            "bad_rows": bad_rows,
            "encoding": encoding,
            "delimiter": delimiter_of(delimiter),
            "skip_lines": skip_lines,
            "sheet": sheet,
            "more": [input_file(file, via) for file in files],
            "bad_values": bad_values,
            "year_pivot": year_pivot,
            "model": None if model is None else str(model),
            "allow_drift": allow_drift,
            "lookup": lookup,
            "out": None if out is None else str(out),
            "publish": publish,
            "rerun": rerun,
            "dataset": dataset or dataset_of(records, spec),
            "memory_gb": memory_gb,
            "entities": None if entities is None else str(entities),
            "csv_for_excel": csv_for_excel,
            "with_columns": match_options.kept_columns(with_columns),
            "without_names": yes,
        },
        [*(maps or []), *more_maps],
    )
    request = match_options.with_ledger(request)
    if plan:
        show_outline(request, read_settings().state_dir, as_json=as_json)
        return
    tell = Teller(quiet=as_json)
    if pairs is not None:
        match_given_pairs(request, pairs, via=via, threads=threads, tell=tell, as_json=as_json)
        return
    if via == "prefect":
        become_flow("flows.identity_resolution", [request.model_dump_json(), *(["--json"] if as_json else [])])
    summary = asking(request, lambda asked: _run_here(asked, threads, keep_workspace, tell))
    show(tell.rest(summary), as_json=as_json, out=request.out)


def _run_here(request: Any, threads: int | None, keep_workspace: bool, tell: Teller) -> dict[str, Any]:
    import os

    threads = threads or usable_cores()
    # polars reads its bound at import; kernels run on threads of our own.
    os.environ.setdefault("POLARS_MAX_THREADS", str(threads))
    from core.linkage.resolve import resolve
    from core.metrics.logs import configure
    from core.settings import read_settings
    from core.terminal.progress import stage_progress

    settings = read_settings()
    configure(settings.log)
    with stage_progress() as on_progress:
        return resolve(
            request,
            settings.state_dir / "workspaces" / "local",
            threads=threads,
            on_described=tell,
            on_progress=on_progress,
            keep_workspace=keep_workspace,
            copies=settings.state_dir / "exports",
        )
