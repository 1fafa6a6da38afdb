"""A reconciliation as a job of the queue: account groups and components are its batches."""
