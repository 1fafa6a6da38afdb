"""What holds of every command: examples, exit codes, and options that mean one thing wherever they stand."""

from __future__ import annotations

import inspect
import types
import typing
from collections import defaultdict
from collections.abc import Iterator
from typing import Any, Literal, get_args, get_origin

import pytest
from typer.main import get_command

from core.cli.app import build
from core.database.sizing.tuning import Disk
from core.deploying.pools import POOLS
from core.queue.states import BatchState, Fault
from core.terminal.commands import EXIT_CODES
from tests.command import headrace


def walked(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    for name, child in getattr(command, "commands", {}).items():
        yield from walked(child, (*path, name))
    if path and not hasattr(command, "commands"):
        yield " ".join(path), command


COMMANDS = dict(walked(get_command(build())))
# One line of text, a change that it names, or a show for people.
WITHOUT_JSON = {"db up", "db down", "db url", "db psql", "queue pause", "queue resume", "report", "scale record", "web"}
WITHOUT_JSON |= {
    "demo",
    "users add",
    "users role",
    "users password",
    "users disable",
    "users enable",
    "api token revoke",
    # It prints JSON and nothing else.
    "pipeline schema",
}
# Benches write what they measured with --out; those of workloads print it.
WITHOUT_JSON |= {name for name in COMMANDS if name.startswith("bench ")}
WITHOUT_JSON -= {"bench emissions", "bench planner", "bench reconcile"}


@pytest.mark.parametrize("name", COMMANDS)
def test_command_has_examples_exit_codes_and_json(name: str) -> None:
    command = COMMANDS[name]
    text = " ".join(f"{command.help or ''} {command.epilog or ''}".split())
    assert f"headrace {name}" in text, "no example"
    assert EXIT_CODES in text
    flags = [option for param in command.params if not getattr(param, "hidden", False) for option in param.opts]
    assert ("--json" in flags) != (name in WITHOUT_JSON)


@pytest.mark.parametrize("words", [["--help"], ["jobs", "--help"], ["queue", "--help"]])
def test_help_of_groups_has_exit_codes_and_fits(words: list[str]) -> None:
    lines = headrace(*words, env={"COLUMNS": "80"}).stdout.splitlines()
    assert "Exit codes: 0 done;" in " ".join(lines)
    assert max(map(len, lines)) <= 80


def plain(annotation: Any) -> str:
    """`str`, `Path`, `choice`, `list of str`: what a value of it looks like on the command line."""
    if get_origin(annotation) is typing.Annotated:
        annotation = get_args(annotation)[0]
    if isinstance(annotation, types.UnionType) or get_origin(annotation) is typing.Union:
        (annotation,) = [each for each in get_args(annotation) if each is not type(None)]
    if get_origin(annotation) is Literal:
        return " or ".join(map(str, get_args(annotation)))
    if get_origin(annotation) is list:
        return f"list of {plain(get_args(annotation)[0])}"
    return getattr(annotation, "__name__", str(annotation))


def options() -> dict[str, dict[str, set[str]]]:
    """Option -> what its value is -> commands."""
    found: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for name, command in COMMANDS.items():
        hints = typing.get_type_hints(inspect.unwrap(command.callback), include_extras=True)
        shown = [param for param in command.params if not getattr(param, "hidden", False)]
        for option, kind in [(option, plain(hints[param.name])) for param in shown for option in param.opts]:
            if option.startswith("--"):
                found[option][kind].add(name)
    return found


# `consume` takes several flows and `match` several sources; a rate may be taken away where it is a policy;
# `scale run` knows kinds of consumers, `bench match` kinds of records; `bench reconcile` measures
# several sizes and seeds.
SEVERAL_FORMS = {"--flow", "--rows-per-s", "--link", "--kind", "--seed", "--rows"}


def test_an_option_is_the_same_kind_of_value_in_every_command() -> None:
    other = {
        option: {kind: sorted(commands) for kind, commands in kinds.items()}
        for option, kinds in options().items()
        if len(kinds) > 1 and option not in SEVERAL_FORMS
    }
    assert not other


@pytest.mark.parametrize(
    ("command", "option", "known"),
    [
        ("queue peek", "--state", get_args(BatchState)),
        ("queue dead", "--fault", get_args(Fault)),
        ("queue redrive", "--fault", get_args(Fault)),
        ("db tune", "--disk", get_args(Disk)),
        ("deploy", "--target", tuple(POOLS)),
    ],
)
def test_choices_of_an_option_are_all_that_there_are(command: str, option: str, known: tuple[str, ...]) -> None:
    assert list(options()[option]) == [" or ".join(known)]


def test_choices_are_completed(monkeypatch: pytest.MonkeyPatch) -> None:
    done = headrace(
        env={
            "_HEADRACE_COMPLETE": "complete_zsh",
            "_TYPER_COMPLETE_ARGS": "headrace match people.csv --via ",
        }
    )
    assert "local" in done.stdout
    assert "prefect" in done.stdout


def test_a_stray_word_is_named_with_its_place() -> None:
    done = headrace("match", "people.csv", "--allow-drift", "10")
    assert done.returncode == 2
    assert done.stderr == (
        "headrace: '10' is neither a file nor field=column; it is word 3 after `headrace match`, behind "
        "--allow-drift, which takes no value\n"
    )
