-- Statements of the record level (core.queue.records). A header claimed here is `partial`: its records are marked one by
-- one under FOR SHARE of the header, so rescue waits for a mark in flight and a mark without the token writes nothing.

-- name: record_heads :many
-- Ready headers by turn or by age, locked until their records are shared out. Sources have no records. As with batch_claim:
-- of the flow's only tenant if it has no limits, or of one tenant whose lock is held; `low` steps over what is deleted.
WITH lane AS MATERIALIZED (
    SELECT f.tenant_id, f.paused, f.max_running IS NOT NULL OR f.rows_per_s IS NOT NULL AS limited, count(*) OVER () AS n
    FROM queue_flows f
    WHERE f.flow_name = %(flow_name)s AND (%(tenant_id)s::text IS NULL OR f.tenant_id = %(tenant_id)s)
), free AS MATERIALIZED (
    SELECT tenant_id FROM lane WHERE n = 1 AND NOT paused AND (%(locked)s OR NOT limited)
), by_turn AS (
    SELECT q.batch_id, q.origin_batch_id, q.kind, q.item_lo, q.item_hi, q.n_items, q.partial
    FROM processing_queue q
    WHERE NOT %(oldest)s AND q.flow_name = %(flow_name)s AND q.state = 'ready' AND q.source IS NULL AND q.batch_id >= %(low)s
      AND q.tenant_id BETWEEN (SELECT tenant_id FROM free) AND (SELECT tenant_id FROM free)
    ORDER BY q.tenant_id, q.priority, q.batch_id LIMIT %(limit)s FOR UPDATE SKIP LOCKED
), by_age AS (
    SELECT q.batch_id, q.origin_batch_id, q.kind, q.item_lo, q.item_hi, q.n_items, q.partial
    FROM processing_queue q
    WHERE %(oldest)s AND q.flow_name = %(flow_name)s AND q.state = 'ready' AND q.source IS NULL AND q.batch_id >= %(low)s
      AND q.tenant_id BETWEEN (SELECT tenant_id FROM free) AND (SELECT tenant_id FROM free)
    ORDER BY q.tenant_id, q.batch_id LIMIT %(limit)s FOR UPDATE SKIP LOCKED
)
SELECT * FROM by_turn UNION ALL SELECT * FROM by_age

-- name: record_ready :many
-- Whether a lane has a ready header with records, held or not.
SELECT q.batch_id FROM processing_queue q
WHERE q.flow_name = %(flow_name)s AND q.state = 'ready' AND q.source IS NULL
  AND q.tenant_id BETWEEN %(tenant_id)s AND %(tenant_id)s
ORDER BY q.tenant_id, q.priority, q.batch_id LIMIT 1

-- name: record_wait_bound :exec
-- A holder that hangs must not hang all others.
SELECT set_config('lock_timeout', %(wait_ms)s::text, true)

-- name: record_wait_head :many
-- The first ready header of a lane, once whoever holds it lets go: the one lock of queues that is waited for. No row: it
-- was taken whole.
SELECT q.batch_id FROM processing_queue q
WHERE q.flow_name = %(flow_name)s AND q.state = 'ready' AND q.source IS NULL
  AND q.tenant_id BETWEEN %(tenant_id)s AND %(tenant_id)s
ORDER BY q.tenant_id, q.priority, q.batch_id LIMIT 1 FOR UPDATE

-- name: record_left :many
-- Seqs of a marked-up header that are still without a fate.
SELECT i.seq FROM queue_items i
WHERE %(kind)s = 'new' AND i.batch_id = %(origin)s AND i.seq >= %(lo)s AND i.seq < %(hi)s
  AND NOT EXISTS (SELECT 1 FROM queue_results r WHERE r.batch_id = i.batch_id AND r.seq = i.seq)
  AND NOT EXISTS (SELECT 1 FROM dead_letters d WHERE d.origin_batch_id = i.batch_id AND d.seq = i.seq)
  AND NOT EXISTS (SELECT 1 FROM queue_retries t WHERE t.origin_batch_id = i.batch_id AND t.seq = i.seq)
UNION ALL
SELECT t.retry_seq FROM queue_retries t
WHERE %(kind)s = 'retry' AND t.retry_batch_id = %(origin)s AND t.retry_seq >= %(lo)s AND t.retry_seq < %(hi)s AND t.marked IS NULL
ORDER BY 1

-- name: record_claim :many
-- Whole headers, which record_heads has locked.
UPDATE processing_queue q SET state = 'running', partial = true, attempt = q.attempt + 1, lease_token = gen_random_uuid(),
    worker_id = %(worker_id)s, claimed_at = clock_timestamp(),
    lease_until = clock_timestamp() + make_interval(secs => %(ttl_s)s),
    deadline_at = clock_timestamp() + make_interval(secs => f.max_runtime_s)
FROM queue_flows f
WHERE q.batch_id = ANY (%(batch_ids)s::bigint[]) AND f.flow_name = q.flow_name AND f.tenant_id = q.tenant_id
RETURNING q.batch_id, q.origin_batch_id, q.lease_token, q.tenant_id, q.job_id, q.stage, q.flow_name, q.kind, q.partition_no,
          q.priority, q.attempt, q.n_items, q.item_lo, q.item_hi, q.splittable, q.partial, q.source, q.deadline_at,
          q.worker_id

-- name: record_claim_front :many
-- The first records of a header become a header of their own, leased. The rest keeps its id and thereby its turn; it
-- has no lease, so no token can be confused by the narrower range.
WITH rest AS (
    UPDATE processing_queue SET item_lo = %(cut)s, n_items = item_hi - %(cut)s WHERE batch_id = %(batch_id)s RETURNING *
)
INSERT INTO processing_queue AS q (origin_batch_id, tenant_id, job_id, stage, flow_name, kind, partition_no, priority, state,
    attempt, n_items, item_lo, item_hi, splittable, partial, created_at, lease_token, worker_id, claimed_at, lease_until,
    deadline_at)
SELECT r.origin_batch_id, r.tenant_id, r.job_id, r.stage, r.flow_name, r.kind, r.partition_no, r.priority, 'running',
    r.attempt + 1, %(cut)s - %(lo)s, %(lo)s, %(cut)s, r.splittable, true, r.created_at, gen_random_uuid(), %(worker_id)s,
    clock_timestamp(), clock_timestamp() + make_interval(secs => %(ttl_s)s),
    clock_timestamp() + make_interval(secs => f.max_runtime_s)
FROM rest r JOIN queue_flows f ON f.flow_name = r.flow_name AND f.tenant_id = r.tenant_id
RETURNING q.batch_id, q.origin_batch_id, q.lease_token, q.tenant_id, q.job_id, q.stage, q.flow_name, q.kind, q.partition_no,
          q.priority, q.attempt, q.n_items, q.item_lo, q.item_hi, q.splittable, q.partial, q.source, q.deadline_at,
          q.worker_id

-- name: record_payloads :many
-- Records of all headers claimed in one call; those that were marked under an earlier lease are left out.
WITH heads AS (
    SELECT * FROM unnest(%(batch_ids)s::bigint[], %(kinds)s::text[], %(origins)s::bigint[], %(los)s::bigint[],
                         %(his)s::bigint[], %(marked)s::boolean[]) AS h (batch_id, kind, origin, lo, hi, marked)
)
SELECT h.batch_id, i.batch_id, i.seq, i.payload::text, NULL::integer
FROM heads h JOIN queue_items i ON i.batch_id = h.origin AND i.seq >= h.lo AND i.seq < h.hi
WHERE h.kind = 'new' AND NOT (h.marked AND (
      EXISTS (SELECT 1 FROM queue_results r WHERE r.batch_id = i.batch_id AND r.seq = i.seq)
      OR EXISTS (SELECT 1 FROM dead_letters d WHERE d.origin_batch_id = i.batch_id AND d.seq = i.seq)
      OR EXISTS (SELECT 1 FROM queue_retries t WHERE t.origin_batch_id = i.batch_id AND t.seq = i.seq)))
UNION ALL
SELECT h.batch_id, t.origin_batch_id, t.seq, t.payload::text, t.attempts
FROM heads h JOIN queue_retries t ON t.retry_batch_id = h.origin AND t.retry_seq >= h.lo AND t.retry_seq < h.hi
WHERE h.kind = 'retry' AND t.marked IS NULL
ORDER BY 1, 2, 3

-- name: record_mark :many
-- The hot one: a result, durable in one round trip. The lock is held to the end of the statement, so rescue waits for it.
WITH held AS (
    SELECT 1 FROM processing_queue
    WHERE batch_id = %(batch_id)s::bigint AND lease_token = %(token)s::uuid FOR SHARE
)
INSERT INTO queue_results (batch_id, seq, output)
SELECT %(origin)s::bigint, %(seq)s::integer, %(output)s::json FROM held
RETURNING seq

-- name: record_marks :many
-- The same for many records of several headers; returns the headers whose lease holds.
WITH held AS MATERIALIZED (
    SELECT q.batch_id FROM processing_queue q
    JOIN unnest(%(batch_ids)s::bigint[], %(tokens)s::uuid[]) AS mine (batch_id, token)
      ON q.batch_id = mine.batch_id AND q.lease_token = mine.token
    ORDER BY q.batch_id FOR SHARE OF q
), done AS (
    INSERT INTO queue_results (batch_id, seq, output)
    SELECT m.origin, m.seq, m.output::json
    FROM unnest(%(headers)s::bigint[], %(origins)s::bigint[], %(seqs)s::integer[], %(outputs)s::text[])
         AS m (batch_id, origin, seq, output)
    JOIN held ON held.batch_id = m.batch_id
)
SELECT batch_id FROM held

-- name: record_marks_end :many
-- The last results of one header, its history and its fence in one round trip. The count sees what was committed before;
-- what is inserted here comes on top.
WITH fence AS (
    DELETE FROM processing_queue WHERE batch_id = %(batch_id)s::bigint AND lease_token = %(token)s::uuid RETURNING *
), done AS (
    INSERT INTO queue_results (batch_id, seq, output)
    SELECT m.origin, m.seq, m.output::json
    FROM unnest(%(origins)s::bigint[], %(seqs)s::integer[], %(outputs)s::text[]) AS m (origin, seq, output), fence
), before AS (
    SELECT f.batch_id,
           (SELECT count(*) FROM queue_results r
            WHERE r.batch_id = f.origin_batch_id AND r.seq >= f.item_lo AND r.seq < f.item_hi) AS n_ok,
           (SELECT count(*) FROM dead_letters d
            WHERE d.origin_batch_id = f.origin_batch_id AND d.seq >= f.item_lo AND d.seq < f.item_hi) AS n_dead
    FROM fence f
), told AS (
    INSERT INTO queue_history (origin_batch_id, batch_id, tenant_id, job_id, stage, flow_name, kind, item_lo, item_hi, attempt,
        outcome, lease_token, worker_id, flow_run_id, n_ok, n_failed, n_dead, n_rows, started_at, wall_ms)
    SELECT f.origin_batch_id, f.batch_id, f.tenant_id, f.job_id, f.stage, f.flow_name, f.kind, f.item_lo, f.item_hi, f.attempt,
        'completed', f.lease_token, f.worker_id, f.flow_run_id, b.n_ok + cardinality(%(seqs)s::integer[]),
        f.n_items - b.n_ok - cardinality(%(seqs)s::integer[]), b.n_dead, f.n_items, f.claimed_at,
        extract(epoch FROM clock_timestamp() - f.claimed_at) * 1000
    FROM fence f JOIN before b ON b.batch_id = f.batch_id
    ON CONFLICT DO NOTHING
)
SELECT batch_id FROM fence

-- name: record_hold_after_loss :many
-- The reply to a mark was lost: this waits for the old backend's lock. What it left is looked for afterwards.
SELECT q.batch_id FROM processing_queue q
JOIN unnest(%(batch_ids)s::bigint[], %(tokens)s::uuid[]) AS mine (batch_id, token)
  ON q.batch_id = mine.batch_id AND q.lease_token = mine.token
ORDER BY q.batch_id FOR UPDATE OF q

-- name: record_fated :many
-- Which of these records have a fate by now.
SELECT m.origin, m.seq
FROM unnest(%(origins)s::bigint[], %(seqs)s::integer[]) AS m (origin, seq)
WHERE EXISTS (SELECT 1 FROM queue_results r WHERE r.batch_id = m.origin AND r.seq = m.seq)
   OR EXISTS (SELECT 1 FROM dead_letters d WHERE d.origin_batch_id = m.origin AND d.seq = m.seq)
   OR EXISTS (SELECT 1 FROM queue_retries t WHERE t.origin_batch_id = m.origin AND t.seq = m.seq
              AND (t.retry_batch_id IS NULL OR t.marked IS NOT NULL))

-- name: record_hold :many
-- Which of the leases hold; locked against rescue, not against each other.
SELECT q.batch_id FROM processing_queue q
JOIN unnest(%(batch_ids)s::bigint[], %(tokens)s::uuid[]) AS held (batch_id, token)
  ON q.batch_id = held.batch_id AND q.lease_token = held.token
ORDER BY q.batch_id FOR SHARE OF q

-- name: record_done :exec
-- Results of held records, under their first identity.
INSERT INTO queue_results (batch_id, seq, output)
SELECT origin, seq, output::json
FROM unnest(%(origins)s::bigint[], %(seqs)s::integer[], %(outputs)s::text[]) AS m (origin, seq, output)

-- name: record_retry_marked :exec
-- A record of a retry header keeps its row until the header ends; the mark says how it ended.
UPDATE queue_retries t SET marked = %(marked)s
FROM unnest(%(origins)s::bigint[], %(seqs)s::integer[]) AS m (origin, seq)
WHERE t.origin_batch_id = m.origin AND t.seq = m.seq AND t.retry_batch_id IS NOT NULL

-- name: record_dead :exec
-- Failed for good, with the payload as it came in.
INSERT INTO dead_letters (origin_batch_id, seq, tenant_id, flow_name, job_id, stage, payload, attempts, fault, error_class,
    reason, worker_id)
SELECT i.batch_id, i.seq, b.tenant_id, b.flow_name, b.job_id, b.stage, i.payload, m.attempts, 'permanent', m.error_class,
    m.reason, %(worker_id)s
FROM unnest(%(origins)s::bigint[], %(seqs)s::integer[], %(attempts)s::integer[], %(classes)s::text[], %(reasons)s::text[])
     AS m (origin, seq, attempts, error_class, reason)
JOIN queue_items i ON i.batch_id = m.origin AND i.seq = m.seq
JOIN queue_batches b ON b.batch_id = m.origin

-- name: record_wait :exec
-- Failed with attempts left: waits until its header has ended, then for its pause.
INSERT INTO queue_retries (origin_batch_id, seq, tenant_id, flow_name, job_id, stage, payload, attempts, error_class, reason,
    due_at)
SELECT i.batch_id, i.seq, b.tenant_id, b.flow_name, b.job_id, b.stage, i.payload, m.attempts, m.error_class, m.reason,
    clock_timestamp() + make_interval(secs => m.pause_s)
FROM unnest(%(origins)s::bigint[], %(seqs)s::integer[], %(attempts)s::integer[], %(classes)s::text[], %(reasons)s::text[],
            %(pauses_s)s::double precision[]) AS m (origin, seq, attempts, error_class, reason, pause_s)
JOIN queue_items i ON i.batch_id = m.origin AND i.seq = m.seq
JOIN queue_batches b ON b.batch_id = m.origin
ON CONFLICT (origin_batch_id, seq) DO UPDATE SET attempts = excluded.attempts, error_class = excluded.error_class,
    reason = excluded.reason, due_at = excluded.due_at, retry_batch_id = NULL, retry_seq = NULL

-- name: record_close :many
-- Every record of these headers is marked: one history row each, with what was done under this lease and earlier ones.
INSERT INTO queue_history (origin_batch_id, batch_id, tenant_id, job_id, stage, flow_name, kind, item_lo, item_hi, attempt,
    outcome, lease_token, worker_id, flow_run_id, n_ok, n_failed, n_dead, n_rows, started_at, wall_ms)
SELECT q.origin_batch_id, q.batch_id, q.tenant_id, q.job_id, q.stage, q.flow_name, q.kind, q.item_lo, q.item_hi, q.attempt,
    'completed', q.lease_token, q.worker_id, q.flow_run_id, m.n_ok, q.n_items - m.n_ok, m.n_dead, q.n_items, q.claimed_at,
    extract(epoch FROM clock_timestamp() - q.claimed_at) * 1000
FROM processing_queue q
JOIN unnest(%(batch_ids)s::bigint[], %(tokens)s::uuid[]) AS held (batch_id, token)
  ON q.batch_id = held.batch_id AND q.lease_token = held.token
CROSS JOIN LATERAL (
    SELECT (SELECT count(*) FROM queue_results r
            WHERE q.kind = 'new' AND r.batch_id = q.origin_batch_id AND r.seq >= q.item_lo AND r.seq < q.item_hi)
         + (SELECT count(*) FROM queue_retries t WHERE q.kind = 'retry' AND t.retry_batch_id = q.origin_batch_id
            AND t.retry_seq >= q.item_lo AND t.retry_seq < q.item_hi AND t.marked = 'completed') AS n_ok,
           (SELECT count(*) FROM dead_letters d
            WHERE q.kind = 'new' AND d.origin_batch_id = q.origin_batch_id AND d.seq >= q.item_lo AND d.seq < q.item_hi)
         + (SELECT count(*) FROM queue_retries t WHERE q.kind = 'retry' AND t.retry_batch_id = q.origin_batch_id
            AND t.retry_seq >= q.item_lo AND t.retry_seq < q.item_hi AND t.marked = 'dead') AS n_dead
) m
ON CONFLICT DO NOTHING
RETURNING batch_id

-- name: record_retries_done :exec
-- Marked rows of ended retry headers.
DELETE FROM queue_retries t USING processing_queue q
WHERE q.batch_id = ANY (%(batch_ids)s::bigint[]) AND q.kind = 'retry' AND t.retry_batch_id = q.origin_batch_id
  AND t.retry_seq >= q.item_lo AND t.retry_seq < q.item_hi

-- name: record_fence :many
-- The last statement, as everywhere.
DELETE FROM processing_queue q USING unnest(%(batch_ids)s::bigint[], %(tokens)s::uuid[]) AS held (batch_id, token)
WHERE q.batch_id = held.batch_id AND q.lease_token = held.token
RETURNING q.batch_id

-- name: record_orphans :many
-- Claimed too long ago, heartbeats or not: an operator says so. The attempt stays counted.
WITH old AS (
    SELECT q.* FROM processing_queue q
    WHERE q.state = 'running' AND q.claimed_at <= clock_timestamp() - make_interval(secs => %(age_s)s)
    ORDER BY q.batch_id LIMIT %(limit)s FOR UPDATE SKIP LOCKED
), told AS (
    INSERT INTO queue_history (origin_batch_id, batch_id, tenant_id, job_id, stage, flow_name, kind, item_lo, item_hi, attempt,
        outcome, lease_token, worker_id, flow_run_id, started_at, wall_ms, error_class, reason)
    SELECT origin_batch_id, batch_id, tenant_id, job_id, stage, flow_name, kind, item_lo, item_hi, attempt,
        'expired', lease_token, worker_id, flow_run_id, claimed_at, extract(epoch FROM clock_timestamp() - claimed_at) * 1000,
        'Orphaned', 'claimed too long ago' FROM old
)
UPDATE processing_queue q SET state = CASE WHEN q.held THEN 'paused' ELSE 'ready' END, lease_token = NULL, lease_until = NULL,
    worker_id = NULL, flow_run_id = NULL, deadline_at = NULL, claimed_at = NULL
FROM old WHERE q.batch_id = old.batch_id
RETURNING q.batch_id, q.origin_batch_id, q.kind, q.item_lo, q.item_hi, q.n_items, q.partial

-- name: record_status :many
-- One snapshot. Finished records: totals, the tail not rolled up yet, and marks in headers that still live.
WITH live AS (
    SELECT q.flow_name, q.state = 'running' AS is_running, q.n_items, m.n_ok, m.n_left
    FROM processing_queue q
    CROSS JOIN LATERAL (
        SELECT 0::bigint AS n_ok, q.n_items AS n_left WHERE NOT q.partial
        UNION ALL
        SELECT r.n, q.n_items - r.n - d.n - t.n
        FROM (SELECT count(*) AS n FROM queue_results r WHERE r.batch_id = q.origin_batch_id
              AND r.seq >= q.item_lo AND r.seq < q.item_hi) r,
             (SELECT count(*) AS n FROM dead_letters d WHERE d.origin_batch_id = q.origin_batch_id
              AND d.seq >= q.item_lo AND d.seq < q.item_hi) d,
             (SELECT count(*) AS n FROM queue_retries t WHERE t.origin_batch_id = q.origin_batch_id
              AND t.seq >= q.item_lo AND t.seq < q.item_hi) t
        WHERE q.partial AND q.kind = 'new'
        UNION ALL
        SELECT count(*) FILTER (WHERE t.marked = 'completed'), count(*) FILTER (WHERE t.marked IS NULL)
        FROM queue_retries t WHERE q.partial AND q.kind = 'retry' AND t.retry_batch_id = q.origin_batch_id
          AND t.retry_seq >= q.item_lo AND t.retry_seq < q.item_hi HAVING q.partial AND q.kind = 'retry'
    ) m
), headers AS (
    SELECT flow_name, sum(n_left) FILTER (WHERE NOT is_running) AS pending, sum(n_left) FILTER (WHERE is_running) AS processing,
           sum(n_ok) AS n_ok
    FROM live GROUP BY flow_name
), done AS (
    SELECT flow_name, sum(n_ok) AS n_ok FROM (
        SELECT flow_name, n_ok FROM queue_totals
        UNION ALL
        SELECT flow_name, n_ok FROM queue_history WHERE NOT rolled
    ) finished GROUP BY flow_name
), dead AS (
    SELECT flow_name, sum(n_items) AS n FROM dead_letters GROUP BY flow_name
), waiting AS (
    SELECT flow_name, count(*) AS n FROM queue_retries WHERE retry_batch_id IS NULL GROUP BY flow_name
), inbox AS (
    SELECT flow_name, count(*) AS n FROM queue_inbox GROUP BY flow_name
)
SELECT f.flow_name,
       (coalesce(h.pending, 0) + coalesce(i.n, 0))::bigint,
       coalesce(h.processing, 0)::bigint,
       (coalesce(d.n_ok, 0) + coalesce(h.n_ok, 0))::bigint,
       (coalesce(x.n, 0) + coalesce(w.n, 0))::bigint
FROM (SELECT DISTINCT flow_name FROM queue_flows) f
LEFT JOIN headers h USING (flow_name) LEFT JOIN done d USING (flow_name) LEFT JOIN dead x USING (flow_name)
LEFT JOIN waiting w USING (flow_name) LEFT JOIN inbox i USING (flow_name)
WHERE %(flow_name)s::text IS NULL OR f.flow_name = %(flow_name)s
ORDER BY f.flow_name

-- name: record_store_check :one
-- Answers only if the server is up and the schema is there.
SELECT count(*), now() FROM queue_flows
