from __future__ import annotations

from pathlib import Path

import pytest

from core.deploying.pools import POOLS, STATE_VOLUME, job_variables, on_claim, read_template
from core.errors import ConfigError

FOLDER = Path(__file__).resolve().parents[3] / "k8s" / "work-pools"


@pytest.mark.parametrize("target", ["local", "k8s"])
def test_template_of_the_project_is_read(target: str) -> None:
    template = read_template(FOLDER, POOLS[target])  # type: ignore[index]
    assert {"env", "command"} <= set(job_variables(template))


@pytest.mark.parametrize(
    ("text", "said"),
    [(None, "No such file"), ("{", "line 1"), ('{"variables": {}}', "has the keys job_configuration and variables")],
)
def test_template_that_cannot_be_used(tmp_path: Path, text: str | None, said: str) -> None:
    if text is not None:
        (tmp_path / "headrace-local.json").write_text(text)
    with pytest.raises(ConfigError, match=said):
        read_template(tmp_path, POOLS["local"])


def test_claim_becomes_the_default_and_the_template_stays() -> None:
    template = read_template(FOLDER, POOLS["k8s"])
    changed = on_claim(template, "files")
    wanted = {"name": "state", "persistentVolumeClaim": {"claimName": "files"}}
    assert changed["variables"]["properties"][STATE_VOLUME]["default"] == wanted
    assert "emptyDir" in template["variables"]["properties"][STATE_VOLUME]["default"]


def test_claim_for_a_pool_that_mounts_nothing_is_refused() -> None:
    with pytest.raises(ConfigError, match="--workspace-claim files: .* use it with --target k8s"):
        on_claim(read_template(FOLDER, POOLS["local"]), "files")
