"""When it runs, from words."""

from __future__ import annotations

import re
from typing import Any, Final

from core.pipelines.flow.sources import is_zone
from core.workloads.assistant.planning.answers import ask, refuse
from core.workloads.assistant.planning.text import Request

_DAYS: Final = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
_MINUTES: Final = {"minute": 1, "min": 1, "hour": 60, "day": 1440}
_NUMBERS: Final = {"two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "ten": 10, "fifteen": 15, "thirty": 30}
_N: Final = rf"(\d+|{'|'.join(_NUMBERS)})"
_CLOCK: Final = r"(\d{1,2})(?::(\d\d))?\s*(am|pm|o'clock)?"
_AT: Final = rf"(?:\s*,)?\s+at\s+{_CLOCK}(?:\s*(?:and|,)\s*(\d{{1,2}})(?!\d|:))?"
_PLAIN: Final[tuple[tuple[str, str], ...]] = (
    (r"quarter past (?:every|each) hour", "15 * * * *"),
    (r"half past (?:every|each) hour", "30 * * * *"),
    (r"(?:hourly|(?:every|each|once an|once per) hour)\b", "0 * * * *"),
    (r"(?:every|each) morning\b", "0 6 * * *"),
    (r"(?:nightly|(?:every|each) night)\b", "0 2 * * *"),
    (r"(?:on |every |each )?(?:weekdays?|working days?)\b", "0 0 * * 1-5"),
    (r"(?:daily|(?:every|each|once a|once per) day|twice a day)\b", "0 0 * * *"),
    (r"(?:weekly|(?:every|each|once a|once per) week)\b", "0 0 * * 1"),
    (r"(?:on )?the (?:first|1st)(?: day)? of (?:each|every|the) month\b", "0 0 1 * *"),
    (r"(?:monthly|(?:every|each|once a|once per) month)\b", "0 0 1 * *"),
    (r"(?:quarterly|(?:every|each) quarter)\b", "0 0 1 1,4,7,10 *"),
)
_ZONES: Final = r"(?:,?\s*(?:in )?([a-z]+(?: [a-z]+)?|[a-z]+/[a-z_]+) time)?"


def schedule_of(request: Request) -> dict[str, Any] | None:
    """Take the schedule out; None where none is said. Settles what says two, or what runs too often."""
    turned = rf"\bat {_CLOCK} (?:(?:on )?((?:every|each) (?:day|weekday|week|month)|daily|weekdays))\b"
    if found := re.search(turned, request.text):
        clock = found[0].removesuffix(found[4]).rstrip().removesuffix(" on")
        request.text = f"{request.text[: found.start()]}{found[4]} {clock}{request.text[found.end() :]}"
    if found := request.take(
        rf"(?:as soon as |after |once )({re.escape('§')}p\d+)(?: (?:has )?(?:run|finished|is done))?,?"
    ):
        return {"after": [request.pipelines[int(found[1][2:])]]}
    if found := request.take(rf"\b(?:every|each) {_N}[ -]?(minute|min|hour|day)s?\b"):
        return _every(int(_NUMBERS.get(found[1], 0) or found[1]) * _MINUTES[found[2]])
    cron = _cron(request)
    if cron is None:
        return None
    if _cron(request) is not None:
        raise ask("schedule", "two schedules are said; which one is meant?")
    return cron


def _cron(request: Request) -> dict[str, Any] | None:
    days = "|".join(_DAYS)
    for pattern, line in ((rf"(?:on |every |each )+({days})s?(?: (night|morning))?", "0 0 * * {}"), *_PLAIN):
        if found := request.take(rf"\b(?:{pattern})(?:{_AT})?{_ZONES}"):
            return _timed(line, found)
    return None


def _timed(line: str, found: re.Match[str]) -> dict[str, Any]:
    *_, hour, minute, half, second, zone = found.groups()
    minutes, hours, *rest = line.split()
    if "{}" in rest:
        rest[rest.index("{}")] = str(_DAYS.index(found[1]))
        hours = {"night": "2", "morning": "6"}.get(found[2] or "", "0")
    if "twice" in found[0] and second is None:
        raise ask("schedule", "at which two hours?")
    if hour is not None:
        at = int(hour) % 12 + 12 * (half == "pm") if half in {"am", "pm"} else int(hour)
        if at > 23 or int(minute or 0) > 59:
            raise ask("schedule", f"{hour}:{minute or '00'} is no time of day; which one is meant?")
        hours, minutes = str(at) + (f",{second}" if second else ""), str(int(minute or 0))
    schedule = {"cron": " ".join([minutes, hours, *rest])}
    return {**schedule, "timezone": _zone(zone)} if zone and zone != "utc" else schedule


def _zone(words: str) -> str:
    """The zone of a city: no list of ours, the continents of the time zone data are tried."""
    city = "_".join(word.capitalize() for word in words.split())
    for name in (
        words,
        *(f"{land}/{city}" for land in ("Europe", "America", "Asia", "Africa", "Australia", "Pacific")),
    ):
        if is_zone(name):
            return name
    raise ask("schedule", f"there is no time zone for {words}; name one, as Europe/Berlin")


def _every(minutes: int) -> dict[str, Any]:
    if minutes < 1:
        raise refuse("limits", "the least between two runs is 60 s")
    if minutes < 60:
        return (
            {"cron": f"*/{minutes} * * * *" if minutes > 1 else "* * * * *"}
            if 60 % minutes == 0
            else {"every": f"{minutes}m"}
        )
    hours, rest = divmod(minutes, 60)
    if rest or (24 % hours and hours != 24):
        return {"every": f"{minutes}m" if rest else f"{hours}h"}
    return {"cron": "0 0 * * *" if hours == 24 else f"0 */{hours} * * *" if hours > 1 else "0 * * * *"}
