"""What may lie in the tree: names that say something, nothing heavy, nothing that belongs to one machine."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.architecture.tree import ROOT, files, modules, parsed, texts

MEGABYTE = 1_000_000
VAGUE = {"utils", "util", "helpers", "helper", "common", "misc", "manager", "tools", "base"}
# The one public class that bears the word: DatabaseManager.
ALLOWED = {Path("core/database/manager.py")}

ENTRIES_MOST = 14
# One file or folder a noun: the command line has as many as the platform has nouns.
BY_NOUN = {Path("core/cli")}
MIRRORED = ("unit", "property", "integration")

INDEX_HOST = re.compile(r"https?://[a-z0-9.-]*(?:pypi|pythonhosted|npmjs|debian)\.[a-z]+", re.IGNORECASE)
# Absolute paths that exist on one machine only; the users `you` and `a` are made up.
MACHINE_PATH = re.compile(r"(?<![\w.:/-])/(?:root|work|(?:home|Users)/(?!(?:you|a)\b)\w+)/")
NOT_RUN = {"skip", "skipif", "xfail", "importorskip", "skipTest", "SkipTest"}


def test_no_file_is_heavy() -> None:
    heavy = {str(path): (ROOT / path).stat().st_size for path in files()}
    heavy = {path: size for path, size in heavy.items() if size > MEGABYTE}
    assert not heavy, f"files above 1 MB make every clone slow: {heavy}"


def test_module_names_say_something() -> None:
    vague = [str(path) for path in modules() if set(path.with_suffix("").parts) & VAGUE and path not in ALLOWED]
    assert not vague, f"name these after what they hold: {vague}"


def test_packages_have_an_init() -> None:
    folders = {path.parent for path in modules()}
    bare = sorted(str(folder) for folder in folders if folder / "__init__.py" not in files())
    assert not bare, f"import contracts do not see folders without __init__.py: {bare}"


def test_no_folder_of_core_is_a_drawer() -> None:
    entries: dict[Path, set[str]] = {}
    for path in files():
        for folder, name in zip(path.parents, reversed(path.parts), strict=False):
            if folder.parts[:1] == ("core",) and len(folder.parts) > 1 and name != "__init__.py":
                entries.setdefault(folder, set()).add(name)
    full = {str(folder): len(names) for folder, names in entries.items() if len(names) > ENTRIES_MOST}
    full = {folder: count for folder, count in full.items() if Path(folder) not in BY_NOUN}
    assert not full, f"more than {ENTRIES_MOST} entries: give those that belong together a folder: {full}"


def test_tests_mirror_the_code() -> None:
    folders = {path.parent for path in modules()}
    strays = sorted(
        {
            str(path.parent)
            for path in modules("tests")
            if path.parts[1] in MIRRORED and path.name.startswith("test_")
            for mirrored in [Path(*path.parts[2:-1])]
            if mirrored not in folders and Path("core", mirrored) not in folders
        }
    )
    assert not strays, f"these folders of tests mirror none of the code: {strays}"


def test_no_index_host_is_named() -> None:
    found = [f"{path}: {match[0]}" for path, text in texts() for match in INDEX_HOST.finditer(text)]
    assert not found, f"package indexes are the installer's configuration, not ours: {found}"


def test_no_path_of_one_machine() -> None:
    found = [
        f"{path}:{text[: match.start()].count(chr(10)) + 1}: {match[0]}"
        for path, text in texts()
        if path != Path("tests/architecture/test_tree.py")
        for match in MACHINE_PATH.finditer(text)
    ]
    assert not found, f"absolute paths of one machine: {found}"


@pytest.mark.parametrize("path", modules("tests"), ids=str)
def test_no_test_is_skipped(path: Path) -> None:
    found = []
    for node in ast.walk(parsed(path)):
        name = node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else None
        if name in NOT_RUN:
            found.append(f"line {node.lineno}: {name}")
    assert not found, f"{path}: a test that may not run proves nothing; make it run or delete it: {found}"


def test_test_files_hold_tests() -> None:
    empty = []
    for path in modules("tests"):
        functions = (
            node for node in ast.walk(parsed(path)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        )
        states = re.search(r"\bTestCase\b", (ROOT / path).read_text(encoding="utf-8"))
        if path.name.startswith("test_") and not states and not any(f.name.startswith("test_") for f in functions):
            empty.append(str(path))
    assert not empty, f"no test in {empty}"
