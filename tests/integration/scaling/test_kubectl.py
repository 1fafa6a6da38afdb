"""`kubectl scale`, against a program that answers as kubectl does and writes down what it was asked."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from core.errors import ConfigError, QueueError
from core.scaling.kubectl import Deployment, DeploymentScaler
from core.scaling.policy import Fleet
from core.scaling.ports import Effect

SCRIPT = """#!/bin/sh
echo "$@" >> "{folder}/asked"
case "$*" in
*" get "*) cat "{folder}/answer" ;;
*) [ ! -e "{folder}/refusal" ] || {{ cat "{folder}/refusal" >&2; exit 1; }} ;;
esac
"""


@pytest.fixture
def scaler(tmp_path: Path) -> DeploymentScaler:
    program = tmp_path / "kubectl"
    program.write_text(SCRIPT.format(folder=tmp_path))
    program.chmod(0o755)
    (tmp_path / "answer").write_text(json.dumps({"spec": {"replicas": 5}, "status": {"readyReplicas": 3}}))
    return DeploymentScaler(Deployment("consumer", "mill"), str(program))


def asked(folder: Path) -> list[str]:
    return (folder / "asked").read_text().splitlines()


def test_census_reads_what_is_asked_for_and_what_is_ready(scaler: DeploymentScaler, tmp_path: Path) -> None:
    assert scaler.census() == Fleet(working=3, starting=2)
    assert asked(tmp_path) == ["--namespace=mill get deployment consumer --output=json"]


def test_bring_about_scales_only_what_it_saw(scaler: DeploymentScaler, tmp_path: Path) -> None:
    assert scaler.bring_about(5, Fleet(working=5), "k") == Effect()
    assert not (tmp_path / "asked").exists()
    assert scaler.bring_about(8, Fleet(working=5), "k") == Effect(started=3)
    assert scaler.bring_about(2, Fleet(working=5), "k") == Effect(stopped=3)
    scaled = "--namespace=mill scale deployment consumer"
    assert asked(tmp_path) == [
        f"{scaled} --replicas=8 --current-replicas=5",
        f"{scaled} --replicas=2 --current-replicas=5",
    ]


def test_what_the_cluster_refuses_is_one_sentence(scaler: DeploymentScaler, tmp_path: Path) -> None:
    (tmp_path / "refusal").write_text("Error from server (Forbidden): no\nmore\n")
    with pytest.raises(QueueError, match=r"scale of deployment consumer failed: Error from server \(Forbidden\): no$"):
        scaler.bring_about(1, Fleet(), "k")
    (tmp_path / "answer").write_text("surprise")
    with pytest.raises(QueueError, match="did not answer in JSON"):
        scaler.census()


def test_a_missing_kubectl_is_said_at_once() -> None:
    with pytest.raises(ConfigError, match="there is no kubectl-of-nobody on the PATH"):
        DeploymentScaler(Deployment("consumer"), "kubectl-of-nobody")
