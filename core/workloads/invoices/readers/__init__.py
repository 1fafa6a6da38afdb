"""Bank files and remittance advices as one frame of receipts and one of advices, with balances checked."""
