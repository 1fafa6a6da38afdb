"""Options of `headrace match` as a checked request."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import typer
from pydantic import ValidationError

from core.errors import ConfigError
from core.intake.columns import EVERY
from core.intake.tables.database_table import named_table
from core.intake.tables.part_files import beside, is_pattern
from core.linkage.history.base_run import open_base
from core.linkage.request import MatchRequest, is_ledger
from core.linkage.request_checks import check_places
from core.terminal.commands import stray
from core.terminal.option_names import option_of


def matching_request(options: dict[str, Any], maps: list[str]) -> MatchRequest:
    """Check the options before any work.

    Raises:
        ConfigError: an option cannot be meant as it stands.
    """
    mapping: dict[str, str] = {}
    for text in ",".join(maps).split(",") if maps else ():
        field, equals, column = text.partition("=")
        if not equals or not field.strip():
            raise ConfigError(f"--map {text}: write field=column, for example --map last_name=surname")
        if field.strip() in mapping:
            raise ConfigError(f"--map {text}: field {field.strip()} is mapped twice")
        mapping[field.strip()] = column.strip()
    out = options["out"]
    check_places(out, options.get("entities"))
    if options.get("against") is not None:
        before = open_base(Path(options["against"])).description.request
        options = options | {"id_column": options.get("id_column") or before.id_column, "spec": before.spec}
        mapping = mapping or before.mapping
    options = options | {"id_column": options.get("id_column") or "id", "spec": options.get("spec") or "persons"}
    options |= {"publish": options.get("publish") or "all"}
    quarantine = None
    if options["bad_rows"] == "quarantine":
        quarantine = str(beside(Path(out or options["input"]), ".bad.csv"))
    try:
        return MatchRequest(**_absolute(options), mapping=mapping, quarantine=quarantine)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = str(first["loc"][0])
        raise ConfigError(f"{option_of(field)}: {first['msg']} (got {first['input']!r})", fields=(field,)) from None


def only_removed(removed: Path | None, against: str | None) -> str:
    """The input of a match that adds nothing: the file of the ids that are removed.

    Raises:
        ConfigError: nothing says what is matched.
    """
    if removed is None or against is None:
        raise ConfigError("say what to match: headrace match INPUT; only `--against OUT --removed FILE` does without")
    return str(removed)


def refuse_half_erased(against: str | None, via: str, *, changes: bool) -> None:
    """Refuse to take records out of what a job published without the database, where their values would stay.

    Raises:
        ConfigError: `against` is the number of a job.
    """
    if changes and via == "local" and against is not None and against.isdecimal() and not Path(against).exists():
        raise ConfigError(
            f"--against {against}: what that job published holds the records too, and only --via prefect takes them "
            "out of the database"
        )


def with_ledger(request: MatchRequest) -> MatchRequest:
    """The request with the verdicts of the ledger as its decisions, where it asks for them.

    Raises:
        ConfigError: nobody has decided anything for the data set. StoreError.
    """
    if not is_ledger(request.decisions):
        return request
    from core.runtime import open_runtime
    from core.workloads.identity.reviewing.ledger_decisions import with_verdicts

    with open_runtime() as runtime:
        return with_verdicts(request, runtime.db, runtime.settings.state_dir / "verdicts")


def kept_columns(text: str | None) -> tuple[str, ...]:
    """The columns that `--with-columns` names; `all` stands for every one."""
    names = () if text is None else tuple(name.strip() for name in text.split(",") if name.strip())
    return (EVERY,) if names == ("all",) else names


def files_and_maps(context: typer.Context, words: Sequence[str]) -> tuple[list[str], list[str]]:
    """What stands behind the input: further files (folders, patterns, tables), and pairs of field=column.

    Raises:
        ConfigError: a word is neither.
    """
    files: list[str] = []
    maps: list[str] = []
    for word in words:
        path = Path(word)
        if "=" in word and not path.exists():
            maps.append(word)
        elif path.exists() or is_pattern(path) or path.suffix or "/" in word or named_table(word) is not None:
            files.append(word)
        else:
            raise ConfigError(stray(context, word, "neither a file nor field=column"))
    return files, maps


def _absolute(options: dict[str, Any]) -> dict[str, Any]:
    """Workers may stand in another folder."""
    found = {
        name: str(Path(value).absolute())
        if name in {"input", "out", "model", "entities", "against", "decisions", "removed"}
        and value is not None
        and not (name == "decisions" and is_ledger(value))
        else [str(Path(path).absolute()) for path in value]
        if name == "more"
        else value
        for name, value in options.items()
    }
    return found | {"link": tuple(str(Path(each).absolute()) for each in options.get("link") or ())}
