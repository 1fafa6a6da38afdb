"""Who may import whom, and what importing may cost. The contracts stand in pyproject.toml under [tool.importlinter]."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
import tomllib

import pytest

from tests.architecture.tree import CODE, ROOT, dotted, modules, parsed

# Loaded by `headrace --help`, each of these would cost more than the whole answer may take.
HEAVY = {"polars", "numba", "numpy", "scipy", "sqlalchemy", "alembic", "psycopg", "prefect", "fastapi", "redis"}

LIST_LOADED = "import json, sys; print(json.dumps(sorted({name.partition('.')[0] for name in sys.modules})))"
CORE = [dotted(path) for path in modules("core") if path.name != "__main__.py"]


def python(*args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *args], cwd=ROOT, capture_output=True, text=True, check=False, timeout=300)


def loaded_after(statement: str) -> set[str]:
    """Top-level names in sys.modules after a statement ran in a fresh interpreter."""
    result = python("-c", f"{statement}\n{LIST_LOADED}")
    assert result.returncode == 0, result.stderr
    return set(json.loads(result.stdout.splitlines()[-1]))


def test_import_contracts_hold() -> None:
    result = python("-c", "from importlinter.cli import lint_imports_command; lint_imports_command()", "--no-cache")
    assert result.returncode == 0, result.stdout + result.stderr
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    assert f"{len(contracts)} kept, 0 broken" in result.stdout, result.stdout


def test_core_modules_do_not_load_prefect() -> None:
    every = "\n".join(f"import {name}" for name in CORE)
    assert "prefect" not in loaded_after(every), "find the module with: python -X importtime -c 'import core.<module>'"


@pytest.mark.parametrize("argument", ["--help", "match --help", "queue --help"])
def test_help_loads_nothing_heavy(argument: str) -> None:
    run = f"""
import sys
sys.argv = ["headrace", *{argument.split()!r}]
from core.cli import main
try:
    main()
except SystemExit as end:
    assert not end.code, end.code
"""
    found = loaded_after(run) & HEAVY
    assert not found, f"`headrace {argument}` loads {sorted(found)}: import them inside the command's function"


def test_matching_loads_no_io_library() -> None:
    pure = [name for name in CORE if name == "core.matching" or name.startswith("core.matching.")]
    assert pure
    every = "\n".join(f"import {name}" for name in pure)
    assert not loaded_after(every) & {"psycopg", "sqlalchemy", "redis", "httpx", "prefect", "pydantic_settings"}


def test_whoever_connects_does_not_load_alembic() -> None:
    # Half a second of every consumer, worker and command; the newest revision is told from the names of files.
    assert "alembic" not in loaded_after("import core.runtime")


# The warden knows no module of ours, and the compiler of kernels is started in the folder of `core` itself.
STARTERS = {"core/processes.py", "core/database/warden.py", "core/terminal/kernel_cache.py"}


def test_one_function_starts_pythons_of_ours() -> None:
    # Without -P a folder `core` or `flows` where a user stands would be imported in place of ours.
    found = set()
    for path in modules(*CODE):
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.List | ast.Tuple) and node.elts and ast.unparse(node.elts[0]) == "sys.executable":
                found.add(path.as_posix())
    assert found == STARTERS
