"""Identity resolution: who is who among persons."""
