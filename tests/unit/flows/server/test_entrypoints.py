from __future__ import annotations

from pathlib import Path

import pytest

from core.deploying import files
from core.deploying.manifest import of_target, read_manifest
from core.deploying.pools import POOLS, Target, read_template
from core.errors import ConfigError
from flows.server.entrypoints import load

DEPLOYMENT = """
name: headrace
prefect-version: 3.8.8
pull: []
deployments:
  - name: local
    entrypoint: flows.maintenance.maintenance
    description: Keeps the queue in shape.
    tags: [upkeep]
    parameters:
      request: {duties: [keys]}
    work_pool: {name: headrace-local, work_queue_name: upkeep, job_variables: {env: {}}}
"""


@pytest.mark.parametrize("target", ["local", "k8s"])
def test_every_deployment_of_the_project_fits_its_flow(target: Target) -> None:
    located = read_manifest(files.manifest())
    template = read_template(files.pool_templates(), POOLS[target])
    loaded = [load(located, number, template).name for number, _ in of_target(located.manifest, target)]
    jobs = {"identity-resolution", "invoice-matching"}
    assert jobs | {"consume", "autoscale", "maintenance", "statistics-refresh"} == set(loaded)


@pytest.mark.parametrize(
    ("before", "after", "line", "said"),
    [
        ("flows.maintenance.", "flows.upkeep.", 7, "flows.upkeep cannot be imported"),
        (".maintenance\n", ".maintain\n", 7, "has no flow maintain; it has maintenance"),
        ("request: {", "reqest: {", 11, "has no parameter reqest; it has request, postgres_block"),
        ("[keys]", "[kees]", 11, "duties"),
        ("{duties: [keys]}", "{dutes: [keys]}", 11, "MaintenanceRequest has no such field; did you mean duties?"),
        ("{env: {}}", "{cpu: 1}", 12, "the pool's job has no such variable; it has command, env"),
        (
            "maintenance.maintenance\n",
            "identity_resolution.identity_resolution\n    schedules: [{cron: '1 * * * *'}]\n",
            12,
            "request.duties (of identity-resolution/local): MatchRequest has no such field; there are input, id_column",
        ),
    ],
)
def test_what_does_not_fit_is_said_with_its_line(tmp_path: Path, before: str, after: str, line: int, said: str) -> None:
    assert before in DEPLOYMENT
    path = tmp_path / "prefect.yaml"
    path.write_text(DEPLOYMENT.replace(before, after, 1))
    template = read_template(files.pool_templates(), POOLS["local"])
    with pytest.raises(ConfigError) as refused:
        load(read_manifest(path), 0, template)
    assert said in refused.value.message
    assert f"{path} line {line}: " in refused.value.message


def test_a_schedule_needs_every_parameter(tmp_path: Path) -> None:
    path = tmp_path / "prefect.yaml"
    text = DEPLOYMENT.replace(
        "maintenance.maintenance\n", "autoscale.autoscale\n    schedules: [{cron: '1 * * * *'}]\n"
    )
    path.write_text(text.replace("    parameters:\n      request: {duties: [keys]}\n", ""))
    template = read_template(files.pool_templates(), POOLS["local"])
    with pytest.raises(ConfigError, match="its scheduled runs would lack request, which the flow autoscale needs"):
        load(read_manifest(path), 0, template)
