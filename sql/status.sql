-- What `headrace status` reads beside the sums of `top` and `monitoring`: bounded ends of history, small tables, counters of
-- the server. Never items.

-- name: status_attempts :many
-- The newest ended attempts within a window, newest first, and the seconds since each ended.
SELECT flow_name, extract(epoch FROM clock_timestamp() - finished_at)::double precision, wall_ms, cpu_ms, n_ok + n_dead
FROM queue_history WHERE finished_at >= now() - make_interval(secs => %(window_s)s)
ORDER BY finished_at DESC LIMIT %(limit)s

-- name: status_hosts :many
-- Machines with workers that beat: how many, what they hold, load by core of the newest beat, silence of the quietest.
-- Cores are known of consumers alone.
SELECT host, count(*), coalesce(sum(n_leases), 0)::bigint,
       (array_agg(load ORDER BY heartbeat_at DESC))[1]::double precision / max((capabilities ->> 'cores')::double precision),
       extract(epoch FROM now() - min(heartbeat_at))::double precision
FROM workers GROUP BY host ORDER BY host LIMIT 1000

-- name: status_statements_there :one
-- Whether the server counts what statements cost, for this database.
SELECT to_regclass('pg_stat_statements') IS NOT NULL

-- name: status_statements :many
-- The statements that took longest in all since the counters were reset. Others than these four kinds are left out: their
-- texts are kept as they were typed, passwords and all.
SELECT regexp_replace(left(query, 2000), '\s+', ' ', 'g'), calls, total_exec_time, mean_exec_time, rows
FROM pg_stat_statements
WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND toplevel AND query ~* '^\s*(--[^\n]*\n\s*)*(select|insert|update|delete|with)\M'
ORDER BY total_exec_time DESC LIMIT %(limit)s
