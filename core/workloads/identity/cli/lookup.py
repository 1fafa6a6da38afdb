"""`headrace lookup`: the entity that one record would join among those that are published."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

EPILOG = """
Examples:

  headrace lookup -f first_name=Ann -f last_name=Oak -f dob=1990-02-03 --dataset persons:people.csv

  headrace lookup record.json --json

  echo '{"last_name": "Oak", "ssn": "219-09-9981"}' | headrace lookup - --why

match: the record would join the entity. review: no pair joins it, but some are worth a look. new: it is like none.
All three are answers: the exit code is 0.
"""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("lookup", epilog=EPILOG)(lookup)


def lookup(
    record: Annotated[
        Path | None,
        typer.Argument(
            metavar="[RECORD]", help="JSON object of fields, or a list of such; -: stdin", show_default=False
        ),
    ] = None,
    fields: Annotated[
        list[str] | None, typer.Option("--field", "-f", help="field=value; instead of RECORD", show_default=False)
    ] = None,
    dataset: Annotated[
        str | None, typer.Option(help="what to look in (default: the only one published)", show_default=False)
    ] = None,
    record_id: Annotated[
        str | None,
        typer.Option("--record-id", help="id of the record: ties between names hang on it", show_default=False),
    ] = None,
    record_id_before: Annotated[str | None, typer.Option("--id", hidden=True, help="As --record-id.")] = None,
    why: Annotated[bool, typer.Option("--why", help="say what each field weighed")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="print a list of answers, one a record, as JSON")] = False,
) -> None:
    """Find the entity that one record would join, without adding it."""
    from core.runtime import open_runtime
    from core.workloads.identity.lookup import IdentityLookup

    records = _records(record, fields or [])
    with open_runtime() as runtime:
        wanted = runtime.settings.cache
        found = IdentityLookup(runtime.db, runtime.cache, dataset, version_ttl_s=wanted.version_ttl_s)
        answers = [found.find(each, record_id=record_id or record_id_before, with_evidence=why) for each in records]
    if as_json:
        import orjson

        print(orjson.dumps(answers, option=orjson.OPT_INDENT_2).decode())
        return
    for answer in answers:
        _show(answer, why)


def _records(path: Path | None, fields: list[str]) -> list[dict[str, Any]]:
    """The records that are asked for.

    Raises:
        ConfigError: neither a file nor fields, or both. InputError: the file holds no records.
    """
    from core.errors import ConfigError

    if (path is None) == (not fields):
        raise ConfigError("say what to look up: a JSON file, or --field name=value for each field")
    if path is not None:
        return _read(path)
    record: dict[str, Any] = {}
    for text in fields:
        name, equals, value = text.partition("=")
        if not equals or not name.strip():
            raise ConfigError("--field: write name=value, for example --field last_name=Oak")
        record[name.strip()] = value
    return [record]


def _read(path: Path) -> list[dict[str, Any]]:
    import orjson

    from core.errors import InputError

    try:
        found = orjson.loads(sys.stdin.buffer.read() if str(path) == "-" else path.read_bytes())
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}", path=str(path)) from None
    except ValueError:
        # The parser quotes what it could not read.
        raise InputError(f"{path} is no JSON; write an object of fields, or a list of such", path=str(path)) from None
    records = found if isinstance(found, list) else [found]
    if not records or not all(isinstance(each, dict) for each in records):
        raise InputError(f"{path} holds no records; write an object of fields, or a list of such", path=str(path))
    return records


def _show(answer: Mapping[str, Any], why: bool) -> None:
    from core.terminal.tables import emit

    print(_verdict(answer))
    pairs = [
        {name: f"{value:.6f}" if name == "confidence" else value for name, value in one.items() if name != "evidence"}
        for one in answer["matched"]
    ]
    if pairs:
        emit(f"pairs worth a look, of {answer['candidates']} compared", pairs, as_json=False)
    if pairs and why:
        emit(f"with {answer['matched'][0]['record_id']}", answer["matched"][0]["evidence"], as_json=False)
    if answer["not_compared"]:
        print(f"not looked up, for too many records share the key: {', '.join(answer['not_compared'])}")


def _verdict(answer: Mapping[str, Any]) -> str:
    where = f"in {answer['dataset']} (job {answer['job_id']})"
    match answer["decision"]:
        case "match" if answer["entity_id"] is None:
            return f"match {where}: it would take records out of published entities into one of their own"
        case "match":
            also = f"; it would merge it with {', '.join(answer['merged'])}" if answer["merged"] else ""
            return f"match {where}: entity {answer['entity_id']}, confidence {answer['confidence']:.6f}{also}"
        case "review":
            return f"review {where}: no pair joins it, the best has confidence {answer['confidence']:.6f}"
    return f"new {where}: none of {answer['candidates']} records compared is like it"
