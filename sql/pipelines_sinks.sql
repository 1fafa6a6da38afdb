-- Tables as sinks of pipelines (core/workloads/pipelines/sinks). Names are composed as quoted identifiers; rows stand in a
-- table of the transaction's own, {stage}.

-- name: sink_columns :many
-- Exact types, for what does not fit is a dead row; and which columns must have a value.
SELECT a.attname::text, t.typname::text, a.atttypmod, a.attnotnull
FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
WHERE a.attrelid = to_regclass(%(table)s) AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum

-- name: sink_schema_known :many
-- Looked for before it is made: a role that may write to a schema need not be one that may make schemas.
SELECT 1 FROM pg_namespace WHERE nspname = %(schema)s

-- name: sink_schema :exec
-- create: true; the schema is one that the settings let pipelines write to.
CREATE SCHEMA IF NOT EXISTS {schema}

-- name: sink_create :exec
-- create: true; {columns} are names and types of ours.
CREATE TABLE {table} ({columns})

-- name: sink_stage :exec
-- Empty, of the target's types, gone with the transaction.
CREATE TEMPORARY TABLE {stage} ON COMMIT DROP AS SELECT {columns} FROM {table} WITH NO DATA

-- name: sink_stage_seen :exec
-- The planner knows nothing of a table that was filled just now.
ANALYZE {stage}

-- name: sink_append :exec
-- Rows already there are left out.
INSERT INTO {table} ({columns})
SELECT {s_columns} FROM {stage} s WHERE NOT EXISTS (SELECT FROM {table} t WHERE ({t_keys}) = ({s_keys}))

-- name: sink_upsert :one
-- Unchanged rows are left out before they reach the index, and what is left is written in the order of the keys.
WITH written AS (
    INSERT INTO {table} AS t ({columns})
    SELECT {s_columns} FROM {stage} s LEFT JOIN {table} t ON ({t_keys}) = ({s_keys})
    WHERE {is_new} OR (({t_compared}) IS DISTINCT FROM ({s_compared}) AND {newer})
    ORDER BY {s_keys}
    ON CONFLICT ({keys}) DO UPDATE SET ({columns}) = ROW ({excluded}) WHERE {newer_than_there}
    RETURNING (xmax = 0) AS is_new
)
SELECT count(*) FILTER (WHERE is_new), count(*) FILTER (WHERE NOT is_new) FROM written

-- name: sink_delete_all :exec
-- TRUNCATE would show an empty table to who reads on an older snapshot.
DELETE FROM {table}

-- name: sink_delete_within :exec
-- The groups that were read; {groups} is a table of them.
DELETE FROM {table} t USING {groups} g WHERE ({t_within}) IS NOT DISTINCT FROM ({g_within})

-- name: sink_scd2_close :exec
-- A row that changed ends when its follower begins.
UPDATE {table} t SET valid_to = %(now)s, is_current = false FROM {stage} s
WHERE t.valid_to IS NULL AND ({t_keys}) = ({s_keys}) AND ({t_compared}) IS DISTINCT FROM ({s_compared})

-- name: sink_scd2_absent :exec
-- What a whole read does not have any more has ended.
UPDATE {table} t SET valid_to = %(now)s, is_current = false
WHERE t.valid_to IS NULL AND NOT EXISTS (SELECT FROM {stage} s WHERE ({t_keys}) = ({s_keys}))

-- name: sink_scd2_open :exec
-- New keys, and followers of rows that were closed.
INSERT INTO {table} ({columns}, valid_from, valid_to, is_current)
SELECT {s_columns}, %(now)s, NULL, true FROM {stage} s
WHERE NOT EXISTS (SELECT FROM {table} t WHERE t.valid_to IS NULL AND ({t_keys}) = ({s_keys}))

-- name: sink_scd2_current :exec
-- One current row a key.
CREATE UNIQUE INDEX ON {table} ({keys}) WHERE valid_to IS NULL

-- name: sink_file_note :exec
-- The manifest: committed before the file takes its name, so that whoever comes next finishes what was begun.
INSERT INTO pipeline_sink_files (name, path, part, run_id) VALUES (%(name)s, %(path)s, %(part)s, %(run_id)s)
ON CONFLICT (name, path) DO UPDATE SET part = excluded.part, run_id = excluded.run_id

-- name: sink_file_noted :many
-- The part that a file's rows were published as.
SELECT path, part FROM pipeline_sink_files WHERE name = %(name)s
