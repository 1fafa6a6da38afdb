"""The queue: jobs, live batches, items, results, history."""

from core.database.migrations import run_file

revision, down_revision = "0002", "0001"


def upgrade() -> None:
    """Run the reviewed file."""
    run_file("0002_queue")
