"""`headrace pipeline test`: the examples beside a spec."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

TEST = """
Carry a spec out over rows that stand beside it, and compare with the rows that are expected: SPEC.yaml has its
examples in SPEC.test.yaml. Nothing else is read or written.

[bold]Examples[/bold]

  headrace pipeline test orders.yaml --catalog catalog.yaml

  headrace pipeline test orders.yaml --catalog catalog.yaml --json

Exit codes: 0 all hold, 1 one does not, 2 spec or examples cannot be read.
"""


def run_examples(
    spec: Annotated[Path, typer.Argument(metavar="SPEC", help="The pipeline, in YAML.", show_default=False)],
    catalog: Annotated[
        Path | None,
        typer.Option(
            "--catalog", metavar="FILE", help="What blocks, tables and files there are; no database is asked."
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of a table.")] = False,
) -> None:
    from core.pipelines.language.reading import read_spec
    from core.terminal.tables import emit
    from core.workloads.pipelines.cli.files import text_of
    from core.workloads.pipelines.cli.reached import checked_by
    from core.workloads.pipelines.examples import held_against, read_examples

    given = read_spec(text_of(spec))
    examples = read_examples(text_of(spec.with_name(f"{spec.stem}.test.yaml")))
    checked = checked_by(catalog, given)
    findings = [held_against(checked, name, example) for name, example in examples.items()]
    rows = [{"example": one.name, "holds": "yes" if not one.otherwise else "NO"} for one in findings]
    if as_json:
        found = [{"example": one.name, "holds": not one.otherwise, "otherwise": one.otherwise} for one in findings]
        print(json.dumps({"pipeline": given.pipeline, "examples": found}))
    else:
        emit(f"{given.pipeline}: examples", rows, as_json=False)
        for one in findings:
            for line in one.otherwise:
                print(f"{one.name}: {line}")
    if any(one.otherwise for one in findings):
        raise typer.Exit(1)
