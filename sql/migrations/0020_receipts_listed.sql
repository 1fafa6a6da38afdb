-- Pages of receivables: bank lines of a state, oldest first, and what was applied of one.

CREATE INDEX receipts_listed ON receipts (tenant_id, state, booked_on, payment_id);
CREATE INDEX allocations_of_payment ON allocations (tenant_id, payment_id);
