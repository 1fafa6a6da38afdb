"""The root command: the commands of workloads, and the nouns of the platform below it."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Annotated

import typer

from core.errors import ConfigError
from core.terminal.commands import complete
from core.workloads import Workload, workloads

# Each module has `register(app: typer.Typer) -> None`, which adds its command or its group.
NOUNS = (
    "status",
    "queue.commands",
    "consume",
    "scale.commands",
    "deploy",
    "up",
    "web",
    "users",
    "api",
    "db.commands",
    "connections",
    "audit",
    "doctor",
    "demo",
)

# Groups that workloads add commands to; those of the platform, if it has any, come first. Each module has
# `register(group: typer.Typer) -> None`. A group without commands is not shown.
GROUPS = {
    "generate": "Make data with known truth, for trials and measurements.",
    "jobs": "Jobs: list, show, pause, cancel; backfill; compare answers.",
    "review": "Doubtful cases, for people to decide.",
    "spec": "Match specs: what records are compared by.",
    "bench": "Benchmarks on this machine.",
}
OURS = {"generate": ("core.cli.generate",), "jobs": ("core.cli.jobs",), "bench": ("core.cli.bench",)}


def _say_version(asked: bool) -> None:
    if asked:
        import platform
        from importlib.metadata import version

        typer.echo(f"headrace {version('headrace')}, Python {platform.python_version()}")
        raise typer.Exit


def build(found: Sequence[Workload] | None = None) -> typer.Typer:
    """Assemble the command tree without importing any heavy library.

    Args:
        found: the workloads whose commands it has; the registry unless said.
    Raises ConfigError: a command stands twice in one place, or for a group that there is not.
    """
    app = typer.Typer(
        help="Match records at scale: persons, suppliers, invoices; through a queue in PostgreSQL, on Prefect.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode="rich",
    )
    app.callback()(_headrace)
    found = workloads() if found is None else found
    for workload in found:
        if unknown := sorted(set(workload.commands) - {"", *GROUPS}):
            groups = ", ".join(GROUPS)
            raise ConfigError(
                f"the workload {workload.name} has commands for the group {unknown[0]}; there are {groups}, or none"
            )
    for module in _modules(found, ""):
        import_module(module).register(app)
    for noun in NOUNS:
        import_module(f"core.cli.{noun}").register(app)
    for name, says in GROUPS.items():
        _add_group(app, name, says, [*OURS.get(name, ()), *_modules(found, name)])
    _refuse_twice(app, "headrace")
    complete(app)
    return app


def _headrace(
    version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_say_version, help="Print the version and end.")
    ] = False,
) -> None:
    """Nothing happens before a command."""


def _modules(found: Sequence[Workload], group: str) -> list[str]:
    return [module for workload in found for module in workload.commands.get(group, ())]


def _add_group(app: typer.Typer, name: str, says: str, modules: Sequence[str]) -> None:
    if not modules:
        return
    group = typer.Typer(help=says, no_args_is_help=True)
    # A group needs a callback to stay a group while it has one command.
    group.callback()(lambda: None)
    for module in modules:
        import_module(module).register(group)
    app.add_typer(group, name=name)


def _refuse_twice(typer_of: typer.Typer, spoken: str) -> None:
    """Of two commands of one name typer would show one, and hide the other."""
    names = [command.name or getattr(command.callback, "__name__", "") for command in typer_of.registered_commands]
    groups = [(group.name, group.typer_instance) for group in typer_of.registered_groups]
    names += [name for name, _ in groups if isinstance(name, str)]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ConfigError(f"`{spoken} {twice[0]}` is two commands; one of them needs another name")
    for name, inner in groups:
        if inner is not None:
            _refuse_twice(inner, f"{spoken} {name}")
