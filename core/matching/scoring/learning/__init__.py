"""What one person and two look like, learnt without labels and within what can be true."""
