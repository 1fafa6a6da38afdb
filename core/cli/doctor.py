"""Placeholder until its owner writes it."""
import typer


def register(app: typer.Typer) -> None: ...
