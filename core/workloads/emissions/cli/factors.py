"""`headrace factors`: where figures come from, kept by the hash of what they say."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from core.terminal.options import AsJson, Limit

SOURCES = """
List the publishers whose files can be loaded: edition, file to fetch by hand, licence. Nothing is downloaded.

[bold]Examples[/bold]

  headrace factors sources

  headrace factors sources --json
"""
LOAD = """
Load a publisher's file into a data set and append it to a named set, for `emissions run --factors NAME`.

The same content is kept once, whatever file it comes in. One edition with two contents is refused. Members of a set are
in the order in which they were loaded: the first is preferred.

[bold]Examples[/bold]

  headrace factors load epa-supply-chain SupplyChainGHGEmissionFactors_v1.3.0_NAICS_CO2e_USD2022.csv --factors ours

  headrace factors load desnz ghg-conversion-factors-2025-flat-format.csv --factors ours --json
"""
CHECK = """
Look at what must hold in a whole file: gases add up, blanks, true zeros, ids, units. Ends with 1 if something does not.

[bold]Examples[/bold]

  headrace factors check ghg-conversion-factors-2025-flat-format.csv

  headrace factors check own.csv --loader csv --json
"""
LIST = """
List the sets that are kept, with their data sets in order of preference.

[bold]Examples[/bold]

  headrace factors list

  headrace factors list --json
"""
DIFF = """
Compare two files or editions, figure by figure: those only in one, and the ratios that moved most.

[bold]Examples[/bold]

  headrace factors diff epa_v1.2.csv epa_v1.3.0.csv

  headrace factors diff epa_v1.2.csv epa_v1.3.0.csv --limit 20 --json
"""
EXPLAIN = """
Show which factor a code would take from a set, and what the next four lost on.

[bold]Examples[/bold]

  headrace factors explain naics-2017 541511 --year 2024

  headrace factors explain desnz "Water supply > Water supply > Water supply" --unit m3 --year 2025 --json
"""
Factors = Annotated[str, typer.Option("--factors", help="starter, a YAML file of members, or a kept set.")]


def register(app: typer.Typer) -> None:
    """Add the group."""
    group = typer.Typer(help="Emission factors: load, check and compare publishers' files.", no_args_is_help=True)
    group.command("sources", help=SOURCES)(sources)
    group.command("load", help=LOAD)(load)
    group.command("check", help=CHECK)(check)
    group.command("list", help=LIST)(list_sets)
    group.command("diff", help=DIFF)(diff)
    group.command("explain", help=EXPLAIN)(explain)
    app.add_typer(group, name="factors")


def store_folder() -> Path:
    """Where data sets are kept."""
    from core.settings import read_settings

    return read_settings().state_dir / "factors"


def sources(as_json: AsJson = False) -> None:
    from core.terminal.tables import emit
    from core.workloads.emissions.factors.sources import SOURCES as KNOWN

    emit("Files that can be loaded", [source.facts() for source in KNOWN], as_json=as_json)


def load(
    loader: Annotated[str, typer.Argument(help="epa-supply-chain, epa-hub, desnz, cornerstone, ecoinvent or csv.")],
    file: Annotated[Path, typer.Argument(help="The publisher's file.")],
    name: Annotated[str, typer.Option("--factors", help="Set to append it to.")] = "default",
    as_json: AsJson = False,
) -> None:
    from core.workloads.emissions.factors.sets import load_one
    from core.workloads.emissions.factors.store import FactorStore

    dataset = load_one(loader, file)
    is_new = FactorStore(store_folder()).keep(dataset, name)
    facts = {
        "dataset_id": dataset.dataset_id,
        "source": dataset.edition.source,
        "edition": dataset.edition.edition,
        "patch": dataset.edition.patch,
        "factors": len(dataset.factors),
        "blank": sum(factor.value is None and not factor.gases for factor in dataset.factors),
        "set": name,
        "is_new": is_new,
    }
    if as_json:
        print(json.dumps(facts, indent=2))
        return
    said = "kept" if is_new else "had it already"
    edition = " ".join(filter(None, (dataset.edition.source, dataset.edition.edition, dataset.edition.patch)))
    print(f"{edition}: {facts['factors']:,} factors, {facts['blank']:,} of them blank; {said} in the set {name}")
    print(f"data set {dataset.dataset_id}")


def check(
    file: Annotated[Path, typer.Argument(help="The publisher's file, whole.")],
    loader: Annotated[str | None, typer.Option("--loader", help="Whose it is, where its columns do not say.")] = None,
    as_json: AsJson = False,
) -> None:
    from core.terminal.tables import emit
    from core.workloads.emissions.factors.checking.invariants import check_file

    found = check_file(file, loader)
    rows = [
        {"invariant": row.invariant, "n": row.n, "failed": row.failed, "note": row.note} for row in found.invariants
    ]
    failed = sum(row.failed > 0 for row in found.invariants)
    if as_json:
        edition = found.dataset.edition if found.dataset else None
        facts = {
            "file": str(file),
            "loader": found.loader,
            "edition": edition.edition if edition else None,
            "dataset_id": found.dataset.dataset_id if found.dataset else None,
            "invariants": rows,
            "failed": failed,
        }
        print(json.dumps(facts, indent=2))
    else:
        emit(f"{file.name}: {found.loader}", rows, as_json=False)
        print(f"{failed} of {len(rows)} do not hold" if failed else "all hold")
    if failed:
        raise typer.Exit(1)


def list_sets(as_json: AsJson = False) -> None:
    from core.terminal.tables import emit
    from core.workloads.emissions.factors.sets import starter_set
    from core.workloads.emissions.factors.store import FactorStore

    store = FactorStore(store_folder())
    sets = [starter_set(), *map(store.factor_set, store.names())]
    rows = [
        {
            "set": found.name,
            "place": place,
            "source": member.edition.source,
            "edition": " ".join(filter(None, (member.edition.edition, member.edition.patch))),
            "factors": len(member.factors),
            "marked": "screening" if member.edition.screening else "restricted" if member.edition.restricted else "",
            "dataset_id": member.dataset_id if as_json else member.dataset_id[:12],
        }
        for found in sets
        for place, member in enumerate(found.members, 1)
    ]
    emit("Sets of factors, the preferred first", rows, as_json=as_json)


def diff(
    before: Annotated[Path, typer.Argument(help="A publisher's file.")],
    after: Annotated[Path, typer.Argument(help="Another edition of it.")],
    limit: Limit = 10,
    as_json: AsJson = False,
) -> None:
    from core.errors import InputError
    from core.terminal.tables import emit
    from core.workloads.emissions.factors.checking.invariants import check_file
    from core.workloads.emissions.factors.comparing import compare

    old, new = (check_file(file).dataset for file in (before, after))
    if old is None or new is None:
        raise InputError("a file of code revisions has no factors to compare")
    found = compare(old, new, limit)
    if as_json:
        print(json.dumps(found, indent=2))
        return
    emit("Moved most", found["moved"], as_json=False, empty="no figure moved")
    print(
        f"{found['both']:,} figures in both, {found['only_before']:,} only before, {found['only_after']:,} only after; "
        f"{found['changed']:,} changed, median ratio {found['median_ratio']}"
    )


def explain(
    scheme: Annotated[str, typer.Argument(help="naics-2017, useeio, desnz, epa-hub, own.")],
    code: Annotated[str, typer.Argument(help="The code, or the path of the row.")],
    unit: Annotated[str, typer.Option("--unit", help="Of the quantity, for rows of activity.")] = "",
    year: Annotated[int, typer.Option("--year", help="Year of the line.")] = 2025,
    country: Annotated[str, typer.Option("--country", help="Two letters.")] = "",
    factors: Factors = "starter",
    as_json: AsJson = False,
) -> None:
    from core.terminal.tables import emit
    from core.workloads.emissions.inventory.policies.policy import Policy
    from core.workloads.emissions.inventory.run import factors_of
    from core.workloads.emissions.inventory.selection.catalog import Catalog
    from core.workloads.emissions.inventory.selection.select import Query, select

    choice = select(Query(scheme, code, unit, year, country), Catalog(factors_of(factors, store_folder()), Policy()))
    rows = [{"dataset": name, "factor": label, "lost_on": lost or "chosen"} for name, label, lost in choice.shown]
    if as_json:
        print(json.dumps({"reason": choice.reason, "candidates": rows}, indent=2))
        return
    emit(f"{scheme} {code}", rows, as_json=False, empty="no candidate")
    if choice.reason:
        print(choice.reason)
