"""The Dockerfile as far as it can be told without building it; `make test-image` carries it out."""

from __future__ import annotations

import http.server
import os
import re
import shutil
import subprocess
import sys
import threading
import tomllib
from pathlib import Path

import pytest

from tests.architecture.tree import ROOT, files
from tests.k8s.dockerfile import Stage, context, copied, ignored, stages
from tests.k8s.names import is_read
from tests.k8s.overlays import overlay, pods

BUILD, FINAL = stages()
# Read by pip and Python themselves, or by an ARG of ours.
BUILD_ONLY = {
    "PATH",
    "PYTHONDONTWRITEBYTECODE",
    "PYTHONUNBUFFERED",
    "PIP_NO_CACHE_DIR",
    "PIP_DISABLE_PIP_VERSION_CHECK",
    "NUMBA_CPU_NAME",
    "NUMBA_CPU_FEATURES",
}


def test_hadolint_finds_nothing(tmp_path: Path) -> None:
    program = Path(sys.executable).parent / "hadolint"
    done = subprocess.run([program, ROOT / "Dockerfile"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")
    wrong = tmp_path / "Dockerfile"
    wrong.write_text((ROOT / "Dockerfile").read_text().replace(":${PYTHON}", ":latest"))
    assert subprocess.run([program, wrong], capture_output=True, check=False).returncode != 0


def test_image_is_built_in_two_stages_from_a_fixed_python() -> None:
    assert (BUILD.name, FINAL.name) == ("build", "")
    assert BUILD.base == FINAL.base
    assert re.fullmatch(r"python:3\.\d+\.\d+-slim-[a-z]+", FINAL.base)


def test_image_installs_the_lock_with_hashes_and_builds_nothing() -> None:
    (install,) = (step.text for step in BUILD.steps if "requirements.lock" in step.text and step.kind == "RUN")
    assert {"--no-deps", "--require-hashes", "--only-binary=:all:"} <= set(install.split())


def test_image_can_talk_to_an_object_store() -> None:
    """Overlays name one, and what is not in the lock is not in the image."""
    locked = set(re.findall(r"^([a-z0-9-]+)==", (ROOT / "requirements.lock").read_text(), re.MULTILINE))
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert {re.split(r"[>=<]", wanted)[0] for wanted in extras["s3"]} <= locked


def test_image_runs_as_1001_and_says_what_it_is() -> None:
    assert FINAL.user == "1001:1001"
    assert FINAL.labels["org.opencontainers.image.licenses"] == "Apache-2.0"
    assert {"title", "description", "version", "revision", "created"} <= {
        label.rpartition(".")[2] for label in FINAL.labels
    }


def test_every_file_that_is_copied_is_in_the_context_and_little_else() -> None:
    taken = {
        source for stage in (BUILD, FINAL) for step in stage.steps if step.kind == "COPY" for source, _ in copied(step)
    }
    assert taken == set(context())
    assert not ignored("core/cli/app.py")
    assert ignored("tests/conftest.py")
    assert ignored("k8s/base/server/server.env")
    assert ignored("core/matching/__pycache__/kernels.py311.nbc")


def test_image_holds_what_the_code_reads() -> None:
    targets = {target for step in BUILD.steps if step.kind == "COPY" for _, target in copied(step)}
    code = {path for path in files() if path.parts[0] in {"core", "flows", "blocks", "sql"}}
    assert {f"/opt/headrace/app/{path}" for path in code} <= targets
    assert {"/opt/headrace/app/prefect.yaml", "/opt/headrace/app/k8s/work-pools/headrace-k8s.json"} <= targets


def test_kernels_are_compiled_for_the_processor_that_the_image_promises() -> None:
    for name in ("NUMBA_CPU_NAME", "NUMBA_CPU_FEATURES"):
        assert BUILD.env[name] == FINAL.env[name], "numba would compile everything again in each container"
    assert FINAL.env["NUMBA_CPU_NAME"] == "x86-64-v3"
    assert FINAL.env["NUMBA_CPU_FEATURES"] == "", "unset, numba asks the machine that builds"
    assert BUILD.workdir == FINAL.workdir, "numba's cache is found by the path of the source"


@pytest.mark.parametrize("stage", [BUILD, FINAL], ids=["build", "final"])
def test_environment_is_read_by_somebody(stage: Stage) -> None:
    assert [name for name in stage.env if not is_read(name) and name not in BUILD_ONLY] == []


def test_what_is_written_lies_where_the_manifests_give_room() -> None:
    homes = {FINAL.env[name] for name in ("NUMBA_CACHE_DIR", "PREFECT_HOME", "HOME")}
    assert all(home == "/tmp" or home.startswith("/tmp/") for home in homes)
    for owner in pods(overlay("local")):
        for container in owner.containers():
            mounts = {mount["mountPath"] for mount in container.get("volumeMounts", [])}
            if container["image"].startswith("headrace:"):
                assert "/tmp" in mounts
                assert "command" not in container, f"{owner}: the entrypoint gives it its kernels"


def test_ports_are_those_of_the_manifests() -> None:
    exposed = set(re.findall(r"\d+", re.findall(r"^EXPOSE (.*)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)[0]))
    ours = [c for p in pods(overlay("local")) for c in p.containers() if c["image"].startswith("headrace:")]
    assert exposed == {str(port["containerPort"]) for container in ours for port in container.get("ports", [])}


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """The entrypoint where the image has it, and a few kernels; /opt/headrace is this folder."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "kernels/matching_1").mkdir(parents=True)
    (tmp_path / "kernels/matching_1/score.nbc").write_text("machine code")
    shutil.copy(ROOT / "docker/entrypoint.sh", tmp_path / "bin")
    return tmp_path


def entered(image: Path, *command: str) -> subprocess.CompletedProcess[str]:
    env = {"PATH": os.environ["PATH"], "NUMBA_CACHE_DIR": str(image / "tmp-kernels")}
    return subprocess.run(
        [image / "bin/entrypoint.sh", *command], env=env, capture_output=True, text=True, check=False, timeout=30
    )


def test_entrypoint_copies_the_kernels_and_becomes_the_command(image: Path) -> None:
    done = entered(image, "sh", "-c", 'cat "$NUMBA_CACHE_DIR"/matching_1/score.nbc; exit 7')
    assert (done.stdout, done.returncode) == ("machine code", 7)
    assert os.access(image / "tmp-kernels/matching_1/score.nbc", os.W_OK)


def test_entrypoint_leaves_a_cache_that_is_there_alone(image: Path) -> None:
    entered(image, "true")
    (image / "tmp-kernels/matching_1/score.nbc").write_text("newer")
    assert entered(image, "cat", str(image / "tmp-kernels/matching_1/score.nbc")).stdout == "newer"
    assert sorted(path.name for path in image.iterdir()) == ["bin", "kernels", "tmp-kernels"], "no half copies left"


def test_entrypoint_without_kernels_still_runs(image: Path) -> None:
    shutil.rmtree(image / "kernels")
    assert entered(image, "echo", "here").stdout == "here\n"


@pytest.mark.parametrize(("status", "code"), [(200, 0), (503, 1), (None, 1)], ids=["well", "ill", "nobody"])
def test_healthcheck_believes_who_answers(status: int | None, code: int, tmp_path: Path) -> None:
    class Answer(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status or 200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            return

    with http.server.HTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        port = server.server_port if status else 1
        script = re.sub(
            r"PLACES = .*", f'PLACES = (({port}, "/health"),)', (ROOT / "docker/healthcheck.py").read_text()
        )
        try:
            done = subprocess.run(
                [sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=30
            )
        finally:
            server.shutdown()
            thread.join()
    assert done.returncode == code, done.stderr
