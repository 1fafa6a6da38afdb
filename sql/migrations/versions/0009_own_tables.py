"""A job's answers in tables of their own: loaded without indexes, dropped as a whole."""

from core.database.migrations import run_file

revision, down_revision = "0009", "0008"


def upgrade() -> None:
    """Run the reviewed file."""
    run_file("0009_own_tables")
