"""What is deployed where: prefect.yaml and the work pools, read strictly. Knows nothing of Prefect's own code."""
