"""What every command has: exit codes in its help, and a word for words that stand where none is taken."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import typer

from core.terminal.once import OnceCommand

EXIT_CODES = (
    "Exit codes: 0 done; 1 failed, or something is wrong; 2 not possible as asked, nothing was changed; 75 something "
    "did not answer, try again later; 130 interrupted."
)
_WORDS = "headrace.words"


class Command(OnceCommand):
    """A command that remembers the words it was called with, and takes each option once."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """As every command; the words stay in the context for `stray`."""
        ctx.meta[_WORDS] = tuple(args)
        return super().parse_args(ctx, args)


def complete(app: typer.Typer) -> None:
    """Give all commands and groups of a tree their exit codes, and commands the class above."""
    for group in [app, *groups(app)]:
        group.info.epilog = EXIT_CODES
    for command in registered(app):
        command.cls = Command
        command.epilog = f"{(command.epilog or '').rstrip()}\n\n{EXIT_CODES}\n"


def registered(app: typer.Typer) -> Iterator[Any]:
    """Every command of a tree."""
    for group in [app, *groups(app)]:
        yield from group.registered_commands


def groups(app: typer.Typer) -> Iterator[typer.Typer]:
    """Every group of a tree, below the root."""
    for group in app.registered_groups:
        if group.typer_instance is not None:
            yield group.typer_instance
            yield from groups(group.typer_instance)


def stray(context: typer.Context, word: str, expected: str) -> str:
    """A sentence on a word that means nothing where it stands.

    Args:
        expected: what it would have to be, `field=column` say.
    """
    words = context.meta.get(_WORDS, ())
    said = f"'{word}' is {expected}"
    if word not in words:
        return said
    at = words.index(word)
    before = words[at - 1] if at else ""
    switches = {option for param in context.command.params if getattr(param, "is_flag", False) for option in param.opts}
    where = f"{said}; it is word {at + 1} after `{context.command_path}`"
    return f"{where}, behind {before}, which takes no value" if before in switches else where
