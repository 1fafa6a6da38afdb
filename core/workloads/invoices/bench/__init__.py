"""What a reconciliation costs, and how good its answer is, on made receivables."""
