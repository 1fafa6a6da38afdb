"""The pooler's file of the manifests, given to a real PgBouncer."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from pydantic import SecretStr

from core.database.sizing.pooler import Load, as_ini, pgbouncer
from core.settings import DatabaseSettings
from tests.architecture.tree import ROOT

PROGRAM = shutil.which("pgbouncer", path=os.environ["PATH"] + ":/usr/sbin") or "pgbouncer"


def version() -> tuple[int, ...]:
    said = subprocess.run([PROGRAM, "--version"], capture_output=True, text=True, check=True).stdout
    return tuple(int(part) for part in re.findall(r"\d+", said.splitlines()[0])[:2])


def started(folder: Path, text: str) -> str:
    """What PgBouncer says until it is up or gives up."""
    places = {r"listen_port = \d+": "listen_port = 0", "listen_addr = .*": "listen_addr =", "/tmp": str(folder)}
    for old, new in {**places, "/etc/pgbouncer-users": str(folder)}.items():
        text = re.sub(old, new, text)
    (folder / "userlist.txt").write_text('"headrace" "local-only"\n')
    (folder / "pgbouncer.ini").write_text(text)
    user = []
    if os.geteuid() == 0:
        # It does not run as root; the folder is this test's own.
        user = ["-u", "nobody"]
        for parent in (folder, *folder.parents[:3]):
            parent.chmod(parent.stat().st_mode | 0o011)
        folder.chmod(0o777)
    said: list[str] = []
    with subprocess.Popen([PROGRAM, *user, folder / "pgbouncer.ini"], stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        for line in process.stderr:
            said.append(line)
            if "process up" in line:
                process.terminate()
    return "".join(said)


def test_pgbouncer_takes_the_file_that_is_made_for_the_settings(tmp_path: Path) -> None:
    settings = DatabaseSettings(url=SecretStr("postgresql://clerk:secret@db.example.org/it%27s?sslmode=require"))
    text = as_ini(pgbouncer(settings, Load(40, 200, 2)), "Made by a test.")
    if version() < (1, 21):
        text = re.sub("max_prepared_statements = .*\n", "", text)
    # Where the folder of this test will stand.
    said = started(tmp_path, text.replace("userlist.txt", "/tmp/userlist.txt"))
    assert "process up" in said
    assert "ERROR" not in said, said


@pytest.mark.parametrize("place", ["base/pgbouncer", "overlays/production"])
def test_pgbouncer_takes_the_file_of_the_manifests(place: str, tmp_path: Path) -> None:
    text = (ROOT / "k8s" / place / "pgbouncer.ini").read_text()
    if version() < (1, 21):
        # Debian 12 has an older one than the image, which is what this setting came with.
        text = re.sub("max_prepared_statements = .*\n", "", text)
    said = started(tmp_path, text)
    assert "process up" in said
    assert "ERROR" not in said, said


def test_pgbouncer_refuses_a_misspelt_setting(tmp_path: Path) -> None:
    text = (ROOT / "k8s/base/pgbouncer/pgbouncer.ini").read_text().replace("pool_mode", "pool_mod")
    assert "process up" not in started(tmp_path, text)
