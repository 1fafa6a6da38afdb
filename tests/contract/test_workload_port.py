"""The port of workloads, held by one that is no part of the product: every face of `tests/contract/tiny` works."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr
from typer.main import get_command
from typer.testing import CliRunner

import flows
from core.cli.app import build
from core.consuming.request import ConsumeRequest
from core.consuming.run import ConsumerRun
from core.database import DatabaseManager
from core.deploying import files
from core.deploying.manifest import read_manifest
from core.deploying.pools import POOLS, read_template
from core.errors import ConfigError
from core.metrics.catalog import Metric, render_reference
from core.queue import BatchQueue, FlowPolicy
from core.review.audit.leaves import own_leaves
from core.runtime import Runtime
from core.settings import DatabaseSettings, QueueSettings, Settings
from core.web.app import create_app
from core.workloads import Workload, catalog_of, handlers_of, leaves_of, samples_of, workloads
from core.workloads import __main__ as by_module
from flows.server import entrypoints
from tests.architecture.tree import modules
from tests.web.browsing import bearer

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent / "tiny"
PACKAGE = "tests.contract.tiny.workloads"
(TINY,) = workloads(("tiny",), PACKAGE)
BOTH = [*workloads(), TINY]
TEXTS = {"mill": 1, "wheel": 2, "sluice": 3, "": 0}
OURS = Metric("headrace_workers", "gauge", "processes", (), "taken", "web")
OF_A_CONSUMER = Metric("headrace_other", "gauge", "rows", (), "counted by a process", "consumer")


@pytest.fixture(scope="module")
def done(db: DatabaseManager) -> list[str]:
    """Outputs of texts that a worker process did, in their order."""
    queue = BatchQueue(db, QueueSettings(), "tests")
    queue.register_flow(FlowPolicy("tiny", work_queue="validation"))
    queue.enqueue("tiny", [{"text": text} for text in TEXTS], batch_rows=3)
    request = ConsumeRequest(queue="validation", idle_exit_s=0.2)
    figures = ConsumerRun(Runtime(Settings(), db, "tests"), request, found=BOTH).run()
    assert (figures.batches, figures.rows, figures.rows_failed, figures.exit_code) == (2, 4, 0, 0)
    rows = db.execute_query("r", "SELECT output ->> 'vowels' FROM queue_results ORDER BY batch_id, seq")
    return [str(row[0]) for row in rows]


def answers(
    url: str, found: Sequence[Workload] | None, *paths: str, headers: Mapping[str, str] | None = None
) -> list[httpx.Response]:
    async def ask() -> list[httpx.Response]:
        app = create_app(Settings(database=DatabaseSettings(url=SecretStr(url))), found)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as client:
            return [await client.get(path, headers=headers) for path in paths]

    return asyncio.run(ask())


def spoken(found: Sequence[Workload] | None = None) -> set[str]:
    """Commands, and groups with their commands."""
    top = get_command(build(found))
    commands = getattr(top, "commands", {})
    return {f"{name} {inner}".strip() for name in commands for inner in ["", *getattr(commands[name], "commands", {})]}


def test_handler_does_the_batches_of_its_flow(done: list[str]) -> None:
    assert done == [str(n) for n in TEXTS.values()]


def test_consumer_of_the_registry_leaves_its_batches_alone(db: DatabaseManager) -> None:
    queue = BatchQueue(db, QueueSettings(), "tests")
    queue.register_flow(FlowPolicy("tiny", work_queue="validation"))
    request = ConsumeRequest(queue="validation", idle_exit_s=0.0)
    consumer = ConsumerRun(Runtime(Settings(), db, "tests"), request)
    assert consumer.problem() == "no flow of the queue validation is registered"
    with pytest.raises(ConfigError, match="the flow tiny has no handler of Headrace's own"):
        ConsumerRun(Runtime(Settings(), db, "tests"), ConsumeRequest(flows=("tiny",)))


def test_commands_stand_at_the_top_and_in_their_group() -> None:
    top = CliRunner().invoke(build(BOTH), ["vowels", "sluice"], catch_exceptions=False)
    assert (top.exit_code, top.stdout) == (0, "3\n")
    group = CliRunner().invoke(build(BOTH), ["generate", "texts", "--rows", "2"], catch_exceptions=False)
    assert (group.exit_code, group.stdout) == (0, " mill\na mill\n")
    assert spoken(BOTH) - spoken() == {"vowels", "generate texts"}
    assert "generate persons" not in spoken([TINY])
    assert "match" not in spoken([TINY])


def test_page_and_route_answer_below_its_name(database_url: str, db: DatabaseManager, done: list[str]) -> None:
    signed_in = bearer(db, "vera", "viewer")
    page, route = answers(database_url, BOTH, "/tiny/texts", "/api/v1/tiny/vowels?text=wheel", headers=signed_in)
    assert (page.status_code, page.text) == (200, f"<p>Vowels of {len(done)} texts were counted.</p>")
    assert (route.status_code, route.json()) == (200, {"vowels": 2})
    absent = answers(database_url, None, "/tiny/texts", "/api/v1/tiny/vowels?text=wheel", headers=signed_in)
    assert [answer.status_code for answer in absent] == [404, 404]
    strangers = answers(database_url, BOTH, "/tiny/texts", "/api/v1/tiny/vowels?text=wheel")
    assert [answer.status_code for answer in strangers] == [303, 401]


def test_metric_is_shown_with_its_value(database_url: str, done: list[str]) -> None:
    shown, without = (answers(database_url, found, "/metrics")[0].text for found in (BOTH, None))
    assert f"headrace_tiny_texts {len(done)}.0" in shown
    assert "headrace_queue_items" in shown
    assert "headrace_tiny" not in without


def test_metric_stands_in_the_reference_of_its_catalogue() -> None:
    row = "| `headrace_tiny_texts` | gauge | rows | none | texts whose vowels were counted |"
    assert row in render_reference(catalog_of(BOTH)).splitlines()
    assert row not in render_reference(catalog_of(workloads()))


def test_kernels_are_compiled_ahead_and_dropped_with_any_source(tmp_path: Path) -> None:
    """In a copy of the checkout, whose sources can be changed."""
    for folder in ("core", "tests/contract/tiny"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    package = tmp_path / "tests/contract/tiny/workloads/tiny"

    def compiled_after(statement: str) -> set[str]:
        env = {name: value for name, value in os.environ.items() if not name.startswith("NUMBA_")}
        subprocess.run([sys.executable, "-c", statement], cwd=tmp_path, env=env, check=True, timeout=300)
        return {path.name.partition("-")[0] for path in package.rglob("*.nbi")}

    warm = f"from core.workloads import named, workloads; named(workloads(['tiny'], '{PACKAGE}')[0].warm)()"
    only_imported = f"import {PACKAGE}.tiny"
    for source in (package / "samples.py", tmp_path / "core/matching/text/hashing.py"):
        assert compiled_after(warm) == {"kernels.count_vowels"}
        assert compiled_after(only_imported) == {"kernels.count_vowels"}
        source.write_text(source.read_text() + "\n# changed\n")
        assert compiled_after(only_imported) == set()


def test_warm_compiles_the_engine_and_each_workload(monkeypatch: pytest.MonkeyPatch) -> None:
    warmed: list[str] = []
    monkeypatch.setattr("core.linkage.warm.warm", lambda: warmed.append("engine"))
    monkeypatch.setattr(f"{PACKAGE}.tiny.kernels.warm", lambda: warmed.append("tiny"))
    by_module.warm(BOTH)
    assert warmed == ["engine", "tiny"]


def test_module_prints_the_metrics_of_all(capsys: pytest.CaptureFixture[str]) -> None:
    assert by_module.main(["metrics"]) == 0
    assert capsys.readouterr().out == render_reference(catalog_of(workloads()))


@pytest.mark.parametrize("words", [[], ["warn"], ["warm", "metrics"]])
def test_module_says_how_it_is_used(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert by_module.main(words) == 2
    assert capsys.readouterr().err == "usage: python -m core.workloads warm [engine]|metrics\n"


def test_deployment_is_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    located = read_manifest(HERE / "prefect.yaml")
    template = read_template(files.pool_templates(), POOLS["local"])
    with pytest.raises(ConfigError, match=re.escape("flows.tiny cannot be imported")):
        entrypoints.load(located, 0, template)
    monkeypatch.setattr(flows, "__path__", [*flows.__path__, str(HERE / "flows")])
    try:
        assert entrypoints.load(located, 0, template).name == "tiny"
    finally:
        sys.modules.pop("flows.tiny", None)
    assert "flows.tiny" not in files.manifest().read_text()


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (replace(TINY, name="twin"), "the workloads tiny and twin both have the flow tiny"),
        (
            Workload("twin", metrics=TINY.metrics, samples=TINY.samples),
            "the workload tiny has a metric headrace_tiny_texts already; the workload twin needs another name",
        ),
        (
            Workload("twin", metrics=(OURS,), samples=TINY.samples),
            "the platform has a metric headrace_workers already; the workload twin needs another name",
        ),
        (
            Workload("twin", metrics=(OF_A_CONSUMER,), samples=TINY.samples),
            "the metric headrace_other of the workload twin is said to be of a consumer; the web app shows those of "
            "workloads, from the database: its source must be web",
        ),
        (
            Workload("twin", metrics=(OF_A_CONSUMER,)),
            "the workload twin has metrics and names no function as their `samples`",
        ),
        (
            Workload("twin", commands={"genarate": ()}),
            "the workload twin has commands for the group genarate; "
            "there are generate, jobs, review, spec, bench, or none",
        ),
        (Workload("twin", commands=TINY.commands), "`headrace vowels` is two commands; one of them needs another name"),
        (
            Workload("twin", commands={"generate": TINY.commands["generate"]}),
            "`headrace generate texts` is two commands; one of them needs another name",
        ),
        (Workload("tiny"), "two workloads are called tiny: their pages would have one address"),
    ],
)
def test_what_cannot_be_told_apart_is_refused_at_the_start(other: Workload, words: str) -> None:
    found = [TINY, other]
    with pytest.raises(ConfigError, match=re.escape(words)):
        handlers_of(found), catalog_of(found), build(found), create_app(Settings(), found)


def test_app_refuses_at_the_start_what_its_metrics_page_could_not_show() -> None:
    with pytest.raises(ConfigError, match="has a metric headrace_tiny_texts already"):
        create_app(Settings(), [TINY, Workload("twin", metrics=TINY.metrics, samples=TINY.samples)])


def test_values_of_a_strangers_metric_are_refused(db: DatabaseManager) -> None:
    words = "the workload twin gives values of headrace_tiny_texts, which is none of its metrics"
    with pytest.raises(ConfigError, match=words):
        samples_of([Workload("twin", samples=TINY.samples)], db)


def test_leaves_are_given_by_the_one_workload_that_keeps_them() -> None:
    kept = {"tiny_texts": "core.review.audit.leaves:own_leaves"}
    of_all = leaves_of([TINY])
    assert leaves_of([TINY, Workload("twin", leaves=kept)]) == of_all | {"tiny_texts": own_leaves}
    with pytest.raises(ConfigError, match="the workload twin keeps leaves in tiny_texts, as another does"):
        leaves_of([replace(TINY, leaves=kept), Workload("twin", leaves=kept)])


def test_workload_is_called_as_its_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(f"{PACKAGE}.tiny.workload.WORKLOAD", replace(TINY, name="vowels"))
    with pytest.raises(ConfigError, match="the workload in the folder tiny calls itself vowels; they must be the same"):
        workloads(("tiny",), PACKAGE)


def test_nothing_but_the_registry_and_flows_names_a_workload() -> None:
    names = "|".join(workload.name for workload in workloads())
    named = re.compile(rf"core\.workloads\.(?:{names})\b")
    # For one version, under the path that consumers of the version before know.
    left_behind = Path("core/consuming/linkage.py")
    found = [
        str(path)
        for path in modules("core")
        if path.parts[:2] != ("core", "workloads") and path != left_behind and named.search((ROOT / path).read_text())
    ]
    assert not found, f"these know a workload by name; let them take the list of `core.workloads.workloads()`: {found}"


def test_checklist_of_a_new_workload_names_what_tiny_has() -> None:
    """CONTRIBUTING says what to write: each of it is here, and nothing else is."""
    section = (ROOT / "CONTRIBUTING.md").read_text().partition("### A fifth workload: what to write")[2]
    section = section.partition("\n#")[0]
    named = re.findall(r"^- `([^`]+)`", section, re.MULTILINE)
    places = {
        name: name.replace("<name>", "tiny").replace("<flow>", "tiny").replace("core/workloads/", "workloads/")
        for name in named
    }
    of_all = {"core/workloads/__init__.py", "core/settings.py", "sql/migrations/"}
    missing = [name for name, place in places.items() if name not in of_all and not (HERE / place).exists()]
    assert not missing, f"CONTRIBUTING names what a workload does without: {missing}"
    kept = [HERE / place for place in places.values()]
    unsaid = [
        str(path.relative_to(HERE))
        for path in sorted(HERE.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
        if path not in kept and path.parent not in kept
    ]
    assert not unsaid, f"CONTRIBUTING does not say to write: {unsaid}"
    silent = [field.name for field in fields(Workload) if f"`{field.name}`" not in section]
    assert not silent, f"CONTRIBUTING does not say what a workload's {silent} are"
