"""From YAML to a `PipelineSpec`, with a sentence for each word that cannot stand."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from core.errors import SpecError
from core.pipelines.language.spec import PipelineSpec
from core.pipelines.language.yaml_text import read_yaml
from core.pipelines.refusals import PipelineRefused, Refusal, instead

_PATTERNS: Final = {
    r"^[a-z][a-z0-9_]{0,62}$": "a name: small letters, digits and _, a letter first, at most 63",
    r"^[1-9][0-9]{0,5}(s|m|h|d)$": "a span such as 90s, 30m, 2h or 1d",
}
_KINDS: Final = {
    "string_type": "text", "int_type": "a whole number", "float_type": "a number", "bool_type": "true or false",
    "list_type": "a list", "dict_type": "a mapping", "model_type": "a mapping", "model_attributes_type": "a mapping",
}  # fmt: skip


def read_spec(text: str | bytes) -> PipelineSpec:
    """The pipeline that a text says.

    Raises:
        SpecError: it is no YAML of the language; says line and column.
        PipelineRefused: words or values that cannot stand, all of them.
    """
    return spec_of(read_yaml(text))


def spec_of(given: Mapping[str, Any]) -> PipelineSpec:
    """The same of what was read already. Raises PipelineRefused."""
    try:
        return PipelineSpec.model_validate(given)
    except ValidationError as error:
        found = [_refusal(one, given) for one in error.errors(include_url=False)]
        raise PipelineRefused(list(dict.fromkeys(found))) from None
    except RecursionError:
        raise SpecError("the spec is nested too deeply") from None


def path_of(location: Sequence[str | int], given: Mapping[str, Any]) -> str:
    """`steps.1 filter.where`: what stands in the spec, without the names of its classes."""
    words = [str(word) for word in location]
    if words[:1] == ["steps"] and len(words) > 1:
        step = f"steps.{words[1]}"
        return f"{step} {'.'.join(words[2:])}" if len(words) > 2 else step
    if words[:1] == ["sources"] and len(words) > 2:
        del words[2]
    if words[:1] == ["sink"] and len(words) > 1:
        del words[1]
    return ".".join(words) or "the spec"


def _refusal(error: ErrorDetails, given: Mapping[str, Any]) -> Refusal:
    location, context = error["loc"], error.get("ctx", {})
    match error["type"]:
        case "extra_forbidden":
            known = _words_at(location[:-1])
            return Refusal(
                path_of(location[:-1], given), f"there is no word {location[-1]}{instead(str(location[-1]), known)}"
            )
        case "missing":
            return Refusal(path_of(location[:-1], given), f"{location[-1]} is missing")
        case "union_tag_invalid":
            return _unknown_kind(location, context, given)
        case "union_tag_not_found":
            word = context["discriminator"].strip("'")
            return Refusal(path_of(location, given), f"{word} is missing: what is it?")
        case "literal_error":
            known = re.findall(r"'((?:[^'\\]|\\.)*)'", context["expected"])
            return Refusal(
                path_of(location, given),
                f"{_shown(error['input'])} is none of its words{instead(str(error['input']), known)}",
            )
        case "string_pattern_mismatch":
            return Refusal(path_of(location, given), f"{_shown(error['input'])} is not {_PATTERNS[context['pattern']]}")
        case kind if kind in _KINDS:
            return Refusal(path_of(_plain(location), given), f"{_shown(error['input'])} is not {_KINDS[kind]}")
        case _:
            return Refusal(path_of(_plain(location), given), _limit(error["type"], context, error["input"]))


def _unknown_kind(location: Sequence[str | int], context: Mapping[str, Any], given: Mapping[str, Any]) -> Refusal:
    what = "step" if context["discriminator"] == "'do'" else "kind of source"
    known = re.findall(r"'(\w+)'", context["expected_tags"])
    return Refusal(
        path_of(location, given), f"there is no {what} {context['tag']}{instead(str(context['tag']), known)}"
    )


def _plain(location: Sequence[str | int]) -> list[str | int]:
    """Without what pydantic adds for the branches of a union and the keys of a mapping."""
    return [word for word in location if not (isinstance(word, str) and ("[" in word))]


def _limit(kind: str, context: Mapping[str, Any], value: Any) -> str:
    match kind:
        case "too_short" | "string_too_short":
            return "it is empty"
        case "string_too_long":
            return f"it has more than {context['max_length']} characters"
        case "greater_than_equal":
            return f"{_shown(value)} is below {context['ge']}"
        case "less_than_equal":
            return f"{_shown(value)} is above {context['le']}"
        case _:
            return f"{_shown(value)} cannot stand here"


def _shown(value: Any) -> str:
    if isinstance(value, list | dict):
        return "a list" if isinstance(value, list) else "a mapping"
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return text if len(text) <= 40 else f"{text[:40]}..."


def _words_at(location: Sequence[str | int]) -> list[str]:
    """The words that may stand in the mapping at a place."""
    from core.pipelines.language import spec

    classes: dict[tuple[str | int, ...], Any] = {
        (): spec.PipelineSpec, ("schedule",): spec.Schedule, ("run",): spec.Run, ("sink", "table"): spec.TableSink,
        ("sink", "file"): spec.FileSink,
    }  # fmt: skip
    found: Any = classes.get(tuple(location))
    if found is None and location[:1] == ("sources",):
        found = {"incremental": spec.Incremental, "drift": spec.Drift, "page": spec.Page}.get(
            str(location[-1])
        ) or _named(spec.Source, "kind", str(location[2]))
    elif found is None and location[:1] == ("steps",):
        found = _named(spec.Step, "do", str(location[2]))
    return [field.alias or name for name, field in found.model_fields.items()] if found is not None else []


def _named(union: Any, word: str, value: str) -> Any:
    members = union.__origin__.__args__
    return next((one for one in members if value in one.model_fields[word].annotation.__args__), None)
