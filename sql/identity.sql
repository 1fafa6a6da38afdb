-- Resolved records.

-- name: job_publish :exec
-- Make a job the one whose answer counts; readers switch at commit. The history says how it came to be.
WITH pointed AS (
    INSERT INTO published_jobs (dataset, job_id)
    VALUES (%(dataset)s, %(job_id)s)
    ON CONFLICT (dataset) DO UPDATE SET job_id = excluded.job_id, published_at = now()
    RETURNING dataset, job_id
)
INSERT INTO publications (dataset, job_id, how)
SELECT dataset, job_id, %(how)s FROM pointed;

-- name: job_datasets :many
-- Data sets that a job was ever published for, the job each points at now, and whether the job's records are still there.
SELECT DISTINCT h.dataset, p.job_id, EXISTS (SELECT FROM entity_members m WHERE m.job_id = h.job_id)
FROM publications h LEFT JOIN published_jobs p USING (dataset)
WHERE h.job_id = %(job_id)s
ORDER BY h.dataset;

-- name: job_has_members :many
-- Which of two jobs wrote entities: only these can be compared.
SELECT id FROM unnest(%(job_ids)s::bigint[]) AS id
WHERE EXISTS (SELECT FROM entity_members m WHERE m.job_id = id);

-- name: jobs_diff :one
-- What became of the entities of one job in another. Records are the same by source and id.
WITH shares AS (
    SELECT a.entity_id AS before, b.entity_id AS after, count(*) AS n
    FROM (SELECT * FROM entity_members WHERE job_id = %(job_a)s) a
    FULL JOIN (SELECT * FROM entity_members WHERE job_id = %(job_b)s) b USING (source_no, record_id)
    GROUP BY 1, 2
), befores AS (
    SELECT before, count(after) AS n_after FROM shares WHERE before IS NOT NULL GROUP BY 1
), afters AS (
    SELECT after, count(before) AS n_before FROM shares WHERE after IS NOT NULL GROUP BY 1
)
SELECT
    (SELECT count(*) FROM afters WHERE NOT EXISTS (SELECT FROM befores WHERE before = after)),
    (SELECT count(*) FROM befores WHERE NOT EXISTS (SELECT FROM afters WHERE after = before)),
    (SELECT count(*) FROM afters WHERE n_before > 1),
    (SELECT count(*) FROM befores WHERE n_after > 1),
    coalesce(sum(n) FILTER (WHERE before <> after), 0)::bigint,
    coalesce(sum(n) FILTER (WHERE before IS NULL), 0)::bigint,
    coalesce(sum(n) FILTER (WHERE after IS NULL), 0)::bigint
FROM shares;

-- name: own_tables_make :exec
-- The job's partitions, empty and without indexes; those that are there stay.
SELECT own_tables_make(%(job_id)s, %(identities)s)

-- name: own_tables :many
-- What the job has of its own, largest first: that is how they are best spread over workers.
SELECT name, parent FROM own_tables(%(job_id)s) ORDER BY n_bytes DESC, name

-- name: own_table_index :upkeep
-- Memory for one sort; the server's default would spill a million rows to disk.
SELECT set_config('maintenance_work_mem', %(memory)s, true), own_table_index(%(name)s, %(parent)s)

-- name: published_job :one
-- Whose answer counts for the data set.
SELECT job_id FROM published_jobs WHERE dataset = %(dataset)s

-- name: published_members :upkeep
-- Which entity each record of a job belongs to, in columns: of 256 pages a row (2 MB) with their sources, the lengths of
-- their ids, the ids one after the other, and their entities. One row a record would cost the client four times as much.
SELECT found.sources, found.lengths, found.ids, found.entities
FROM generate_series(0, (SELECT max(pg_relation_size(relid)) / current_setting('block_size')::int
                         FROM pg_partition_tree('entity_members')), 256) AS page
CROSS JOIN LATERAL (
    SELECT string_agg(int2send(m.source_no), '') AS sources,
           string_agg(int4send(octet_length(m.record_id)), '') AS lengths,
           string_agg(convert_to(m.record_id, 'UTF8'), '') AS ids,
           string_agg(uuid_send(m.entity_id), '') AS entities
    FROM entity_members m
    WHERE m.job_id = %(job_id)s
      AND m.ctid >= format('(%%s,0)', page)::tid AND m.ctid < format('(%%s,0)', page + 256)::tid) AS found
WHERE found.sources IS NOT NULL

-- name: published_changes :many
-- What became of entities in all runs up to a job.
SELECT version, kind, entity_id::text, from_id::text, records FROM entity_changes WHERE job_id = %(job_id)s

-- name: jobs_to_forget :many
-- Jobs that hold former values of records which a job removed or changed, and that nobody reads: published for its data
-- set before it was, or ended and never published. Their parameters say where their files are.
SELECT j.job_id, j.parameters FROM jobs j
WHERE j.job_id <> %(job_id)s AND (
    EXISTS (SELECT FROM publications h WHERE h.dataset = %(dataset)s AND h.job_id = j.job_id AND h.publication_id < (
        SELECT min(publication_id) FROM publications WHERE dataset = %(dataset)s AND job_id = %(job_id)s))
    OR (j.flow_name = %(flow)s AND j.job_id < %(job_id)s AND j.finished_at IS NOT NULL
        AND string_to_array(j.input_digest, '-') && %(digests)s::text[]
        AND NOT EXISTS (SELECT FROM publications h WHERE h.job_id = j.job_id)))
ORDER BY j.job_id

-- name: jobs_that_hold :many
-- Jobs that read the same files before and were left alone: of other data sets, or not at their end.
SELECT j.job_id FROM jobs j
WHERE j.flow_name = %(flow)s AND j.job_id < %(job_id)s AND string_to_array(j.input_digest, '-') && %(digests)s::text[]
  AND (j.finished_at IS NULL OR EXISTS (SELECT FROM entity_members m WHERE m.job_id = j.job_id))
ORDER BY j.job_id

-- name: own_table_empty :exec
-- What was erased is in no file of the table any more, which deleting rows would not do. Empty partitions stay.
TRUNCATE TABLE {table}

-- name: answer_forget :exec
-- The rows of jobs in tables that all jobs share.
WITH records AS (
    DELETE FROM identities WHERE job_id = ANY (%(job_ids)s)
), rules AS (
    DELETE FROM lookup_jobs WHERE job_id = ANY (%(job_ids)s)
)
DELETE FROM match_patterns WHERE job_id = ANY (%(job_ids)s)

-- name: dataset_lock :exec
-- One job of a data set at a time is made the one that counts.
SELECT pg_advisory_xact_lock(hashtext('headrace published'), hashtext(%(dataset)s))

-- name: input_table :many
-- All rows of a table or view that somebody wants matched, in one snapshot.
SELECT * FROM {table}

-- name: input_table_name :many
-- As the server writes it, with the quotes it needs; nothing where there is no such table or view.
SELECT to_regclass(%(table)s)::text WHERE to_regclass(%(table)s) IS NOT NULL

-- name: review_records_forget :exec
-- What cases of a data set showed until now; those of the next run come in the same transaction.
DELETE FROM identity_review_records WHERE dataset = %(dataset)s

-- name: review_records :many
-- The records of a few cases.
SELECT id, fields FROM identity_review_records WHERE dataset = %(dataset)s AND id = ANY(%(ids)s::text[])

-- name: published_datasets :many
-- What counts, for a list; a database has a few dozen.
SELECT dataset, job_id, published_at FROM published_jobs ORDER BY dataset LIMIT 10000

-- name: entities_of_record :many
-- Where a record is in a job's answer; ids are those of a source, so linked files may have it more than once.
SELECT entity_id::text, source_no, record_id FROM entity_members
WHERE job_id = %(job_id)s AND record_id = %(record_id)s ORDER BY source_no LIMIT 20

-- name: entity_told :one
-- What survives of an entity, and from which record each value is; null where the job did not publish that.
SELECT n_members, golden, lineage FROM entities WHERE job_id = %(job_id)s AND entity_id = %(entity_id)s::uuid

-- name: entity_records :many
-- Records of an entity.
SELECT source_no, record_id FROM entity_members
WHERE job_id = %(job_id)s AND entity_id = %(entity_id)s::uuid ORDER BY source_no, record_id LIMIT %(limit)s

-- name: entity_values :many
-- What the first of them say, if the job published values.
SELECT source_no, record_id, json_build_object(
    'first_name', first_name, 'last_name', last_name, 'dob', dob, 'ssn', ssn, 'phone', phone, 'street', street,
    'city', city, 'state', state, 'zip', zip, 'email', email), attributes
FROM identities
WHERE job_id = %(job_id)s AND own_job IN (0, %(job_id)s) AND entity_id = %(entity_id)s::uuid
ORDER BY source_no, record_id LIMIT %(limit)s

-- name: entity_links :many
-- Pairs among the records of an entity that hold it together, the strongest first.
SELECT m.source_a, m.id_a, m.source_b, m.id_b, m.score, m.confidence, m.rule, p.levels
FROM matches m LEFT JOIN match_patterns p ON p.job_id = %(job_id)s AND p.pattern_id = m.pattern_id
WHERE m.job_id = %(job_id)s AND m.joined AND m.id_a = ANY(%(ids)s::text[]) AND m.id_b = ANY(%(ids)s::text[])
ORDER BY m.score DESC, m.source_a, m.id_a, m.source_b, m.id_b LIMIT %(limit)s

-- name: pair_told :many
-- What a job kept of two records: only accepted pairs and those worth a look are there.
SELECT m.score, m.confidence, m.rule, m.decision, m.joined, p.levels
FROM matches m LEFT JOIN match_patterns p ON p.job_id = %(job_id)s AND p.pattern_id = m.pattern_id
WHERE m.job_id = %(job_id)s AND (m.id_a, m.id_b) IN ((%(a)s, %(b)s), (%(b)s, %(a)s)) LIMIT 1

-- name: record_rows :many
-- The row of each of a few records in the job's input; nothing where the job published no values.
SELECT record_id, row_no FROM identities
WHERE job_id = %(job_id)s AND own_job IN (0, %(job_id)s) AND record_id = ANY(%(ids)s::text[]) LIMIT 20

-- name: dataset_runs :many
-- Jobs that were published for a data set and whose answers are still there, the newest first.
SELECT h.job_id, max(h.at) AS published_at FROM publications h
WHERE h.dataset = %(dataset)s AND EXISTS (SELECT FROM entity_members m WHERE m.job_id = h.job_id)
GROUP BY h.job_id ORDER BY published_at DESC, h.job_id DESC LIMIT 50
