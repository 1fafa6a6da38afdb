"""`headrace users`: who signs in to the pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from core.terminal.options import AsJson

if TYPE_CHECKING:
    from core.settings import Settings

Name = Annotated[str, typer.Argument(help="Name of the user, as it is signed in with.")]
RoleOption = Annotated[str, typer.Option("--role", help="viewer, reviewer or admin.")]
FromInput = Annotated[bool, typer.Option("--password-stdin", help="Read the password's line from standard input.")]


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="Users of the pages: add, role, password, disable, enable, list.", no_args_is_help=True)
    for command in (add, role, password, disable, enable):
        group.command(command.__name__)(command)
    group.command("list")(list_users)
    app.add_typer(group, name="users")


def add(name: Name, role: RoleOption = "viewer", password_stdin: FromInput = False) -> None:
    """Add a user; the password is asked for, or read from standard input.

    Example: headrace users add ines --role reviewer
    """
    from core.pages.accounts import users
    from core.pages.accounts.roles import role_of
    from core.runtime import open_runtime

    wanted = role_of(role)
    users.require_name(name)
    with open_runtime() as runtime:
        users.add(runtime.db, name, wanted, _hashed(runtime.settings, password_stdin))
    print(f"{name} may sign in as {wanted}")


def role(name: Name, role: Annotated[str, typer.Argument(help="viewer, reviewer or admin.")]) -> None:
    """Give a user another role; all sign-ins of the user end.

    Example: headrace users role ines admin
    """
    from core.pages.accounts import users
    from core.pages.accounts.roles import role_of
    from core.runtime import open_runtime

    wanted = role_of(role)
    with open_runtime() as runtime:
        users.set_role(runtime.db, name, wanted)
    print(f"{name} is {wanted}; all sign-ins ended")


def password(name: Name, password_stdin: FromInput = False) -> None:
    """Give a user another password; all sign-ins of the user end.

    Example: headrace users password ines
    """
    from core.pages.accounts import users
    from core.runtime import open_runtime

    with open_runtime() as runtime:
        users.set_password(runtime.db, name, _hashed(runtime.settings, password_stdin))
    print(f"{name} has another password; all sign-ins ended")


def disable(name: Name) -> None:
    """Shut a user out, with all sign-ins and tokens. What the user decided stays.

    Example: headrace users disable ines
    """
    _set_disabled(name, disabled=True)
    print(f"{name} is shut out")


def enable(name: Name) -> None:
    """Let a disabled user in again.

    Example: headrace users enable ines
    """
    _set_disabled(name, disabled=False)
    print(f"{name} may sign in again")


def list_users(as_json: AsJson = False) -> None:
    """Users, their roles, and when they were last seen.

    Example: headrace users list --json
    """
    from dataclasses import asdict

    from core.pages.accounts import users
    from core.runtime import open_runtime
    from core.terminal.tables import emit

    with open_runtime() as runtime:
        rows = [asdict(user) for user in users.every(runtime.db)]
    emit("users", rows, as_json=as_json, empty="no user yet: headrace users add NAME --role admin")


def _set_disabled(name: str, *, disabled: bool) -> None:
    from core.pages.accounts import users
    from core.runtime import open_runtime

    with open_runtime() as runtime:
        users.set_disabled(runtime.db, name, disabled)


def _hashed(settings: Settings, password_stdin: bool) -> str:
    import sys

    from core.pages.accounts.passwords import Passwords

    if password_stdin:
        text = sys.stdin.readline().rstrip("\r\n")
    else:
        text = typer.prompt("password", hide_input=True, confirmation_prompt=True)
    return Passwords(settings.web.password_memory_mb).hashed(text)
