"""The web app: health, readiness, metrics."""
