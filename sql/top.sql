-- What `headrace queue top` reads each second: sums that are kept anyway, and bounded ends of the rest. Never items, never
-- the whole of history.

-- name: top_clock :one
-- The server's time, and the hour the view began in: totals before it do not change.
SELECT extract(epoch FROM clock_timestamp())::double precision, date_trunc('hour', clock_timestamp())

-- name: top_flows :many
-- One row per flow from the public view, whichever tenant it is of.
SELECT flow_name, sum(ready_batches)::bigint, sum(ready_items)::bigint, sum(running_batches)::bigint, sum(running_items)::bigint,
       sum(expired_batches)::bigint, sum(scheduled_items)::bigint, sum(paused_items)::bigint, sum(waiting_retries)::bigint,
       sum(inbox_items)::bigint, coalesce(max(oldest_age_s), 0)::double precision, bool_or(paused)
FROM queue_depth_v1 GROUP BY flow_name ORDER BY flow_name

-- name: top_ended :many
-- Rows that ended for good, since an hour: a counter whose difference is the rate. The tail not rolled up yet is bounded:
-- without a leader it grows, and then the counter stands still rather than the server.
SELECT flow_name, sum(n_ok)::bigint, sum(n_dead)::bigint
FROM (SELECT flow_name, n_ok, n_dead FROM queue_totals WHERE hour >= %(since)s
      UNION ALL
      (SELECT flow_name, n_ok, n_dead FROM queue_history WHERE NOT rolled ORDER BY history_id LIMIT %(limit)s)) ended
GROUP BY flow_name ORDER BY flow_name

-- name: top_dead :many
-- Dead letters per flow, counted up to a limit in the index.
SELECT f.flow_name, (SELECT count(*) FROM (SELECT 1 FROM dead_letters d WHERE d.flow_name = f.flow_name LIMIT %(limit)s) letters)
FROM (SELECT DISTINCT flow_name FROM queue_flows) f ORDER BY f.flow_name

-- name: top_finished :many
-- Rows per worker among the newest ended attempts, and the seconds these span: the newest of the index on finished_at.
WITH newest AS (
    SELECT worker_id, n_ok + n_dead AS n_rows, finished_at FROM queue_history
    WHERE finished_at >= now() - make_interval(secs => %(window_s)s) ORDER BY finished_at DESC LIMIT %(limit)s
), span AS (
    SELECT CASE WHEN count(*) < %(limit)s THEN %(window_s)s
                ELSE extract(epoch FROM now() - min(finished_at)) END::double precision AS span_s FROM newest
)
SELECT n.worker_id, sum(n.n_rows)::bigint, max(s.span_s) FROM newest n CROSS JOIN span s
WHERE n.worker_id IS NOT NULL GROUP BY n.worker_id ORDER BY n.worker_id

-- name: top_holders :many
-- Who holds running batches: `headrace match` and flow runs take part in a job without beating as workers do.
SELECT worker_id, count(*) FROM processing_queue WHERE state = 'running' AND worker_id IS NOT NULL
GROUP BY worker_id ORDER BY worker_id LIMIT 1000

-- name: top_pools :many
-- Workers that beat, and what they hold, by pool. Silent ones are reaped by the leader.
SELECT pool, count(*), coalesce(sum(n_leases), 0)::bigint FROM workers GROUP BY pool ORDER BY pool
