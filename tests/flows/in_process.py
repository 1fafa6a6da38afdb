"""What flows, and commands about flows, do in the test's own process, on the server that an environment names."""

from __future__ import annotations

import gc
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from subprocess import CompletedProcess

import pytest
from prefect.context import SettingsContext, get_settings_context
from prefect.settings import Settings

from core.terminal.become_flow import flow_environment
from tests.command import headrace, in_process


@contextmanager
def prefect_of(env: Mapping[str, str]) -> Iterator[None]:
    """The environment, and Prefect's settings as a process with it has them."""
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        # Prefect leaves connections to the collector, of which a process that ends says nothing.
        warnings.simplefilter("ignore", ResourceWarning)
        for name, value in env.items():
            patch.setenv(name, value)
        with SettingsContext(profile=get_settings_context().profile, settings=Settings()):
            yield
        gc.collect()


def run_flow(env: Mapping[str, str], module: str, *arguments: str) -> CompletedProcess[str]:
    """`python -m flows.MODULE ARGUMENTS`."""
    return ran(env, lambda: import_module(f"flows.{module}").main(*([list(arguments)] if arguments else [])))


def ran(env: Mapping[str, str], run: Callable[[], object]) -> CompletedProcess[str]:
    """Whatever a process with that environment would run."""
    with prefect_of(env):
        return in_process(run, [])


def command(env: Mapping[str, str], *arguments: object) -> CompletedProcess[str]:
    """`headrace ARGUMENTS`, which becomes a flow without a process of its own."""

    def become(module: str, words: list[str]) -> None:
        with prefect_of(flow_environment()):
            import_module(module).main(words)
        raise SystemExit(0)

    with prefect_of(env), pytest.MonkeyPatch.context() as patch:
        for module_name in ("core.cli.deploy", "core.terminal.become_flow"):
            patch.setattr(f"{module_name}.become_flow", become)
        return headrace(*arguments)
