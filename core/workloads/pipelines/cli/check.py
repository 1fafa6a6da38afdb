"""`headrace pipeline`: what a spec says, told before anything runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from core.workloads.pipelines.cli import run, versions
from core.workloads.pipelines.cli.reached import SpecFile

if TYPE_CHECKING:
    from core.pipelines.flow.checking import Checked

CHECK = """
Follow columns and types of a pipeline from its sources to its sink and say everything that cannot be, a sentence each.
No row is read or written: what tables hold comes from the database as its role may see it, or from a catalog FILE.

[bold]Examples[/bold]

  headrace pipeline check orders.yaml

  headrace pipeline check orders.yaml --catalog catalog.yaml

  headrace pipeline check orders.yaml --catalog catalog.yaml --json
"""

SCHEMA = """
Print the JSON Schema of the pipeline language, for editors that complete and check YAML.

[bold]Examples[/bold]

  headrace pipeline schema > pipeline.schema.json
"""


def register(app: typer.Typer) -> None:
    """Add the group."""
    from core.workloads.pipelines.cli.examples import TEST, run_examples

    group = typer.Typer(help="Pipelines in a closed language, checked before they run.", no_args_is_help=True)
    group.command("check", help=CHECK)(check)
    group.command("test", help=TEST)(run_examples)
    group.command("schema", help=SCHEMA)(schema)
    versions.register(group)
    run.register(group)
    app.add_typer(group, name="pipeline")


def check(
    spec: SpecFile,
    catalog: Annotated[
        Path | None,
        typer.Option(
            "--catalog", metavar="FILE", help="What blocks, tables and files there are; no database is asked."
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of a table.")] = False,
) -> None:
    from core.pipelines.language.reading import read_spec
    from core.pipelines.refusals import PipelineRefused
    from core.workloads.pipelines.cli.files import text_of
    from core.workloads.pipelines.cli.reached import checked_by

    try:
        found = checked_by(catalog, read_spec(text_of(spec)))
    except PipelineRefused as error:
        if not as_json:
            raise
        refusals = [
            {"path": one.path, "position": one.position, "reason": one.reason} for one in error.facts["refusals"]
        ]
        print(json.dumps({"ok": False, "refusals": refusals}))
        raise typer.Exit(error.exit_code) from None
    _show(found, as_json=as_json)


def schema() -> None:
    from core.pipelines.language.schema import json_schema

    print(json.dumps(json_schema(), separators=(",", ":")))


def _show(found: Checked, *, as_json: bool) -> None:
    from core.terminal.tables import emit

    columns = {name: str(one) for name, one in found.rows.items()}
    if as_json:
        steps = [
            {"step": step.do, "columns": {name: str(one) for name, one in after.items()}}
            for step, after in _pairs(found)
        ]
        print(json.dumps({"ok": True, "pipeline": found.spec.pipeline, "steps": steps, "columns": columns}))
        return
    rows = [
        {"after": name, "columns": len(types), "new or changed": _news(before, types)}
        for name, before, types in _stages(found)
    ]
    emit(f"{found.spec.pipeline}: can be carried out", rows, as_json=False)


def _pairs(found: Checked) -> list[tuple[Any, Any]]:
    return list(zip(found.spec.steps, found.steps, strict=True))


def _stages(found: Checked) -> list[tuple[str, Any, Any]]:
    """(name, columns before, columns after) of the sources and of each step."""
    stages: list[tuple[str, Any, Any]] = [(f"source {name}", {}, types) for name, types in found.sources.items()]
    before: Any = next(iter(found.sources.values()))
    for number, (step, types) in enumerate(_pairs(found)):
        stages.append((f"{number} {step.do}", before, types))
        before = types
    return stages


def _news(before: Any, after: Any) -> str:
    return ", ".join(f"{name} {one}" for name, one in after.items() if before.get(name) != one)
