-- Statements of core.bench: databases of its own, counters of the server, and what the tables say afterwards.

-- name: bench_create :exec
-- The benchmark never touches the database it was pointed at.
CREATE DATABASE {name}

-- name: bench_drop :exec
-- Also when a worker was killed.
DROP DATABASE IF EXISTS {name} WITH (FORCE)

-- name: bench_counters :one
-- Position in the log that is safely written, in bytes since its beginning; transactions of this database so far.
SELECT (pg_current_wal_flush_lsn() - '0/0')::bigint,
       (SELECT xact_commit FROM pg_stat_database WHERE datname = current_database())

-- name: bench_wal_extension :exec
-- Reads WAL records; comes with PostgreSQL 15 and later.
CREATE EXTENSION IF NOT EXISTS pg_walinspect

-- name: bench_wal_keep :exec
-- Segments must not be recycled before they were looked at. A physical slot keeps no rows alive; a temporary one goes
-- with its session.
SELECT pg_create_physical_replication_slot(%(slot)s, true, true)

-- name: bench_wal_mark :exec
-- A record behind the range: the look into a range that holds none, at the very end of the log, would be an error.
SELECT pg_logical_emit_message(true, 'headrace', '')

-- name: bench_wal_images :one
-- Bytes of full-page images among the records of a range; pg_stat_wal counts images, not their bytes.
SELECT coalesce(sum(fpi_size), 0)::bigint
FROM pg_get_wal_stats('0/0'::pg_lsn + %(lo)s::bigint, '0/0'::pg_lsn + %(hi)s::bigint)

-- name: bench_wal_advance :exec
-- What was looked at may be recycled.
SELECT pg_replication_slot_advance(%(slot)s, '0/0'::pg_lsn + %(hi)s::bigint)

-- name: bench_flush :exec
-- What this session has counted is seen by others now, not up to a second later.
SELECT pg_stat_force_next_flush()

-- name: bench_checkpoint :exec
-- Before each run of a job: what was written earlier is on the disk.
CHECKPOINT

-- name: bench_analyse :exec
-- Between enqueue and drain, for every system alike.
ANALYZE

-- name: bench_dead_tuples :one
-- Of all tables, as the statistics have it.
SELECT coalesce(sum(n_dead_tup), 0)::bigint FROM pg_stat_user_tables

-- name: bench_server :one
-- What the figures were taken on.
SELECT current_setting('server_version'), current_setting('fsync'), current_setting('synchronous_commit'),
       current_setting('shared_buffers')

-- name: bench_verdict :one
-- What came in, what came out, how often, and the sum of the payload numbers that arrived. Distinct per batch, sorted:
-- one hash over all pairs, sized for a table that was never analysed, spills for minutes.
SELECT (SELECT count(*) FROM queue_items),
       (SELECT count(*) FROM queue_results),
       (SELECT coalesce(sum(n_once), 0)::bigint
        FROM (SELECT count(DISTINCT seq) AS n_once FROM queue_results GROUP BY batch_id) batches),
       (SELECT coalesce(sum((output->>'n')::bigint), 0)::bigint FROM queue_results)

-- name: bench_pgqueuer :one
-- What it still holds, and what its log calls successful, in rows and in jobs.
SELECT (SELECT count(*) FROM pgqueuer),
       (SELECT count(*) FROM pgqueuer_log WHERE status = 'successful'),
       (SELECT count(DISTINCT job_id) FROM pgqueuer_log WHERE status = 'successful')

-- name: bench_procrastinate :one
-- What it still holds unfinished, and what it keeps as succeeded (nothing, where it was told to delete).
SELECT (SELECT count(*) FROM procrastinate_jobs WHERE status IN ('todo', 'doing')),
       (SELECT count(*) FROM procrastinate_jobs WHERE status = 'succeeded'),
       (SELECT count(*) FROM procrastinate_jobs WHERE status = 'succeeded')

-- name: bench_depth_live :one
-- The sums that a cache miss costs.
SELECT sum(ready_batches)::bigint FROM queue_depth_live

-- name: bench_depth_cached :one
-- What scalers and dashboards read.
SELECT coalesce(sum(ready_batches), 0)::bigint, coalesce(bool_and(cached), false) FROM queue_depth_v1

-- name: bench_commit_table :exec
-- For bare commits.
CREATE TABLE bench_commits (n integer NOT NULL)

-- name: bench_commit :one
-- The least that a durable mark can be.
INSERT INTO bench_commits VALUES (%(n)s::integer) RETURNING n

-- name: bench_lookup_bytes :one
-- What lookups alone take, indexes included.
SELECT sum(pg_total_relation_size(oid)) FROM pg_class WHERE relname ~ '^lookup_(jobs|keys|records)(_j[0-9]+)?$';

-- name: bench_burst_done :one
-- Of a flow's batches enqueued since then: completed ones, when the first was begun and the last one ended, on the server's clock.
SELECT count(*), extract(epoch FROM min(started_at) - %(since)s)::double precision,
       extract(epoch FROM max(finished_at) - %(since)s)::double precision
FROM queue_history WHERE finished_at >= %(since)s AND flow_name = %(flow_name)s AND outcome = 'completed'

-- name: bench_now :one
-- Right after the commit of a burst.
SELECT clock_timestamp()

-- name: bench_flow_drop :exec
-- All that a benchmark's flow left in a database that others use. Headers first: nobody claims while the rest goes.
WITH headers AS (DELETE FROM processing_queue WHERE flow_name = %(flow_name)s),
     batches AS (DELETE FROM queue_batches WHERE flow_name = %(flow_name)s AND batch_id >= %(first)s RETURNING batch_id),
     items AS (DELETE FROM queue_items WHERE batch_id IN (SELECT batch_id FROM batches) AND batch_id >= %(first)s),
     results AS (DELETE FROM queue_results WHERE batch_id IN (SELECT batch_id FROM batches) AND batch_id >= %(first)s),
     history AS (DELETE FROM queue_history WHERE flow_name = %(flow_name)s AND origin_batch_id >= %(first)s),
     dead AS (DELETE FROM dead_letters WHERE flow_name = %(flow_name)s),
     retries AS (DELETE FROM queue_retries WHERE flow_name = %(flow_name)s),
     totals AS (DELETE FROM queue_totals WHERE flow_name = %(flow_name)s),
     depth AS (DELETE FROM queue_depth_cache WHERE flow_name = %(flow_name)s),
     decisions AS (DELETE FROM scaling_decisions WHERE flow_name = %(flow_name)s),
     lease AS (DELETE FROM leases WHERE name = 'autoscale:' || %(flow_name)s)
DELETE FROM queue_flows WHERE flow_name = %(flow_name)s

-- name: bench_batch_top :one
-- Batches enqueued from now on have a greater id.
SELECT last_value FROM queue_batch_id_seq
