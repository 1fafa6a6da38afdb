-- Reports for people. They read totals, headers and small tables; of history only the tail and the window's first hour.

-- name: performance :many
-- Ended attempts of the window per flow: whole hours from the totals, rows not rolled up yet from history, and the
-- window's first, partial hour from history alone; then marks in headers that still live.
WITH span AS (
    SELECT now() - make_interval(secs => %(window_s)s) AS since,
           date_trunc('hour', now() - make_interval(secs => %(window_s)s) + interval '1 hour') AS first_hour
), ended AS (
    SELECT t.flow_name, t.n_ok, t.n_dead, t.n_attempts, t.n_completed, t.wall_ms, t.cpu_ms, t.record_wall_ms
    FROM queue_totals t, span WHERE t.hour >= span.first_hour
    UNION ALL
    SELECT h.flow_name, h.n_ok, h.n_dead, 1, (h.outcome = 'completed')::integer, h.wall_ms, h.cpu_ms,
           h.wall_ms * (h.n_ok + h.n_dead)
    FROM queue_history h, span WHERE NOT h.rolled AND h.finished_at >= span.first_hour
    UNION ALL
    SELECT h.flow_name, h.n_ok, h.n_dead, 1, (h.outcome = 'completed')::integer, h.wall_ms, h.cpu_ms,
           h.wall_ms * (h.n_ok + h.n_dead)
    FROM queue_history h, span WHERE h.finished_at >= span.since AND h.finished_at < span.first_hour
    UNION ALL
    SELECT q.flow_name, m.n_ok, m.n_dead, 0, 0, 0, 0,
           (m.n_ok + m.n_dead) * extract(epoch FROM clock_timestamp() - q.claimed_at)::double precision * 1000
    FROM span, processing_queue q CROSS JOIN LATERAL (
        SELECT (SELECT count(*) FROM queue_results r
                WHERE q.kind = 'new' AND r.batch_id = q.origin_batch_id AND r.seq >= q.item_lo AND r.seq < q.item_hi)
             + (SELECT count(*) FROM queue_retries t WHERE q.kind = 'retry' AND t.retry_batch_id = q.origin_batch_id
                AND t.retry_seq >= q.item_lo AND t.retry_seq < q.item_hi AND t.marked = 'completed') AS n_ok,
               (SELECT count(*) FROM dead_letters d
                WHERE q.kind = 'new' AND d.origin_batch_id = q.origin_batch_id AND d.seq >= q.item_lo AND d.seq < q.item_hi)
             + (SELECT count(*) FROM queue_retries t WHERE q.kind = 'retry' AND t.retry_batch_id = q.origin_batch_id
                AND t.retry_seq >= q.item_lo AND t.retry_seq < q.item_hi AND t.marked = 'dead') AS n_dead
    ) m
    WHERE q.partial AND q.state = 'running' AND q.claimed_at >= span.since
)
SELECT flow_name, coalesce(sum(n_ok), 0)::bigint, coalesce(sum(n_dead), 0)::bigint, coalesce(sum(n_attempts), 0)::bigint,
       coalesce(sum(n_completed), 0)::bigint, coalesce(sum(wall_ms), 0)::double precision,
       coalesce(sum(cpu_ms), 0)::double precision, coalesce(sum(record_wall_ms), 0)::double precision
FROM ended WHERE %(flow_name)s::text IS NULL OR flow_name = %(flow_name)s
GROUP BY flow_name ORDER BY flow_name

-- name: recent_errors :many
-- What died of what within the window.
SELECT flow_name, error_class, sum(n_items)::bigint FROM dead_letters
WHERE died_at >= now() - make_interval(secs => %(window_s)s) AND (%(flow_name)s::text IS NULL OR flow_name = %(flow_name)s)
GROUP BY flow_name, error_class ORDER BY 3 DESC, 1, 2 LIMIT 20

-- name: flow_depths :many
-- One row per flow from the public view.
SELECT flow_name, sum(ready_batches)::bigint, sum(running_batches)::bigint, sum(expired_batches)::bigint,
       sum(waiting_retries)::bigint, coalesce(max(oldest_age_s), 0)::double precision, bool_or(paused)
FROM queue_depth_v1 GROUP BY flow_name ORDER BY flow_name

-- name: live_workers :many
-- Who has sent a heartbeat lately.
SELECT worker_id, host, pid, n_leases, load, extract(epoch FROM now() - heartbeat_at)::double precision
FROM workers ORDER BY worker_id LIMIT 1000

-- name: server_connections :one
-- Connections of this database's server against its limit.
SELECT (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'),
       (SELECT setting::integer FROM pg_settings WHERE name = 'max_connections')
