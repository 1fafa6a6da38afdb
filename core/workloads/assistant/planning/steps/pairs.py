"""Two places set against each other: rows without a partner, differences, the same persons and companies."""

from __future__ import annotations

import re
from typing import Any, Final

from core.workloads.assistant.planning.answers import ask
from core.workloads.assistant.planning.places import Place, words_of
from core.workloads.assistant.planning.scene import Scene, reaches
from core.workloads.assistant.planning.text import MARK, Request

_T: Final = rf"({MARK}t\d+)"
_PERSON: Final = r"(?:persons?|people|humans?|individuals?)"
_COMPANY: Final = r"(?:compan(?:y|ies)|firms?|businesse?s?|organi[sz]ations?)"
_THING: Final = rf"({_PERSON}|{_COMPANY})"
_WITHOUT: Final = (
    r"(?:without|with no|who have no|that have no|which have no|having no|have no|lacking|that lack|who never had|"
    r"that never had|not having)(?: (?:any|an|a|single|one))*"
)
_WITH: Final = r"(?:who have|that have|which have|having|with)(?: (?:at least one|any|an|a|some))"
_FIRST: Final = frozenset({"first", "given", "fore"})
_FAMILY: Final = frozenset({"last", "family", "surname", "sur"})


def pair_of(request: Request) -> tuple[str, re.Match[str]] | None:
    """What two places are set against each other for, taken out, with the marks of both."""
    for kind, pattern in (
        ("anti", rf"{_T} {_WITHOUT} {_T}"),
        ("semi", rf"{_T} {_WITH} {_T}"),
        ("reconcile", rf"\b(?:compare|reconcile|check) (?:the )?{_T} (?:with|against|to|and) (?:the |our )?{_T}"),
        ("new", rf"(?:\bwhich |\bfind |\bthose )?{_T} (?:that |who |which )?(?:are|is)"
                rf" not yet (?:among|in|known in|known as|one of) (?:the |our )?{_T}\??"),
        ("links", rf"\b(?:link|match|pair) (?:the )?{_T} (?:to|with|against|and) (?:the |our )?{_T}"),
    ):  # fmt: skip
        if found := request.take(pattern):
            return kind, found
    return None


def add_pair(scene: Scene, kind: str, other: Place) -> None:
    """The step for two places. The other is a source named `s0`."""
    scene.others.append(other)
    if kind in {"anti", "semi"}:
        step: dict[str, Any] = {"do": "join", "with": "s0", "keys": _keys(scene.source, other), "how": kind}
        scene.add("anti", step)
    elif kind == "reconcile":
        _reconcile(scene, other)
    else:
        scene.take(
            r"\b(?:and )?(?:store|save|keep|write|put) (?:the )?(?:pairs"
            r"|links)(?: with (?:their |the )?(?:confidence|score)s?)?"
        )
        spec = _spec(scene, rf"\b(?:by|as|on) (?:the )?(?:same )?{_THING}(?: names?)?\b")
        scene.add("match", {"do": "match", "spec": spec, "with": "s0", "result": kind})


def _keys(one: Place, other: Place) -> list[str]:
    shared = other if reaches(one, other) else one
    if not shared.key or not set(shared.key) <= set(one.columns) or not set(shared.key) <= set(other.columns):
        raise ask("key", f"by which columns do {one.id} and {other.id} belong together?")
    return list(shared.key)


def _reconcile(scene: Scene, other: Place) -> None:
    by = scene.take(r"\b(?:by|on|over) {list}")
    keys = scene.columns(by[1]) if by else _keys(scene.source, other)
    compare: dict[str, str] = {}
    much = (
        r"(?:(?:to within|within|by more than|of more than|tolerance"
        r" of|up to) )?(?:(an?|one|\d+(?:\.\d+)?)(?: (cents?)\b)?)"
    )
    rows = (
        r"(?:(?:and )?(?:store|put|write|save|list|find|report) )?(?:(?:every"
        r"|each|all|the|any) )*(?:entry|row|rows|record|records|those|what|§t\d+)?"
    )
    for found in scene.all_taken(rf"{rows} ?(?:whose|where) {{c}} differs? {much}"):
        compare[scene.column(found[1])] = _tolerance(found[2], found[3])
    for found in scene.all_taken(rf"{rows} ?(?:that |what |which )?differs? in {{c}} {much}"):
        compare[scene.column(found[1])] = _tolerance(found[2], found[3])
    for found in scene.all_taken(rf"(?:\b(?:comparing|compare|and) )?{{c}} (?:to within|within|by up to) {much}"):
        compare[scene.column(found[1])] = _tolerance(found[2], found[3])
    if not compare:
        raise ask("column", "which columns are compared, and how much may they differ?", list(scene.source.columns))
    scene.add("reconcile", {"do": "reconcile", "with": "s0", "keys": keys, "compare": compare})


def _tolerance(number: str, cents: str | None) -> str:
    amount = "1" if number in {"a", "an", "one"} else number
    if not cents:
        return amount
    if "." in amount:
        raise ask("value", f"{amount} cents is no whole number of cents; how much may differ?")
    whole, rest = divmod(int(amount), 100)
    return f"{whole}.{rest:02}"


def add_match(scene: Scene) -> None:
    """Records of one place that are of the same person or company."""
    same = rf"\b(?:find (?:out )?|tell )?which (?:of )?(?:the )?{_T}(?: in {_T})? are (?:of )?the same {_THING}"
    once = (
        rf"(?:\b(?:merge|match|combine|group) (?:the )?{_T} )?(?:so that|such that|until) (?:each|every|one) {_THING} "
        r"(?:appears|stands|is there|is listed|occurs|shows up) (?:only |just |exactly )?once"
    )
    if found := scene.take(same):
        scene.take(r"\b(?:with )?(?:their|an|the) (?:entity(?: id)?|entity_id)s?\b")
        scene.add("match", {"do": "match", "spec": _spec_of(scene, found.groups()[-1])})
    elif found := scene.take(once):
        scene.take(r"\(?(?:the )?\w+ (?:are|is) (?:spelled|spelt|written) (?:differently|in different ways)\)?")
        scene.add("match", {"do": "match", "spec": _spec_of(scene, found[2]), "result": "golden"})
    elif found := scene.take(rf"\bone (?:row|record) (?:per|for each|for every) {_THING}\b"):
        scene.add("match", {"do": "match", "spec": _spec_of(scene, found[1]), "result": "golden"})


def _spec(scene: Scene, pattern: str) -> str:
    if found := scene.take(pattern):
        return _spec_of(scene, found[1])
    raise ask("value", "are these persons or companies?", ["persons", "organisations"])


def _spec_of(scene: Scene, thing: str) -> str:
    if re.fullmatch(_COMPANY, thing):
        return "organisations"
    words = {word for name in scene.source.columns for word in words_of(name)}
    return "persons" if words & _FIRST and words & _FAMILY else "persons_freeform"
