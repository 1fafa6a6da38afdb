"""Where rows go, and how."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

from core.pipelines.catalog import WAREHOUSE
from core.workloads.assistant.planning.answers import ask, refuse
from core.workloads.assistant.planning.nouns.linking import link
from core.workloads.assistant.planning.places import Known, Place
from core.workloads.assistant.planning.text import MARK, Request

_WHOLE: Final = r"(?:a |the |our )?(?:new )?(?:table )?"
_MARKS: Final = (
    rf"(?:\b(?:into|to|in|onto|as|under)|->|=>)\s+{_WHOLE}({MARK}n\d+)\b(?: table)?",
    rf"(?:\b(?:into|onto)|->|=>)\s+{_WHOLE}({MARK}t\d+)\b(?: table)?",
    rf"^[\s|]*(?P<verb>\w+ )?(?:table )?(?P<mark>{MARK}n\d+)\b",
    rf"\bto\s+{_WHOLE}({MARK}t\d+)\b(?: table)?",
    rf"^[\s|]*(?P<verb>\w+ )?(?:table )?(?P<mark>{MARK}t\d+)(?=[\s|]+(?:with|from|by|using|should)\b)",
    rf"\bin\s+{_WHOLE}({MARK}t\d+)\b(?: table)?",
)


@dataclass(frozen=True, slots=True)
class Target:
    """Where rows go: a place of the catalog, or the name of a table or file to be made."""

    place: Place | None = None
    table: str = ""
    file: str = ""
    at: str = ""


def target_of(request: Request, known: Known) -> Target:
    """Take the target out. Settles none."""
    if found := request.take(rf"\b(?:as (?:an? )?(?:csv |parquet |excel |json )?|to |into |in )({MARK}f\d+)\b"):
        return _file(request, known, request.files[int(found[1][2:])])
    for pattern in _MARKS:
        if found := request.take(pattern):
            said = found.groupdict()
            mark = said.get("mark") or found[1]
            request.text = f"{said.get('verb') or ''}{request.text}"
            number = int(mark[2:])
            return Target(table=request.names[number]) if mark[1] == "n" else Target(request.places[number])
    if found := request.take(r"\b(?:into|to) (?:the |our )?([a-z ]+?)(?: table)?(?=[\s.!]*$|\s*[|,])"):
        words = found[1].split()
        linked = link(words, known, known.tables())
        if len(linked.places) == 1 and set(words) <= linked.explained:
            return Target(linked.places[0])
        raise ask("target", "into which table?", [one.id for one in linked.places])
    raise ask("target", "where to? Say a table, as schema.name, or a file")


def _file(request: Request, known: Known, name: str) -> Target:
    writable = [one.name for one in known.catalog.blocks.values() if one.writable]
    said = [one for one in writable if request.take(rf"\b(?:to|in|into|on)\s+(?:the )?{re.escape(one)}\b")]
    if len(said) != 1:
        raise ask("target", f"in which folder is {name} to be written?", writable)
    return Target(file=name, at=said[0])


def sink_of(mode: str, target: Target, source: Place, keys: list[str], *, is_part: bool) -> dict[str, Any]:
    """The sink of a spec. keys: said ones. is_part: the source is read in part. Settles a key that is not known."""
    if target.file:
        form = {"jsonl": "json", "xlsx": "excel"}.get(end := target.file.rpartition(".")[2], end)
        return {"at": target.at, "file": target.file, "format": form, "mode": "replace"}
    place = target.place
    if place is not None and (place.relation.denied or not place.in_warehouse):
        raise refuse("forbidden", f"{place.id} may not be written: tables are written in the {WAREHOUSE} alone")
    if place is None:
        return _made(mode or ("append" if is_part and not keys else ""), target.table, source, keys)
    key = keys or list(place.key)
    has_key = bool(key) and set(key) <= set(source.columns)
    if mode in {"upsert", "scd2"} and not has_key:
        raise ask(
            "key", f"{source.id} lacks the key of {place.id} ({', '.join(key) or 'none known'}); by which columns?"
        )
    chosen = mode or ("upsert" if has_key else "append")
    return {"table": place.name, "mode": chosen, **({"keys": key} if chosen in {"upsert", "scd2"} else {})}


def _made(mode: str, table: str, source: Place, keys: list[str]) -> dict[str, Any]:
    if mode in {"upsert", "scd2"} or keys:
        if not (keys or source.key):
            raise ask("key", f"by which columns are rows of {table} told apart?", list(source.columns))
        return {"table": table, "mode": mode or "upsert", "keys": keys or list(source.key), "create": True}
    return {"table": table, "mode": mode or "replace", "create": True}
