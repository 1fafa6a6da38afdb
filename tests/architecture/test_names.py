"""Names say what the thing is: where a loop is longer than a glance, and where a function is called from afar."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.tree import modules, parsed

# In a line or two the eye still holds what is gone through.
GLANCE_LINES = 3
PRONOUNS = {"one", "each", "it", "thing", "this", "that"}
VAGUE_FUNCTION = re.compile(r"^_?(?:told|tell|one|each|it|thing|this|that)$")


def long_loops(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Line and pronoun of each loop of more than three lines over `one` or `each`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.For | ast.AsyncFor) and (node.end_lineno or 0) - node.lineno + 1 > GLANCE_LINES:
            names = {name.id for name in ast.walk(node.target) if isinstance(name, ast.Name)}
            yield from ((node.lineno, name) for name in sorted(names & PRONOUNS))


def vague_functions(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Line and name of each function whose name says of nothing what it is, at all."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and VAGUE_FUNCTION.match(node.name):
            yield node.lineno, node.name


@pytest.mark.parametrize("path", modules("headrace", "core", "flows", "blocks", "tests"), ids=str)
def test_names_say_what_the_thing_is(path: Path) -> None:
    tree = parsed(path)
    found = [f"line {line}: a loop of more than {GLANCE_LINES} lines over `{name}`" for line, name in long_loops(tree)]
    found += [f"line {line}: a function called `{name}`" for line, name in vague_functions(tree)]
    assert not found, f"{path}: name these after what they hold or do:\n  " + "\n  ".join(found)


def test_the_check_sees_loops_and_functions() -> None:
    short = "for one in found:\n    use(one)\n    keep(one)\n"
    long = "for number, each in enumerate(found):\n    a(each)\n    b(each)\n    c(each)\n"
    assert list(long_loops(ast.parse(short))) == []
    assert list(long_loops(ast.parse(long))) == [(1, "each")]
    functions = "def _told(): ...\ndef one(): ...\ndef told_to_end(): ...\ndef alone(): ...\ndef one_by_one(): ...\n"
    assert [name for _, name in vague_functions(ast.parse(functions))] == ["_told", "one"]
