-- The tiny workload of the contract of workloads.

-- name: tiny_done :one
-- Texts that were done for good, from the queue's own history: the workload keeps no table.
SELECT coalesce(sum(n_ok), 0)::bigint FROM queue_history WHERE flow_name = %(flow)s
