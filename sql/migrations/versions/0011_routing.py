"""Work queues and capabilities."""

from core.database.migrations import run_file

revision, down_revision = "0011", "0010"


def upgrade() -> None:
    """Run the reviewed file."""
    run_file("0011_routing")
