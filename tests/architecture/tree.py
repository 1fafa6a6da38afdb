"""The checkout as the architecture tests see it: the files under version control, not what else lies around."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CODE = ("headrace", "core", "flows", "blocks")
# What a walk leaves out where git cannot be asked, as in an unpacked archive; the same as in .gitignore.
IGNORED = {
    ".git", ".venv", ".headrace", "__pycache__", "build", "dist", ".mypy_cache", ".ruff_cache", ".pytest_cache",
    ".hypothesis", ".import_linter_cache",
}  # fmt: skip
BINARY = {".parquet", ".png", ".gz", ".xz", ".zst", ".ico", ".woff2"}


@cache
def files() -> tuple[Path, ...]:
    """Every file of the project, relative to its root, in a fixed order."""
    return tuple(sorted(path for path in _tracked() or _walked() if (ROOT / path).is_file()))


def _tracked() -> list[Path]:
    if not (ROOT / ".git").exists():
        return []
    try:
        listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return []
    return [Path(name) for name in listed.stdout.split("\0") if name]


def _walked() -> list[Path]:
    return [path.relative_to(ROOT) for path in _walk(ROOT)]


def _walk(folder: Path) -> Iterator[Path]:
    for entry in folder.iterdir():
        if entry.name in IGNORED or entry.name.endswith((".egg-info", ".pyc")):
            continue
        if entry.is_dir() and not entry.is_symlink():
            yield from _walk(entry)
        elif entry.is_file():
            yield entry


def texts(*suffixes: str) -> Iterator[tuple[Path, str]]:
    """Every text file with its content; all kinds of files unless suffixes are given."""
    for path in files():
        if path.suffix not in BINARY and (not suffixes or path.suffix in suffixes):
            yield path, (ROOT / path).read_text(encoding="utf-8")


def modules(*tops: str) -> list[Path]:
    """The Python files below the given top folders, by default those of the product."""
    return [path for path in files() if path.suffix == ".py" and path.parts[0] in (tops or CODE)]


def dotted(path: Path) -> str:
    """`core/queue/__init__.py` -> `core.queue`."""
    return ".".join(path.with_suffix("").parts).removesuffix(".__init__")


@cache
def parsed(path: Path) -> ast.Module:
    """The syntax tree of a Python file of the project."""
    return ast.parse((ROOT / path).read_text(encoding="utf-8"), filename=str(path))


def literals(path: Path) -> Iterator[tuple[int, str]]:
    """Line and text of every string in a module that is not a docstring; f-strings give their first piece."""
    tree = parsed(path)
    prose = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in prose:
            yield node.lineno, node.value
