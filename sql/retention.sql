-- Statements of core.queue.store.retention and core.queue.store.statistics. Names of tables cannot be parameters: {parent} and {child}
-- are quoted in by the caller.

-- name: partitions_survey :many
-- What each partition holds and who still needs it. `past`: no new id can fall into it.
SELECT p.lo, p.hi, p.state, s.last_value >= p.hi AS past,
       (SELECT coalesce(sum(pg_total_relation_size(to_regclass(parent || '_p' || p.lo))), 0)::bigint
        FROM unnest(ARRAY['queue_items', 'queue_results', 'queue_batches', 'queue_history']) AS parent),
       extract(epoch FROM clock_timestamp() - coalesce(greatest(
           (SELECT b.created_at FROM queue_batches b WHERE b.batch_id >= p.lo AND b.batch_id < p.hi
            ORDER BY b.batch_id DESC LIMIT 1),
           (SELECT h.finished_at FROM queue_history h WHERE h.origin_batch_id >= p.lo AND h.origin_batch_id < p.hi
            ORDER BY h.finished_at DESC LIMIT 1)), p.created_at))::double precision,
       (SELECT count(*) FROM processing_queue q WHERE q.origin_batch_id >= p.lo AND q.origin_batch_id < p.hi),
       (SELECT count(*) FROM queue_retries t WHERE t.origin_batch_id >= p.lo AND t.origin_batch_id < p.hi),
       EXISTS (SELECT 1 FROM queue_history h WHERE h.origin_batch_id >= p.lo AND h.origin_batch_id < p.hi AND NOT h.rolled),
       (SELECT j.job_id FROM jobs j WHERE j.finished_at IS NULL AND (
            EXISTS (SELECT 1 FROM queue_batches b WHERE b.batch_id >= p.lo AND b.batch_id < p.hi AND b.job_id = j.job_id)
            OR EXISTS (SELECT 1 FROM queue_history h
                       WHERE h.origin_batch_id >= p.lo AND h.origin_batch_id < p.hi AND h.job_id = j.job_id))
        ORDER BY j.job_id LIMIT 1)
FROM queue_partitions p, queue_batch_id_seq s
WHERE p.state <> 'dropped' AND (%(lo)s::bigint IS NULL OR p.lo = %(lo)s) ORDER BY p.lo

-- name: partitions_held :many
-- Detaching waits for every transaction that has read or written a parent; one that is open for long is not waited for.
SELECT l.relation::regclass::text, a.pid, extract(epoch FROM clock_timestamp() - a.xact_start)::double precision
FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
WHERE l.locktype = 'relation' AND l.granted AND l.pid <> pg_backend_pid()
  AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND l.relation IN ('queue_items'::regclass, 'queue_results'::regclass, 'queue_batches'::regclass, 'queue_history'::regclass)
  AND a.xact_start < clock_timestamp() - make_interval(secs => %(open_s)s)
ORDER BY a.xact_start LIMIT 1

-- name: partition_alone :one
-- Whoever puts something into a range holds this lock shared until its commit; not waited for, for new ones would queue.
SELECT pg_try_advisory_xact_lock(hashtext('headrace.enqueue'))

-- name: partition_give_up :many
-- From here on the partition is dropped, by whoever comes next.
UPDATE queue_partitions SET state = 'detached' WHERE lo = %(lo)s AND state = 'attached' RETURNING lo

-- name: partition_tables :many
-- How far the dropping of a partition has come.
SELECT parent, child, i.inhrelid IS NOT NULL, coalesce(i.inhdetachpending, false)
FROM unnest(ARRAY['queue_items', 'queue_results', 'queue_batches', 'queue_history']) WITH ORDINALITY AS t (parent, n)
CROSS JOIN LATERAL (SELECT parent || '_p' || %(lo)s::bigint AS child) named
LEFT JOIN pg_inherits i ON i.inhrelid = to_regclass(child)
WHERE to_regclass(child) IS NOT NULL ORDER BY n

-- name: partition_detach :upkeep
-- Blocks neither readers nor writers of the parent; outside of a transaction.
ALTER TABLE {parent} DETACH PARTITION {child} CONCURRENTLY

-- name: partition_finalize :upkeep
-- After a detach that was cut short.
ALTER TABLE {parent} DETACH PARTITION {child} FINALIZE

-- name: partition_drop :exec
-- It stands alone by now.
DROP TABLE {child}

-- name: partition_discards :exec
-- Nobody can ask any more what became of these rows.
DELETE FROM queue_discards x USING queue_partitions p WHERE p.lo = %(lo)s AND x.batch_id >= p.lo AND x.batch_id < p.hi

-- name: partition_dropped :exec
-- All its tables are gone.
UPDATE queue_partitions SET state = 'dropped', dropped_at = clock_timestamp() WHERE lo = %(lo)s

-- name: partitions_keep :exec
-- The lock that retention respects; a statement of its own, so that the next one sees what was given up before it.
SELECT pg_advisory_xact_lock_shared(hashtext('headrace.enqueue'))

-- name: partitions_to_revive :many
-- The ranges that dead letters of a flow come from, if they were dropped.
SELECT p.lo, p.state FROM queue_partitions p
WHERE p.state <> 'attached' AND EXISTS (SELECT 1 FROM dead_letters d
    WHERE d.flow_name = %(flow_name)s AND d.origin_batch_id >= p.lo AND d.origin_batch_id < p.hi)
ORDER BY p.lo

-- name: partition_revive :exec
-- Empty tables for results and history of what is redriven.
SELECT queue_partition_revive(%(lo)s)

-- name: statistics_stale :many
-- Partitions of which a share was changed since they were last looked at; then the parents, which nobody else looks at,
-- some time after they were.
SELECT name FROM (
    SELECT s.relname AS name, 0 AS rank, s.n_mod_since_analyze AS n_changed
    FROM pg_inherits i JOIN pg_stat_user_tables s ON s.relid = i.inhrelid
    WHERE i.inhparent IN ('queue_items'::regclass, 'queue_results'::regclass, 'queue_batches'::regclass, 'queue_history'::regclass)
      AND NOT i.inhdetachpending
      AND s.n_mod_since_analyze >= %(rows_min)s AND s.n_mod_since_analyze > %(share)s * s.n_live_tup
    UNION ALL
    SELECT s.relname, 1, 0 FROM pg_stat_user_tables s
    WHERE s.relid IN ('queue_items'::regclass, 'queue_results'::regclass, 'queue_batches'::regclass, 'queue_history'::regclass)
      AND coalesce(s.last_analyze, '-infinity') < now() - make_interval(secs => %(age_s)s)
) AS stale
ORDER BY rank, n_changed DESC, name LIMIT %(limit)s

-- name: statistics_refresh :upkeep
-- A sample of at most 30,000 rows, of a parent over all its partitions; blocks nobody's reading and writing.
ANALYZE {child}
