"""The matching engine at work on files and databases: plan, workspace, stages, batch sources."""
