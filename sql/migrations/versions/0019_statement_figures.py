"""What statements cost, where the server counts it and the role may ask."""

from core.database.migrations import run_file

revision, down_revision = "0019", "0018"


def upgrade() -> None:
    """Run the reviewed file."""
    run_file("0019_statement_figures")
