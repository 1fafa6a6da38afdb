"""Columns cleaned, made, renamed, chosen and left out."""

from __future__ import annotations

import re
from typing import Final

from core.pipelines.expressions.printing import show_constant, show_name
from core.workloads.assistant.planning.answers import ask
from core.workloads.assistant.planning.places import stem, words_of
from core.workloads.assistant.planning.scene import Scene
from core.workloads.assistant.planning.steps.conditions import COMPARED, operator_of

_CASES: Final = {"lower": "lower", "upper": "upper", "capital": "upper", "title": "title"}
_WAYS: Final = (
    (r"\btrim(?:ming|med)?(?: (?:spaces|blanks|whitespace) (?:of|from|in))? {list}", "trim"),
    (r"{list} trimmed\b", "trim"),
    (r"\blower-?\s?cas(?:e|ing) {list}", "lower"),
    (r"\bupper-?\s?cas(?:e|ing) {list}", "upper"),
    (r"\b(?:only digits|digits only|just digits) in {list}(?= *(?:$|[|,;.]))", "digits"),
    (r"\bkeep(?:ing)? only (?:the )?digits (?:of|in) {list}", "digits"),
    (r"\bempty (?:strings?|texts?) as null in {list}(?= *(?:$|[|,;.]))", "empty_to_null"),
    (r"\bcollaps(?:e|ing) spaces in {list}", "collapse_spaces"),
)
_SIGNS: Final = {"times": "*", "multiplied by": "*", "plus": "+", "minus": "-", "divided by": "/", "over": "/"}
_OPERATION: Final = r"(?: (times|multiplied by|plus|minus|divided by) | ?([*/+]) ?| (-) )"
_NAMED: Final = r"(?:(?:as|with|adding|add|plus) )?(?:an? )?(?:new )?(?:column )?([a-z_]\w*) = "


def add_shape(scene: Scene) -> None:
    """All that is said of columns, each in its own step."""
    _clean(scene)
    _derive(scene)
    _cases(scene)
    _choose(scene)


def _clean(scene: Scene) -> None:
    for words in scene.all_taken(r"\btrim(?:ming)? all ([a-z]+)"):
        wanted = stem(words[1])
        named = [name for name in scene.source.columns if wanted in map(stem, words_of(name))]
        if not named:
            raise ask("column", f"no column is called {wanted}; which are meant?", list(scene.source.columns))
        scene.add("clean", {"do": "clean", "columns": named, "how": ["trim"]})
    for pattern, how in _WAYS:
        for found in scene.all_taken(pattern):
            scene.add("clean", {"do": "clean", "columns": scene.columns(found[1]), "how": [how]})
    for found in scene.all_taken(rf"{{list}} in ({'|'.join(_CASES)}) ?(?:case|letters)"):
        scene.add("clean", {"do": "clean", "columns": scene.columns(found[1]), "how": [_CASES[found.groups()[-1]]]})
    for found in scene.all_taken(rf"\b({'|'.join(_CASES)}) ?case (?:for|in|of) {{list}}"):
        scene.add("clean", {"do": "clean", "columns": scene.columns(found[2]), "how": [_CASES[found[1]]]})
    scene.steps.get("clean", []).sort(key=lambda step: scene.position(step["columns"][0]))


def product_of(scene: Scene, words: str) -> str:
    """An expression of columns and numbers with one sign between. Settles what is none."""
    both = re.fullmatch(scene.pattern(rf"{_side(scene)}{_OPERATION}{_side(scene)}"), words.strip())
    if both is None:
        raise ask("value", f"how is {words[:60]} to be computed?")
    sign = both[3] or both[4] or both[5]
    return f"{_operand(scene, both[1])} {_SIGNS.get(sign, sign)} {_operand(scene, both[6])}"


def _side(scene: Scene) -> str:
    return rf"({scene.slot}|\d+(?:\.\d+)?)"


def product_pattern(scene: Scene) -> str:
    """Two columns or numbers with a sign between, as one group."""
    side = re.sub(r"\((?!\?)", "(?:", _side(scene))
    return rf"({side}{_OPERATION.replace('(t', '(?:t').replace('([', '(?:[').replace('(-', '(?:-')}{side})"


def _operand(scene: Scene, words: str) -> str:
    found = re.fullmatch(scene.slot, words.strip())
    return show_name(scene.column(found[1])) if found else words.strip()


def _derive(scene: Scene) -> None:
    for found in scene.all_taken(rf"{_NAMED}hours between {{c}} and {{c}}"):
        first, second = (show_name(scene.column(one)) for one in (found[2], found[3]))
        _made(scene, found[1], f"hours_between({first}, {second})")
    for found in scene.all_taken(rf"{_NAMED}days between {{c}} and {{c}}"):
        first, second = (show_name(scene.column(one)) for one in (found[2], found[3]))
        _made(scene, found[1], f"days_between({first}, {second})")
    for found in scene.all_taken(rf"{_NAMED}{product_pattern(scene)}"):
        _made(scene, found[1], product_of(scene, found[2]))
    for found in scene.all_taken(rf"{product_pattern(scene)} as (?:an? )?(?:new )?(?:column )?([a-z_]\w*)"):
        _made(scene, found.groups()[-1], product_of(scene, found[1]))


def _made(scene: Scene, name: str, expression: str) -> None:
    scene.made.append(name)
    scene.add("derive", {"do": "derive", "columns": {name: expression}})


def _cases(scene: Scene) -> None:
    """A column of classes: small under 10, medium under 100, otherwise large."""
    branch = rf"[a-z]+ (?:{COMPARED}) \d+(?:\.\d+)?"
    pattern = (
        rf"\b(?:with )?(?:an? )([a-z]\w*) column(?: (?:by|from|of) {{c}})?[,:]?"
        rf" ({branch}(?:,? {branch})*),? (?:otherwise|else) ([a-z]+)"
    )
    for found in scene.all_taken(pattern):
        column = scene.column(found[2]) if found[2] else scene.sole("decimal", "float")
        if column is None:
            raise ask("column", f"by which column is {found[1]} decided?", list(scene.source.columns))
        branches = re.findall(rf"([a-z]+) ({COMPARED}) (\d+(?:\.\d+)?)", found[3])
        said = " ".join(
            f"when {show_name(column)} {operator_of(sign)} {number} then {show_constant(word)}"
            for word, sign, number in branches
        )
        _made(scene, found[1], f"case {said} else {show_constant(found[4])} end")


def _choose(scene: Scene) -> None:
    """Renamed, left out, and chosen columns."""
    for found in scene.all_taken(r"\b(?:and )?renam(?:e|ing) {c} (?:to|as|into) ([a-z_]\w*)"):
        scene.add("rename", {"do": "rename", "columns": {scene.column(found[1]): found[2]}})
    for found in scene.all_taken(r"{c} renamed (?:to|as) ([a-z_]\w*)"):
        scene.add("rename", {"do": "rename", "columns": {scene.column(found[1]): found[2]}})
    left_out = (
        r"(?:\b(?:without|excluding|except(?: for)?|but not|leaving out|omitting"
        r"|dropping) |\bleave out )(?:the columns? )?{names}(?= *(?:$|[|,;.]))"
    )
    for found in scene.all_taken(left_out):
        scene.add("select", {"do": "drop", "columns": scene.columns(found[1])})
    chosen = (
        r"\b(?:only|just|keep(?:ing)?(?: only| just)?|with|select|columns?|write|store|put|copy|export|save|take)"
        r"(?: (?:only|just))?(?: the)?(?: columns?)?:? {names}(?: (?:of"
        r"|from))?(?= *(?:$|[|,;.]|§t\d|to\b|into\b|and *(?:\||$)))"
    )
    if (taken := scene.take(chosen)) is not None:
        names = scene.columns(taken[1])
        if len(names) < 2 and re.match(r"with\b", taken[0].strip()):
            raise ask("column", f"which columns besides {names[0]} are kept?", list(scene.source.columns))
        renamed = {old: new for step in scene.steps.get("rename", ()) for old, new in step["columns"].items()}
        scene.add("select", {"do": "select", "columns": [renamed.get(name, name) for name in names]})
