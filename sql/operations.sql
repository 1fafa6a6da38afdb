-- Lists of the operations pages: by key, so that a page reads what it shows, whatever the table holds.

-- name: dead_page :many
-- Newest first, from an id on; never payloads.
SELECT dead_letter_id, origin_batch_id, seq, n_items, flow_name, job_id, stage, fault, error_class, reason, attempts, worker_id,
       died_at, NULL::text
FROM dead_letters
WHERE dead_letter_id < %(before)s AND (%(flow_name)s::text IS NULL OR flow_name = %(flow_name)s)
  AND (%(error_class)s::text IS NULL OR error_class = %(error_class)s)
ORDER BY dead_letter_id DESC LIMIT %(limit)s

-- name: decision_page :many
-- Newest first, from an id on.
SELECT decision_id, flow_name, pool, holder, decided_at, ready_batches, leased_batches, ready_items, leased_items, oldest_age_s,
       batch_s, items_per_s, working, starting, ended_well, ended_badly, policy, need, desired, reason, started, stopped, error
FROM scaling_decisions
WHERE decision_id < %(before)s AND (%(flow_name)s::text IS NULL OR flow_name = %(flow_name)s)
ORDER BY decision_id DESC LIMIT %(limit)s
