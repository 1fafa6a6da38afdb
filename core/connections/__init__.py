"""Named connections, known without a Prefect server: what pipelines read from and write to."""
