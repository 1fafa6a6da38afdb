-- Looking one record up in what is published for a data set.

-- name: lookup_datasets :many
-- What is published, and whether it can be looked up in.
SELECT p.dataset, p.job_id, l.job_id IS NOT NULL
FROM published_jobs p LEFT JOIN lookup_jobs l USING (job_id)
ORDER BY p.dataset;

-- name: lookup_version :one
-- The job whose answer counts now.
SELECT job_id FROM published_jobs WHERE dataset = %(dataset)s;

-- name: lookup_rules :one
-- What a job decides by: some megabytes, read once a process and job. The mark is the job's alone: jobs of two databases
-- have the same numbers, and may share a Redis.
SELECT md5(j.job_key || j.created_at::text), l.n_rows, l.rules::text
FROM lookup_jobs l JOIN jobs j USING (job_id) WHERE job_id = %(job_id)s;

-- name: lookup_probe :many
-- The lists of a job that a record may stand in, of all passes at once, and the job that is published now: if that is
-- another one, a new version came meanwhile. At least one row where anything is published.
SELECT p.job_id, k.slot, k.entries
FROM published_jobs p
LEFT JOIN LATERAL (
    SELECT k.slot, k.entries
    FROM unnest(%(slots)s::smallint[], %(buckets)s::integer[]) AS asked (slot, bucket)
    JOIN lookup_keys k ON k.job_id = %(job_id)s AND k.slot = asked.slot AND k.bucket = asked.bucket
) k ON true
WHERE p.dataset = %(dataset)s;

-- name: lookup_records :many
-- Records by row, as they are compared.
SELECT row_no, record_id, entity_id::text, began, words, texts, links
FROM lookup_records WHERE job_id = %(job_id)s AND row_no = ANY(%(rows)s::bigint[]);

-- name: lookup_tables_make :exec
-- The partitions that a job's lookups need, empty and without indexes; those that are there stay.
SELECT lookup_tables_make(%(job_id)s);
