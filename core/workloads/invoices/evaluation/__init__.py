"""How good an answer is, held against known truth: pure functions of tables.

Tables of allocations have payment_id, invoice_id, amount_minor, applied_minor, status (auto or suggested), rank,
residual_minor and posterior; of truth payment_id, invoice_id, amount_minor, slice, residual_kind and residual_minor.
"""

SUGGESTIONS_MOST = 3
"""Ranks of suggestions that a person is shown."""
