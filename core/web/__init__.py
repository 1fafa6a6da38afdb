"""The workbench: health, readiness, metrics, the start page, operations, the ledger, and the pages of workloads."""
