"""What scripts, dashboards and operators rely on is still there under its name; more may come at any time.

The lists in `promised/` are what a release gave. Whoever takes a name from them breaks somebody's script: the changelog
says so, and why.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from core.cli.app import build
from core.database import DatabaseManager
from core.database.queries import SQL_DIR, load
from core.linkage.stages.needs import STAGES  # promised to nobody: it may move
from core.metrics.catalog import CATALOG
from core.settings import NAMED_FIELDS, Settings, named_database, valid_names

PROMISED = Path(__file__).parent / "promised"

# What runs as `python -m`, with arguments by which it ends at once, and what it then says; None: only its entry is
# looked for, since to run it means to compile, to serve or to look after a stack.
RUN_AS_MODULES: dict[str, tuple[list[str], str] | None] = {
    "core.cli": (["--help"], "Match records at scale"),
    "core.queue.worker": ([], ""),
    "core.linkage.warm": None,
    "core.web": None,
    "core.stack": None,
    "core.settings": ([], "`HEADRACE_DATABASE__URL`"),
    "core.metrics.catalog": ([], "`headrace_queue_batches`"),
    "flows.identity_resolution": None,
    "flows.autoscale": None,
    "flows.maintenance": None,
    "flows.statistics_refresh": None,
    "flows.deploy": None,
    "flows.demo": None,
}
# Deployments on a Prefect server name the file, the function and the flow.
PREFECT_FLOWS = {
    "flows.identity_resolution:identity_resolution": "identity-resolution",
    "flows.consume:consume": "consume",
    "flows.autoscale:autoscale": "autoscale",
    "flows.maintenance:maintenance": "maintenance",
    "flows.statistics_refresh:statistics_refresh": "statistics-refresh",
}
PROMISED_STAGES = "ingest reduce encode block train plan match merge cluster survive publish"


def listed(name: str) -> list[str]:
    return (PROMISED / f"{name}.txt").read_text(encoding="utf-8").splitlines()


def blocks(name: str) -> dict[str, list[str]]:
    """Lines of a list, each under the unindented line above it."""
    found: dict[str, list[str]] = {}
    for line in listed(name):
        if line.startswith(" "):
            found[next(reversed(found))].append(line.strip())
        else:
            found[line] = []
    return found


MODULES = blocks("modules")


# Names of modules ----------------------------------------------------------------------------------------------------


@cache
def public(module: str) -> dict[str, Any]:
    """What a module gives. Flows are only read: to import Prefect takes seconds, and their own tests do it."""
    return written(module) if module.startswith("flows.") else vars(importlib.import_module(module))


def written(module: str) -> dict[str, Any]:
    """Functions and classes of a module with the parameters and fields that stand in its text."""
    found: dict[str, Any] = {}
    for node in tree_of(module).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            found[node.name] = stub(node)
        elif isinstance(node, ast.ClassDef):
            methods = {each.name: stub(each) for each in node.body if isinstance(each, ast.FunctionDef)}
            fields = [each.target for each in node.body if isinstance(each, ast.AnnAssign)]
            annotations = {field.id: Any for field in fields if isinstance(field, ast.Name)}
            found[node.name] = type(
                node.name, (), methods | {"__annotations__": annotations, "__module__": module, "__init__": stub(None)}
            )
    return found


def stub(node: ast.FunctionDef | ast.AsyncFunctionDef | None) -> Callable[..., Any]:
    """A function with the same parameters that does nothing."""
    bare = ast.parse("def stub(self, **fields): ...").body[0]
    assert isinstance(bare, ast.FunctionDef)
    if node is not None:
        bare.args = ast.parse(f"def stub({ast.unparse(node.args)}): ...").body[0].args  # type: ignore[attr-defined]
        for argument in ast.walk(bare.args):
            if isinstance(argument, ast.arg):
                argument.annotation = None
        bare.args.defaults = [ast.Constant(None) for _ in bare.args.defaults]
        bare.args.kw_defaults = [each and ast.Constant(None) for each in bare.args.kw_defaults]
    made: dict[str, Any] = {}
    exec(compile(ast.fix_missing_locations(ast.Module([bare], [])), "stub", "exec"), made)
    return made["stub"]


def tree_of(module: str) -> ast.Module:
    spec = find_spec(module)
    if spec is not None and spec.submodule_search_locations is not None:
        spec = find_spec(f"{module}.__main__")
    assert spec is not None, f"there is no {module}"
    assert spec.origin is not None
    return ast.parse(Path(spec.origin).read_text(encoding="utf-8"))


def signature_of(thing: Any) -> inspect.Signature | None:
    """How a function or class is called; None for what is not called."""
    if not callable(thing):
        return None
    try:
        return inspect.signature(thing)
    except (TypeError, ValueError):
        return None


def shown(thing: Any, *, bound: bool = False) -> str:
    """`(self's parameters left out, then *, then those by keyword only)`; empty for what is not called."""
    signature = signature_of(thing)
    if signature is None:
        return ""
    words, by_keyword = [], False
    for parameter in list(signature.parameters.values())[int(bound) :]:
        if parameter.kind is parameter.KEYWORD_ONLY and not by_keyword:
            words, by_keyword = [*words, "*"], True
        words.append(str(parameter).partition(":")[0].partition("=")[0].strip())
    return f"({', '.join(words)})"


def broken_call(promised: str, found: str, signature: inspect.Signature | None) -> str | None:
    """Why a call that was promised does not work any more; None: it does."""
    if promised == found:
        return None
    if signature is None or not found:
        return "it cannot be called"
    before, now = (text.strip("()").split(", ") if text != "()" else [] for text in (promised, found))
    places = before.index("*") if "*" in before else len(before)
    gone = [name for name in before if name not in now and name != "*"]
    if gone or now[:places] != before[:places]:
        return f"it was called {promised} and now is {found}"
    needed = [
        name
        for name, parameter in signature.parameters.items()
        if name not in before
        and name != "self"
        and parameter.default is parameter.empty
        and parameter.kind not in {parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD}
    ]
    return f"it wants {', '.join(needed)} as well" if needed else None


def members(kind: type) -> Iterator[str]:
    """Public names of a class of ours: methods, properties, fields."""
    seen: set[str] = set()
    for base in kind.__mro__:
        if base.__module__.partition(".")[0] in {"core", "flows"}:
            seen |= {*vars(base), *inspect.get_annotations(base)}
    for name in sorted(seen):
        if name in {"__enter__", "__exit__"} or not name.startswith(("_", "model_")):
            yield name


def member(kind: type, name: str) -> tuple[str, inspect.Signature | None]:
    """How a member is called, if it is."""
    static = inspect.getattr_static(kind, name, None)
    if not isinstance(static, classmethod | staticmethod) and not inspect.isfunction(static):
        return "", None
    value = getattr(kind, name)
    return shown(value, bound=inspect.isfunction(static) and not isinstance(static, staticmethod)), signature_of(value)


def broken(module: str, line: str) -> str | None:
    """What of one line of the list does not hold; None: all of it does."""
    path, parenthesis, rest = line.partition("(")
    promised = parenthesis + rest
    name, _, inner = path.partition(".")
    thing = public(module).get(name)
    if thing is None:
        return f"{module} has no {name}"
    if not inner:
        why = broken_call(promised, shown(thing), signature_of(thing)) if promised else None
    elif inner not in members(thing):
        return f"{module}: {name} has no {inner}"
    else:
        why = broken_call(promised, *member(thing, inner)) if promised else None
    return why and f"{module}: {path}: {why}"


@pytest.mark.parametrize("module", MODULES)
def test_module_gives_its_public_names(module: str) -> None:
    assert MODULES[module], "an empty list promises nothing"
    found = [why for line in MODULES[module] if (why := broken(module, line))]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    ("call", "why"),
    [
        (lambda spec: spec, None),
        (lambda spec, more=1: spec, None),
        (lambda spec, *, more=1: spec, None),
        (lambda name: name, "it was called (spec) and now is (name)"),
        (lambda more, spec: spec, "it was called (spec) and now is (more, spec)"),
        (lambda spec, more: spec, "it wants more as well"),
        (lambda *, spec: spec, "it was called (spec) and now is (*, spec)"),
        (1, "it cannot be called"),
    ],
)
def test_broken_call_tells_more_from_other(call: Any, why: str | None) -> None:
    assert broken_call("(spec)", shown(call), signature_of(call)) == why


@pytest.mark.parametrize("place", PREFECT_FLOWS)
def test_flow_bears_its_name(place: str) -> None:
    module, _, function = place.partition(":")
    named = [
        keyword.value.value
        for node in tree_of(module).body
        if isinstance(node, ast.AsyncFunctionDef) and node.name == function
        for decorator in node.decorator_list
        if isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == "flow"
        for keyword in decorator.keywords
        if keyword.arg == "name" and isinstance(keyword.value, ast.Constant)
    ]
    assert named == [PREFECT_FLOWS[place]]


@pytest.mark.parametrize("module", RUN_AS_MODULES)
def test_module_has_an_entry(module: str) -> None:
    guards = [node for node in tree_of(module).body if isinstance(node, ast.If)]
    assert any(ast.unparse(guard.test) == "__name__ == '__main__'" for guard in guards), f"{module} runs nothing"


@pytest.mark.parametrize("module", [module for module, run in RUN_AS_MODULES.items() if run is not None])
def test_module_runs(module: str) -> None:
    arguments, said = RUN_AS_MODULES[module] or ([], "")
    command = [sys.executable, "-P", "-m", module, *arguments]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")
    assert said in done.stdout


# Names of everything else ---------------------------------------------------------------------------------------------


def walked(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, set[str]]]:
    """`queue.redrive` and its options, for each command."""
    if path:
        yield ".".join(path), {option for param in command.params for option in (*param.opts, *param.secondary_opts)}
    for name, child in getattr(command, "commands", {}).items():
        yield from walked(child, (*path, name))


def test_commands_are_there_with_their_options() -> None:
    known = dict(walked(get_command(build())))
    promised = {name: options for name, *options in map(str.split, listed("commands"))}
    assert len(promised) > 40
    assert not sorted(promised.keys() - known.keys()), "these commands are gone"
    gone = {name: lost for name, options in promised.items() if (lost := sorted(set(options) - known[name]))}
    assert not gone, f"these options are gone: {gone}"


def test_settings_are_there() -> None:
    promised = listed("settings")
    assert len(promised) > 40
    assert not sorted(set(promised) - set(valid_names()))


def test_named_databases_take_their_fields() -> None:
    promised = ["URL", "POOL_SIZE", "MAX_OVERFLOW", "POOL_TIMEOUT", "POOL_RECYCLE", "POOL_PRE_PING"]
    assert not sorted(set(promised) - set(NAMED_FIELDS))
    environ = {"DEVELOPMENT_GLOBAL_RPA_DB_POOL_SIZE": "3", "DEVELOPMENT_GLOBAL_RPA_DB_POOL_TIMEOUT": "7"}
    settings = named_database("rpa_db", Settings(), environ)
    assert (settings.pool_size, settings.pool_timeout_s) == (3, 7)


def test_metrics_are_there_with_their_labels() -> None:
    promised = {name: (kind, set(labels)) for name, kind, *labels in map(str.split, listed("metrics"))}
    assert promised
    known = {name: (metric.kind, set(metric.labels)) for name, metric in CATALOG.items()}
    assert {name: known.get(name) for name in promised} == promised


def test_stages_are_there_in_their_order() -> None:
    assert " ".join(stage for stage in STAGES if stage in PROMISED_STAGES.split()) == PROMISED_STAGES


def test_queries_are_there() -> None:
    known = {name for path in SQL_DIR.glob("*.sql") for name in load(path.stem)}
    promised = listed("queries")
    assert len(promised) > 100
    assert not sorted(set(promised) - known)


def test_tables_and_views_are_there_with_their_columns(db: DatabaseManager) -> None:
    """Operators write SQL against them, and so does what the version before left in them."""
    columns = (
        "SELECT c.relname::text, array_agg(a.attname::text) FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid "
        "WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v') AND NOT c.relispartition "
        "AND a.attnum > 0 AND NOT a.attisdropped GROUP BY 1"
    )
    known = {str(name): set(names) for name, names in db.execute_query("columns", columns)}
    promised = {name: set(names) for name, *names in map(str.split, listed("tables"))}
    assert len(promised) > 20
    gone = {name: sorted(names - known.get(name, set())) for name, names in promised.items()}
    assert not {name: names for name, names in gone.items() if names or name not in known}


def test_functions_of_the_database_are_there(db: DatabaseManager) -> None:
    functions = (
        "SELECT p.proname || '(' || pg_get_function_identity_arguments(p.oid) || ')' FROM pg_proc p "
        "WHERE p.pronamespace = 'public'::regnamespace"
    )
    known = {str(name) for (name,) in db.execute_query("functions", functions)}
    promised = listed("functions")
    assert promised
    assert not sorted(set(promised) - known)
