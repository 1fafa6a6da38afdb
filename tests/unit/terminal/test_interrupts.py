from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

from core.cli import _headrace
from core.terminal.guard import guarded

ROOT = Path(__file__).parents[3]
WAITS = "import sys\nprint('waits', flush=True)\nsys.stdin.read()\n"
GUARDED = """
import sys
from core.terminal.guard import guarded
guarded(lambda: (print('waits', flush=True), sys.stdin.read()))
"""


@pytest.fixture
def foreground() -> Iterator[None]:
    """What is started here has Ctrl-C as a terminal gives it: of a run in the background it would be ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("foreground")
@pytest.mark.parametrize("source", [WAITS, GUARDED], ids=["while it is imported", "while it runs"])
def test_start_answers_an_interrupt_in_a_word(tmp_path: Path, source: str) -> None:
    (tmp_path / "slow_module.py").write_text(source)
    environment = os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{tmp_path}"}
    command = [sys.executable, "-P", "-m", "core.terminal.start", "slow_module"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, env=environment, text=True, **pipes) as process:  # type: ignore[call-overload]
        assert process.stdout.readline() == "waits\n"
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
    assert (process.returncode, said) == (130, "headrace: interrupted\n")


def test_a_command_that_is_interrupted_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    app = typer.Typer()

    @app.command()
    def waits() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("core.cli.app.build", lambda: app)
    monkeypatch.setattr(sys, "argv", ["headrace"])
    with pytest.raises(SystemExit) as caught:
        guarded(_headrace)
    assert (caught.value.code, capsys.readouterr().err) == (130, "headrace: interrupted\n")


def test_guarded_tells_of_an_interrupt(capsys: pytest.CaptureFixture[str]) -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    with pytest.raises(SystemExit) as caught:
        guarded(interrupted)
    assert (caught.value.code, capsys.readouterr().err) == (130, "headrace: interrupted\n")
