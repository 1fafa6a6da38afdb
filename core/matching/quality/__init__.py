"""How good an answer is and why it is so: explanation, evaluation, drift, recall, missed pairs."""
