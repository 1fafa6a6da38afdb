-- What submissions are ruled by: unique keys, delays, limits of depth; and how jobs are paused and cancelled.

-- The header itself says that its job is paused: whoever gives a running batch back reads it in the row it locks, so no
-- statement needs the job, and none that began before the pause can put a batch back as ready after it.
ALTER TABLE processing_queue ADD COLUMN held boolean NOT NULL DEFAULT false;
ALTER TABLE processing_queue ADD CONSTRAINT processing_queue_held
    CHECK (CASE WHEN held THEN state IN ('running', 'paused') ELSE state <> 'paused' END);
COMMENT ON COLUMN processing_queue.held IS 'Its job is paused: if it runs it may finish, but given back it is paused, not ready.';

-- What was cancelled lately, for the leader that sweeps up behind it.
CREATE INDEX jobs_cancelled ON jobs (finished_at) WHERE status = 'cancelled';

-- Depth limits count what waits; of that only ready headers had an index that names the flow.
CREATE INDEX processing_queue_waiting ON processing_queue (flow_name, tenant_id) INCLUDE (n_items)
    WHERE state IN ('scheduled', 'paused');

CREATE VIEW queue_waiting AS
SELECT flow_name, tenant_id, n_items FROM processing_queue WHERE state = 'ready'
UNION ALL
SELECT flow_name, tenant_id, n_items FROM processing_queue WHERE state IN ('scheduled', 'paused')
UNION ALL
SELECT flow_name, tenant_id, 1::bigint FROM queue_inbox
UNION ALL
SELECT flow_name, tenant_id, 1::bigint FROM queue_retries WHERE retry_batch_id IS NULL;
COMMENT ON VIEW queue_waiting IS 'What limits of depth count: one row per waiting batch, inbox payload and retry. Filter by flow and tenant.';

-- Tenants do not share their keys.
ALTER TABLE queue_dedupe ADD COLUMN tenant_id text NOT NULL DEFAULT 'default';
ALTER TABLE queue_dedupe DROP CONSTRAINT queue_dedupe_pkey;
ALTER TABLE queue_dedupe ADD PRIMARY KEY (flow_name, tenant_id, key);

COMMENT ON COLUMN queue_history.n_failed IS 'Rows that left the batch without a result; n_dead of them for good, the rest are retried, or cancelled with their job.';

-- As before, and a record whose job was cancelled before it was done is `cancelled`: neither pending nor completed.
CREATE OR REPLACE VIEW processing_queue_records AS
WITH state_of AS (
    SELECT i.batch_id, i.seq, i.payload, b.flow_name, b.created_at, b.job_id,
           h.batch_id AS live_id, h.state, h.attempt, h.worker_id, h.claimed_at,
           t.retry_batch_id, t.attempts AS retry_attempts, t.reason AS retry_reason, t.marked,
           rh.state AS retry_state, rh.worker_id AS retry_worker_id, rh.claimed_at AS retry_claimed_at,
           d.dead_letter_id, d.attempts AS dead_attempts, d.reason AS dead_reason, d.worker_id AS dead_worker_id,
           r.batch_id AS result_id, r.output
    FROM queue_items i
    JOIN queue_batches b ON b.batch_id = i.batch_id
    LEFT JOIN processing_queue h
           ON h.origin_batch_id = i.batch_id AND h.kind = 'new' AND i.seq >= h.item_lo AND i.seq < h.item_hi
    LEFT JOIN queue_retries t ON t.origin_batch_id = i.batch_id AND t.seq = i.seq
    LEFT JOIN processing_queue rh
           ON rh.origin_batch_id = t.retry_batch_id AND rh.kind = 'retry'
          AND t.retry_seq >= rh.item_lo AND t.retry_seq < rh.item_hi
    LEFT JOIN dead_letters d ON d.origin_batch_id = i.batch_id AND d.seq = i.seq
    LEFT JOIN queue_results r ON r.batch_id = i.batch_id AND r.seq = i.seq
)
SELECT s.batch_id << 20 | s.seq AS id, s.flow_name, s.payload,
       CASE WHEN s.result_id IS NOT NULL THEN 'completed'
            WHEN s.dead_letter_id IS NOT NULL THEN 'failed'
            WHEN s.retry_attempts IS NOT NULL AND s.retry_batch_id IS NULL THEN 'failed'
            WHEN s.retry_state = 'running' OR (s.retry_attempts IS NULL AND s.state = 'running') THEN 'processing'
            WHEN s.retry_state IS NOT NULL OR s.live_id IS NOT NULL THEN 'pending'
            WHEN s.job_id IS NOT NULL AND EXISTS (
                SELECT 1 FROM queue_history a
                WHERE a.origin_batch_id = s.batch_id AND a.kind = 'new' AND a.outcome = 'cancelled'
                  AND s.seq >= a.item_lo AND s.seq < a.item_hi) THEN 'cancelled'
            ELSE 'completed' END AS status,
       coalesce(s.retry_attempts, s.dead_attempts - 1, greatest(s.attempt - 1, 0), 0) AS retry_count,
       coalesce(s.retry_worker_id, s.worker_id, s.dead_worker_id,
                (SELECT a.worker_id FROM queue_history a
                 WHERE a.origin_batch_id = s.batch_id AND a.kind = 'new' AND a.outcome = 'completed'
                   AND s.seq >= a.item_lo AND s.seq < a.item_hi LIMIT 1)) AS flow_instance_id,
       coalesce(s.retry_claimed_at, s.claimed_at,
                (SELECT a.started_at FROM queue_history a
                 WHERE a.origin_batch_id = s.batch_id AND a.kind = 'new' AND a.outcome = 'completed'
                   AND s.seq >= a.item_lo AND s.seq < a.item_hi LIMIT 1)) AS claimed_at,
       s.created_at, s.output AS result, coalesce(s.dead_reason, s.retry_reason) AS error
FROM state_of s;
COMMENT ON VIEW processing_queue_records IS 'The record level, for reading: one row per item. Filter by flow_name or by id range, not by status alone: it computes each row.';
