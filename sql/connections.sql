-- What connections hold (core/connections).

-- name: relations_seen :many
-- Tables and views that the role may see, a row a column. A column that may not be read is left out where it stands.
SELECT n.nspname, c.relname, a.attname, format_type(a.atttypid, a.atttypmod) AS written,
       has_table_privilege(c.oid, 'SELECT') OR has_any_column_privilege(c.oid, 'SELECT') AS readable,
       has_column_privilege(c.oid, a.attnum, 'SELECT') AS column_readable,
       a.attnotnull AND NOT a.atthasdef AND a.attidentity = '' AS required
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname NOT IN ('pg_catalog', 'information_schema')
  AND n.nspname NOT LIKE 'pg\_%%' AND n.nspname <> ALL (%(hidden)s) AND has_schema_privilege(n.oid, 'USAGE')
ORDER BY n.nspname, c.relname, a.attnum

-- name: relation_keys :many
-- Unique sets of columns, the primary one first: of whole tables, for ON CONFLICT takes no other.
SELECT n.nspname, c.relname, array_agg(a.attname::text ORDER BY k.place) AS columns
FROM pg_index i
JOIN pg_class c ON c.oid = i.indrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
CROSS JOIN LATERAL unnest(i.indkey) WITH ORDINALITY AS k (attnum, place)
LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.attnum AND k.attnum > 0
WHERE i.indisunique AND i.indisvalid AND i.indimmediate AND i.indpred IS NULL AND k.place <= i.indnkeyatts
  AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast') AND n.nspname <> ALL (%(hidden)s)
GROUP BY n.nspname, c.relname, i.indexrelid, i.indisprimary
HAVING bool_and(a.attname IS NOT NULL)
ORDER BY n.nspname, c.relname, i.indisprimary DESC, i.indexrelid
