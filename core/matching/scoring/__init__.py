"""From levels to evidence in bits: chance agreement, EM, the model, match weights, scored pairs."""
