"""`headrace review`: the pairs that people should look at, as a sheet and as the lists of published data sets."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from core.terminal.options import AsJson, CsvForExcel

if TYPE_CHECKING:
    from core.linkage.results.review_list import ReviewList

EPILOG = """
Examples:

  headrace review export out.parquet --out review.xlsx

  headrace review export out.csv --out review.csv --csv-for-excel --limit 200

  headrace match people.csv --decisions review.xlsx --out out.parquet

  headrace review export --dataset persons:people.csv --out review.xlsx

Fill in the column decision (match or differ) and give the file back with --decisions; rows left empty stay open.
"""


def register(group: typer.Typer) -> None:
    """Add the commands to the group `review`."""
    group.command("export", epilog=EPILOG)(export)
    group.command("import")(import_sheet)
    group.command("status")(status)


def export(
    out: Annotated[Path, typer.Option("--out", help="file to write: .xlsx, .csv or .parquet")],
    result: Annotated[
        str | None,
        typer.Argument(metavar="[OUT|JOB]", help="output of a `headrace match`, or a job's number", show_default=False),
    ] = None,
    dataset: Annotated[
        str | None, typer.Option("--dataset", help="instead: the list of a published data set", show_default=False)
    ] = None,
    limit: Annotated[
        int | None, typer.Option("--limit", min=1, help="pairs at most, the first of the list", show_default=False)
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="the accepted pairs too; not of a data set")] = False,
    csv_for_excel: CsvForExcel = False,
    as_json: AsJson = False,
) -> None:
    """List the pairs worth a review: both records side by side, the reason, an empty column for your decision."""
    from core.linkage.request_checks import check_place
    from core.linkage.results.review_list import DECISION
    from core.linkage.run_record import sink_table
    from core.storage.private_file import write_private

    check_place("out", out)
    found = _listed(result, dataset, limit, everything=everything)
    choices = {DECISION: ("match", "differ") if dataset is None else ("match", "differ", "unsure")}
    frame = found.frame.lazy()
    write_private(out, lambda part: sink_table(frame, part, out, for_excel=csv_for_excel, choices=choices))
    facts = {"out": str(out), "pairs": found.frame.height, "beyond": found.n_beyond, "decided": found.n_decided}
    if as_json:
        import json

        print(json.dumps(facts))
        return
    back = "--decisions" if dataset is None else f"`headrace review import {out} --dataset {dataset}`"
    print(f"written: {out}, {found.frame.height:,} pairs to look at; give it back with {back}")
    if found.n_beyond:
        print(f"left out by --limit: {found.n_beyond:,} pairs")
    if found.n_decided:
        print(f"decided already and left out: {found.n_decided:,} pairs")


def _listed(result: str | None, dataset: str | None, limit: int | None, *, everything: bool) -> ReviewList:
    """The pairs of an output, a job, or a data set's list. Raises ConfigError: none of them is named, or two."""
    from datetime import UTC, datetime

    from core.errors import ConfigError
    from core.linkage.results.review_list import ReviewList, review_list
    from core.runtime import open_runtime
    from core.workloads.identity.cli.job_files import output_of
    from core.workloads.identity.reviewing.sheets import sheet_of

    if result is not None and dataset is None:
        return review_list(output_of(result), limit=limit, everything=everything)
    if result is not None or dataset is None or everything:
        raise ConfigError("name the output of a match, or a job, or --dataset without --all", fields=("dataset",))
    with open_runtime() as runtime:
        whole = sheet_of(runtime.db, dataset, datetime.now(UTC))
    frame = whole if limit is None else whole.head(limit)
    return ReviewList(frame, whole.height - frame.height, 0)


def import_sheet(
    sheet: Annotated[Path, typer.Argument(help="a filled-in `headrace review export`: CSV, Parquet or .xlsx")],
    dataset: Annotated[str, typer.Option("--dataset", help="data set whose list it is")],
    as_json: AsJson = False,
) -> None:
    """Record the decisions of a sheet as verdicts. They hold in every later match of the data set.

    A row whose pair was decided, or whose records changed, since the sheet was written is refused and named; the other
    rows are recorded, and the exit code is 1. The same sheet again records nothing more.

    Example: headrace review import review.xlsx --dataset persons:people.csv
    """
    import getpass
    from dataclasses import asdict
    from datetime import UTC, datetime

    from core.runtime import open_runtime
    from core.workloads.identity.reviewing.sheets import take_sheet

    with open_runtime() as runtime:
        taken = take_sheet(runtime.db, dataset, sheet, f"{getpass.getuser()} (cli)", datetime.now(UTC))
    if as_json:
        import json

        refused = [{"row": row, "reason": why} for row, why in taken.refused]
        print(json.dumps({**asdict(taken), "refused": refused}))
    else:
        print(f"recorded: {taken.n_recorded:,} verdicts; open rows passed over: {taken.n_open:,}")
        if taken.n_repeated:
            print(f"recorded before, by this sheet: {taken.n_repeated:,}")
        for row, why in taken.refused:
            print(f"{sheet}, row {row}: refused: {why}")
    if taken.refused:
        raise typer.Exit(1)


def status(
    dataset: Annotated[str | None, typer.Option(help="only this data set, with what its verdicts say")] = None,
    as_json: AsJson = False,
) -> None:
    """How many pairs of each published data set wait for people, and, of one data set, what their verdicts say.

    Example: headrace review status --dataset persons:people.csv
    """
    from dataclasses import asdict
    from datetime import UTC, datetime

    from core.review.calibration import VERDICTS_MIN, agreement, calibration
    from core.review.items import counts
    from core.review.verdicts import UNSURE, second_looks, stated_and_said
    from core.runtime import open_runtime
    from core.terminal.tables import emit
    from core.workloads.identity.reviewing.cases import SAME, topic

    mine = topic("")
    with open_runtime() as runtime:
        found = counts(runtime.db, datetime.now(UTC), None if dataset is None else topic(dataset))
        said = [] if dataset is None else stated_and_said(runtime.db, topic(dataset))
        looks = agreement([] if dataset is None else second_looks(runtime.db, topic(dataset)))
    rows = [
        {"dataset": each.topic.removeprefix(mine), **{name: n for name, n in asdict(each).items() if name != "topic"}}
        for each in found
        if each.topic.startswith(mine)
    ]
    bands = calibration([(stated, word == SAME) for stated, word in said if word != UNSURE])
    if as_json:
        import json

        told = {"bands": [band.to_dict() for band in bands], "second_looks": None if looks is None else asdict(looks)}
        print(json.dumps({"datasets": rows} | ({} if dataset is None else told)))
        return
    emit("review", rows, as_json=False, empty="no published data set has pairs to review")
    if bands:
        emit("stated probabilities", [_band_row(band.to_dict()) for band in bands], as_json=False)
    elif dataset is not None:
        print(f"{len(said):,} verdicts; from {VERDICTS_MIN} on they are held against the stated probabilities")
    if looks is not None:
        print(f"second looks: {looks.n_same:,} of {looks.n_looks:,} say the same")


def _band_row(band: dict[str, Any]) -> dict[str, Any]:
    return {
        "stated": f"{band['lo']:.2f}-{band['hi']:.2f}",
        "pairs": band["n_cases"],
        "mean": round(band["stated"], 3),
        "found": round(band["found"], 3),
        "95 %": f"{band['low']:.2f}-{band['high']:.2f}",
        "says": band["says"],
    }
