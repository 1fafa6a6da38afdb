-- What claims are ruled by: limits, shares, order

-- Shares are dealt out between tenants, so the order of claims is one per tenant.
CREATE INDEX processing_queue_turn ON processing_queue (flow_name, tenant_id, priority, batch_id) WHERE state = 'ready';

-- Ids rise with time, and unlike times they tell where the deleted headers end.
DROP INDEX processing_queue_oldest;
CREATE INDEX processing_queue_oldest ON processing_queue (flow_name, tenant_id, batch_id) WHERE state = 'ready';

-- Caps count per tenant.
DROP INDEX processing_queue_running;
CREATE INDEX processing_queue_running ON processing_queue (flow_name, tenant_id, batch_id) WHERE state = 'running';

-- Where deleted headers end is remembered by each process that claims (core/queue/fairness.py): a shared mark would
-- have to be written, and its versions pile up under the very snapshots against which it helps.
ALTER TABLE queue_flows DROP COLUMN low_hint;
COMMENT ON COLUMN queue_flows.bucket_rows IS 'Rows that may be handed out at once as of bucket_at; below zero: lent in advance. NULL: never used.';
