"""Sizes a reader can hold in mind. `# budget: why` on line 1 of a module exempts it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.tree import ROOT, modules, parsed

MODULE_LINES = 400
BODY_LINES = 60
PARAMETERS = 6
NESTING = 3

EXEMPT = re.compile(r"^# budget: \S.{9,}")
BLOCKS = (ast.If, ast.For, ast.AsyncFor, ast.While, ast.With, ast.AsyncWith, ast.Try, ast.TryStar, ast.Match)
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
Function = ast.FunctionDef | ast.AsyncFunctionDef

BUDGETED = modules("core", "flows", "blocks", "tests")


def functions(tree: ast.AST) -> Iterator[Function]:
    return (node for node in ast.walk(tree) if isinstance(node, FUNCTIONS))


def body_lines(function: Function) -> int:
    """Lines from the first statement after the docstring to the last."""
    body = function.body[1:] if ast.get_docstring(function, clean=False) is not None else function.body
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


def n_parameters(function: Function) -> int:
    names = [arg.arg for arg in (*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs)]
    return len(names) - (bool(names) and names[0] in {"self", "cls"})


def nesting(node: ast.AST) -> int:
    """Depth of blocks inside one function; a function inside it counts for itself and `elif` does not nest."""
    depth = 0
    for name, value in ast.iter_fields(node):
        for child in value if isinstance(value, list) else [value]:
            if not isinstance(child, ast.AST) or isinstance(child, (*FUNCTIONS, ast.ClassDef)):
                continue
            is_elif = isinstance(node, ast.If) and name == "orelse" and isinstance(child, ast.If) and len(value) == 1
            depth = max(depth, nesting(child) + (isinstance(child, BLOCKS) and not is_elif))
    return depth


def overruns(source: str, tree: ast.Module) -> list[str]:
    """What exceeds a budget, one sentence each."""
    n_lines = len(source.splitlines())
    found = [f"{n_lines} lines (budget {MODULE_LINES})"] if n_lines > MODULE_LINES else []
    for function in functions(tree):
        for what, got, budget in (
            ("lines of body", body_lines(function), BODY_LINES),
            ("parameters", n_parameters(function), PARAMETERS),
            ("nested blocks", nesting(function), NESTING),
        ):
            if got > budget:
                found.append(f"line {function.lineno}: {function.name} has {got} {what} (budget {budget})")
    return found


@pytest.mark.parametrize("path", BUDGETED, ids=str)
def test_module_keeps_its_budgets(path: Path) -> None:
    source = (ROOT / path).read_text(encoding="utf-8")
    if EXEMPT.match(source):
        return
    found = overruns(source, parsed(path))
    assert not found, (
        f"{path}:\n  " + "\n  ".join(found) + "\nSplit it where the parts have names of their own; "
        "if that would make it worse, say why on line 1: `# budget: why`."
    )


def test_overruns_sees_each_budget() -> None:
    long_body = "def f():\n" + "    x = 1\n" * 61
    wide = "def g(self, a, b, c, d, e, *, f, h): ...\n"
    deep = "def h():\n if a:\n  for b in c:\n   with d:\n    while e:\n     f()\n"
    flat = "def i():\n if a:\n  b()\n elif c:\n  d()\n elif e:\n  f()\n elif g:\n  h()\n else:\n  i()\n"
    source = long_body + wide + deep + flat + "#\n" * 400
    found = overruns(source, ast.parse(source))
    assert [re.sub(r"^line \d+: ", "", line) for line in found] == [
        f"{len(source.splitlines())} lines (budget 400)",
        "f has 61 lines of body (budget 60)",
        "g has 7 parameters (budget 6)",
        "h has 4 nested blocks (budget 3)",
    ]
