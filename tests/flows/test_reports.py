"""What a run leaves on its page in the Prefect UI."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import yaml

from core.deploying.servers import RUN_LOG
from core.linkage.stages.needs import STAGES
from flows.runs import reports
from tests.flows.conftest import finished, flow_processes
from tests.prefect_server import call

ROOT = Path(__file__).parents[2]
RUN_LOG_SAYS = {"PREFECT_LOGGING_LEVEL": "INFO", "PREFECT_LOGGING_TO_API_BATCH_INTERVAL": "0.1", **RUN_LOG}


def test_run_leaves_one_progress_card_tables_with_titles_and_a_line_for_each_stage(
    prefect_env: dict[str, str], database_url: str, persons: Path, tmp_path: Path
) -> None:
    # The server is other tests' too, whose databases number their jobs from 1 as this one's does.
    before = {card["id"] for card in call(prefect_env, "POST", "/artifacts/filter", {})}
    with flow_processes(prefect_env | RUN_LOG_SAYS, database_url, tmp_path, persons) as start:
        summary = finished(start(tmp_path / "out.parquet"), tmp_path)
    key = f"job-{summary['job_id']}-"
    only = {"artifacts": {"key": {"like_": key + "%"}}}
    found = call(prefect_env, "POST", "/artifacts/filter", only)
    cards = [card for card in found if card["id"] not in before]
    assert sorted((card["key"], card["type"]) for card in cards) == [
        (key + "batches", "table"),
        (key + "progress", "progress"),
        (key + "summary", "markdown"),
    ]
    by_type = {card["type"]: card for card in cards}
    assert float(by_type["progress"]["data"]) == 100.0
    assert by_type["progress"]["description"] == "all stages are done"
    assert by_type["markdown"]["description"]
    assert by_type["table"]["description"]
    assert 0 < len(json.loads(by_type["table"]["data"])) <= 200

    run = by_type["progress"]["flow_run_id"]
    lines = call(prefect_env, "POST", "/logs/filter", {"logs": {"flow_run_id": {"any_": [run]}}})
    said = [line["message"] for line in lines]
    for stage in STAGES:
        assert [m for m in said if m.startswith(f"stage {stage}: {summary['batches'].get(stage, 0)} batches in ")], said
    # That a batch is done is said by its task run, not by a line of the log.
    assert summary["batches"]["ingest"] > 1
    assert not [line for line in lines if line["task_run_id"] is not None], said


def test_reports_keep_their_order_and_a_lost_one_costs_neither_the_others_nor_the_job() -> None:
    seen: list[str] = []

    async def report(name: str, turns: int) -> None:
        for _ in range(turns):
            await asyncio.sleep(0)
        if name == "lost":
            raise ConnectionError
        seen.append(name)

    async def work() -> str:
        async with reports.beside_the_work() as show_later:
            show_later(report("slow", 50))
            show_later(report("lost", 5))
            show_later(report("quick", 0))
        return "done"

    assert asyncio.run(work()) == "done"
    assert seen == ["slow", "quick"]


def test_runs_of_deployments_are_told_the_same_as_runs_of_the_command_line() -> None:
    for deployment in yaml.safe_load((ROOT / "prefect.yaml").read_text())["deployments"]:
        env = deployment["work_pool"]["job_variables"]["env"]
        assert env.items() >= RUN_LOG.items(), deployment["name"]
