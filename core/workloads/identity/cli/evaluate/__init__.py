"""`headrace evaluate`: how good an answer is, against known entities or labelled pairs."""
