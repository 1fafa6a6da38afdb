-- Whose row a unique key stands for, and rows that were given up for good.

-- While that row is a dead letter, or was cancelled before it was done, its key may be taken anew. NULL: taken before this.
ALTER TABLE queue_dedupe ADD COLUMN origin_batch_id bigint, ADD COLUMN seq integer;
COMMENT ON COLUMN queue_dedupe.origin_batch_id IS 'With seq the row that was enqueued under the key.';

CREATE TABLE queue_discards (
    batch_id      bigint      NOT NULL,
    seq           bigint      NOT NULL,
    tenant_id     text        NOT NULL,
    flow_name     text        NOT NULL,
    n_items       bigint      NOT NULL,
    error_class   text        NOT NULL,
    discarded_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (batch_id, seq)
);
COMMENT ON TABLE queue_discards IS 'Dead letters that were discarded, or replaced by a row under the same unique key: they never run again and count nowhere.';

-- As before, and a discarded row is `discarded`. A subquery in the place of WITH: PostgreSQL would pass over the WITH of a
-- SELECT ... FOR UPDATE SKIP LOCKED and lock nothing, so that two sessions took the same records; the outer joins of a
-- subquery it refuses to lock.
CREATE OR REPLACE VIEW processing_queue_records AS
SELECT s.batch_id << 20 | s.seq AS id, s.flow_name, s.payload,
       CASE WHEN s.result_id IS NOT NULL THEN 'completed'
            WHEN s.dead_letter_id IS NOT NULL THEN 'failed'
            WHEN s.retry_attempts IS NOT NULL AND s.retry_batch_id IS NULL THEN 'failed'
            WHEN s.discarded_id IS NOT NULL THEN 'discarded'
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
FROM (
    SELECT i.batch_id, i.seq, i.payload, b.flow_name, b.created_at, b.job_id,
           h.batch_id AS live_id, h.state, h.attempt, h.worker_id, h.claimed_at,
           t.retry_batch_id, t.attempts AS retry_attempts, t.reason AS retry_reason, t.marked,
           rh.state AS retry_state, rh.worker_id AS retry_worker_id, rh.claimed_at AS retry_claimed_at,
           d.dead_letter_id, d.attempts AS dead_attempts, d.reason AS dead_reason, d.worker_id AS dead_worker_id,
           r.batch_id AS result_id, r.output, x.batch_id AS discarded_id
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
    LEFT JOIN queue_discards x ON x.batch_id = i.batch_id AND x.seq = i.seq
) s;
COMMENT ON VIEW processing_queue_records IS 'The record level, for reading: one row per item. Filter by flow_name or by id range, not by status alone: it computes each row.';
