-- Statements of core.bench: a database of its own, and what the tables say afterwards.

-- name: bench_create :exec
-- The benchmark never touches the database it was pointed at.
CREATE DATABASE {name}

-- name: bench_drop :exec
-- Also when a worker was killed.
DROP DATABASE IF EXISTS {name} WITH (FORCE)

-- name: bench_wal :one
-- Position in the log, in bytes since its beginning.
SELECT (pg_current_wal_insert_lsn() - '0/0')::bigint

-- name: bench_commits :one
-- Transactions of this database so far; complete once the workers have disconnected.
SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()

-- name: bench_verdict :one
-- What came in, what came out, how often, and the sum of the payload numbers that arrived. Distinct per batch, sorted:
-- one hash over all pairs, sized for a table that was never analysed, spills for minutes.
SELECT (SELECT count(*) FROM queue_items),
       (SELECT count(*) FROM queue_results),
       (SELECT coalesce(sum(n_once), 0)::bigint
        FROM (SELECT count(DISTINCT seq) AS n_once FROM queue_results GROUP BY batch_id) batches),
       (SELECT coalesce(sum((output->>'n')::bigint), 0)::bigint FROM queue_results)
