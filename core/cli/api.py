"""`headrace api token`: what programs sign in with."""

from __future__ import annotations

from typing import Annotated

import typer

from core.terminal.options import AsJson


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="The API: tokens.", no_args_is_help=True)
    token = typer.Typer(help="Tokens of the API: create, revoke, list.", no_args_is_help=True)
    for command in (create, revoke):
        token.command(command.__name__)(command)
    token.command("list")(list_tokens)
    group.add_typer(token, name="token")
    app.add_typer(group, name="api")


def create(
    user: Annotated[str, typer.Argument(help="User whose token it is; it never may more than that user.")],
    label: Annotated[str, typer.Option("--label", help="What it is for.")] = "token",
    role: Annotated[str, typer.Option("--role", help="The most it may: viewer, reviewer or admin.")] = "viewer",
    days: Annotated[float, typer.Option("--days", min=0.01, max=3_650, help="Days it holds.")] = 90,
    as_json: AsJson = False,
) -> None:
    """Make a token and print it once; only its SHA-256 is kept.

    Example: headrace api token create ines --label nightly --role viewer --days 30
    """
    import json

    from core.errors import ConfigError
    from core.pages.accounts import tokens
    from core.pages.accounts.roles import role_of
    from core.runtime import open_runtime

    wanted = role_of(role)
    if not 1 <= len(label) <= 100:
        raise ConfigError(f"--label has 1 to 100 characters, this one has {len(label)}")
    with open_runtime() as runtime:
        made = tokens.create(runtime.db, user, label, wanted, days)
    if as_json:
        print(json.dumps({"token_id": made.token_id, "token": made.token, "ends_at": made.ends_at.isoformat()}))
    else:
        print(made.token)


def revoke(token_id: Annotated[int, typer.Argument(help="Id, as `headrace api token list` shows it.")]) -> None:
    """End a token at once.

    Example: headrace api token revoke 3
    """
    from core.pages.accounts import tokens
    from core.runtime import open_runtime

    with open_runtime() as runtime:
        tokens.revoke(runtime.db, token_id)
    print(f"token {token_id} is revoked")


def list_tokens(as_json: AsJson = False) -> None:
    """Tokens by their first characters: whose, what for, the most they may, until when.

    Example: headrace api token list --json
    """
    from dataclasses import asdict

    from core.pages.accounts import tokens
    from core.runtime import open_runtime
    from core.terminal.tables import emit

    with open_runtime() as runtime:
        rows = [asdict(token) for token in tokens.every(runtime.db)]
    emit("tokens", rows, as_json=as_json, empty="no token yet: headrace api token create USER")
