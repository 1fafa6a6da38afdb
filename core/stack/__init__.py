"""A whole local stack as processes of this machine: databases, Prefect server, worker, web app, Redis."""
