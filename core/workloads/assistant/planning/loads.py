"""A pipeline from one place to another."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

from core.pipelines.catalog import WAREHOUSE
from core.pipelines.expressions.printing import show_name
from core.workloads.assistant.planning.answers import ask, refuse
from core.workloads.assistant.planning.clauses import clauses_of, steps_of
from core.workloads.assistant.planning.linking import explained_by, link, says_kind
from core.workloads.assistant.planning.places import Known, Place
from core.workloads.assistant.planning.schedules import schedule_of
from core.workloads.assistant.planning.text import MARK, Request

_VERBS: Final = (
    ("scd2", r"\bkeep (?:the |a )?history of\b"),
    ("upsert", r"\b(?:upsert|merge|sync|synchronise|synchronize|update)\b"),
    ("append", r"\b(?:append|add)\b"),
    ("replace", r"\b(?:replace|overwrite|refresh|rebuild|mirror|snapshot)\b"),
    ("", r"\b(?:load|import|copy|bring|put|pull|take|ingest|fetch|write|export|transfer|move)\b"),
)
_FILLER: Final = frozenset(
    "a all also an and are as at be by comes current data every everything fresh from get have i in into is it me new "
    "of on our over please rows records the their them these those to us want we whatever what with within is".split()
)


@dataclass(frozen=True, slots=True)
class Target:
    """Where rows go: a place of the catalog, or the name of a table or file to be made."""

    place: Place | None = None
    table: str = ""
    file: str = ""
    at: str = ""


def load_of(request: Request, known: Known) -> dict[str, Any]:
    """The spec that a request asks for, without a name. Settles what is not understood whole."""
    schedule = schedule_of(request)
    only_new = bool(request.take(r"\b(?:as they (?:come in|arrive)|only (?:the )?new(?: ones| files)?)\b,?"))
    clauses = clauses_of(request)
    mode, target = _mode(request, is_said=bool(clauses)), _target(request, known)
    source, flags = _source(request, known, target)
    spec: dict[str, Any] = {"sources": {"rows": source.source()}}
    if source.kind == "file" and "*" in source.name and (schedule or only_new):
        spec["sources"]["rows"]["incremental"] = {"files": "new"}
    elif only_new:
        raise ask("column", f"by which column of {source.id} are new rows known?", list(source.columns))
    filters = [{"do": "filter", "where": " and ".join(flags)}] if flags else []
    spec["steps"] = [*filters, *steps_of(clauses, source.columns)]
    grouped = any(clause.do == "aggregate" for clause in clauses)
    if (
        target.place is not None
        and not grouped
        and (lacks := [c for c in source.columns if c not in target.place.columns])
    ):
        kept = [name for name in target.place.columns if name in source.columns]
        if len(lacks) == len(source.columns):
            raise ask("source", f"{source.id} and {target.place.id} share no column; which source is meant?")
        spec["steps"].append({"do": "select", "columns": kept})
    if grouped and (target.place is not None or mode not in {"", "replace"}):
        raise ask("mode", "how sums go into a table that is there is not understood; name the steps in a spec")
    spec["sink"] = _sink(mode, target, source)
    return {**spec, "schedule": schedule} if schedule else spec


def _mode(request: Request, *, is_said: bool) -> str:
    """The mode, "" for a load. is_said: what is to be done is said by a clause, so no verb is needed."""
    found = [mode for mode, pattern in _VERBS if request.take(pattern)]
    if not found and not is_said:
        raise ask("value", "what is to be done is not understood: load, append, replace, export, or a question?")
    if len(said := [mode for mode in found if mode]) > 1:
        raise ask("mode", f"{' and '.join(said)} are said; which is meant?", said)
    return next((mode for mode in found if mode), "")


def _target(request: Request, known: Known) -> Target:
    if found := request.take(rf"\b(?:as (?:an? )?(?:csv |parquet |excel |json )?|to |into |in )({MARK}f\d+)\b"):
        return _file(request, known, request.files[int(found[1][2:])])
    whole = r"(?:a |the )?(?:new )?(?:table )?"
    if found := request.take(rf"(?:\b(?:into|to|in|onto)\b|->|=>)\s+{whole}({MARK}[tn]\d+)\b(?: table)?"):
        return _named(request, found[1])
    if found := request.take(rf"^[\s|]*(?:table )?({MARK}[tn]\d+)(?=[\s|]+(?:with|from|by|using)\b)"):
        return _named(request, found[1])
    if found := request.take(r"\b(?:into|to) (?:the |our )?([a-z ]+?)(?: table)?(?=[\s.!]*$|\s*[|,])"):
        words = found[1].split()
        linked = link(words, known, known.tables())
        if len(linked.places) == 1 and set(words) <= linked.explained | _FILLER:
            return Target(linked.places[0])
        raise ask("target", "into which table?", [one.id for one in linked.places])
    raise ask("target", "where to? Say a table, as schema.name, or a file")


def _named(request: Request, mark: str) -> Target:
    number = int(mark[2:])
    if mark[1] == "n":
        return Target(table=request.names[number])
    return Target(request.places[number])


def _file(request: Request, known: Known, name: str) -> Target:
    writable = [one.name for one in known.catalog.blocks.values() if one.writable]
    said = [one for one in writable if request.take(rf"\b(?:to|in|into|on)\s+(?:the )?{re.escape(one)}\b")]
    if len(said) != 1:
        raise ask("target", f"in which folder is {name} to be written?", writable)
    return Target(file=name, at=said[0])


def _source(request: Request, known: Known, target: Target) -> tuple[Place, list[str]]:
    """Where rows come from, and the conditions that single words say of them."""
    marks = re.findall(rf"{MARK}([a-z])(\d+)", request.text)
    if any(letter in "vp" for letter, _ in marks) or len(marks) > 1:
        raise ask("value", "more is said than a source and a target; that part is not understood")
    among = [one for one in known.places if one is not target.place]
    words = [word for word in re.findall(r"[^\s|,.;:!?()]+", request.text) if not word.startswith(MARK)]
    if marks and marks[0][0] == "t":
        place = request.places[int(marks[0][1])]
        if place.relation.denied:
            raise refuse("forbidden", f"{place.id} may not be read")
        found, explained = [place], explained_by(place, words)
    elif marks:
        raise ask("source", "the source is not in the catalog; which is meant?", [one.id for one in among][:20])
    else:
        _refuse_hidden(words, known)
        linked = link(words, known, _preferred(words, known, among, target))
        found, explained = list(linked.places), linked.explained
    if not found:
        raise ask("source", "from where? No table, file or endpoint of the catalog is recognised in the request")
    if len(found) > 1:
        raise ask("source", "more than one source is near; which is meant?", [one.id for one in found])
    left = [word for word in words if word not in _FILLER and word not in explained]
    flags = [flag for word in left if (flag := _flag(word, found[0]))]
    if len(flags) < len(left):
        raise ask("value", f"not understood: {' '.join(left)[:80]}; say it in other words")
    return found[0], flags


def _flag(word: str, place: Place) -> str | None:
    """A word that is a column of true and false, as `active`, or `inactive` for its contrary."""
    flags = {name: show_name(name) for name, one in place.columns.items() if one.kind == "bool"}
    if word in flags:
        return flags[word]
    return next((f"not {shown}" for name, shown in flags.items() if word in {f"un{name}", f"in{name}"}), None)


def _preferred(words: list[str], known: Known, among: list[Place], target: Target) -> list[Place]:
    """A bare noun is a table of the warehouse; into one that is there come files and endpoints, or other databases."""
    blocks = {one for one in known.catalog.blocks if one in words or set(one.split("_")) & set(words)}
    if blocks:
        return [one for one in among if one.at in blocks]
    if says_kind(words):
        return among
    if target.place is None:
        return [one for one in among if one.in_warehouse]
    return [one for one in among if not one.in_warehouse]


def _refuse_hidden(words: list[str], known: Known) -> None:
    said = " ".join(words)
    for place in known.places:
        if hidden := [name for name in place.hidden if name.replace("_", " ") in said]:
            raise refuse("forbidden", f"{hidden[0]} of {place.id} may not be read")


def _sink(mode: str, target: Target, source: Place) -> dict[str, Any]:
    if target.file:
        form = {"jsonl": "json", "xlsx": "excel"}.get(end := target.file.rpartition(".")[2], end)
        return {"at": target.at, "file": target.file, "format": form, "mode": "replace"}
    place = target.place
    if place is not None and (place.relation.denied or not place.in_warehouse):
        raise refuse("forbidden", f"{place.id} may not be written: tables are written in the {WAREHOUSE} alone")
    if place is None:
        return _made(mode, target.table, source)
    key = list(place.key)
    has_key = bool(key) and set(key) <= set(source.columns)
    if mode in {"upsert", "scd2"} and not has_key:
        raise ask(
            "key", f"{source.id} lacks the key of {place.id} ({', '.join(key) or 'none known'}); by which columns?"
        )
    chosen = mode or ("upsert" if has_key else "append")
    return {"table": place.name, "mode": chosen, **({"keys": key} if chosen in {"upsert", "scd2"} else {})}


def _made(mode: str, table: str, source: Place) -> dict[str, Any]:
    if mode in {"upsert", "scd2"}:
        if not source.key:
            raise ask("key", f"by which columns are rows of {table} told apart?", list(source.columns))
        return {"table": table, "mode": mode, "keys": list(source.key), "create": True}
    return {"table": table, "mode": mode or "replace", "create": True}
