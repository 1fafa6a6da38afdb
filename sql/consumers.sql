-- Statements of consumers and of the process that watches over them (core.queue.consumers.consumer, core.queue.consumers.supervisor).

-- name: consumer_clock :one
-- Deadlines are instants of the server; a worker turns them into its own monotonic time by this.
SELECT clock_timestamp()

-- name: worker_leases :many
-- Leases of a process that is gone. Its last backend may still be committing: those headers are locked, hence skipped,
-- and looked at again.
SELECT q.batch_id, q.origin_batch_id, q.lease_token, q.tenant_id, q.job_id, q.stage, q.flow_name, q.kind, q.partition_no,
       q.priority, q.attempt, q.n_items, q.item_lo, q.item_hi, q.splittable, q.partial, q.source, q.deadline_at,
       q.worker_id
FROM processing_queue q WHERE q.state = 'running' AND q.worker_id = %(worker_id)s
ORDER BY q.batch_id LIMIT %(limit)s FOR UPDATE SKIP LOCKED

-- name: worker_leases_left :one
-- How many of them there are still, locked or not.
SELECT count(*) FROM processing_queue q WHERE q.state = 'running' AND q.worker_id = %(worker_id)s

-- name: flow_row_time :one
-- What the rows of a flow took: the hours that are rolled up, and the tail that is not. Wall time, so it holds the COPY.
SELECT coalesce(sum(wall_ms), 0), coalesce(sum(n_rows), 0)::bigint FROM (
    SELECT wall_ms, n_rows FROM queue_totals
    WHERE flow_name = %(flow_name)s AND hour >= date_trunc('hour', now() - make_interval(hours => %(hours)s))
    UNION ALL
    SELECT wall_ms, n_rows FROM queue_history WHERE NOT rolled AND flow_name = %(flow_name)s AND outcome = 'completed'
) lately

-- name: workers_alive :one
-- Whoever beats may claim any flow; those that went silently are reaped.
SELECT count(*) FROM workers
