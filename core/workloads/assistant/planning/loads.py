"""A pipeline from one place to another."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

from core.pipelines.expressions.printing import show_name
from core.workloads.assistant.planning.answers import ask, refuse
from core.workloads.assistant.planning.evidence import evidence_of
from core.workloads.assistant.planning.nouns.linking import explained_by
from core.workloads.assistant.planning.nouns.mentions import mark_places
from core.workloads.assistant.planning.places import Known, Place
from core.workloads.assistant.planning.scene import ORDER, Scene, reaches
from core.workloads.assistant.planning.schedules import schedule_of
from core.workloads.assistant.planning.steps.conditions import conditions_of, known_values
from core.workloads.assistant.planning.steps.groups import add_groups
from core.workloads.assistant.planning.steps.pairs import add_match, add_pair, pair_of
from core.workloads.assistant.planning.steps.rules import add_rules
from core.workloads.assistant.planning.steps.shape import add_shape
from core.workloads.assistant.planning.targets import Target, sink_of, target_of
from core.workloads.assistant.planning.text import MARK, Request

_VERBS: Final = (
    ("upsert", r"\b(?:upsert|sync|synchronise|synchronize|update)\b|\bmerge\b(?= [^|]*\binto\b)|\bmerge\b"),
    ("append", r"\b(?:append|add)\b"),
    ("replace", r"\b(?:replace|overwrite|refresh(?:ed)?|rebuild|recompute|mirror|snapshot|replacing)\b"),
)
_HISTORY: Final = r"\bkeep(?:ing)? (?:the |a )?(?:full )?history of\b"
_LOADS: Final = (
    r"\b(?:and )?(?:load|import|copy|bring|put|pull|take|ingest"
    r"|fetch|write|export|transfer|move|save|store|build|make|create|"
    r"fill|upload|get|list|land|give|keep|go(?:es)?|hold)\b"
)
_FILLER: Final = frozenset(
    "a all also an and are as at be but by comes current data every everything fresh from get have i in into is it me "
    "new of on our over please records rows should so the their them then these they those to us want we we'd like "
    "whatever what with within each its now result them".split()
)
_ONLY_NEW: Final = (
    r"\b(?:as they (?:come in|arrive)|only (?:the )?new(?: ones| files)?(?= *(?:$|[|,;.]))"
    r"|whenever there are new ones|when(?:ever)? (?:new ones|they) (?:come in|arrive))"
)
_SINCE: Final = (
    r"(?:,? ?(?:take|read|load)? ?\b(?:only |just )?(?:the |those |rows )*)?(?:that |which )?(?:have |were )?"
    r"(?:changed|modified|updated|touched|new|added) since (?:the |our )?last (?:run|time|load)\b|\bincrementally\b"
)


@dataclass(slots=True)
class Reading:
    """How a source is read: new rows by a column, from when, how far back; and what drift does."""

    only_new: bool = False
    by_change: bool = False
    column: str = ""
    start: str = ""
    lag: str = ""
    drift: bool = False


def load_of(request: Request, known: Known) -> dict[str, Any]:
    """The spec that a request asks for, without a name. Settles what is not understood whole."""
    schedule = schedule_of(request)
    reading = _reading(request)
    keeps_newer = bool(
        request.take(
            r"(?:,? ?\bbut )?\b(?:never|do not|don't) (?:overwrite|replace) (?:a "
            r"|any )?(?:rows?|ones?|records?)? ?(?:that|which) (?:is|are) newer\b"
        )
    )
    target = target_of(request, known)
    if schedule is None:
        schedule = schedule_of(request)
    scene = scene_of(request, known, target.place)
    keeps_history = scene.request.has(_HISTORY)
    if reading.by_change:
        scene.take(rf"\b(?:take |read )?(?:only|just) (?:the |those )?(?={MARK}t\d)")
    named = _named_keys(scene)
    add_clauses(scene)
    keys = named or _late_keys(scene)
    mode = _mode(request, ["scd2"] if keeps_history else [])
    _require_nothing_left(scene)
    source, is_part = _source_of(scene, reading, is_scheduled=schedule is not None)
    others = _other_sources(scene)
    spec: dict[str, Any] = {"sources": {"rows": source, **others}, "steps": steps_of(scene)}
    _fit(spec, scene, target)
    spec["sink"] = sink_of(mode, target, scene.source, keys, is_part=is_part)
    if keeps_newer:
        spec["sink"]["newer_by"] = scene.last_change()
    return {**spec, "schedule": schedule} if schedule else spec


def scene_of(request: Request, known: Known, target: Place | None) -> Scene:
    """Find the places that are spoken of, and which of them is read. Settles none and two that fit alike."""
    _refuse_hidden(request, known)
    near = mark_places(request, known, target)
    pair = pair_of(request)
    marks = [int(number) for number in re.findall(rf"{MARK}t(\d+)", request.text)]
    places = [one for one in dict.fromkeys(request.places[number] for number in marks) if one is not target]
    other = None
    if pair is not None:
        both = [request.places[int(mark[2:])] for mark in pair[1].groups()[:2]]
        source, other = both[0], both[1]
        places = [source, *(one for one in places if one not in both)]
    else:
        source = _read_place(places, near, request, known)
    if any(one.relation.denied for one in (*places, source)):
        raise refuse("forbidden", f"{next(one for one in (*places, source) if one.relation.denied).id} may not be read")
    scene = Scene(request, known, source, evidence_of(known, source), tuple(places))
    if pair is not None and other is not None:
        add_pair(scene, pair[0], other)
    return scene


def _read_place(places: list[Place], near: list[str], request: Request, known: Known) -> Place:
    if len(places) == 1:
        return places[0]
    if not places:
        if request.names or request.files or near:
            raise ask("source", "which source is meant?", near or [one.id for one in known.places][:20])
        raise ask("source", "from where? No table, file or endpoint of the catalog is recognised in the request")
    whole = [one for one in places if all(other is one or reaches(one, other) for other in places)]
    if len(whole) == 1:
        return whole[0]
    raise ask("source", "more than one source is near; which is meant?", [one.id for one in places])


def add_clauses(scene: Scene) -> None:
    """Whatever is to be done with the rows of a source."""
    add_rules(scene)
    add_match(scene)
    _add_exceptions(scene)
    _add_flags(scene, rf"(?= {MARK}t\d)")
    add_groups(scene)
    with_names = r"(?:^|\|)[\s,]*(?:and )?(?:with |together with )(?:their |the |its )*{list}(?= *(?:$|[|,;.]))"
    if scene.steps.get("top") and (found := scene.take(with_names)):
        scene.columns(found[1])
    for one in conditions_of(scene):
        _add_filter(scene, one.column, one.expression)
    add_shape(scene)
    _add_words(scene)


def _add_exceptions(scene: Scene) -> None:
    """`except those with ...`: the contrary of a condition."""
    head = (
        r"\b(?:except(?: for)?|unless|but not|excluding|leaving out|other than)(?: the"
        r"| those| rows| ones)* (?=with|whose|where|without|of|in|if|when|that|which)"
    )
    while found := re.search(head, scene.request.text):
        text, whole = scene.request.text, scene.request
        end = re.search(r"$|[|;.,]", text[found.end() :])
        stop = found.end() + (end.start() if end else 0)
        scene.request = whole.part(text[found.end() : stop])
        conditions = conditions_of(scene)
        left = set(re.findall(r"[^\s|]+", scene.request.text)) - {"or", "and"}
        scene.request = whole
        if left or not conditions:
            raise ask("value", f"which rows are left out is not understood: {text[found.start() : stop][:80]}")
        whole.text = f"{text[: found.start()]} | {text[stop:]}"
        for one in conditions:
            _add_filter(scene, one.column, one.contrary)


def _add_filter(scene: Scene, column: str, expression: str) -> None:
    own = column in scene.source.columns
    scene.add("filter" if own else "kept", {"do": "filter", "where": expression})


def _add_words(scene: Scene) -> None:
    """Single words that are conditions: flags, closed ones, values that the catalog knows."""
    _add_flags(scene, "")
    for found in scene.all_taken(r"\b(?:only )(?:the )?{c} (?:ones|rows|records)"):
        _has_happened(scene, found[1], "is not null")
    for found in scene.all_taken(
        r"\b(?:that |which )?(?:have |has |were |are |is )?(?:not|never|not yet) (?:yet )?(?:been )?{c}(?: yet)?"
    ):
        _has_happened(scene, found[1], "is null")
    for one in known_values(scene):
        _add_filter(scene, one.column, one.expression)
    _add_parameter(scene)


def _add_flags(scene: Scene, ahead: str) -> None:
    """Columns of true and false that are said by their name alone. ahead: what must follow."""
    for name in [name for name, one in scene.source.columns.items() if one.kind == "bool"]:
        written = re.escape(name.lower())
        shown = show_name(name)
        if scene.take(rf"\b(?:not |non-?|un|in){written}\b{ahead}"):
            scene.add("filter", {"do": "filter", "where": f"not {shown}"})
        elif scene.take(rf"\b(?:(?:is|are|still|only) )*{written}\b{ahead}"):
            scene.add("filter", {"do": "filter", "where": shown})


def _has_happened(scene: Scene, words: str, test: str) -> None:
    name = scene.column(words)
    if scene.type_of(name).kind not in {"date", "timestamp"}:
        raise ask("value", f"what is meant of {name}? Say what it is to be")
    scene.add("filter", {"do": "filter", "where": f"{show_name(name)} {test}"})


def _add_parameter(scene: Scene) -> None:
    """The one word before an endpoint, if it has one parameter that is a column of text."""
    params = [name for name in scene.source.relation.params or () if name in scene.source.columns]
    params = [name for name in params if scene.source.columns[name].kind == "text"]
    if len(params) != 1:
        return
    found = re.search(rf"(?:^|[\s|])([a-z]+) (?={MARK}t\d+)", scene.request.text)
    if found and found[1] not in _FILLER and not re.fullmatch(_LOADS.replace(r"\b(?:and )?", ""), found[1]):
        scene.request.take(rf"\b{found[1]} (?={MARK}t\d+)")
        value = scene.request.cased.get(found[1], found[1])
        scene.add("filter", {"do": "filter", "where": f"{show_name(params[0])} = '{value}'"})


def _reading(request: Request) -> Reading:
    reading = Reading()
    reading.only_new = bool(request.take(_ONLY_NEW))
    request.take(r"\(?,? ?\b(?:and )?(?:check|look|poll|checked|checking)(?: for new ones)?\b(?= *(?:\||every|\)|$))")
    reading.by_change = bool(request.take(_SINCE))
    if found := request.take(r"\b(?:only )?(?:what|those|rows|ones) (?:is|are) new by ([a-z_]\w*)"):
        reading.by_change, reading.column = True, found[1]
    if reading.by_change:
        while request.take(_SINCE):
            pass
        if found := request.take(r"\b(?:starting|beginning|from) (?:from |with |on |at )?(\d{4}-\d\d-\d\d)\b"):
            reading.start = found[1]
        if found := request.take(
            r"(?:\band )?\bread(?:ing)? the last (\d+) (minute|hour|day)s? (?:again|once"
            r" more)(?: (?:each|every) (?:time|run))?(?: (?:because|as|since) [^|.;]*late\b)?"
        ):
            reading.lag = f"{found[1]}{found[2][0]}"
    reading.drift = bool(
        request.take(r",? ?(?:\b(?:and|but) )?\b(?:stop|fail|abort|halt) (?:if|when) (?:the |its )?columns? changes?\b")
    )
    return reading


def _source_of(scene: Scene, reading: Reading, *, is_scheduled: bool) -> tuple[dict[str, Any], bool]:
    """The source of a spec, and whether it is read in part."""
    source = scene.source.source()
    if scene.source.kind == "file" and "*" in scene.source.name and (is_scheduled or reading.only_new):
        source["incremental"] = {"files": "new"}
    elif reading.only_new or reading.by_change:
        column = reading.column or scene.last_change()
        if column not in scene.source.columns:
            raise ask("column", f"there is no column {column} to read by", list(scene.source.columns))
        source["incremental"] = {
            "column": column,
            **({"start": reading.start} if reading.start else {}),
            **({"lag": reading.lag} if reading.lag else {}),
        }
    if reading.drift:
        source["drift"] = {"new": "stop", "missing": "stop", "type": "stop"}
    return source, "incremental" in source


def _named_keys(scene: Scene) -> list[str]:
    """The key that history is kept by."""
    if scene.take(_HISTORY) is None:
        return []
    scene.take(rf"(?:{{list}} )?\((?:with )?all columns of {MARK}t\d+\)")
    found = scene.take(r"\b(?:per|by|for each|for every) {list}")
    return scene.columns(found[1]) if found else []


def _late_keys(scene: Scene) -> list[str]:
    """The key that is named behind the target, by a bar that stands for it."""
    found = scene.take(r"(?<=\|) +(?:by|on|keyed by|matched on) {list}(?= *(?:$|[|,;.]))")
    return scene.columns(found[1]) if found else []


def _mode(request: Request, said: list[str]) -> str:
    found = [*said, *(mode for mode, pattern in _VERBS if request.take(pattern))]
    if len(found) > 1:
        raise ask("mode", f"{' and '.join(found)} are said; which is meant?", found)
    while request.take(_LOADS):
        pass
    return found[0] if found else ""


def _require_nothing_left(scene: Scene) -> None:
    text = scene.request.text
    others = [request_place for request_place in _marked(scene) if request_place is not scene.source]
    loose = [one.id for one in others if one.id not in scene.joins and one not in scene.others]
    if loose:
        raise ask("value", f"what is to be done with {loose[0]} is not understood; say it in other words")
    words = [word for word in re.findall(r"[^\s|,.;:!?()]+", text) if not re.match(rf"{MARK}t\d", word)]
    explained = explained_by(scene.source, words)
    if left := [word for word in words if word not in _FILLER and word not in explained]:
        left = [scene.request.value(word) or word for word in left]
        raise ask("value", f"not understood: {' '.join(left)[:80]}; say it in other words")


def _marked(scene: Scene) -> list[Place]:
    numbers = re.findall(rf"{MARK}t(\d+)", scene.request.text)
    return list(dict.fromkeys(scene.request.places[int(number)] for number in numbers))


def _refuse_hidden(request: Request, known: Known) -> None:
    for place in known.places:
        for name in place.hidden:
            if re.search(rf"(?<![\w-]){re.escape(name.lower())}s?(?![\w-])", request.text):
                raise refuse("forbidden", f"{name} of {place.id} may not be read")


def _other_sources(scene: Scene) -> dict[str, Any]:
    places = [*scene.others, *(place for place, _ in scene.joins.values())]
    return {f"s{number}": place.source() for number, place in enumerate(dict.fromkeys(places))} if places else {}


def steps_of(scene: Scene) -> list[dict[str, Any]]:
    """The steps in their order, joins with them."""
    names = [*scene.others, *(place for place, _ in scene.joins.values())]
    late = bool(scene.steps.get("top")) and bool(scene.steps.get("aggregate"))
    for place, columns in scene.joins.values():
        name = f"s{list(dict.fromkeys(names)).index(place)}"
        scene.add("late" if late else "join", {"do": "join", "with": name, "keys": list(place.key), "columns": columns})
    scene.joins = {}
    return [step for do in ORDER for step in scene.steps.get(do, ())]


def _fit(spec: dict[str, Any], scene: Scene, target: Target) -> None:
    """Leave out what the target lacks. Settles rows of another shape."""
    if target.place is None:
        return
    if any(scene.steps.get(do) for do in ("aggregate", "reconcile", "select", "top", "window", "derive")):
        raise ask("mode", "how computed rows go into a table that is there is not understood; name the steps in a spec")
    columns = list(scene.source.columns)
    if not (kept := [name for name in target.place.columns if name in columns]):
        raise ask("source", f"{scene.source.id} and {target.place.id} share no column; which source is meant?")
    is_match = bool(scene.steps.get("match"))
    if any(name not in target.place.columns for name in columns) and not is_match:
        spec["steps"].append({"do": "select", "columns": kept})
