"""The passes of a suggested spec: those of a built-in spec that can run, others by what the fields look like."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, Final

from core.intake.checks.column_facts import CATEGORIES_MOST
from core.matching.specs.key_expressions import KeyPart, parse_key
from core.matching.specs.spec import USABLE_PASSES_MIN
from core.workloads.identity.suggesting.family import FamilyName
from core.workloads.identity.suggesting.fields import Suggested, built_in

PASSES_MOST: Final = 12
_SAID: Final[Mapping[str, str]] = {
    "whole": "the same {0}",
    "sound": "a {0} that sounds alike",
    "nick": "the same {0} or a short form of it",
    "initial": "the same first letter of {0}",
    "prefix": "the same {1} first letters of {0}",
    "year": "the same year of {0}",
    "month_day": "the same day and month of {0}",
    "parts": "the same {0}, day and month in either order",
    "house": "the same house in {0}",
    "number": "the same house number in {0}",
    "first": "the same {1} first signs of {0}",
    "last": "the same {1} last signs of {0}",
    "unordered": "the same {0} and {1} in either order",
    "local": "the same {0} before its @",
    "street": "the same {0} without its number",
    "rare": "one of the {1} rarest words of {0} in common",
}
# For names alone: the passes of the built-in specs need something beside them.
_NAMES_ALONE: Final[Mapping[str, tuple[Mapping[str, Any], ...]]] = {
    "organisations": (
        {"name": "head", "keys": ["head"], "refine": ["rest"]},
        {"name": "head_sound", "keys": ["sound(head)"], "refine": ["rest", "prefix(head, 6)"]},
        {"name": "head_start", "keys": ["prefix(head, 4)"], "refine": ["prefix(rest, 4)", "prefix(head, 8)"]},
    ),
    "persons": (
        {"name": "names_sound", "keys": ["nick(first_name)", "sound(last_name)"]},
        {"name": "names_unordered", "keys": ["unordered(first_name, last_name)"]},
        {"name": "names_start", "keys": ["prefix(last_name, 4)", "initial(first_name)"], "refine": ["last_name"]},
        {"name": "surname_sound", "keys": ["sound(last_name)"], "refine": ["initial(first_name)", "last_name"]},
    ),
    "others": (),
}


def passes_of(family: FamilyName, fields: Sequence[Suggested]) -> list[dict[str, Any]]:
    """Passes over the fields, cheap ones first and wide ones last; fewer than three where there is too little."""
    mapped = {each.name for each in fields if each.facts is not None}
    known = [] if family == "others" else [_within(each, mapped) for each in built_in(family)["passes"]]
    passes = [each for each in known if each is not None]
    always = [each for each in passes if not each.get("wide")]
    for more in (_names_alone(family, mapped), _by_kind(fields)):
        if len(always) < USABLE_PASSES_MIN:
            always += _new(more, always)
    return [*always, *(each for each in passes if each.get("wide"))]


def says(keys: Sequence[str]) -> str:
    """What records have in common that a pass brings together."""
    return "records with " + ", and ".join(_key_says(parse_key(key)) for key in keys)


def _key_says(part: KeyPart) -> str:
    return _SAID[part.function].format(part.field, part.other or part.length)


def _within(each: Mapping[str, Any], mapped: set[str]) -> dict[str, Any] | None:
    """A pass without refinements over other fields; None where a key reads another."""
    if not all(set(parse_key(key).fields) <= mapped for key in each["keys"]):
        return None
    refine = [key for key in each.get("refine", ()) if set(parse_key(key).fields) <= mapped]
    rest = {key: value for key, value in each.items() if key != "refine"}
    return rest | ({"refine": refine} if refine else {})


def _names_alone(family: FamilyName, mapped: set[str]) -> list[dict[str, Any]]:
    passes = (_within(each, mapped) for each in _NAMES_ALONE[family])
    return [each for each in passes if each is not None]


def _new(passes: Sequence[dict[str, Any]], beside: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Those with other keys, and other names, than the ones that are there."""
    keys, names = [sorted(each["keys"]) for each in beside], {each["name"] for each in beside}
    return [each for each in passes if sorted(each["keys"]) not in keys and each["name"] not in names]


def _by_kind(fields: Sequence[Suggested]) -> list[dict[str, Any]]:
    """What names a record alone, the most telling texts by beginning and sound, and others beside a text."""
    seen = [each for each in fields if each.facts is not None and "mark" not in each.content]
    strong = [each for each in seen if _names_records(each)]
    texts = sorted((each for each in seen if each.content["kind"] in _TEXTS), key=_n_values, reverse=True)
    weak = sorted((each for each in seen if each not in strong and each not in texts), key=_n_values, reverse=True)
    passes: dict[tuple[str, ...], dict[str, Any]] = {}
    for keys, finer in _keys(strong, texts, weak):
        one = {"name": "_".join(dict.fromkeys(_named(key) for key in keys)), "keys": keys}
        refine = [key for key in dict.fromkeys(finer) if key not in keys][:4]
        if len(set(keys)) == len(keys):
            passes.setdefault(tuple(sorted(keys)), one | ({"refine": refine} if refine else {}))
    return _numbered(list(passes.values())[:PASSES_MOST])


_TEXTS: Final = ("text", "given_name", "surname")


def _keys(
    strong: Sequence[Suggested], texts: Sequence[Suggested], weak: Sequence[Suggested]
) -> Iterator[tuple[list[str], list[str]]]:
    """Keys and refinements, the most telling first."""
    beside = [_key(each) for each in weak[:2]]
    starts = [f"prefix({each.name}, 4)" for each in texts]
    for each in strong:
        yield [each.name], [*starts[:1], *beside]
    for each in texts[:1]:
        yield [f"prefix({each.name}, 8)"], [*starts[1:2], *beside, f"prefix({each.name}, 16)"]
        yield [f"sound({each.name})"], [*starts[1:2], *beside, f"prefix({each.name}, 12)"]
    for each in texts[1:3]:
        yield [f"prefix({each.name}, 5)", starts[0]], beside
    for other in weak[:4]:
        for start in starts[:2] if _n_values(other) >= CATEGORIES_MOST else ():
            yield [_key(other), start], [key for key in beside if key != _key(other)]
    for one, two in pairwise(weak):
        if _n_values(one) * _n_values(two) >= 1_000:
            yield [_key(one), _key(two)], starts[:2]
    for start in starts[:2]:
        yield [start], [*beside, *starts]
    for naming in strong:
        if naming.content["kind"] == "email":
            yield [f"local({naming.name})"], starts[:2]
        elif naming.content["kind"] in {"digits", "identifier"}:
            yield [f"last({naming.name}, 6)"], [*starts[:1], *beside]
            yield [f"first({naming.name}, 6)"], [*starts[:1], *beside]


def _names_records(each: Suggested) -> bool:
    """Whether few records share a value, so that it is a key by itself."""
    facts = each.facts
    kinds = {"digits", "identifier", "email"}
    return facts is not None and each.content["kind"] in kinds and 4 * facts.distinct >= facts.filled


def _n_values(each: Suggested) -> int:
    return 0 if each.facts is None else each.facts.distinct


def _key(each: Suggested) -> str:
    return f"house({each.name})" if each.content["kind"] == "street" else each.name


def _named(key: str) -> str:
    part = parse_key(key)
    return part.field if part.function == "whole" else f"{part.field}_{_SHORT.get(part.function, part.function)}"


_SHORT: Final = {"prefix": "start", "first": "start", "last": "end", "local": "mailbox"}


def _numbered(passes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Names told apart: one start of a text may be longer than another."""
    names: list[str] = []
    for pass_ in passes:
        if pass_["name"] in names:
            pass_["name"] = f"{pass_['name']}_{len(names) + 1}"
        names.append(pass_["name"])
    return passes
