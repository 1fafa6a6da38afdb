-- Resolved records.

-- name: job_publish :exec
-- Make a job the one whose answer counts; readers switch at commit.
INSERT INTO published_jobs (dataset, job_id)
VALUES (%(dataset)s, %(job_id)s)
ON CONFLICT (dataset) DO UPDATE SET job_id = excluded.job_id, published_at = now();
