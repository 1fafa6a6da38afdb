"""Variables of record processors written before Headrace, read as the settings they mean.

`<ENVIRONMENT>_DISTRIBUTED_PROCESSOR_<NAME>`, as `PRODUCTION_DISTRIBUTED_PROCESSOR_QUERY_TIMEOUT=30`.
"""

from __future__ import annotations

import difflib
import functools
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

from pydantic import BaseModel

from core.errors import ConfigError

T = TypeVar("T", bound=BaseModel)
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Carried:
    """The setting `group`.`field` that a variable means."""

    variable: str
    group: str
    field: str
    value: str = ""

    @property
    def setting(self) -> str:
        """Its name today."""
        return f"HEADRACE_{self.group}__{self.field}".upper()


# Suffix -> group and field.
CARRIED_NAMES: Mapping[str, tuple[str, str]] = {
    "CLEANUP_TIMEOUT_HOURS": ("queue", "orphan_hours"),
    "QUERY_TIMEOUT": ("database", "query_timeout_s"),
    "CONNECTION_TIMEOUT": ("database", "connect_timeout_s"),
    "PROCESSING_TIMEOUT": ("queue", "record_max_runtime_s"),
}


def carried(environment: str, environ: Mapping[str, str]) -> list[Carried]:
    """What is set for this environment and not under its name of today, which wins. Other names are passed over, with
    a warning: they mean nothing here."""
    prefix = f"{environment}_DISTRIBUTED_PROCESSOR_"
    given = {name.upper() for name, value in environ.items() if value}
    found = []
    for variable in sorted(environ):
        if not variable.startswith(prefix) or not environ[variable]:
            continue
        known = CARRIED_NAMES.get(variable.removeprefix(prefix))
        if known is None:
            (near,) = difflib.get_close_matches(variable, [prefix + name for name in CARRIED_NAMES], n=1, cutoff=0)
            _say(f"{variable} is not read; the nearest name that is: {near}")
            continue
        one = Carried(variable, *known, environ[variable])
        if one.setting in given:
            _say(f"{variable} is not read, for {one.setting} is set")
        else:
            found.append(one)
    return found


def applied(settings: T, environment: str, environ: Mapping[str, str]) -> T:
    """Settings, whose groups have `replaced`, with what is carried over in them; ConfigError names the variable."""
    for found in carried(environment, environ):
        try:
            group = getattr(settings, found.group).replaced(**{found.field: found.value})
        except ConfigError as error:
            raise ConfigError(f"{found.variable}: {error.message}", name=found.variable) from None
        settings = settings.model_copy(update={found.group: group})
        _say(f"{found.variable} is read as {found.setting}")
    return settings


@functools.cache
def _say(line: str) -> None:
    log.warning("%s", line)


def reference() -> list[str]:
    """Lines of docs/reference/settings.md."""
    return [
        "## Names carried over",
        "",
        "`<ENVIRONMENT>_DISTRIBUTED_PROCESSOR_<NAME>` is read as the setting it means, unless that is set; the log",
        "says so in one line a process.",
        "",
        "| name | is read as |",
        "|---|---|",
        *(f"| `{name}` | `HEADRACE_{group}__{field}` |".upper() for name, (group, field) in CARRIED_NAMES.items()),
        "",
    ]
