"""A request with its source known: its columns as words find them, and what is to be done with the rows so far."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from core.pipelines.types import ColumnType
from core.workloads.assistant.planning.answers import ask
from core.workloads.assistant.planning.evidence import Evidence
from core.workloads.assistant.planning.places import Known, Place, stem, words_of
from core.workloads.assistant.planning.text import MARK, Request

Do = Literal["first", "reconcile", "clean", "unpivot", "filter", "anti", "derive", "join", "kept", "dedupe", "match",
             "aggregate", "window", "top", "late", "rename", "select", "validate", "check"]  # fmt: skip
ORDER: Final[tuple[Do, ...]] = Do.__args__  # type: ignore[attr-defined]
"""Of steps where the words give none; kept: filters over columns that a join brings, late: a join after sums."""

_GLUE: Final = frozenset({"id", "at", "on", "no", "date", "time", "number", "key"})
"""Last words of columns that people leave out."""
_CHANGES: Final = re.compile(r"(?:updat|chang|modif|touch)")
_LEAD: Final = r"(?:(?:the|a|an|any|its|their|all|each|every|of) )*"


@dataclass(slots=True)
class Scene:
    """What planning holds while it reads. joins: other places by id, with the columns they bring."""

    request: Request
    known: Known
    source: Place
    evidence: Evidence
    mentioned: tuple[Place, ...] = ()
    others: list[Place] = field(default_factory=list)
    steps: dict[Do, list[dict[str, Any]]] = field(default_factory=dict)
    joins: dict[str, tuple[Place, list[str]]] = field(default_factory=dict)
    made: list[str] = field(default_factory=list)
    forms: dict[str, str] = field(default_factory=dict)
    slot: str = ""

    def __post_init__(self) -> None:
        self.forms = {**forms_of(self._reached()), **forms_of(self.source.columns)}
        written = "|".join(re.escape(one) for one in sorted(self.forms, key=len, reverse=True))
        self.slot = rf"{_LEAD}(?:{MARK}t\d+ )?({written}|{MARK}t\d+)(?![\w{MARK}-])"

    def _reached(self) -> Mapping[str, ColumnType]:
        """Columns of tables whose key the source has; of one name that two have, neither."""
        found: dict[str, list[ColumnType]] = {}
        for place in self.reachable():
            for name, one in place.columns.items():
                if name not in self.source.columns:
                    found.setdefault(name, []).append(one)
        return {name: types[0] for name, types in found.items() if len(types) == 1}

    def reachable(self) -> list[Place]:
        """Tables that each row of the source has one row of, by their key: those that are mentioned, else all."""
        tables = [one for one in self.known.tables() if one is not self.source and reaches(self.source, one)]
        return [one for one in tables if one in self.mentioned] or tables

    def pattern(self, pattern: str) -> str:
        """With {c} as a column, and {list} as one or more of them."""
        bare = self.slot.replace("(" + MARK, "(?:" + MARK)
        bare = re.sub(r"\((?!\?)", "(?:", bare)
        names = bare.replace(f"|{MARK}t\\d+)", ")")
        pattern = pattern.replace("{names}", f"({names}(?:(?:,| and|, and) {names})*)")
        return pattern.replace("{list}", f"({bare}(?:(?:,| and|, and) {bare})*)").replace("{c}", self.slot)

    def take(self, pattern: str) -> re.Match[str] | None:
        """Take a pattern out of the request."""
        return self.request.take(self.pattern(pattern))

    def all_taken(self, pattern: str) -> list[re.Match[str]]:
        """Take a pattern out as often as it stands there."""
        found = []
        while one := self.take(pattern):
            found.append(one)
        return found

    def column(self, words: str) -> str:
        """The column that words of a slot mean; one of another table is joined. Settles a place without one key."""
        if found := re.fullmatch(rf"{MARK}t(\d+)", words):
            place = self.request.places[int(found[1])]
            if len(place.key) == 1 and place.key[0] in self.source.columns:
                return place.key[0]
            raise ask("column", f"which column stands for {place.id}?", list(self.source.columns))
        name = self.forms[words]
        if name not in self.source.columns:
            place = next(one for one in self.reachable() if name in one.columns)
            kept = self.joins.setdefault(place.id, (place, []))[1]
            if name not in kept:
                kept.append(name)
        return name

    def columns(self, words: str) -> list[str]:
        """The columns of a list."""
        return list(dict.fromkeys(self.column(found[1]) for found in re.finditer(self.slot, words)))

    def type_of(self, name: str) -> ColumnType:
        """The type of a column of the source or of a place that is reached."""
        return self.source.columns.get(name) or next(
            one.columns[name] for one in self.reachable() if name in one.columns
        )

    def sole(self, *kinds: str) -> str | None:
        """The one column of these types that is no part of a key or said to be a change."""
        found = [
            name
            for name, one in self.source.columns.items()
            if one.kind in kinds and name not in self.source.key and not _CHANGES.match(name)
        ]
        return found[0] if len(found) == 1 else None

    def moment(self) -> str:
        """The column that says when a row happened. Settles two."""
        found = self.sole("date") or self.sole("timestamp")
        if found is None:
            times = [name for name, one in self.source.columns.items() if one.kind in {"date", "timestamp"}]
            raise ask("column", "by which date?", times or list(self.source.columns))
        return found

    def last_change(self) -> str:
        """The column that grows with changes: said to be one, else the only time. Settles two."""
        times = [name for name, one in self.source.columns.items() if one.kind == "timestamp"]
        changes = [name for name in times if _CHANGES.match(name)]
        if len(found := changes or times) != 1:
            raise ask("column", f"by which column of {self.source.id} are new rows known?", times)
        return found[0]

    def latest(self) -> str:
        """The column by which a row is the latest. Settles two."""
        times = [name for name, one in self.source.columns.items() if one.kind == "timestamp"]
        times = times or [name for name, one in self.source.columns.items() if one.kind == "date"]
        if len(times) != 1:
            raise ask("column", "the latest by which column?", times or list(self.source.columns))
        return times[0]

    def position(self, name: str) -> int:
        """Where a column is first spoken of in the whole request."""
        ways = "|".join(re.escape(form) for form, one in self.forms.items() if one == name)
        found = re.search(rf"(?<![\w-])(?:{ways})(?![\w-])", self.request.whole)
        return found.start() if found else 0

    def add(self, do: Do, step: dict[str, Any]) -> None:
        """Another step; `do` says where it stands."""
        self.steps.setdefault(do, []).append(step)


def reaches(one: Place, other: Place) -> bool:
    """Whether each row of one has the key of another, which is not its own."""
    return bool(other.key) and set(other.key) <= set(one.columns) and set(other.key) != set(one.key)


def forms_of(columns: Mapping[str, ColumnType]) -> dict[str, str]:
    """Ways to say columns; a way that two share is none.

    A name in the plural or without its last `id` or `at`; `date` and `time` for the only one of that type.
    """
    exact = {name.lower(): name for name in columns}
    loose: dict[str, set[str]] = {}
    for name, column in columns.items():
        words = words_of(name)
        for form in (
            f"{name.lower()}s",
            " ".join(words),
            " ".join(words[:-1]) if words[-1:] and words[-1] in _GLUE else "",
        ):
            if form:
                loose.setdefault(form, set()).add(name)
                loose.setdefault(stem(form), set()).add(name)
        if len(words) > 1 and words[-1] in _GLUE and words[0].endswith("ed"):
            loose.setdefault(" ".join(words[:-1])[:-1], set()).add(name)
        if column.kind in {"date", "timestamp"}:
            loose.setdefault("date" if column.kind == "date" else "time", set()).add(name)
    sole = {form: next(iter(names)) for form, names in loose.items() if len(names) == 1 and len(form) > 1}
    return {**sole, **exact}
