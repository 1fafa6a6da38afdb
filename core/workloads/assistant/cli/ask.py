"""`headrace ask`: plain words to a spec, a command or a question; nothing is changed."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from core.workloads.assistant.planning.answers import Answer
    from core.workloads.assistant.planning.places import Known

MAX_CATALOG_BYTES = 16 * 1024 * 1024
"""Of a catalog: some 100,000 columns."""
UNANSWERED = 3
"""Exit code of a question back and of a refusal."""

ASK = """
Say in plain English what a pipeline is to do, and get its spec, a command, or one question back. Nothing is changed.

Without --catalog it knows the tables that your database role may see. A catalog file is for planning alone and grants
nothing. Exit code 3: it asks or refuses.

[bold]Examples[/bold]

  headrace ask "Load new shop files into shop.orders every hour" --catalog catalog.yaml

  headrace ask "Backfill orders_daily for March 2026" --catalog catalog.yaml --json

  headrace ask --sql "select status, count(*) from shop.orders group by 1" --catalog catalog.yaml
"""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("ask", help=ASK)(ask)


def ask(
    text: Annotated[str, typer.Argument(metavar="TEXT", help="What is wanted, in quotes.", show_default=False)] = "",
    sql: Annotated[
        str | None, typer.Option("--sql", metavar="QUERY", help="A question as one SELECT, instead of TEXT.")
    ] = None,
    catalog: Annotated[
        Path | None, typer.Option("--catalog", metavar="FILE", help="What there is; no database is asked.")
    ] = None,
    now: Annotated[
        datetime | None, typer.Option("--now", metavar="T", help="The moment from which days count, in UTC [now].")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    from core.workloads.assistant.planning.plan import plan

    _require_one_of(text, sql)
    known = _from_file(catalog) if catalog else _from_connections()
    answer = plan(text, known, now or datetime.now(UTC)) if sql is None else _checked(sql, known)
    _show(answer, as_json=as_json)
    if answer.is_back:
        raise typer.Exit(UNANSWERED)


def _require_one_of(text: str, sql: str | None) -> None:
    from core.errors import ConfigError

    if bool(text) == (sql is not None):
        raise ConfigError('say what is wanted in quotes, or --sql "select ...": one of the two')


def _checked(sql: str, known: Known) -> Answer:
    from core.workloads.assistant.planning.answers import Answer
    from core.workloads.assistant.questions.guard import check
    from core.workloads.assistant.questions.refused import QuestionRefused

    try:
        question = check(sql, known.catalog)
    except QuestionRefused as refused:
        return Answer("refuse", {"why": refused.facts["why"]}, str(refused))
    tables = ", ".join(question.reads) or "no table"
    return Answer("query", {"sql": question.sql, "reads": question.reads}, f"It may be asked; it reads {tables}.")


def _from_file(path: Path) -> Known:
    from core.workloads.assistant.planning.places import known_of

    return known_of(yaml_of(path, "catalog"))


def yaml_of(path: Path, what: str) -> dict[str, Any]:
    """The mapping that a YAML file holds. Raises InputError: it cannot be read. SpecError: it is no such YAML."""
    from core.errors import InputError
    from core.pipelines.language.yaml_text import read_yaml

    try:
        if path.stat().st_size > MAX_CATALOG_BYTES:
            raise InputError(f"{path}: a {what} has at most {MAX_CATALOG_BYTES // 1024**2} MB", path=str(path))
        return read_yaml(path.read_bytes(), MAX_CATALOG_BYTES, what)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or type(error).__name__})", path=str(path)) from None


def _from_connections() -> Known:
    from core.connections.blocks import connections_of
    from core.connections.catalog import real_catalog
    from core.runtime import open_runtime
    from core.workloads.assistant.planning.places import known_here

    with open_runtime() as runtime:
        return known_here(real_catalog(connections_of(runtime.settings, runtime.db)), {})


def _show(answer: Answer, *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(answer.as_json()))
        return
    if answer.kind == "pipeline":
        import yaml

        print(yaml.safe_dump(answer.body, sort_keys=False, width=80), end="")
    elif not answer.is_back:
        print(json.dumps({answer.kind: answer.body}))
    choices = answer.body.get("choices")
    print(f"# {answer.says}" if answer.kind == "pipeline" else answer.says)
    if choices:
        print("\n".join(f"  {choice}" for choice in choices))
