"""What a Prefect server holds, and how it gets there."""
