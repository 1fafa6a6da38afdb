-- Pipelines (core/workloads/pipelines): versions and their approval, runs, how far each has read.

-- name: pipeline_whoami :one
-- Who approves on the command line.
SELECT session_user::text

-- name: pipeline_by_fingerprint :many
-- Whether a spec is known, whatever its spaces.
SELECT version, spec, columns, written_by, approved_by FROM pipelines
WHERE name = %(name)s AND fingerprint = %(fingerprint)s

-- name: pipeline_version_add :one
-- The next version; the lock keeps two writers from the same number.
WITH locked AS MATERIALIZED (SELECT pg_advisory_xact_lock(hashtext('headrace pipeline versions'), hashtext(%(name)s)))
INSERT INTO pipelines (name, version, spec, fingerprint, columns, written_by)
SELECT %(name)s, coalesce((SELECT max(version) FROM pipelines WHERE name = %(name)s), 0) + 1, %(spec)s, %(fingerprint)s,
       %(columns)s::json, %(written_by)s
FROM locked
ON CONFLICT (name, fingerprint) DO UPDATE SET fingerprint = excluded.fingerprint
RETURNING version, written_by

-- name: pipeline_approve :exec
-- Once; a second approval changes nothing.
UPDATE pipelines SET approved_by = %(approved_by)s, approved_at = clock_timestamp()
WHERE name = %(name)s AND version = %(version)s AND approved_by IS NULL

-- name: pipeline_approved :many
-- What runs: the version approved last.
SELECT version, spec, columns, fingerprint FROM pipelines WHERE name = %(name)s AND approved_by IS NOT NULL
ORDER BY approved_at DESC, version DESC LIMIT 1

-- name: pipeline_names :many
-- What a schedule may wait for, and what a sentence about an unknown name lists.
SELECT DISTINCT name FROM pipelines ORDER BY name

-- name: pipeline_history :many
-- The newest runs first.
SELECT run_id, version, state, started_at, ended_at, rows, reason,
       (SELECT sum(d.rows) FROM pipeline_dead d WHERE d.run_id = r.run_id)::bigint AS dead
FROM pipeline_runs r WHERE name = %(name)s ORDER BY run_id DESC LIMIT %(limit)s

-- name: pipeline_pause :exec
-- A second pause keeps the name of who came first.
INSERT INTO pipeline_pauses (name, paused_by) VALUES (%(name)s, %(paused_by)s) ON CONFLICT (name) DO NOTHING

-- name: pipeline_resume :exec
-- Nothing, where it was not paused.
DELETE FROM pipeline_pauses WHERE name = %(name)s

-- name: pipeline_paused :many
-- Asked at the start of a run.
SELECT paused_by FROM pipeline_pauses WHERE name = %(name)s

-- name: pipeline_run_lock :one
-- One run of a pipeline at a time; the lock ends with the transaction, and with a process that is killed.
SELECT pg_try_advisory_xact_lock(hashtext('headrace pipeline run'), hashtext(%(name)s))

-- name: pipeline_run_begin :one
-- Whoever holds the lock knows that a run still said to be running has lost its process.
WITH lost AS (
    UPDATE pipeline_runs SET state = 'lost', ended_at = %(now)s
    WHERE name = %(name)s AND state = 'running'
)
INSERT INTO pipeline_runs (name, version, state, started_at) VALUES (%(name)s, %(version)s, 'running', %(now)s)
RETURNING run_id

-- name: pipeline_run_end :exec
-- In the transaction of the rows, or after it was rolled back.
UPDATE pipeline_runs SET state = %(state)s, ended_at = clock_timestamp(), rows = %(rows)s::json, reason = %(reason)s
WHERE run_id = %(run_id)s

-- name: pipeline_watermarks_of :many
-- How far a pipeline has read.
SELECT source, watermark FROM pipeline_watermarks WHERE name = %(name)s

-- name: pipeline_watermark_set :exec
-- It never moves back: the caller's is at least what it was given.
INSERT INTO pipeline_watermarks (name, source, watermark, run_id)
VALUES (%(name)s, %(source)s, %(watermark)s, %(run_id)s)
ON CONFLICT (name, source) DO UPDATE SET watermark = excluded.watermark, run_id = excluded.run_id

-- name: pipeline_files_of :many
-- The files that are published already.
SELECT source, path, n_bytes, written_ns FROM pipeline_files WHERE name = %(name)s

-- name: pipeline_files_add :exec
-- A file that changed is known by its new state.
INSERT INTO pipeline_files (name, source, path, n_bytes, written_ns, run_id)
SELECT %(name)s, %(source)s, path, n_bytes, written_ns, %(run_id)s
FROM unnest(%(paths)s::text[], %(sizes)s::bigint[], %(written)s::bigint[]) AS read (path, n_bytes, written_ns)
ON CONFLICT (name, source, path) DO UPDATE
SET n_bytes = excluded.n_bytes, written_ns = excluded.written_ns, run_id = excluded.run_id

-- name: pipeline_checks_add :exec
-- What every rule said, kept over the runs.
INSERT INTO pipeline_checks (run_id, step, rule, on_fail, passed, rows)
SELECT %(run_id)s, step, rule, on_fail, passed, rows
FROM unnest(%(steps)s::text[], %(rules)s::text[], %(on_fails)s::text[], %(passed)s::boolean[], %(rows)s::bigint[])
     AS said (step, rule, on_fail, passed, rows)

-- name: pipeline_dead_add :exec
-- Counts, never values.
INSERT INTO pipeline_dead (run_id, step, name, fault, rows)
SELECT %(run_id)s, step, name, fault, rows
FROM unnest(%(steps)s::text[], %(names)s::text[], %(faults)s::text[], %(rows)s::bigint[]) AS dead (step, name, fault, rows)
