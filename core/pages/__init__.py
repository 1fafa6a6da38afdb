"""The kit of the workbench: layout, sign-in, access, tables, problems, keys. Workloads plug their pages in by it."""
