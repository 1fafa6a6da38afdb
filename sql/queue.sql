-- Statements of core.queue. Rules they all keep: SKIP LOCKED always with ORDER BY and LIMIT; rows are locked in id
-- order; a statement that ends a lease names the token and is the last one before COMMIT. What is due is compared with
-- statement_timestamp(): clock_timestamp() is volatile, so no index would be asked and everything that waits be read.

-- Flows and jobs

-- name: flow_register :one
-- Registering again changes the policy, never the pause or the counters.
INSERT INTO queue_flows (flow_name, tenant_id, max_attempts, max_runtime_s, splittable, backoff_s, max_running, rows_per_s,
    burst_rows, weight, depth_limit_rows, work_queue, needs)
VALUES (%(flow_name)s, %(tenant_id)s, %(max_attempts)s, %(max_runtime_s)s, %(splittable)s, %(backoff_s)s, %(max_running)s,
    %(rows_per_s)s, %(burst_rows)s, %(weight)s, %(depth_limit_rows)s, %(work_queue)s, %(needs)s::text[])
ON CONFLICT (flow_name, tenant_id) DO UPDATE SET
    max_attempts = excluded.max_attempts, max_runtime_s = excluded.max_runtime_s,
    splittable = excluded.splittable, backoff_s = excluded.backoff_s, max_running = excluded.max_running,
    rows_per_s = excluded.rows_per_s, burst_rows = excluded.burst_rows, weight = excluded.weight,
    depth_limit_rows = excluded.depth_limit_rows, work_queue = excluded.work_queue, needs = excluded.needs

-- name: flow_ensure :one
-- The record-level API and Headrace's own flows register what they do not find, and leave an operator's policy alone.
INSERT INTO queue_flows (flow_name, tenant_id, max_attempts, max_runtime_s, splittable, backoff_s, max_running, rows_per_s,
    burst_rows, weight, depth_limit_rows, work_queue, needs)
VALUES (%(flow_name)s, %(tenant_id)s, %(max_attempts)s, %(max_runtime_s)s, %(splittable)s, %(backoff_s)s, %(max_running)s,
    %(rows_per_s)s, %(burst_rows)s, %(weight)s, %(depth_limit_rows)s, %(work_queue)s, %(needs)s::text[])
ON CONFLICT (flow_name, tenant_id) DO NOTHING

-- name: flow_policy :many
-- Read in the transaction that decides, so that a changed policy holds at once.
SELECT flow_name, tenant_id, max_attempts, max_runtime_s, splittable, backoff_s, max_running, rows_per_s, burst_rows, weight,
       depth_limit_rows, work_queue, needs
FROM queue_flows WHERE flow_name = %(flow_name)s AND tenant_id = %(tenant_id)s

-- name: flow_policy_lock :many
-- Who changes some of its fields keeps others out until it is stored, or the change before would be undone.
SELECT flow_name, tenant_id, max_attempts, max_runtime_s, splittable, backoff_s, max_running, rows_per_s, burst_rows, weight,
       depth_limit_rows, work_queue, needs
FROM queue_flows WHERE flow_name = %(flow_name)s AND tenant_id = %(tenant_id)s FOR NO KEY UPDATE

-- name: flow_list :many
-- Policies for people, and whether the flow hands anything out.
SELECT flow_name, tenant_id, max_attempts, max_runtime_s, splittable, backoff_s, max_running, rows_per_s, burst_rows, weight,
       depth_limit_rows, work_queue, needs, paused, paused_reason, bad_batches
FROM queue_flows WHERE %(flow_name)s::text IS NULL OR flow_name = %(flow_name)s ORDER BY flow_name, tenant_id

-- name: flow_known :many
-- A claim that found nothing tells an empty queue from a misspelt flow.
SELECT flow_name FROM queue_flows ORDER BY flow_name

-- name: flow_routes :many
-- Which flows the consumers of a queue may take; tenants of a flow that differ need what any of them needs.
SELECT flow_name, array_agg(DISTINCT work_queue ORDER BY work_queue),
       coalesce(array_agg(DISTINCT need ORDER BY need) FILTER (WHERE need IS NOT NULL), '{}')
FROM queue_flows LEFT JOIN LATERAL unnest(needs) AS need ON true GROUP BY flow_name ORDER BY flow_name

-- name: flow_pause :many
-- A paused flow hands out nothing; what runs may finish.
UPDATE queue_flows SET paused = true, paused_reason = %(reason)s
WHERE flow_name = %(flow_name)s RETURNING tenant_id

-- name: flow_resume :many
-- Starts the count of bad batches anew, else the first failure would pause the flow again.
UPDATE queue_flows SET paused = false, paused_reason = NULL, bad_batches = 0
WHERE flow_name = %(flow_name)s RETURNING tenant_id

-- name: flow_bad_batch :one
-- Too many rows of a batch failed: count it, and pause at the limit, in the transaction that gives the batch back.
UPDATE queue_flows SET bad_batches = bad_batches + 1,
    paused = paused OR bad_batches + 1 >= %(limit)s,
    paused_reason = CASE WHEN bad_batches + 1 >= %(limit)s THEN %(reason)s ELSE paused_reason END
WHERE flow_name = %(flow_name)s AND tenant_id = %(tenant_id)s
RETURNING bad_batches, paused

-- name: job_key_lock :one
-- Two submissions of one key run one after the other; released at the end of the transaction.
SELECT pg_advisory_xact_lock(hashtextextended(%(tenant_id)s || '/' || %(job_key)s, 0))

-- name: job_by_key :many
-- The newest job of a key.
SELECT j.job_id, j.flow_name, j.job_key, j.status, j.tenant_id, j.parameters, j.input_digest, j.created_at, j.finished_at
FROM job_keys k JOIN jobs j USING (job_id)
WHERE k.tenant_id = %(tenant_id)s AND k.job_key = %(job_key)s

-- name: job_by_id :many
-- One job.
SELECT job_id, flow_name, job_key, status, tenant_id, parameters, input_digest, created_at, finished_at
FROM jobs WHERE job_id = %(job_id)s

-- name: job_insert :one
-- The job and its key in one statement.
WITH job AS (
    INSERT INTO jobs (tenant_id, flow_name, job_key, parameters, input_digest, priority)
    VALUES (%(tenant_id)s, %(flow_name)s, %(job_key)s, %(parameters)s::json, %(input_digest)s, %(priority)s)
    RETURNING *
), taken AS (
    INSERT INTO job_keys (tenant_id, job_key, job_id) SELECT tenant_id, job_key, job_id FROM job
    ON CONFLICT (tenant_id, job_key) DO UPDATE SET job_id = excluded.job_id
)
SELECT job_id, flow_name, job_key, status, tenant_id, parameters, input_digest, created_at, finished_at FROM job

-- name: job_lock :many
-- A status changes from one known state to the next, never past another change. The gate is fair where row locks are not:
-- producers that overlap for ever would keep a FOR UPDATE waiting for ever.
WITH gate AS MATERIALIZED (SELECT pg_advisory_xact_lock(hashtextextended('headrace.job', %(job_id)s)))
SELECT j.status, j.flow_name FROM gate, jobs j WHERE j.job_id = %(job_id)s FOR UPDATE OF j

-- name: job_status_set :exec
-- finished_at follows the status; a job that runs again forgets it.
UPDATE jobs SET status = %(status)s, finished_at = CASE WHEN %(finished)s THEN coalesce(finished_at, now()) END
WHERE job_id = %(job_id)s

-- name: job_seal :exec
-- No stage and no batch will be added: from now on the last completed batch finishes the job.
UPDATE jobs SET sealed_at = now() WHERE job_id = %(job_id)s AND sealed_at IS NULL AND finished_at IS NULL

-- name: job_finish_if_drained :many
-- Apart from the completion, idempotent: of two last completers the later one sees that nothing is left.
UPDATE jobs j SET finished_at = now(), status = CASE WHEN EXISTS (SELECT 1 FROM dead_letters d WHERE d.job_id = j.job_id)
                                                     THEN 'completed_with_errors' ELSE 'completed' END
WHERE j.job_id = %(job_id)s AND j.sealed_at IS NOT NULL AND j.status = 'running'
  AND NOT EXISTS (SELECT 1 FROM processing_queue q WHERE q.job_id = j.job_id)
  AND NOT EXISTS (SELECT 1 FROM queue_retries r WHERE r.job_id = j.job_id)
RETURNING j.status

-- name: job_join :many
-- Who adds work to a job holds it until the work is there: a pause or a cancellation comes before all of it or after.
WITH gate AS MATERIALIZED (SELECT pg_advisory_xact_lock_shared(hashtextextended('headrace.job', %(job_id)s)))
SELECT j.status, j.tenant_id FROM gate, jobs j WHERE j.job_id = %(job_id)s FOR SHARE OF j

-- name: job_headers_lock :one
-- Whoever ends a batch locks its header last and commits: once these locks are had, no such end is in flight.
SELECT count(*) FROM (
    SELECT 1 FROM processing_queue WHERE job_id = %(job_id)s ORDER BY batch_id FOR UPDATE) locked

-- name: job_hold :one
-- What waits is paused, what runs is paused when it is given back. not_before stays.
WITH touched AS (
    UPDATE processing_queue SET held = true, state = CASE state WHEN 'running' THEN state ELSE 'paused' END
    WHERE job_id = %(job_id)s AND NOT held RETURNING state, n_items
)
SELECT count(*) FILTER (WHERE state = 'paused'), coalesce(sum(n_items) FILTER (WHERE state = 'paused'), 0)::bigint,
       count(*) FILTER (WHERE state = 'running')
FROM touched

-- name: job_unhold :one
-- Back to where each was: scheduled if it has a time.
WITH touched AS (
    UPDATE processing_queue SET held = false,
        state = CASE WHEN state = 'running' THEN state WHEN not_before IS NULL THEN 'ready' ELSE 'scheduled' END
    WHERE job_id = %(job_id)s AND held RETURNING state, n_items
)
SELECT count(*) FILTER (WHERE state <> 'running'), coalesce(sum(n_items) FILTER (WHERE state <> 'running'), 0)::bigint,
       count(*) FILTER (WHERE state = 'running')
FROM touched

-- name: job_cancel_retries :one
-- One history row per run of neighbours, under their first identity. Rows in the range of a live batch are told with it.
WITH left_over AS (
    SELECT t.*, t.seq - row_number() OVER (PARTITION BY t.origin_batch_id ORDER BY t.seq) AS run FROM queue_retries t
    WHERE t.job_id = %(job_id)s AND t.marked IS NULL
      AND NOT EXISTS (SELECT 1 FROM processing_queue q WHERE q.origin_batch_id = t.origin_batch_id AND q.kind = 'new'
                      AND t.seq >= q.item_lo AND t.seq < q.item_hi)
), told AS (
    INSERT INTO queue_history (origin_batch_id, batch_id, tenant_id, job_id, stage, flow_name, kind, item_lo, item_hi, attempt,
        outcome, n_failed, reason)
    SELECT origin_batch_id, origin_batch_id, tenant_id, job_id, stage, flow_name, 'new', min(seq), max(seq) + 1, max(attempts),
        'cancelled', count(*), 'the job was cancelled before their retry'
    FROM left_over GROUP BY origin_batch_id, tenant_id, job_id, stage, flow_name, run
    RETURNING n_failed
)
SELECT coalesce(sum(n_failed), 0)::bigint FROM told

-- name: job_cancel_headers :one
-- Also the running ones: their tokens go with them, so whoever runs them loses the lease and writes nothing. Rows of a
-- retry batch have been told one run each.
WITH gone AS (
    DELETE FROM processing_queue WHERE job_id = %(job_id)s RETURNING *
), told AS (
    INSERT INTO queue_history (origin_batch_id, batch_id, tenant_id, job_id, stage, flow_name, kind, item_lo, item_hi, attempt,
        outcome, lease_token, worker_id, flow_run_id, n_ok, n_failed, n_dead, started_at, wall_ms, reason)
    SELECT q.origin_batch_id, q.batch_id, q.tenant_id, q.job_id, q.stage, q.flow_name, q.kind, q.item_lo, q.item_hi, q.attempt,
        'cancelled', q.lease_token, q.worker_id, q.flow_run_id, m.n_ok,
        CASE q.kind WHEN 'new' THEN q.n_items - m.n_ok ELSE m.n_dead END, m.n_dead, q.claimed_at,
        coalesce(extract(epoch FROM clock_timestamp() - q.claimed_at) * 1000, 0), 'the job was cancelled'
    FROM gone q CROSS JOIN LATERAL (
        SELECT 0::bigint AS n_ok, 0::bigint AS n_dead WHERE NOT q.partial
        UNION ALL
        SELECT (SELECT count(*) FROM queue_results r
                WHERE r.batch_id = q.origin_batch_id AND r.seq >= q.item_lo AND r.seq < q.item_hi),
               (SELECT count(*) FROM dead_letters d
                WHERE d.origin_batch_id = q.origin_batch_id AND d.seq >= q.item_lo AND d.seq < q.item_hi)
        WHERE q.partial AND q.kind = 'new'
        UNION ALL
        SELECT count(*) FILTER (WHERE t.marked = 'completed'), count(*) FILTER (WHERE t.marked = 'dead')
        FROM queue_retries t WHERE q.partial AND q.kind = 'retry' AND t.retry_batch_id = q.origin_batch_id
          AND t.retry_seq >= q.item_lo AND t.retry_seq < q.item_hi HAVING q.partial AND q.kind = 'retry'
    ) m
    RETURNING lease_token, n_failed - n_dead AS n_cancelled
)
SELECT count(*), coalesce(sum(n_cancelled), 0)::bigint, count(lease_token) FROM told

-- name: retries_cancelled :one
-- Apart from the accounts: a completion that is about to find its lease gone still locks its rows, which go next time.
WITH picked AS (
    SELECT t.origin_batch_id, t.seq FROM queue_retries t JOIN jobs j USING (job_id)
    WHERE j.status = 'cancelled' AND j.finished_at > now() - interval '1 hour'
    ORDER BY t.origin_batch_id, t.seq LIMIT %(limit)s FOR UPDATE OF t SKIP LOCKED
), gone AS (
    DELETE FROM queue_retries t USING picked p WHERE t.origin_batch_id = p.origin_batch_id AND t.seq = p.seq RETURNING 1
)
SELECT count(*) FROM gone

-- name: job_list :many
-- Newest first.
SELECT job_id, flow_name, job_key, status, tenant_id, parameters, input_digest, created_at, finished_at
FROM jobs ORDER BY job_id DESC LIMIT %(limit)s

-- name: job_list_stages :many
-- Where jobs are: of each its first stage, whose rows are those of the input, and its last with the batches that are live.
SELECT j.job_id, a.n_items, z.stage, z.n_batches,
       (SELECT count(*) FROM processing_queue q WHERE q.job_id = j.job_id AND q.stage = z.stage)
FROM unnest(%(job_ids)s::bigint[]) AS j(job_id)
CROSS JOIN LATERAL (SELECT s.n_items FROM job_stages s WHERE s.job_id = j.job_id ORDER BY s.opened_at, s.stage LIMIT 1) a
CROSS JOIN LATERAL (SELECT s.stage, s.n_batches FROM job_stages s
                    WHERE s.job_id = j.job_id ORDER BY s.opened_at DESC, s.stage DESC LIMIT 1) z
ORDER BY j.job_id

-- Stages

-- name: stage_open :many
-- A row comes back only to the one process that opens the stage.
INSERT INTO job_stages (job_id, stage, n_batches, n_items)
VALUES (%(job_id)s, %(stage)s, %(n_batches)s, %(n_items)s)
ON CONFLICT (job_id, stage) DO NOTHING RETURNING job_id

-- name: stage_add :exec
-- Item batches may come in several calls; the stage counts them all.
INSERT INTO job_stages AS s (job_id, stage, n_batches, n_items)
VALUES (%(job_id)s, %(stage)s, %(n_batches)s, %(n_items)s)
ON CONFLICT (job_id, stage) DO UPDATE SET n_batches = s.n_batches + excluded.n_batches, n_items = s.n_items + excluded.n_items

-- name: stage_grow :many
-- Adds a wave only where the last one ended: of two processes that extend a stage, one does.
UPDATE job_stages SET n_batches = n_batches + %(n_batches)s, n_items = n_items + %(n_items)s
WHERE job_id = %(job_id)s AND stage = %(stage)s AND status = 'open' AND n_items = %(before)s RETURNING n_items

-- name: stage_room :many
-- How much of a stage is live; cheap, for a producer that asks often.
SELECT j.status, s.n_items, count(q.batch_id), coalesce(sum(q.n_items), 0)::bigint
FROM jobs j JOIN job_stages s USING (job_id)
LEFT JOIN processing_queue q ON q.job_id = s.job_id AND q.stage = s.stage
WHERE s.job_id = %(job_id)s AND s.stage = %(stage)s
GROUP BY j.status, s.n_items

-- name: stage_fail :exec
-- A batch that could not be split is dead: its stage cannot succeed until it is redriven.
UPDATE job_stages SET status = 'failed' WHERE job_id = %(job_id)s AND stage = %(stage)s AND status = 'open'

-- name: stage_close :many
-- The first output stays: a resumed process that closes again changes nothing.
UPDATE job_stages SET status = 'closed', output = coalesce(output, %(output)s::json), closed_at = coalesce(closed_at, now())
WHERE job_id = %(job_id)s AND stage = %(stage)s RETURNING stage

-- name: stage_output :many
-- NULL until the stage is closed.
SELECT output FROM job_stages WHERE job_id = %(job_id)s AND stage = %(stage)s

-- name: stage_progress :many
-- From headers, retries and dead letters, which are few; finished batches are those of the stage that none of them holds.
SELECT s.stage, s.status, s.n_batches,
       (SELECT count(DISTINCT origin_batch_id) FROM (
            SELECT q.origin_batch_id FROM processing_queue q WHERE q.job_id = s.job_id AND q.stage = s.stage AND q.kind = 'new'
            UNION ALL
            SELECT d.origin_batch_id FROM dead_letters d WHERE d.job_id = s.job_id AND d.stage = s.stage AND d.source IS NOT NULL
            UNION ALL
            SELECT h.origin_batch_id FROM queue_history h
            WHERE h.job_id = s.job_id AND h.stage = s.stage AND h.outcome = 'cancelled'
       ) unfinished),
       (SELECT count(*) FROM processing_queue q WHERE q.job_id = s.job_id AND q.stage = s.stage),
       (SELECT count(*) FROM queue_retries r WHERE r.job_id = s.job_id AND r.stage = s.stage AND r.retry_batch_id IS NULL),
       (SELECT coalesce(sum(d.n_items), 0)::bigint FROM dead_letters d WHERE d.job_id = s.job_id AND d.stage = s.stage),
       s.n_items,
       (SELECT coalesce(sum(h.n_ok), 0)::bigint FROM queue_history h WHERE h.job_id = s.job_id AND h.stage = s.stage),
       (SELECT coalesce(sum(h.n_failed - h.n_dead), 0)::bigint FROM queue_history h
        WHERE h.job_id = s.job_id AND h.stage = s.stage AND h.outcome = 'cancelled')
FROM job_stages s WHERE s.job_id = %(job_id)s AND (%(stage)s::text IS NULL OR s.stage = %(stage)s)
ORDER BY s.opened_at, s.stage

-- name: stage_results :many
-- What the batches of a stage returned, in the order of their partitions.
SELECT r.output FROM queue_batches b JOIN queue_results r ON r.batch_id = b.batch_id
WHERE b.job_id = %(job_id)s AND b.stage = %(stage)s
ORDER BY b.partition_no, b.batch_id, r.seq

-- name: stage_batches :many
-- `headrace jobs show`: how the attempts of each stage ended.
SELECT stage, outcome, count(*), sum(n_ok)::bigint, sum(n_failed)::bigint, sum(wall_ms), sum(cpu_ms), max(wall_ms)
FROM queue_history WHERE job_id = %(job_id)s GROUP BY stage, outcome ORDER BY min(history_id)

-- name: job_batches :many
-- The live headers of a job, for people: ids and states only.
SELECT batch_id, origin_batch_id, stage, partition_no, kind, state, attempt, n_items, worker_id,
       extract(epoch FROM lease_until - now())::double precision
FROM processing_queue WHERE job_id = %(job_id)s ORDER BY stage, partition_no, batch_id LIMIT %(limit)s

-- Enqueue

-- name: batch_ids :many
-- Dropping a partition takes this lock exclusively, so no id below it can still be on its way in.
WITH held AS MATERIALIZED (SELECT pg_advisory_xact_lock_shared(hashtext('headrace.enqueue')))
SELECT nextval('queue_batch_id_seq') FROM held, generate_series(1, %(n)s)

-- name: partition_top :one
-- The first id that has no partition.
SELECT coalesce(max(hi), 0) FROM queue_partitions WHERE state = 'attached'

-- name: partitions_ahead :one
-- ATTACH blocks neither readers nor writers of the parent.
SELECT queue_partitions_ahead()

-- name: partition_rotate :many
-- The partition in use is full or old: the next id starts the next one. Never near the end of a range, where ids move on
-- by themselves: setting the sequence back would issue them twice. Rows are summed only where so many could lie on the
-- pages (a page holds 291 at most).
SELECT setval('queue_batch_id_seq', p.hi, false)
FROM queue_partitions p, queue_batch_id_seq s
WHERE p.state = 'attached' AND s.last_value >= p.lo AND s.last_value < p.hi - 65536
  AND pg_try_advisory_xact_lock(hashtext('headrace.partition_rotate'))
  AND ((SELECT b.created_at FROM queue_batches b WHERE b.batch_id >= p.lo AND b.batch_id < p.hi ORDER BY b.batch_id LIMIT 1)
           < now() - make_interval(secs => %(age_s)s)
       OR (CASE WHEN pg_relation_size(to_regclass('queue_items_p' || p.lo)) / 8192 * 291 >= %(rows_max)s THEN
               (SELECT sum(b.n_items) FROM queue_batches b
                WHERE b.batch_id >= p.lo AND b.batch_id < p.hi AND b.source IS NULL) END) >= %(rows_max)s)

-- name: dedupe_take :many
-- One statement for all keys of a call, in their order. A key comes back if nobody has it, or its time is over.
INSERT INTO queue_dedupe AS d (flow_name, tenant_id, key, expires_at, origin_batch_id, seq)
SELECT %(flow_name)s, %(tenant_id)s, k.key, clock_timestamp() + make_interval(secs => %(ttl_s)s), k.origin, k.seq
FROM unnest(%(keys)s::text[], %(origins)s::bigint[], %(seqs)s::integer[]) AS k (key, origin, seq) ORDER BY k.key COLLATE "C"
ON CONFLICT (flow_name, tenant_id, key) DO UPDATE
SET expires_at = excluded.expires_at, origin_batch_id = excluded.origin_batch_id, seq = excluded.seq
WHERE d.expires_at <= clock_timestamp()
RETURNING d.key

-- name: dedupe_free :many
-- Of keys that are taken, those whose row was not done and never will be: dead, discarded, or cancelled with its job. The
-- dead letter goes, so that no redrive can run it beside the new row; while its batch still lives it stays, with its key.
WITH held AS MATERIALIZED (
    SELECT d.key, d.origin_batch_id, d.seq FROM queue_dedupe d
    WHERE d.flow_name = %(flow_name)s AND d.tenant_id = %(tenant_id)s AND d.key = ANY (%(keys)s::text[])
      AND d.origin_batch_id IS NOT NULL
    ORDER BY d.key COLLATE "C" FOR UPDATE
), letters AS MATERIALIZED (
    SELECT l.*, h.key FROM held h JOIN dead_letters l ON l.origin_batch_id = h.origin_batch_id AND l.seq = h.seq
    WHERE l.flow_name = %(flow_name)s
      AND NOT EXISTS (SELECT 1 FROM processing_queue q WHERE q.origin_batch_id = l.origin_batch_id AND q.kind = 'new'
                      AND l.seq >= q.item_lo AND l.seq < q.item_hi)
      AND NOT EXISTS (SELECT 1 FROM queue_retries t WHERE t.origin_batch_id = l.origin_batch_id AND t.seq = l.seq)
    ORDER BY l.dead_letter_id FOR UPDATE OF l
), gone AS (
    DELETE FROM dead_letters l USING letters g WHERE l.dead_letter_id = g.dead_letter_id
), told AS (
    INSERT INTO queue_discards (batch_id, seq, tenant_id, flow_name, n_items, error_class)
    SELECT origin_batch_id, seq, tenant_id, flow_name, n_items, error_class FROM letters ON CONFLICT DO NOTHING
), free AS (
    SELECT key FROM letters
    UNION ALL
    SELECT h.key FROM held h JOIN queue_discards x ON x.batch_id = h.origin_batch_id AND x.seq = h.seq
    UNION ALL
    SELECT h.key FROM held h
    WHERE EXISTS (SELECT 1 FROM queue_history a WHERE a.origin_batch_id = h.origin_batch_id AND a.kind = 'new'
                  AND a.outcome = 'cancelled' AND h.seq >= a.item_lo AND h.seq < a.item_hi)
      AND NOT EXISTS (SELECT 1 FROM queue_results r WHERE r.batch_id = h.origin_batch_id AND r.seq = h.seq)
      AND NOT EXISTS (SELECT 1 FROM dead_letters l WHERE l.origin_batch_id = h.origin_batch_id AND l.seq = h.seq)
)
UPDATE queue_dedupe d SET expires_at = '-infinity' FROM (SELECT DISTINCT key FROM free) f
WHERE d.flow_name = %(flow_name)s AND d.tenant_id = %(tenant_id)s AND d.key = f.key
RETURNING d.key

-- name: dedupe_move :exec
-- Where the rows of keys taken in this transaction stand after all, because others of the call were left out.
UPDATE queue_dedupe d SET origin_batch_id = k.origin, seq = k.seq
FROM unnest(%(keys)s::text[], %(origins)s::bigint[], %(seqs)s::integer[]) AS k (key, origin, seq)
WHERE d.flow_name = %(flow_name)s AND d.tenant_id = %(tenant_id)s AND d.key = k.key

-- name: dedupe_purge :one
-- Expired keys, some at a time; one that a producer is taking anew is left alone.
WITH expired AS (
    SELECT flow_name, tenant_id, key FROM queue_dedupe WHERE expires_at <= statement_timestamp()
    ORDER BY expires_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED
), gone AS (
    DELETE FROM queue_dedupe d USING expired e
    WHERE d.flow_name = e.flow_name AND d.tenant_id = e.tenant_id AND d.key = e.key RETURNING 1
)
SELECT count(*) FROM gone

-- name: depth_above :many
-- A row if more than so many rows wait; adds up batch by batch and stops there.
SELECT 1 FROM (
    SELECT sum(n_items) OVER (ROWS UNBOUNDED PRECEDING) AS depth FROM queue_waiting
    WHERE flow_name = %(flow_name)s AND tenant_id = %(tenant_id)s) counted
WHERE depth > %(room)s LIMIT 1

-- name: depth_waiting :one
-- All of it, for the message.
SELECT coalesce(sum(n_items), 0)::bigint FROM queue_waiting
WHERE flow_name = %(flow_name)s AND tenant_id = %(tenant_id)s

-- name: inbox_put :exec
-- One payload of a trickling producer.
INSERT INTO queue_inbox (tenant_id, flow_name, payload) VALUES (%(tenant_id)s, %(flow_name)s, %(payload)s::json)

-- name: inbox_ripe :many
-- Flows whose inbox is full or old enough to become a batch.
SELECT i.flow_name, i.tenant_id FROM queue_inbox i
GROUP BY i.flow_name, i.tenant_id
HAVING count(*) >= %(rows)s OR min(i.received_at) <= clock_timestamp() - make_interval(secs => %(linger_s)s)
ORDER BY i.flow_name, i.tenant_id

-- name: inbox_seal :one
-- Moves up to a batch of payloads into items of the given id, numbered in the order in which they came.
WITH taken AS (
    SELECT inbox_id, payload FROM queue_inbox
    WHERE flow_name = %(flow_name)s AND tenant_id = %(tenant_id)s
    ORDER BY inbox_id LIMIT %(rows)s FOR UPDATE SKIP LOCKED
), gone AS (
    DELETE FROM queue_inbox i USING taken t WHERE i.inbox_id = t.inbox_id
), moved AS (
    INSERT INTO queue_items (batch_id, seq, payload)
    SELECT %(batch_id)s, row_number() OVER (ORDER BY inbox_id) - 1, payload FROM taken RETURNING seq
)
SELECT count(*) FROM moved

-- Claim, beat, release

-- name: batch_claim :many
-- The hot one, and all a claim takes where the flow has one tenant and no limits: it says what it found out about the
-- flow (no row: unknown; several tenants, or limits nobody holds the lock for: nothing is taken) beside the batches.
-- Ranges of one tenant instead of equality, so that no index but the tenant's own is in the right order whatever the
-- statistics say; deleted headers below `low` are stepped over; `room` ends the batches where so many rows are reached.
-- With `together_rows` they are for one worker, one after the other: no more rows than that, and a batch that was tried
-- before is alone, for it may be what ends its worker.
WITH lane AS MATERIALIZED (
    SELECT f.tenant_id, f.max_runtime_s, f.paused, f.max_running IS NOT NULL OR f.rows_per_s IS NOT NULL AS limited,
           count(*) OVER () AS n
    FROM queue_flows f
    WHERE f.flow_name = %(flow_name)s AND (%(tenant_id)s::text IS NULL OR f.tenant_id = %(tenant_id)s)
), free AS MATERIALIZED (
    SELECT tenant_id, max_runtime_s FROM lane WHERE n = 1 AND NOT paused AND (%(locked)s OR NOT limited)
), by_turn AS (
    SELECT q.batch_id, q.n_items, q.attempt FROM processing_queue q
    WHERE NOT %(oldest)s AND q.flow_name = %(flow_name)s AND q.state = 'ready' AND q.batch_id >= %(low)s
      AND q.tenant_id BETWEEN (SELECT tenant_id FROM free) AND (SELECT tenant_id FROM free)
    ORDER BY q.tenant_id, q.priority, q.batch_id LIMIT %(limit)s FOR UPDATE SKIP LOCKED
), by_age AS (
    SELECT q.batch_id, q.n_items, q.attempt FROM processing_queue q
    WHERE %(oldest)s AND q.flow_name = %(flow_name)s AND q.state = 'ready' AND q.batch_id >= %(low)s
      AND q.tenant_id BETWEEN (SELECT tenant_id FROM free) AND (SELECT tenant_id FROM free)
    ORDER BY q.tenant_id, q.batch_id LIMIT %(limit)s FOR UPDATE SKIP LOCKED
), picked AS (
    SELECT p.batch_id, sum(p.n_items) OVER up_to_here - p.n_items AS rows_before,
           row_number() OVER up_to_here = 1 OR %(together_rows)s::bigint IS NULL
           OR (sum(p.n_items) OVER up_to_here <= %(together_rows)s::bigint AND max(p.attempt) OVER up_to_here = 0) AS fits
    FROM (SELECT * FROM by_turn UNION ALL SELECT * FROM by_age) p
    WINDOW up_to_here AS (ROWS UNBOUNDED PRECEDING)
), taken AS (
    UPDATE processing_queue q SET state = 'running', attempt = q.attempt + 1, lease_token = gen_random_uuid(),
        worker_id = %(worker_id)s, flow_run_id = %(flow_run_id)s, claimed_at = clock_timestamp(),
        lease_until = clock_timestamp() + make_interval(secs => %(ttl_s)s),
        deadline_at = clock_timestamp() + make_interval(secs => free.max_runtime_s)
    FROM free
    WHERE q.batch_id = ANY (ARRAY(SELECT batch_id FROM picked WHERE rows_before < %(room)s AND fits))
    RETURNING q.batch_id, q.origin_batch_id, q.lease_token, q.tenant_id, q.job_id, q.stage, q.flow_name, q.kind,
              q.partition_no, q.priority, q.attempt, q.n_items, q.item_lo, q.item_hi, q.splittable, q.partial, q.source,
              q.deadline_at, q.worker_id
)
SELECT lane.n, lane.paused, lane.limited, lane.tenant_id, taken.* FROM lane LEFT JOIN taken ON true

-- name: batch_claim_job :many
-- The same for one job, or one stage of it, by turn only. No row: the job is not running, or not of this flow. Two ways
-- in, because a stage that may be missing is no condition for an index in a plan that is made once for all.
WITH lane AS MATERIALIZED (
    SELECT f.tenant_id, f.max_runtime_s, f.paused, f.max_running IS NOT NULL OR f.rows_per_s IS NOT NULL AS limited
    FROM jobs j JOIN queue_flows f ON f.flow_name = j.flow_name AND f.tenant_id = j.tenant_id
    WHERE j.job_id = %(job_id)s AND j.status = 'running' AND f.flow_name = %(flow_name)s
), free AS MATERIALIZED (
    SELECT tenant_id, max_runtime_s FROM lane WHERE NOT paused AND (%(locked)s OR NOT limited)
), of_stage AS (
    SELECT q.batch_id, q.n_items FROM processing_queue q
    WHERE q.job_id = %(job_id)s AND q.stage = %(stage)s AND q.state = 'ready' AND q.flow_name = %(flow_name)s
      AND q.batch_id >= %(low)s AND EXISTS (SELECT 1 FROM free)
    ORDER BY q.priority, q.batch_id LIMIT %(limit)s FOR UPDATE SKIP LOCKED
), of_job AS (
    SELECT q.batch_id, q.n_items FROM processing_queue q
    WHERE %(stage)s::text IS NULL AND q.job_id = %(job_id)s AND q.state = 'ready' AND q.flow_name = %(flow_name)s
      AND q.batch_id >= %(low)s AND EXISTS (SELECT 1 FROM free)
    ORDER BY q.priority, q.batch_id LIMIT %(limit)s FOR UPDATE SKIP LOCKED
), picked AS (
    SELECT p.batch_id, sum(p.n_items) OVER (ROWS UNBOUNDED PRECEDING) - p.n_items AS rows_before
    FROM (SELECT * FROM of_stage UNION ALL SELECT * FROM of_job) p
), taken AS (
    UPDATE processing_queue q SET state = 'running', attempt = q.attempt + 1, lease_token = gen_random_uuid(),
        worker_id = %(worker_id)s, flow_run_id = %(flow_run_id)s, claimed_at = clock_timestamp(),
        lease_until = clock_timestamp() + make_interval(secs => %(ttl_s)s),
        deadline_at = clock_timestamp() + make_interval(secs => free.max_runtime_s)
    FROM free
    WHERE q.batch_id = ANY (ARRAY(SELECT batch_id FROM picked WHERE rows_before < %(room)s))
    RETURNING q.batch_id, q.origin_batch_id, q.lease_token, q.tenant_id, q.job_id, q.stage, q.flow_name, q.kind,
              q.partition_no, q.priority, q.attempt, q.n_items, q.item_lo, q.item_hi, q.splittable, q.partial, q.source,
              q.deadline_at, q.worker_id
)
SELECT 1, lane.paused, lane.limited, lane.tenant_id, taken.* FROM lane LEFT JOIN taken ON true

-- name: claim_low :one
-- Where the live batches of a flow, or of one tenant, begin: deleted ones before that need not be looked at again. Ranges
-- as in batch_claim: in the order of ids alone the primary key would be walked through everybody else's batches.
SELECT min(live.batch_id) FROM queue_flows f CROSS JOIN LATERAL (
    (SELECT q.batch_id FROM processing_queue q
     WHERE q.flow_name = f.flow_name AND q.tenant_id BETWEEN f.tenant_id AND f.tenant_id AND q.state = 'ready'
       AND q.batch_id >= %(low)s
     ORDER BY q.tenant_id, q.batch_id LIMIT 1)
    UNION ALL
    (SELECT q.batch_id FROM processing_queue q
     WHERE q.flow_name = f.flow_name AND q.tenant_id BETWEEN f.tenant_id AND f.tenant_id AND q.state = 'running'
       AND q.batch_id >= %(low)s
     ORDER BY q.tenant_id, q.batch_id LIMIT 1)
) live
WHERE f.flow_name = %(flow_name)s AND (%(tenant_id)s::text IS NULL OR f.tenant_id = %(tenant_id)s)

-- name: claim_lanes :many
-- Who may claim what: limits of flows and tenants, whether work waits there (one probe each), how much runs where that is
-- limited. Under claim_lock the counts are exact, for this is a statement of its own and sees all earlier claims.
SELECT f.flow_name, f.tenant_id, f.weight, f.paused, clock_timestamp(), f.max_running,
       CASE WHEN f.max_running IS NOT NULL THEN (SELECT count(*) FROM (
           SELECT 1 FROM processing_queue q WHERE q.flow_name = f.flow_name AND q.tenant_id = f.tenant_id AND q.state = 'running'
           LIMIT f.max_running) r) ELSE 0 END,
       f.rows_per_s, f.burst_rows, f.bucket_rows, f.bucket_at,
       (SELECT q.batch_id FROM processing_queue q
        WHERE q.flow_name = f.flow_name AND q.tenant_id BETWEEN f.tenant_id AND f.tenant_id AND q.state = 'ready'
          AND NOT f.paused AND q.batch_id >= coalesce(m.low, 0)
        ORDER BY q.tenant_id, q.batch_id LIMIT 1) IS NOT NULL
FROM queue_flows f
LEFT JOIN unnest(%(lane_flows)s::text[], %(lane_tenants)s::text[], %(lane_lows)s::bigint[]) AS m (flow_name, tenant_id, low)
       ON m.flow_name = f.flow_name AND m.tenant_id = f.tenant_id
WHERE f.flow_name = ANY (%(flow_names)s::text[]) AND (%(tenant_id)s::text IS NULL OR f.tenant_id = %(tenant_id)s)

-- name: claim_lock :exec
-- Claims under a limit come one after the other; held until the commit, so the next one counts this one's batches. A
-- holder that hangs must not hang all others: they give up and say that there is nothing now.
SELECT set_config('lock_timeout', %(wait_ms)s::text, true),
       pg_advisory_xact_lock(hashtextextended('headrace.claim/' || %(flow_name)s || '/' || %(tenant_id)s, 0))

-- name: claim_spend :exec
-- The bucket after a claim, on the database's clock; only under claim_lock.
UPDATE queue_flows SET bucket_rows = %(rows)s, bucket_at = %(now)s
WHERE flow_name = %(flow_name)s AND tenant_id = %(tenant_id)s

-- name: batch_heartbeat :many
-- All leases of a worker at once; never beyond the deadline, so a handler that hangs loses its batch.
WITH mine AS (
    SELECT q.batch_id FROM processing_queue q
    JOIN unnest(%(batch_ids)s::bigint[], %(tokens)s::uuid[]) AS held (batch_id, token)
      ON q.batch_id = held.batch_id AND q.lease_token = held.token
    ORDER BY q.batch_id FOR UPDATE OF q
)
UPDATE processing_queue q SET lease_until = least(clock_timestamp() + make_interval(secs => %(ttl_s)s), q.deadline_at)
FROM mine WHERE q.batch_id = mine.batch_id
RETURNING q.batch_id

-- name: worker_beat :exec
-- Who is alive, for people and for the reaper; leases do not depend on it.
INSERT INTO workers (worker_id, pool, host, pid, capabilities, n_leases, load)
VALUES (%(worker_id)s, %(pool)s, %(host)s, %(pid)s, %(capabilities)s::json, %(n_leases)s, %(load)s)
ON CONFLICT (worker_id) DO UPDATE SET n_leases = excluded.n_leases, load = excluded.load, heartbeat_at = now()

-- name: worker_leave :exec
-- A worker that ends properly is not taken for a dead one.
DELETE FROM workers WHERE worker_id = %(worker_id)s

-- name: batch_release :many
-- Given back, not failed: the attempt is not counted, and somebody else may start at once.
WITH mine AS (
    SELECT q.* FROM processing_queue q
    JOIN unnest(%(batch_ids)s::bigint[], %(tokens)s::uuid[]) AS held (batch_id, token)
      ON q.batch_id = held.batch_id AND q.lease_token = held.token
    ORDER BY q.batch_id FOR UPDATE OF q
), told AS (
    INSERT INTO queue_history (origin_batch_id, batch_id, tenant_id, job_id, stage, flow_name, kind, item_lo, item_hi, attempt,
        outcome, lease_token, worker_id, flow_run_id, started_at, wall_ms)
    SELECT origin_batch_id, batch_id, tenant_id, job_id, stage, flow_name, kind, item_lo, item_hi, attempt,
        'released', lease_token, worker_id, flow_run_id, claimed_at, extract(epoch FROM clock_timestamp() - claimed_at) * 1000
    FROM mine
)
UPDATE processing_queue q SET state = CASE WHEN q.held THEN 'paused' ELSE 'ready' END, attempt = q.attempt - 1,
    lease_token = NULL, lease_until = NULL, worker_id = NULL, flow_run_id = NULL, deadline_at = NULL, claimed_at = NULL
FROM mine WHERE q.batch_id = mine.batch_id
RETURNING q.batch_id

-- Items

-- name: items_new :one
-- One value instead of one message a row, which is what COPY TO sends. U+001E separates: JSON text cannot hold it bare.
-- A batch's rows lie together because they came in by one COPY. seqs only where they have gaps.
SELECT count(*), min(i.seq), string_agg(i.payload::text, E'\x1e' ORDER BY i.seq),
       CASE WHEN count(*) <> max(i.seq) - min(i.seq) + 1 THEN array_agg(i.seq ORDER BY i.seq) END
FROM queue_items i WHERE i.batch_id = %(origin)s AND i.seq >= %(lo)s AND i.seq < %(hi)s

-- name: items_new_together :many
-- The same for several small batches, one row each. Each is asked of its own partition.
SELECT b.batch_id, i.n_items, i.first, i.joined, i.gaps
FROM unnest(%(batch_ids)s::bigint[], %(origins)s::bigint[], %(los)s::int[], %(his)s::int[]) AS b (batch_id, origin, lo, hi)
CROSS JOIN LATERAL (
    SELECT count(*) AS n_items, min(i.seq) AS first, string_agg(i.payload::text, E'\x1e' ORDER BY i.seq) AS joined,
           CASE WHEN count(*) <> max(i.seq) - min(i.seq) + 1 THEN array_agg(i.seq ORDER BY i.seq) END AS gaps
    FROM queue_items i WHERE i.batch_id = b.origin AND i.seq >= b.lo AND i.seq < b.hi
) i

-- name: items_new_left :one
-- Of a batch whose records were marked one by one: those that are still without a fate.
SELECT count(*), min(i.seq), string_agg(i.payload::text, E'\x1e' ORDER BY i.seq),
       CASE WHEN count(*) <> max(i.seq) - min(i.seq) + 1 THEN array_agg(i.seq ORDER BY i.seq) END
FROM queue_items i
WHERE i.batch_id = %(origin)s AND i.seq >= %(lo)s AND i.seq < %(hi)s
  AND NOT EXISTS (SELECT 1 FROM queue_results r WHERE r.batch_id = i.batch_id AND r.seq = i.seq)
  AND NOT EXISTS (SELECT 1 FROM dead_letters d WHERE d.origin_batch_id = i.batch_id AND d.seq = i.seq)
  AND NOT EXISTS (SELECT 1 FROM queue_retries t WHERE t.origin_batch_id = i.batch_id AND t.seq = i.seq)

-- name: items_retry :one
-- Rows of a retry header, numbered by their stamp.
SELECT count(*), min(i.retry_seq), string_agg(i.payload::text, E'\x1e' ORDER BY i.retry_seq),
       CASE WHEN count(*) <> max(i.retry_seq) - min(i.retry_seq) + 1 THEN array_agg(i.retry_seq ORDER BY i.retry_seq) END
FROM queue_retries i
WHERE i.retry_batch_id = %(origin)s AND i.retry_seq >= %(lo)s AND i.retry_seq < %(hi)s AND i.marked IS NULL

-- name: items_retry_origin :many
-- Results of retried rows keep the identity of their first batch.
SELECT retry_seq, origin_batch_id, seq FROM queue_retries
WHERE retry_batch_id = %(origin)s AND retry_seq >= %(lo)s AND retry_seq < %(hi)s AND marked IS NULL

-- Ending an attempt: rows first, history, fence last

-- name: batch_check_token :many
-- Without a lock: a worker that stops in its COPY must not hold the header against the rescue. The name, for this
-- transaction only, is what the reaper looks for.
SELECT set_config('application_name', %(application_name)s, true) FROM processing_queue WHERE batch_id = %(batch_id)s AND lease_token = %(token)s

-- name: batch_marked :one
-- Rows of a marked-up batch that were done, and that died, before this completion.
SELECT (SELECT count(*) FROM queue_results WHERE batch_id = %(origin)s AND seq >= %(lo)s AND seq < %(hi)s),
       (SELECT count(*) FROM dead_letters WHERE origin_batch_id = %(origin)s AND seq >= %(lo)s AND seq < %(hi)s)

-- name: batch_marked_retry :one
-- The same for a retry header.
SELECT count(*) FILTER (WHERE marked = 'completed'), count(*) FILTER (WHERE marked = 'dead') FROM queue_retries
WHERE retry_batch_id = %(origin)s AND retry_seq >= %(lo)s AND retry_seq < %(hi)s

-- name: rows_retry :exec
-- Failed rows of a first run, with their payload, due later.
INSERT INTO queue_retries (origin_batch_id, seq, tenant_id, flow_name, job_id, stage, payload, attempts, fault, error_class,
    reason, due_at)
SELECT i.batch_id, i.seq, %(tenant_id)s, %(flow_name)s, %(job_id)s, %(stage)s, i.payload, %(attempt)s, f.fault, f.error_class,
    f.reason, clock_timestamp() + make_interval(secs => f.pause_s)
FROM unnest(%(seqs)s::integer[], %(faults)s::text[], %(classes)s::text[], %(reasons)s::text[], %(pauses_s)s::double precision[])
     AS f (seq, fault, error_class, reason, pause_s)
JOIN queue_items i ON i.batch_id = %(origin)s AND i.seq = f.seq

-- name: rows_dead :exec
-- Failed rows of a first run that will not be tried again.
INSERT INTO dead_letters (origin_batch_id, seq, tenant_id, flow_name, job_id, stage, payload, attempts, fault, error_class,
    reason, worker_id)
SELECT i.batch_id, i.seq, %(tenant_id)s, %(flow_name)s, %(job_id)s, %(stage)s, i.payload, %(attempt)s, f.fault, f.error_class,
    f.reason, %(worker_id)s
FROM unnest(%(seqs)s::integer[], %(faults)s::text[], %(classes)s::text[], %(reasons)s::text[])
     AS f (seq, fault, error_class, reason)
JOIN queue_items i ON i.batch_id = %(origin)s AND i.seq = f.seq

-- name: retries_attempts :many
-- How often each failed row of a retry header has failed before.
SELECT retry_seq, attempts FROM queue_retries
WHERE retry_batch_id = %(origin)s AND retry_seq = ANY (%(seqs)s::integer[]) AND marked IS NULL

-- name: retries_again :exec
-- Back to waiting: the stamp is taken off.
UPDATE queue_retries t SET attempts = t.attempts + 1, fault = f.fault, error_class = f.error_class, reason = f.reason,
    due_at = clock_timestamp() + make_interval(secs => f.pause_s), retry_batch_id = NULL, retry_seq = NULL
FROM unnest(%(seqs)s::integer[], %(faults)s::text[], %(classes)s::text[], %(reasons)s::text[], %(pauses_s)s::double precision[])
     AS f (seq, fault, error_class, reason, pause_s)
WHERE t.retry_batch_id = %(origin)s AND t.retry_seq = f.seq

-- name: retries_dead :exec
-- Out of attempts, or failed for good.
WITH gone AS (
    DELETE FROM queue_retries t
    USING unnest(%(seqs)s::integer[], %(faults)s::text[], %(classes)s::text[], %(reasons)s::text[])
          AS f (seq, fault, error_class, reason)
    WHERE t.retry_batch_id = %(origin)s AND t.retry_seq = f.seq
    RETURNING t.origin_batch_id, t.seq, t.tenant_id, t.flow_name, t.job_id, t.stage, t.payload, t.attempts, f.fault,
              f.error_class, f.reason
)
INSERT INTO dead_letters (origin_batch_id, seq, tenant_id, flow_name, job_id, stage, payload, attempts, fault, error_class,
    reason, worker_id)
SELECT origin_batch_id, seq, tenant_id, flow_name, job_id, stage, payload, attempts + 1, fault, error_class, reason,
    %(worker_id)s FROM gone

-- name: retries_done :exec
-- Rows of a finished retry header; those that failed again have lost their stamp before.
DELETE FROM queue_retries WHERE retry_batch_id = %(origin)s AND retry_seq >= %(lo)s AND retry_seq < %(hi)s

-- name: batch_dead_rows :exec
-- Every row of a dead batch that has no fate yet.
INSERT INTO dead_letters (origin_batch_id, seq, tenant_id, flow_name, job_id, stage, payload, attempts, fault, error_class,
    reason, worker_id)
SELECT i.batch_id, i.seq, %(tenant_id)s, %(flow_name)s, %(job_id)s, %(stage)s, i.payload, %(attempt)s, %(fault)s,
    %(error_class)s, %(reason)s, %(worker_id)s
FROM queue_items i
WHERE i.batch_id = %(origin)s AND i.seq >= %(lo)s AND i.seq < %(hi)s
  AND NOT (%(partial)s AND (
      EXISTS (SELECT 1 FROM queue_results r WHERE r.batch_id = i.batch_id AND r.seq = i.seq)
      OR EXISTS (SELECT 1 FROM dead_letters d WHERE d.origin_batch_id = i.batch_id AND d.seq = i.seq)
      OR EXISTS (SELECT 1 FROM queue_retries t WHERE t.origin_batch_id = i.batch_id AND t.seq = i.seq)))

-- name: batch_dead_retries :exec
-- The same for a retry header.
WITH gone AS (
    DELETE FROM queue_retries
    WHERE retry_batch_id = %(origin)s AND retry_seq >= %(lo)s AND retry_seq < %(hi)s RETURNING *
)
INSERT INTO dead_letters (origin_batch_id, seq, tenant_id, flow_name, job_id, stage, payload, attempts, fault, error_class,
    reason, worker_id)
SELECT origin_batch_id, seq, tenant_id, flow_name, job_id, stage, payload, attempts + 1, %(fault)s, %(error_class)s,
    %(reason)s, %(worker_id)s FROM gone WHERE marked IS NULL

-- name: batch_dead_source :exec
-- A range of a source dies as one letter: there are no items to copy.
INSERT INTO dead_letters (origin_batch_id, seq, n_items, tenant_id, flow_name, job_id, stage, source, attempts, fault,
    error_class, reason, worker_id)
SELECT origin_batch_id, item_lo, n_items, tenant_id, flow_name, job_id, stage, source, attempt, %(fault)s, %(error_class)s,
    %(reason)s, %(worker_id)s
FROM processing_queue WHERE batch_id = %(batch_id)s AND lease_token = %(token)s

-- name: history_add :many
-- Taken from the header as long as the token holds; a lease ends once, hence the conflict.
INSERT INTO queue_history (origin_batch_id, batch_id, tenant_id, job_id, stage, flow_name, kind, item_lo, item_hi, attempt,
    outcome, lease_token, worker_id, flow_run_id, n_ok, n_failed, n_dead, n_rows, n_bytes, started_at, wall_ms, cpu_ms,
    error_class, reason)
SELECT q.origin_batch_id, q.batch_id, q.tenant_id, q.job_id, q.stage, q.flow_name, q.kind, q.item_lo, q.item_hi, q.attempt,
    %(outcome)s, q.lease_token, q.worker_id, q.flow_run_id, %(n_ok)s, %(n_failed)s, %(n_dead)s, %(n_rows)s, %(n_bytes)s,
    q.claimed_at, extract(epoch FROM clock_timestamp() - q.claimed_at) * 1000, %(cpu_ms)s, %(error_class)s, %(reason)s
FROM processing_queue q WHERE q.batch_id = %(batch_id)s AND q.lease_token = %(token)s
ON CONFLICT DO NOTHING RETURNING history_id

-- name: history_reject :exec
-- Payloads refused at the door went to the dead letters without having been items.
INSERT INTO queue_history (origin_batch_id, batch_id, tenant_id, job_id, stage, flow_name, kind, item_lo, item_hi, attempt,
    outcome, n_failed, n_dead, error_class)
VALUES (%(origin)s, %(origin)s, %(tenant_id)s, %(job_id)s, %(stage)s, %(flow_name)s, 'new', %(lo)s, %(hi)s, 0,
    'rejected', %(n_dead)s, %(n_dead)s, 'RowError')

-- name: transaction_id :one
-- The same before and after a sink has run, unless the sink ended the transaction.
SELECT pg_current_xact_id()

-- name: batch_complete :one
-- The last statement: one row, or everything before it is rolled back. Fence and history in one round trip; a lease ends
-- once, hence the conflict. A good batch ends a series of bad ones.
WITH fence AS (
    DELETE FROM processing_queue WHERE batch_id = %(batch_id)s AND lease_token = %(token)s RETURNING *
), told AS (
    INSERT INTO queue_history (origin_batch_id, batch_id, tenant_id, job_id, stage, flow_name, kind, item_lo, item_hi, attempt,
        outcome, lease_token, worker_id, flow_run_id, n_ok, n_failed, n_dead, n_rows, n_bytes, started_at, wall_ms, cpu_ms)
    SELECT origin_batch_id, batch_id, tenant_id, job_id, stage, flow_name, kind, item_lo, item_hi, attempt,
        'completed', lease_token, worker_id, flow_run_id, %(n_ok)s, %(n_failed)s, %(n_dead)s, %(n_rows)s, %(n_bytes)s,
        claimed_at, extract(epoch FROM clock_timestamp() - claimed_at) * 1000, %(cpu_ms)s
    FROM fence ON CONFLICT DO NOTHING RETURNING 1
), calm AS (
    UPDATE queue_flows f SET bad_batches = 0 FROM fence
    WHERE f.flow_name = fence.flow_name AND f.tenant_id = fence.tenant_id AND f.bad_batches > 0
)
SELECT count(*) FROM told

-- name: batches_check_tokens :many
-- As batch_check_token, for several: those that are still ours.
SELECT q.batch_id, set_config('application_name', %(application_name)s, true) FROM processing_queue q
JOIN unnest(%(batch_ids)s::bigint[], %(tokens)s::uuid[]) AS held (batch_id, token)
  ON q.batch_id = held.batch_id AND q.lease_token = held.token

-- name: batches_complete :many
-- As batch_complete, for batches without failures: each by its own token, with a history row of its own. Locked in the
-- order of ids. The caller rolls all of it back unless every one is told.
WITH mine AS (
    SELECT q.batch_id, held.n_rows, held.n_bytes, held.wall_ms, held.cpu_ms FROM processing_queue q
    JOIN unnest(%(batch_ids)s::bigint[], %(tokens)s::uuid[], %(n_rows)s::bigint[], %(n_bytes)s::bigint[], %(wall_ms)s::float8[],
                %(cpu_ms)s::float8[]) AS held (batch_id, token, n_rows, n_bytes, wall_ms, cpu_ms)
      ON q.batch_id = held.batch_id AND q.lease_token = held.token
    ORDER BY q.batch_id FOR UPDATE OF q
), fence AS (
    DELETE FROM processing_queue q USING mine WHERE q.batch_id = mine.batch_id
    RETURNING q.*, mine.n_rows, mine.n_bytes, mine.wall_ms, mine.cpu_ms
), told AS (
    INSERT INTO queue_history (origin_batch_id, batch_id, tenant_id, job_id, stage, flow_name, kind, item_lo, item_hi, attempt,
        outcome, lease_token, worker_id, flow_run_id, n_ok, n_rows, n_bytes, started_at, wall_ms, cpu_ms)
    SELECT origin_batch_id, batch_id, tenant_id, job_id, stage, flow_name, kind, item_lo, item_hi, attempt,
        'completed', lease_token, worker_id, flow_run_id, n_rows, n_rows, n_bytes, claimed_at, wall_ms, cpu_ms
    FROM fence ON CONFLICT DO NOTHING RETURNING batch_id
), calm AS (
    UPDATE queue_flows f SET bad_batches = 0 FROM (SELECT DISTINCT flow_name, tenant_id FROM fence) seen
    WHERE f.flow_name = seen.flow_name AND f.tenant_id = seen.tenant_id AND f.bad_batches > 0
)
SELECT batch_id FROM told

-- name: fence_delete :one
-- The batch ends without success.
WITH fence AS (DELETE FROM processing_queue WHERE batch_id = %(batch_id)s AND lease_token = %(token)s RETURNING 1)
SELECT count(*) FROM fence

-- name: fence_retry :one
-- The batch runs again: at once, or when the pause is over.
WITH fence AS (
    UPDATE processing_queue SET
        state = CASE WHEN held THEN 'paused' WHEN %(pause_s)s::double precision > 0 THEN 'scheduled' ELSE 'ready' END,
        not_before = CASE WHEN %(pause_s)s::double precision > 0 THEN clock_timestamp() + make_interval(secs => %(pause_s)s) END,
        lease_token = NULL, lease_until = NULL, worker_id = NULL, flow_run_id = NULL, deadline_at = NULL, claimed_at = NULL
    WHERE batch_id = %(batch_id)s AND lease_token = %(token)s RETURNING 1)
SELECT count(*) FROM fence

-- name: fence_split :one
-- Two children with new ids and the parent's origin: items never move. Each has one attempt left.
WITH parent AS (
    DELETE FROM processing_queue WHERE batch_id = %(batch_id)s AND lease_token = %(token)s RETURNING *
), children AS (
    INSERT INTO processing_queue (origin_batch_id, tenant_id, job_id, stage, flow_name, kind, partition_no, priority, state,
        held, attempt, n_items, item_lo, item_hi, splittable, partial, source, created_at)
    SELECT p.origin_batch_id, p.tenant_id, p.job_id, p.stage, p.flow_name, p.kind, p.partition_no, p.priority,
        CASE WHEN p.held THEN 'paused' ELSE 'ready' END, p.held, %(attempt)s, half.hi - half.lo, half.lo, half.hi, p.splittable, p.partial,
        CASE WHEN p.source IS NOT NULL THEN (p.source::jsonb || jsonb_build_object(
            'lo', (p.source->>'lo')::bigint + half.lo - p.item_lo, 'hi', (p.source->>'lo')::bigint + half.hi - p.item_lo))::json END,
        p.created_at
    FROM parent p, LATERAL (VALUES (p.item_lo, p.item_lo + p.n_items / 2), (p.item_lo + p.n_items / 2, p.item_hi)) AS half (lo, hi)
)
SELECT count(*) FROM parent

-- name: token_after_loss :many
-- The reply of a commit was lost: this waits for the old backend's lock, then tells whether the header is still ours.
SELECT 1 FROM processing_queue WHERE batch_id = %(batch_id)s AND lease_token = %(token)s FOR UPDATE

-- name: token_in_history :many
-- If the header is gone, the token in history tells who ended the batch.
SELECT outcome FROM queue_history
WHERE origin_batch_id = %(origin)s AND batch_id = %(batch_id)s AND lease_token = %(token)s

-- Leader's duties

-- name: lease_take :many
-- A row with a token instead of a session lock: it survives poolers, and a leader that hangs loses it. Whoever finds
-- another's lease alive only reads: a conflict would lock the row, and write.
INSERT INTO leases (name, holder, token, lease_until)
SELECT %(name)s, %(holder)s, %(token)s, clock_timestamp() + make_interval(secs => %(ttl_s)s)
WHERE NOT EXISTS (SELECT 1 FROM leases
                  WHERE name = %(name)s AND token <> %(token)s AND lease_until >= clock_timestamp())
ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, token = excluded.token, lease_until = excluded.lease_until,
    acquired_at = CASE WHEN leases.token = excluded.token THEN leases.acquired_at ELSE clock_timestamp() END
WHERE leases.token = excluded.token OR leases.lease_until < clock_timestamp()
RETURNING name

-- name: lease_drop :exec
-- A leader that leaves makes room at once.
DELETE FROM leases WHERE name = %(name)s AND token = %(token)s

-- name: batch_expired :many
-- Locked until the transaction ends. Headers whose completion is about to commit are locked, hence skipped. In the order of
-- ids, from the last one on: one that cannot be ended is not met again in the same round.
SELECT q.batch_id, q.origin_batch_id, q.lease_token, q.tenant_id, q.job_id, q.stage, q.flow_name, q.kind, q.partition_no,
       q.priority, q.attempt, q.n_items, q.item_lo, q.item_hi, q.splittable, q.partial, q.source, q.deadline_at,
          q.worker_id
FROM processing_queue q WHERE q.state = 'running' AND q.lease_until < clock_timestamp() AND q.batch_id > %(after)s
ORDER BY q.batch_id LIMIT %(limit)s FOR UPDATE SKIP LOCKED

-- name: batch_promote :many
-- Due headers become ready.
WITH due AS (
    SELECT batch_id FROM processing_queue WHERE state = 'scheduled' AND not_before <= statement_timestamp()
    ORDER BY not_before, batch_id LIMIT %(limit)s FOR UPDATE SKIP LOCKED
)
UPDATE processing_queue q SET state = 'ready', not_before = NULL FROM due WHERE q.batch_id = due.batch_id
RETURNING q.flow_name

-- name: retries_stamp :many
-- Due rows become headers of kind retry, one per flow and stage and at most rows_max rows. While a header lives,
-- everything in its range is its own: rows it gave up wait until it ends. Their jobs are locked, so that none is paused or
-- cancelled meanwhile; rows of a job that somebody changes right now wait for the next round.
WITH jobs_open AS MATERIALIZED (
    SELECT j.job_id, j.status = 'paused' AS held FROM jobs j
    WHERE j.status <> 'cancelled' AND j.job_id IN (
        SELECT t.job_id FROM queue_retries t WHERE t.retry_batch_id IS NULL AND t.due_at <= statement_timestamp()
        ORDER BY t.due_at LIMIT %(limit)s)
    ORDER BY j.job_id LIMIT %(limit)s FOR SHARE SKIP LOCKED
), due AS (
    SELECT t.origin_batch_id, t.seq, t.tenant_id, t.flow_name, t.job_id, t.stage FROM queue_retries t
    WHERE t.retry_batch_id IS NULL AND t.due_at <= statement_timestamp()
      AND (t.job_id IS NULL OR t.job_id IN (SELECT o.job_id FROM jobs_open o))
      AND NOT EXISTS (SELECT 1 FROM processing_queue q WHERE q.origin_batch_id = t.origin_batch_id AND q.kind = 'new'
                      AND t.seq >= q.item_lo AND t.seq < q.item_hi)
    ORDER BY t.due_at, t.origin_batch_id, t.seq LIMIT %(limit)s FOR UPDATE OF t SKIP LOCKED
), numbered AS (
    SELECT *, row_number() OVER (PARTITION BY tenant_id, flow_name, job_id, stage ORDER BY origin_batch_id, seq) - 1 AS n FROM due
), headers AS MATERIALIZED (
    SELECT nextval('queue_batch_id_seq') AS batch_id, g.* FROM (
        SELECT tenant_id, flow_name, job_id, stage, n / %(rows_max)s AS chunk, count(*) AS n_items
        FROM numbered GROUP BY tenant_id, flow_name, job_id, stage, n / %(rows_max)s) g
), stamped AS (
    UPDATE queue_retries t SET retry_batch_id = h.batch_id, retry_seq = n.n %% %(rows_max)s
    FROM numbered n JOIN headers h ON h.tenant_id = n.tenant_id AND h.flow_name = n.flow_name
        AND h.job_id IS NOT DISTINCT FROM n.job_id AND h.stage = n.stage AND h.chunk = n.n / %(rows_max)s
    WHERE t.origin_batch_id = n.origin_batch_id AND t.seq = n.seq
)
INSERT INTO processing_queue (batch_id, origin_batch_id, tenant_id, job_id, stage, flow_name, kind, n_items, item_lo, item_hi,
    splittable, held, state)
SELECT h.batch_id, h.batch_id, h.tenant_id, h.job_id, h.stage, h.flow_name, 'retry', h.n_items, 0, h.n_items,
       coalesce(f.splittable, false), coalesce(o.held, false), CASE WHEN o.held THEN 'paused' ELSE 'ready' END
FROM headers h LEFT JOIN queue_flows f ON f.flow_name = h.flow_name AND f.tenant_id = h.tenant_id
LEFT JOIN jobs_open o ON o.job_id = h.job_id
RETURNING flow_name

-- name: history_roll_up :one
-- Each history row enters the totals once: the flag and the sum change in one statement. An array instead of a join: the
-- planner takes it for short, and asks the index of what is not rolled up rather than reading the history.
WITH tail AS (
    SELECT history_id FROM queue_history WHERE NOT rolled
    ORDER BY history_id LIMIT %(limit)s FOR UPDATE SKIP LOCKED
), rolled AS (
    UPDATE queue_history h SET rolled = true
    WHERE NOT h.rolled AND h.history_id = ANY (ARRAY(SELECT history_id FROM tail)) RETURNING h.*
), added AS (
    INSERT INTO queue_totals AS t (tenant_id, flow_name, hour, n_attempts, n_completed, n_ok, n_failed, n_dead, n_rows, n_bytes,
        wall_ms, cpu_ms, record_wall_ms)
    SELECT tenant_id, flow_name, date_trunc('hour', finished_at), count(*), count(*) FILTER (WHERE outcome = 'completed'),
        sum(n_ok), sum(n_failed), sum(n_dead), sum(n_rows), sum(n_bytes), sum(wall_ms), sum(cpu_ms),
        sum(wall_ms * (n_ok + n_dead))
    FROM rolled GROUP BY tenant_id, flow_name, date_trunc('hour', finished_at)
    ORDER BY 1, 2, 3
    ON CONFLICT (tenant_id, flow_name, hour) DO UPDATE SET
        n_attempts = t.n_attempts + excluded.n_attempts, n_completed = t.n_completed + excluded.n_completed,
        n_ok = t.n_ok + excluded.n_ok, n_failed = t.n_failed + excluded.n_failed, n_dead = t.n_dead + excluded.n_dead,
        n_rows = t.n_rows + excluded.n_rows, n_bytes = t.n_bytes + excluded.n_bytes,
        wall_ms = t.wall_ms + excluded.wall_ms, cpu_ms = t.cpu_ms + excluded.cpu_ms,
        record_wall_ms = t.record_wall_ms + excluded.record_wall_ms
)
SELECT count(*) FROM rolled

-- name: jobs_drained :many
-- The leader repeats the finish for completers that died between their commit and it. Jobs with work left do not stand
-- in the way of the others.
SELECT j.job_id FROM jobs j WHERE j.sealed_at IS NOT NULL AND j.finished_at IS NULL AND j.status = 'running'
  AND NOT EXISTS (SELECT 1 FROM processing_queue q WHERE q.job_id = j.job_id)
  AND NOT EXISTS (SELECT 1 FROM queue_retries r WHERE r.job_id = j.job_id)
ORDER BY j.job_id LIMIT %(limit)s

-- name: duty_bounds :exec
-- A duty that waits for somebody's lock gives up and is tried again with the next round; for this transaction only.
SELECT set_config('lock_timeout', '2s', true), set_config('statement_timeout', '60s', true)

-- name: depth_refresh :exec
-- One scan of the headers for everybody who asks in the next seconds.
INSERT INTO queue_depth_cache (tenant_id, flow_name, ready_batches, ready_items, running_batches, running_items, expired_batches,
    scheduled_batches, scheduled_items, due_batches, paused_batches, paused_items, waiting_retries, due_retries, inbox_items,
    oldest_ready_at, as_of)
SELECT tenant_id, flow_name, ready_batches, ready_items, running_batches, running_items, expired_batches,
    scheduled_batches, scheduled_items, due_batches, paused_batches, paused_items, waiting_retries, due_retries, inbox_items,
    oldest_ready_at, as_of
FROM queue_depth_live ORDER BY tenant_id, flow_name
ON CONFLICT (tenant_id, flow_name) DO UPDATE SET
    ready_batches = excluded.ready_batches, ready_items = excluded.ready_items,
    running_batches = excluded.running_batches, running_items = excluded.running_items,
    expired_batches = excluded.expired_batches,
    scheduled_batches = excluded.scheduled_batches, scheduled_items = excluded.scheduled_items,
    due_batches = excluded.due_batches, paused_batches = excluded.paused_batches, paused_items = excluded.paused_items,
    waiting_retries = excluded.waiting_retries, due_retries = excluded.due_retries, inbox_items = excluded.inbox_items,
    oldest_ready_at = excluded.oldest_ready_at, as_of = excluded.as_of

-- name: worker_reap :many
-- A worker without a beat: its backends are ended, so that a stopped process holds no locks, and its row goes.
WITH dead AS (
    DELETE FROM workers WHERE heartbeat_at < now() - make_interval(secs => %(silent_s)s) RETURNING worker_id
)
SELECT d.worker_id, (SELECT count(pg_terminate_backend(a.pid)) FROM pg_stat_activity a
                     WHERE a.application_name = left('headrace:' || d.worker_id, 63) AND a.pid <> pg_backend_pid())
FROM dead d

-- name: depth_now :many
-- Computed, not cached: for callers that decide on it.
SELECT coalesce(sum(ready_batches), 0)::bigint, coalesce(sum(ready_items), 0)::bigint,
       coalesce(sum(running_batches), 0)::bigint, coalesce(sum(running_items), 0)::bigint,
       coalesce(sum(expired_batches), 0)::bigint,
       coalesce(sum(scheduled_batches), 0)::bigint, coalesce(sum(scheduled_items), 0)::bigint,
       coalesce(sum(due_batches), 0)::bigint,
       coalesce(sum(paused_batches), 0)::bigint, coalesce(sum(paused_items), 0)::bigint,
       coalesce(sum(waiting_retries), 0)::bigint, coalesce(sum(due_retries), 0)::bigint,
       coalesce(sum(inbox_items), 0)::bigint,
       coalesce(extract(epoch FROM now() - min(oldest_ready_at)), 0)::double precision
FROM queue_depth_live WHERE %(flow_name)s::text IS NULL OR flow_name = %(flow_name)s

-- name: wake_up :exec
-- Only where somebody waits, and once: see queue_wake_up in sql/migrations/0006_upkeep.sql.
SELECT queue_wake_up(%(flow_name)s)

-- name: wake_slots :many
-- The channels of these flows; of none: all channels.
SELECT DISTINCT queue_wake_slot(flow) FROM unnest(%(flow_names)s::text[]) AS flow
UNION ALL SELECT generate_series(0, 15) WHERE cardinality(%(flow_names)s::text[]) = 0

-- name: wake_listen :exec
-- For the life of the connection, which behind a transaction pooler is one statement: hence the probe.
SELECT queue_wake_listen(%(slots)s)

-- name: wake_mark :exec
-- Before the last look at the queue: whoever commits after that look sees the mark and notifies.
SELECT queue_wake_mark(%(slots)s, %(life_ms)s)

-- name: probe_listen :exec
-- A channel of its own, so that probes wake nobody.
LISTEN headrace_probe

-- name: probe_notify :exec
-- Sent over another connection: behind a pooler the listener's own would hear itself.
SELECT pg_notify('headrace_probe', %(token)s)

-- name: probe_unlisten :exec
-- Also where the probe failed: a pooler's connection serves others after us.
UNLISTEN *

-- Dead letters

-- name: dead_summary :many
-- What died of what.
SELECT flow_name, error_class, fault, count(*), sum(n_items)::bigint, min(died_at), max(died_at)
FROM dead_letters WHERE %(flow_name)s::text IS NULL OR flow_name = %(flow_name)s
GROUP BY flow_name, error_class, fault ORDER BY 5 DESC, 1, 2, 3

-- name: dead_list :many
-- Newest first; payloads are read only when asked for.
SELECT dead_letter_id, origin_batch_id, seq, n_items, flow_name, job_id, stage, fault, error_class, reason, attempts, worker_id,
       died_at,
       CASE WHEN %(payload)s THEN coalesce(payload::text, source::text, encode(substr(payload_raw, 1, 1000), 'escape')) END
FROM dead_letters
WHERE (%(flow_name)s::text IS NULL OR flow_name = %(flow_name)s)
  AND (%(error_class)s::text IS NULL OR error_class = %(error_class)s)
  AND (%(fault)s::text IS NULL OR fault = %(fault)s)
  AND (%(job_id)s::bigint IS NULL OR job_id = %(job_id)s)
ORDER BY dead_letter_id DESC LIMIT %(limit)s

-- name: redrive_jobs :many
-- Locked in id order before any letter: a job that is being cancelled gets nothing back, one that is paused gets it paused.
SELECT j.job_id FROM jobs j
WHERE j.status <> 'cancelled' AND EXISTS (
    SELECT 1 FROM dead_letters d WHERE d.job_id = j.job_id AND d.flow_name = %(flow_name)s
      AND (%(error_class)s::text IS NULL OR d.error_class = %(error_class)s)
      AND (%(fault)s::text IS NULL OR d.fault = %(fault)s)
      AND (%(job_id)s::bigint IS NULL OR d.job_id = %(job_id)s))
ORDER BY j.job_id FOR NO KEY UPDATE

-- name: redrive_count :many
-- What a redrive would take now, by class; `kept` are letters that no handler could read, or whose job was cancelled.
SELECT d.error_class, d.fault, count(*) FILTER (WHERE w.runs), coalesce(sum(d.n_items) FILTER (WHERE w.runs), 0)::bigint,
       count(*) FILTER (WHERE NOT w.runs)
FROM dead_letters d LEFT JOIN jobs j USING (job_id)
CROSS JOIN LATERAL (SELECT d.payload_raw IS NULL AND j.status IS DISTINCT FROM 'cancelled' AS runs) w
WHERE d.flow_name = %(flow_name)s
  AND (%(error_class)s::text IS NULL OR d.error_class = %(error_class)s)
  AND (%(fault)s::text IS NULL OR d.fault = %(fault)s)
  AND (%(job_id)s::bigint IS NULL OR d.job_id = %(job_id)s)
GROUP BY d.error_class, d.fault ORDER BY 4 DESC, 1, 2

-- name: redrive_rows :many
-- Dead rows go back to the retries, due at once, with their attempts forgotten. Not while the header that gave them up
-- still lives: what is in its range is its own.
WITH picked AS (
    SELECT d.* FROM dead_letters d
    WHERE d.flow_name = %(flow_name)s AND d.payload IS NOT NULL
      AND (%(error_class)s::text IS NULL OR d.error_class = %(error_class)s)
      AND (%(fault)s::text IS NULL OR d.fault = %(fault)s)
      AND (%(job_id)s::bigint IS NULL OR d.job_id = %(job_id)s)
      AND (d.job_id IS NULL OR d.job_id = ANY (%(open_jobs)s::bigint[]))
      AND NOT EXISTS (SELECT 1 FROM processing_queue q WHERE q.origin_batch_id = d.origin_batch_id AND q.kind = 'new'
                      AND d.seq >= q.item_lo AND d.seq < q.item_hi)
      AND NOT EXISTS (SELECT 1 FROM queue_retries t WHERE t.origin_batch_id = d.origin_batch_id AND t.seq = d.seq)
    ORDER BY d.dead_letter_id LIMIT %(limit)s FOR UPDATE SKIP LOCKED
), gone AS (
    DELETE FROM dead_letters d USING picked p WHERE d.dead_letter_id = p.dead_letter_id
), back AS (
    INSERT INTO queue_retries (origin_batch_id, seq, tenant_id, flow_name, job_id, stage, payload, attempts, fault, error_class,
        reason, due_at)
    SELECT origin_batch_id, seq::integer, tenant_id, flow_name, job_id, stage, payload, 0, fault, error_class, reason, now()
    FROM picked RETURNING job_id, stage
)
SELECT job_id, stage, count(*), count(*) FROM back GROUP BY job_id, stage

-- name: redrive_sources :many
-- A dead range becomes a header again, with the place and priority its batch came in with, as far as that is not dropped.
WITH picked AS (
    SELECT d.*, coalesce(b.partition_no, 0) AS partition_no, coalesce(b.priority, 100) AS priority,
           coalesce(b.splittable, false) AS splittable, coalesce(j.status = 'paused', false) AS held
    FROM dead_letters d LEFT JOIN queue_batches b ON b.batch_id = d.origin_batch_id LEFT JOIN jobs j ON j.job_id = d.job_id
    WHERE d.flow_name = %(flow_name)s AND d.source IS NOT NULL
      AND (%(error_class)s::text IS NULL OR d.error_class = %(error_class)s)
      AND (%(fault)s::text IS NULL OR d.fault = %(fault)s)
      AND (%(job_id)s::bigint IS NULL OR d.job_id = %(job_id)s)
      AND (d.job_id IS NULL OR d.job_id = ANY (%(open_jobs)s::bigint[]))
    ORDER BY d.dead_letter_id LIMIT %(limit)s FOR UPDATE OF d SKIP LOCKED
), gone AS (
    DELETE FROM dead_letters d USING picked p WHERE d.dead_letter_id = p.dead_letter_id
), back AS (
    INSERT INTO processing_queue (origin_batch_id, tenant_id, job_id, stage, flow_name, partition_no, priority, n_items,
        item_lo, item_hi, splittable, source, held, state)
    SELECT origin_batch_id, tenant_id, job_id, stage, flow_name, partition_no, priority, n_items, seq, seq + n_items,
        splittable, source, held, CASE WHEN held THEN 'paused' ELSE 'ready' END
    FROM picked RETURNING job_id, stage, n_items
)
SELECT job_id, stage, count(*), sum(n_items)::bigint FROM back GROUP BY job_id, stage

-- name: redrive_reopen_stages :exec
-- The stage has work again.
UPDATE job_stages s SET status = 'open', closed_at = NULL
FROM unnest(%(job_ids)s::bigint[], %(stages)s::text[]) AS again (job_id, stage)
WHERE s.job_id = again.job_id AND s.stage = again.stage AND s.status = 'failed'

-- name: redrive_reopen_jobs :exec
-- So has the job.
UPDATE jobs SET status = 'running', finished_at = NULL
WHERE job_id = ANY (%(job_ids)s::bigint[]) AND status IN ('blocked', 'completed_with_errors', 'failed')

-- name: discard :one
-- Letters that shall never run: their payloads go, what they died of stays told. Not while the header that gave them up
-- still lives, as with redrive_rows; with their letters their unique keys are free.
WITH picked AS (
    SELECT d.* FROM dead_letters d
    WHERE d.flow_name = %(flow_name)s
      AND (%(error_class)s::text IS NULL OR d.error_class = %(error_class)s)
      AND (%(fault)s::text IS NULL OR d.fault = %(fault)s)
      AND (%(job_id)s::bigint IS NULL OR d.job_id = %(job_id)s)
      AND NOT EXISTS (SELECT 1 FROM processing_queue q WHERE q.origin_batch_id = d.origin_batch_id AND q.kind = 'new'
                      AND d.seq >= q.item_lo AND d.seq < q.item_hi)
      AND NOT EXISTS (SELECT 1 FROM queue_retries t WHERE t.origin_batch_id = d.origin_batch_id AND t.seq = d.seq)
    ORDER BY d.dead_letter_id LIMIT %(limit)s FOR UPDATE SKIP LOCKED
), gone AS (
    DELETE FROM dead_letters d USING picked p WHERE d.dead_letter_id = p.dead_letter_id
), told AS (
    INSERT INTO queue_discards (batch_id, seq, tenant_id, flow_name, n_items, error_class)
    SELECT origin_batch_id, seq, tenant_id, flow_name, n_items, error_class FROM picked ON CONFLICT DO NOTHING
)
SELECT count(*), coalesce(sum(n_items), 0)::bigint FROM picked

-- name: peek :many
-- Live headers for people: ids and states, no payload.
SELECT batch_id, origin_batch_id, flow_name, job_id, stage, kind, state, priority, attempt, n_items, item_lo, item_hi,
       source IS NOT NULL, worker_id, not_before, lease_until, created_at
FROM processing_queue WHERE (%(flow_name)s::text IS NULL OR flow_name = %(flow_name)s)
  AND (%(state)s::text IS NULL OR state = %(state)s)
ORDER BY flow_name, priority, batch_id LIMIT %(limit)s

-- name: peek_payloads :many
-- Only on explicit demand: this shows row data.
SELECT i.batch_id << 20 | i.seq, i.payload::text FROM queue_items i
WHERE %(kind)s = 'new' AND i.batch_id = %(origin)s AND i.seq >= %(lo)s AND i.seq < %(hi)s
UNION ALL
SELECT t.origin_batch_id << 20 | t.seq, t.payload::text FROM queue_retries t
WHERE %(kind)s = 'retry' AND t.retry_batch_id = %(origin)s AND t.retry_seq >= %(lo)s AND t.retry_seq < %(hi)s
ORDER BY 1 LIMIT %(limit)s
