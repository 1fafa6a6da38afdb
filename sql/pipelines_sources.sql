-- Tables as sources of pipelines (core/workloads/pipelines/sources). Names are composed as quoted identifiers.

-- name: source_table :many
-- {where} is printed from our own syntax, its constants are parameters.
SELECT {columns} FROM {table} WHERE {where}

-- name: source_table_until :many
-- The first window of a cursor.
SELECT {columns} FROM {table} WHERE {where} AND {cursor} <= CAST(%(high)s AS {type})

-- name: source_table_between :many
-- What is new: above the watermark, up to the end that was fixed before a row was read.
SELECT {columns} FROM {table}
WHERE {where} AND {cursor} > CAST(%(low)s AS {type}) AND {cursor} <= CAST(%(high)s AS {type})

-- name: source_table_groups :many
-- All rows of the groups that new rows touch.
SELECT {columns} FROM {table}
WHERE {where} AND ({cursor} <= CAST(%(high)s AS {type})) IS NOT FALSE AND ({whole}) IN (
    SELECT {whole} FROM {table}
    WHERE {where} AND ({cursor} > CAST(%(low)s AS {type})) IS NOT FALSE AND {cursor} <= CAST(%(high)s AS {type}))

-- name: source_high :one
-- The end of a window: the greatest value at most the limit, or the greatest of all where there is none.
SELECT max({cursor})::text, %(low)s::text IS NULL OR max({cursor}) > CAST(%(low)s AS {type}) FROM {table}
WHERE {where} AND ({cursor} <= CAST(%(limit)s AS {type})) IS NOT FALSE

-- name: source_without_cursor :one
-- Rows that no window ever holds are counted.
SELECT count(*) FROM {table} WHERE {where} AND {cursor} IS NULL

-- name: source_columns :many
-- What there is now, to be held against what there was when the pipeline was approved.
SELECT a.attname::text, format_type(a.atttypid, a.atttypmod) FROM pg_attribute a
WHERE a.attrelid = to_regclass(%(table)s) AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum
