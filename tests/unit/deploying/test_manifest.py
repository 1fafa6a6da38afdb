from __future__ import annotations

import json
from pathlib import Path

import pytest

from core.deploying.manifest import of_target, read_manifest
from core.errors import ConfigError

ROOT = Path(__file__).resolve().parents[3]
SOUND = """
name: headrace
prefect-version: 3.8.8
pull: []
definitions:
  shared: &shared
    entrypoint: flows.maintenance.maintenance
    description: Keeps the queue in shape.
    tags: [upkeep]
    schedules: [{cron: "17 * * * *"}]
deployments:
  - <<: *shared
    name: local
    work_pool: {name: headrace-local, work_queue_name: upkeep}
  - <<: *shared
    name: k8s
    work_pool: {name: headrace-k8s, work_queue_name: upkeep}
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "prefect.yaml"
    path.write_text(text)
    return path


def test_manifest_of_the_project_is_sound() -> None:
    manifest = read_manifest(ROOT / "prefect.yaml").manifest
    names = {(one.entrypoint, one.name) for one in manifest.deployments}
    assert ("flows.identity_resolution.identity_resolution", "local") in names
    targets = [{one.entrypoint for _, one in of_target(manifest, target)} for target in ("local", "k8s")]
    assert targets[0] == targets[1]


def test_profiles_of_the_project_are_those_of_kubernetes() -> None:
    profiles = json.loads((ROOT / "k8s/profiles/job-variables.json").read_text()).values()
    manifest = read_manifest(ROOT / "prefect.yaml").manifest
    for _, one in of_target(manifest, "k8s"):
        variables = {name: value for name, value in one.work_pool.job_variables.items() if name != "env"}
        assert variables in profiles, one.entrypoint


def test_manifest_reads_what_anchors_share(tmp_path: Path) -> None:
    manifest = read_manifest(written(tmp_path, SOUND)).manifest
    assert [(number, one.name) for number, one in of_target(manifest, "k8s")] == [(1, "k8s")]
    assert [one.schedules[0].cron for one in manifest.deployments] == ["17 * * * *"] * 2


@pytest.mark.parametrize(
    ("before", "after", "line", "said"),
    [
        ("    tags:", "    tag:", 9, "has no key tag; did you mean tags?"),
        ("work_queue_name: upkeep}", "work_queue: upkeep}", 14, "did you mean work_queue_name?"),
        (
            "name: headrace-local",
            "name: headrace-lokal",
            14,
            "no work pool headrace-lokal; did you mean",
        ),
        (
            "work_queue_name: upkeep}",
            "work_queue_name: pumps}",
            14,
            "there are upkeep, matching, validation",
        ),
        ('"17 * * * *"', '"77 * * * *"', 10, "'77' is no minute: it goes from 0 to 59"),
        ('cron: "17 * * * *"', "interval: 0.1", 10, "greater than or equal to 1"),
        ("cron:", "timezone: Mars/Olympus, cron:", 10, "'Mars/Olympus' is no time zone"),
        ("    description: Keeps the queue in shape.\n", "", 11, "lacks the key description"),
        ("pull: []", "pull: [{x: y}]", 4, "at most 0 items"),
        ("    name: k8s", "    name: local", 1, "has two deployments called local"),
        ("[upkeep]", "[upkeep", 10, "this is no YAML"),
        ("[upkeep]", "[up\x00keep]", 9, "this is no YAML: special characters are not allowed"),
        ("pull: []", "pull: []\nname: again", 5, "the key name stands here twice"),
        ('"17 * * * *"}', '"17 * * * *", cron: "18 * * * *"}', 10, "the key cron stands here twice"),
        ("name: headrace-local", "name: x", 14, "work_pool.name (of maintenance/local)"),
        (SOUND, "", 1, "it is empty, but keys are expected"),
        (SOUND, "[a]", 1, "it is a list, but keys are expected"),
    ],
)
def test_manifest_says_where_it_is_wrong(tmp_path: Path, before: str, after: str, line: int, said: str) -> None:
    assert before in SOUND
    path = written(tmp_path, SOUND.replace(before, after))
    with pytest.raises(ConfigError) as refused:
        read_manifest(path)
    assert said in refused.value.message
    assert f"{path} line {line}: " in refused.value.message
    assert "\n" not in refused.value.message


def test_manifest_that_is_missing(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No such file"):
        read_manifest(tmp_path / "prefect.yaml")


def test_manifest_that_is_no_text(tmp_path: Path) -> None:
    path = tmp_path / "prefect.yaml"
    path.write_bytes(b"name: \xff")
    with pytest.raises(ConfigError, match="is no text in UTF-8: byte 6 cannot be read"):
        read_manifest(path)
