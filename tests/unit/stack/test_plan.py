"""Where a stack is to live, refused in a sentence before anything starts."""

from __future__ import annotations

import dataclasses
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.errors import ConfigError
from core.settings import Settings
from core.stack.plan import Plan


def plan(folder: Path) -> Plan:
    return Plan(Settings(state_dir=folder), 4200, 8080, "mark")


def test_require_place_makes_private_folders(tmp_path: Path) -> None:
    made = plan(tmp_path / "state")
    made.require_place()
    made.require_place()
    assert made.temporary.is_dir()
    assert made.folder.stat().st_mode & 0o777 == 0o700


def test_require_place_names_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match=r"state folder .*file/state cannot be written \(Not a directory\)"):
        plan(tmp_path / "file" / "state").require_place()


@pytest.fixture
def others_folder() -> Iterator[Path]:
    """A state folder with a stack's folders in it, none of which this process may write to for the time being."""
    # Not below pytest's folder, which only its owner may enter.
    folder = Path(tempfile.mkdtemp(prefix="hr-plan-"))
    (folder / "stack" / "tmp").mkdir(parents=True)
    me, folders = os.geteuid(), (folder, folder / "stack", folder / "stack" / "tmp")
    for path in folders:
        path.chmod(0o555)
    if me == 0:
        os.seteuid(65_534)
    try:
        yield folder
    finally:
        os.seteuid(me)
        for path in folders:
            path.chmod(0o700)
        shutil.rmtree(folder)


def test_require_place_names_a_folder_of_another_user(others_folder: Path) -> None:
    with pytest.raises(ConfigError, match=r"state folder .* cannot be written \(Permission denied\)"):
        plan(others_folder).require_place()


def test_require_place_refuses_one_port_for_both(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="--api-port and --web-port are both 4200"):
        dataclasses.replace(plan(tmp_path), web_port=4200).require_place()
    assert list(tmp_path.iterdir()) == []
