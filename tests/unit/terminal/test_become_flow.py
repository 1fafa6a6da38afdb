from __future__ import annotations

from pathlib import Path

import pytest

from core.terminal.become_flow import flow_environment


def test_flow_without_a_home_keeps_prefects_things_in_the_state_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEADRACE_STATE_DIR", str(tmp_path))
    monkeypatch.delenv("PREFECT_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "absent"))
    assert flow_environment()["PREFECT_HOME"] == str(tmp_path / "prefect")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert "PREFECT_HOME" not in flow_environment()
