"""Options of `headrace match` as a checked request."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import typer
from pydantic import ValidationError

from core.errors import ConfigError
from core.intake.columns import EVERY
from core.linkage.history.base_run import open_base
from core.linkage.request import MatchRequest
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
        beside = Path(out) if out is not None else Path(options["input"])
        quarantine = str(beside.with_name(f"{beside.stem}.bad.csv"))
    try:
        return MatchRequest(**_absolute(options), mapping=mapping, quarantine=quarantine)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = str(first["loc"][0])
        raise ConfigError(f"{option_of(field)}: {first['msg']} (got {first['input']!r})", fields=(field,)) from None


def kept_columns(text: str | None) -> tuple[str, ...]:
    """The columns that `--with-columns` names; `all` stands for every one."""
    names = () if text is None else tuple(name.strip() for name in text.split(",") if name.strip())
    return (EVERY,) if names == ("all",) else names


def refuse_strays(context: typer.Context, words: list[str]) -> None:
    """Raise ConfigError for a word that is no field=column."""
    for word in words:
        if "=" not in word:
            raise ConfigError(stray(context, word, "no field=column, and INPUT was named before it"))


def _absolute(options: dict[str, Any]) -> dict[str, Any]:
    """Workers may stand in another folder."""
    found = {
        name: str(Path(value).absolute())
        if name in {"input", "out", "model", "entities", "against", "decisions"} and value is not None
        else value
        for name, value in options.items()
    }
    return found | {"link": tuple(str(Path(each).absolute()) for each in options.get("link") or ())}
