-- What autoscalers look at, and their log (core/scaling).

-- name: scaling_signals :one
-- A function, because the settings that keep its plan on the indexes go with it.
SELECT at_s, ready_batches, leased_batches, ready_items, leased_items, oldest_age_s
FROM scaling_signals(%(flow_name)s, %(most)s, %(batch_rows)s)

-- name: scaling_speed :one
-- Lately, weighed: of the newest attempts of any flow (which bounds the look) those of this one that were completed, each
-- newer one counting a tenth more. Where there are none, the hours of the last day.
WITH newest AS (
    SELECT flow_name, outcome, n_rows, wall_ms, finished_at, history_id FROM queue_history
    WHERE finished_at >= now() - interval '30 minutes' ORDER BY finished_at DESC LIMIT %(look)s
), ours AS (
    SELECT n_rows, wall_ms, power(0.9, row_number() OVER (ORDER BY finished_at DESC, history_id DESC) - 1) AS weight
    FROM newest WHERE flow_name = %(flow_name)s AND outcome = 'completed'
), lately AS (
    SELECT sum(weight * wall_ms) / sum(weight) / 1000 AS batch_s,
           sum(weight * n_rows) / nullif(sum(weight * wall_ms), 0) * 1000 AS items_per_s
    FROM ours
), before AS (
    SELECT sum(wall_ms) / nullif(sum(n_completed), 0) / 1000 AS batch_s, sum(n_rows) / nullif(sum(wall_ms), 0) * 1000 AS items_per_s
    FROM queue_totals WHERE flow_name = %(flow_name)s AND hour >= date_trunc('hour', now() - interval '24 hours')
)
SELECT coalesce(l.batch_s, b.batch_s)::double precision, coalesce(l.items_per_s, b.items_per_s)::double precision
FROM lately l CROSS JOIN before b

-- name: scaling_caps :one
-- Batches of the flow that may run at once, and rows that may be handed out in a second, over its tenants that are not paused; null
-- where one of them has no such limit.
SELECT CASE WHEN bool_and(max_running IS NOT NULL) THEN sum(max_running)::integer END,
       CASE WHEN bool_and(rows_per_s IS NOT NULL) THEN sum(rows_per_s)::double precision END
FROM queue_flows WHERE flow_name = %(flow_name)s AND NOT paused

-- name: scaling_workers :many
-- Processes of this host that beat: which of the consumers we started are at work.
SELECT pid FROM workers WHERE host = %(host)s

-- name: decision_add :many
-- Written before it is carried out, so that what went wrong can be told beside it; and only by whoever still holds the lease, which
-- then has its full life ahead: a holder that was halted since it looked acts on nothing. The lease's row is locked until the decision
-- stands, so that whoever takes it next remembers this decision.
WITH fence AS (
    UPDATE leases SET lease_until = clock_timestamp() + make_interval(secs => %(lease_s)s)
    WHERE name = %(lease)s AND token = %(token)s AND lease_until >= clock_timestamp() RETURNING name
)
INSERT INTO scaling_decisions (flow_name, pool, holder, ready_batches, leased_batches, ready_items, leased_items, oldest_age_s,
    batch_s, items_per_s, working, starting, ended_well, ended_badly, policy, need, desired, reason, up_at_s, below_since_s)
SELECT %(flow_name)s, %(pool)s, %(holder)s, %(ready_batches)s, %(leased_batches)s, %(ready_items)s, %(leased_items)s,
    %(oldest_age_s)s, %(batch_s)s, %(items_per_s)s, %(working)s, %(starting)s, %(ended_well)s, %(ended_badly)s, %(policy)s,
    %(need)s, %(desired)s, %(reason)s, %(up_at_s)s, %(below_since_s)s
FROM fence
RETURNING decision_id

-- name: decision_done :exec
-- What became of it.
UPDATE scaling_decisions SET started = %(started)s, stopped = %(stopped)s, error = %(error)s WHERE decision_id = %(decision_id)s

-- name: decision_last :many
-- What the next decision must remember, and whether the oldest waited too long, whichever process makes it.
SELECT up_at_s, below_since_s, coalesce(oldest_age_s > (policy ->> 'oldest_s')::double precision, false) AS late
FROM scaling_decisions WHERE flow_name = %(flow_name)s ORDER BY decision_id DESC LIMIT 1

-- name: decisions_list :many
-- Newest first; of one flow, or of all.
SELECT decision_id, flow_name, pool, holder, decided_at, ready_batches, leased_batches, ready_items, leased_items, oldest_age_s,
       batch_s, items_per_s, working, starting, ended_well, ended_badly, policy, need, desired, reason, started, stopped, error
FROM scaling_decisions WHERE %(flow_name)s::text IS NULL OR flow_name = %(flow_name)s ORDER BY decision_id DESC LIMIT %(limit)s

-- name: decisions_forget :exec
-- Bounded, so that a log nobody tended for long is not deleted in one breath.
DELETE FROM scaling_decisions WHERE decision_id IN (
    SELECT decision_id FROM scaling_decisions WHERE decided_at < now() - make_interval(secs => %(retain_s)s)
    ORDER BY decided_at LIMIT %(limit)s)

-- name: load_recorded :many
-- What came in and what each completed batch took, for replays; since the partition drops, only what retention keeps.
SELECT extract(epoch FROM b.created_at)::double precision AS at_s, h.wall_ms / 1000 AS work_s, h.attempt
FROM queue_history h JOIN queue_batches b ON b.batch_id = h.origin_batch_id
WHERE h.flow_name = %(flow_name)s AND h.outcome = 'completed' AND h.finished_at >= now() - make_interval(hours => %(hours)s)
  AND h.wall_ms > 0
ORDER BY b.created_at, h.history_id LIMIT %(limit)s
