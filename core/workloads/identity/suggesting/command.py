"""`headrace spec suggest`: a first match spec for a file, by its headings and values."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from core.workloads.identity.cli.link_options import LinkFiles, LinkIds, link_ids

SUGGEST = """
Look at the columns of a file and write a first match spec, with the reason of each field and pass as a comment.

Headings in eight languages, words in names and the form of values (dates, numbers, mail addresses, check digits) say
what the columns hold. The spec runs as it comes, and is there to be edited: fields that may be no matter of who a
record is stand in it as comments. It holds no value of a row.

[bold]Examples[/bold]

  headrace spec suggest suppliers.csv --out suppliers.yaml

  headrace spec suggest catalogue_a.csv --link catalogue_b.csv --out catalogue.yaml --json
"""


def register(group: typer.Typer) -> None:
    """Add the command to the group `spec`."""
    group.command("suggest", help=SUGGEST)(suggest)


def suggest(
    records: Annotated[Path, typer.Argument(metavar="FILE", help="File to look at.", show_default=False)],
    out: Annotated[Path, typer.Option("--out", help="Spec to write, .yaml; there must be none yet.")],
    id_column: Annotated[
        str | None, typer.Option("--id", help="Column that names each record (default: as found).", show_default=False)
    ] = None,
    link: LinkFiles = None,
    link_id: LinkIds = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of sentences.")] = False,
) -> None:
    """Write a first spec for a file, or for files that are to be linked."""
    from core.errors import ConfigError
    from core.workloads.identity.suggesting.suggest import suggest as suggest_spec

    if out.suffix not in {".yaml", ".yml"}:
        raise ConfigError(f"--out {out}: a spec is a .yaml file")
    if not out.parent.is_dir():
        raise ConfigError(f"--out {out}: there is no folder {out.parent}; make it first")
    if out.exists():
        raise ConfigError(f"--out {out}: it is there already, and may be edited; take another name or remove it")
    named = link_ids(link_id or (), len(link or ()))
    links = [(Path(each), (named[number] or None) if named else None) for number, each in enumerate(link or ())]
    suggestion = suggest_spec(records, out, id_column, links)
    with out.open("x", encoding="utf-8") as file:
        file.write(suggestion.text)
    if as_json:
        import orjson

        facts = {"out": str(out)} | suggestion.to_dict()
        typer.echo(orjson.dumps(facts, option=orjson.OPT_INDENT_2).decode())
        return
    found, family = suggestion.found, suggestion.family
    typer.echo(f"{out}: {family.name}, for {family.reason}")
    typer.echo(f"fields: {', '.join(each.name for each in found.fields)}; passes: {len(suggestion.passes)}")
    if found.possible:
        typer.echo(f"not compared unless you say so: {', '.join(each.name for each in found.possible)}")
    for column, reason in found.left_out.items():
        typer.echo(f"left out: {column!r}: {reason}")
    typer.echo(f"next: {suggestion.command}")
