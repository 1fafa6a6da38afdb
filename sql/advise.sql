-- What `headrace db advise` looks at. It only reads: each finding of a query is (object, evidence, statement, lock, undo), the
-- statement being for people to run. Nothing is said of what the server has no figures of.

-- name: advise_read_only :exec
-- Whatever a finding is made of, nothing is changed.
SET TRANSACTION READ ONLY

-- name: advise_patience :exec
-- To plan a statement takes a lock, if the least; who holds the strongest is not waited for.
SET LOCAL lock_timeout = '2s'

-- name: advise_invalid_indexes :many
-- A build that failed half-way: the index costs every write and serves no read.
SELECT i.indexrelid::regclass::text, 'its build has failed: it is kept up, and never read',
       'REINDEX INDEX CONCURRENTLY ' || i.indexrelid::regclass, 'SHARE UPDATE EXCLUSIVE: reads and writes go on', 'none is needed'
FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
WHERE c.relkind = 'i' AND NOT i.indisvalid AND c.relnamespace::regnamespace::text NOT IN ('pg_catalog', 'pg_toast')
ORDER BY 1

-- name: advise_duplicate_indexes :many
-- Same table, columns, order, operator classes, expressions, predicate and INCLUDE; the one that no constraint needs goes, of
-- two such the younger. Parts of a partitioned index go with it.
SELECT b.indexrelid::regclass::text,
       'has the same columns, order and predicate as ' || min(a.indexrelid::regclass::text) || ', and takes '
       || pg_size_pretty(pg_relation_size(b.indexrelid)),
       'DROP INDEX CONCURRENTLY ' || b.indexrelid::regclass, 'SHARE UPDATE EXCLUSIVE: reads and writes go on',
       pg_get_indexdef(b.indexrelid)
FROM pg_index a JOIN pg_index b ON a.indrelid = b.indrelid AND a.indexrelid <> b.indexrelid
JOIN pg_class ca ON ca.oid = a.indexrelid JOIN pg_class cb ON cb.oid = b.indexrelid
WHERE cb.relkind = 'i' AND NOT cb.relispartition AND cb.relnamespace::regnamespace::text NOT IN ('pg_catalog', 'pg_toast')
  AND a.indisvalid AND ca.relam = cb.relam AND a.indkey = b.indkey AND a.indnkeyatts = b.indnkeyatts
  AND a.indclass = b.indclass AND a.indcollation = b.indcollation AND a.indoption = b.indoption
  AND coalesce(pg_get_expr(a.indexprs, a.indrelid), '') = coalesce(pg_get_expr(b.indexprs, b.indrelid), '')
  AND coalesce(pg_get_expr(a.indpred, a.indrelid), '') = coalesce(pg_get_expr(b.indpred, b.indrelid), '')
  AND (a.indisunique OR NOT b.indisunique)
  AND NOT EXISTS (SELECT 1 FROM pg_constraint k WHERE k.conindid = b.indexrelid)
  AND (a.indisunique > b.indisunique OR EXISTS (SELECT 1 FROM pg_constraint k WHERE k.conindid = a.indexrelid)
       OR a.indexrelid < b.indexrelid)
GROUP BY b.indexrelid ORDER BY 1

-- name: advise_unused_indexes :many
-- Not read for days by statistics that are older than some. A small one costs next to nothing, one of a constraint or of
-- a partitioned table is not for its reads alone; those of our own schema are left out by the caller.
SELECT i.indexrelid::regclass::text,
       CASE WHEN s.last_idx_scan IS NULL THEN 'never read' ELSE 'last read ' || s.last_idx_scan::date END || ' (statistics since '
       || d.since::date || '), takes ' || pg_size_pretty(pg_relation_size(i.indexrelid)) || '; ask the replicas, too',
       'DROP INDEX CONCURRENTLY ' || i.indexrelid::regclass, 'SHARE UPDATE EXCLUSIVE: reads and writes go on',
       pg_get_indexdef(i.indexrelid)
FROM pg_index i JOIN pg_stat_user_indexes s USING (indexrelid) JOIN pg_class c ON c.oid = i.indexrelid
JOIN pg_class t ON t.oid = i.indrelid
CROSS JOIN (SELECT coalesce(stats_reset, pg_postmaster_start_time()) AS since FROM pg_stat_database
            WHERE datname = current_database()) d
WHERE d.since <= now() - make_interval(days => %(known_days)s) AND coalesce(s.last_idx_scan, '-infinity') <= now() - make_interval(days => %(idle_days)s)
  AND NOT i.indisunique AND NOT i.indisreplident AND NOT c.relispartition AND NOT t.relispartition
  AND pg_relation_size(i.indexrelid) >= %(least_bytes)s
  AND NOT EXISTS (SELECT 1 FROM pg_constraint k WHERE k.conindid = i.indexrelid)
ORDER BY pg_relation_size(i.indexrelid) DESC

-- name: advise_foreign_keys :many
-- No index begins with the columns of the key: a delete in the other table reads all of this one. Empty tables cost nothing.
SELECT k.conrelid::regclass::text,
       'no index begins with the columns of ' || quote_ident(k.conname) || ': a delete in ' || k.confrelid::regclass
       || ' reads all ' || pg_size_pretty(pg_relation_size(k.conrelid)) || ' of it',
       'CREATE INDEX CONCURRENTLY ON ' || k.conrelid::regclass || ' ('
       || (SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY at.place) FROM unnest(k.conkey) WITH ORDINALITY at (attnum, place)
           JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = at.attnum) || ')',
       'SHARE UPDATE EXCLUSIVE: reads and writes go on', 'drop the new index'
FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
WHERE k.contype = 'f' AND c.relkind = 'r' AND NOT c.relispartition AND pg_relation_size(k.conrelid) > 0
  AND NOT EXISTS (
      SELECT 1 FROM pg_index i WHERE i.indrelid = k.conrelid AND i.indisvalid AND i.indpred IS NULL
      AND (SELECT array_agg(n ORDER BY n) FROM unnest((i.indkey::smallint[])[0:cardinality(k.conkey) - 1]) n)
        = (SELECT array_agg(n ORDER BY n) FROM unnest(k.conkey) n))
ORDER BY pg_relation_size(k.conrelid) DESC

-- name: advise_dead_rows :many
-- A fifth of the rows, and ten thousand, are dead versions: vacuum has not come, or could not take them away.
SELECT relid::regclass::text,
       n_dead_tup || ' dead versions beside ' || n_live_tup || ' rows; last vacuumed '
       || coalesce(greatest(last_vacuum, last_autovacuum)::timestamp(0)::text, 'never'),
       'VACUUM (ANALYZE) ' || relid::regclass, 'SHARE UPDATE EXCLUSIVE: reads and writes go on', 'none is needed'
FROM pg_stat_user_tables WHERE n_dead_tup >= 10000 AND n_dead_tup > n_live_tup / 4 ORDER BY n_dead_tup DESC

-- name: advise_never_analysed :many
-- The planner guesses. Below a thousand rows any plan will do.
SELECT relid::regclass::text, n_live_tup || ' rows, and never analysed: plans of it are guesses',
       'ANALYZE ' || relid::regclass, 'SHARE UPDATE EXCLUSIVE: reads and writes go on', 'none is needed'
FROM pg_stat_user_tables
WHERE last_analyze IS NULL AND last_autoanalyze IS NULL AND n_live_tup >= 1000 ORDER BY n_live_tup DESC

-- name: advise_autovacuum :many
-- Somebody has switched it off, for a load say, and not on again.
SELECT oid::regclass::text, 'autovacuum is off for it: dead versions pile up, and in the end writes stop',
       'ALTER TABLE ' || oid::regclass || ' RESET (autovacuum_enabled)', 'SHARE UPDATE EXCLUSIVE: reads and writes go on',
       'ALTER TABLE ' || oid::regclass || ' SET (autovacuum_enabled = false)'
FROM pg_class WHERE relkind IN ('r', 'm') AND reloptions && ARRAY['autovacuum_enabled=false', 'autovacuum_enabled=off',
                                                                'autovacuum_enabled=0', 'autovacuum_enabled=no']
ORDER BY 1

-- name: advise_xmin_holders :many
-- Whoever keeps the oldest snapshot keeps every dead version that came after it, in all tables. Sessions by their transaction,
-- prepared transactions and slots by theirs.
SELECT 'session ' || pid, state || ' in a transaction for ' || round(extract(epoch FROM now() - xact_start)) || ' s ('
       || coalesce(nullif(application_name, ''), 'no name') || ', ' || coalesce(usename, '') || '): dead rows stay',
       'SELECT pg_terminate_backend(' || pid || ')', 'none; its work is rolled back', 'none: who was cut off starts again'
FROM pg_stat_activity
WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() AND xact_start <= now() - make_interval(secs => %(held_s)s)
  AND (backend_xmin IS NOT NULL OR backend_xid IS NOT NULL OR state = 'idle in transaction')
UNION ALL
SELECT 'prepared transaction ' || quote_literal(gid), 'prepared ' || prepared::timestamp(0) || ' and not ended: dead rows stay',
       'ROLLBACK PREPARED ' || quote_literal(gid), 'none; its work is rolled back', 'none'
FROM pg_prepared_xacts WHERE prepared <= now() - make_interval(secs => %(held_s)s)
UNION ALL
SELECT 'replication slot ' || slot_name, 'nobody reads it, and it keeps rows and the log',
       'SELECT pg_drop_replication_slot(' || quote_literal(slot_name) || ')', 'none', 'make the replica anew'
FROM pg_replication_slots WHERE NOT active AND (xmin IS NOT NULL OR catalog_xmin IS NOT NULL OR restart_lsn IS NOT NULL)
ORDER BY 1

-- name: advise_unsafe_settings :many
-- What keeps the data through a crash; never the other way round.
SELECT name, 'is off: a crash loses what was acknowledged as done, or more', 'ALTER SYSTEM SET ' || name || ' = ''on''',
       'none; holds after SELECT pg_reload_conf()', 'ALTER SYSTEM RESET ' || name
FROM pg_settings WHERE name IN ('fsync', 'full_page_writes', 'synchronous_commit', 'autovacuum') AND setting = 'off' ORDER BY 1

-- name: advise_checkpoints :many
-- More checkpoints by volume than by time.
SELECT 'max_wal_size', c.num_requested || ' of ' || c.num_requested + c.num_timed || ' checkpoints came because the log was full (since '
       || coalesce(c.stats_reset::date::text, 'the start') || ', max_wal_size ' || current_setting('max_wal_size') || ')',
       'ALTER SYSTEM SET max_wal_size = ''' || 2 * (SELECT setting::bigint FROM pg_settings WHERE name = 'max_wal_size') || 'MB''',
       'none; holds after SELECT pg_reload_conf()', 'ALTER SYSTEM RESET max_wal_size'
FROM pg_stat_checkpointer c WHERE c.num_requested > c.num_timed AND c.num_requested >= 10

-- name: advise_wal_buffers :many
-- Writers that had to write the log out themselves.
SELECT 'wal_buffers', w.wal_buffers_full || ' times a writer found the buffers full (since '
       || coalesce(w.stats_reset::date::text, 'the start') || ', wal_buffers ' || current_setting('wal_buffers') || ')',
       'ALTER SYSTEM SET wal_buffers = ''64MB''', 'none; holds after a restart', 'ALTER SYSTEM RESET wal_buffers'
FROM pg_stat_wal w
WHERE w.wal_buffers_full >= 1000 AND (SELECT setting::bigint * 8192 FROM pg_settings WHERE name = 'wal_buffers') < 67108864

-- name: advise_temporary_files :many
-- Sorts and hashes that did not fit.
SELECT 'work_mem', temp_files || ' temporary files of ' || pg_size_pretty(temp_bytes) || ' in all (since '
       || coalesce(stats_reset::date::text, 'the start') || ', work_mem ' || current_setting('work_mem') || ')',
       'ALTER SYSTEM SET work_mem = ''' || 2 * (SELECT setting::bigint FROM pg_settings WHERE name = 'work_mem') || 'kB''',
       'none; holds after SELECT pg_reload_conf()', 'ALTER SYSTEM RESET work_mem'
FROM pg_stat_database WHERE datname = current_database() AND temp_bytes >= 10737418240 AND temp_files > 0

-- name: advise_setting :many
-- One setting as it is, with the statement that sets it as `headrace db tune` wants it.
SELECT current_setting(name), 'ALTER SYSTEM SET ' || quote_ident(name) || ' = ' || quote_literal(%(value)s::text),
       CASE context WHEN 'postmaster' THEN 'none; holds after a restart' ELSE 'none; holds after SELECT pg_reload_conf()' END,
       'ALTER SYSTEM RESET ' || quote_ident(name)
FROM pg_settings WHERE name = %(name)s

-- name: advise_connections :one
-- What a server grants, and how many processes of ours beat.
SELECT (SELECT setting::integer FROM pg_settings WHERE name = 'max_connections')
     - (SELECT sum(setting::integer)::integer FROM pg_settings
        WHERE name IN ('superuser_reserved_connections', 'reserved_connections')),
       (SELECT count(*)::integer FROM workers)

-- name: advise_costly :many
-- Statements that took longest in all, of the kinds that may be explained, with calls and mean milliseconds.
SELECT query, calls, mean_exec_time FROM pg_stat_statements
WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database()) AND userid = to_regrole(current_user::text)
  AND toplevel AND query ~* '^\s*(--[^\n]*\n\s*)*(select|insert|update|delete|with)\M'
ORDER BY total_exec_time DESC LIMIT 50

-- name: advise_plan :one
-- The plan of a statement for whatever values: its text comes in the place of the last two words, and is not run.
EXPLAIN (GENERIC_PLAN, VERBOSE, FORMAT JSON) VALUES (0)

-- name: advise_table :many
-- A table by the names in a plan: the rows it has, and the index of these columns in the order given.
SELECT c.reltuples::bigint,
       'CREATE INDEX CONCURRENTLY ON ' || c.oid::regclass || ' (' || string_agg(quote_ident(a.attname), ', ' ORDER BY w.place) || ')'
FROM pg_class c JOIN unnest(%(columns)s::text[]) WITH ORDINALITY w (name, place) ON true
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = w.name AND a.attnum > 0
WHERE c.relname = %(table)s AND c.relnamespace = to_regnamespace(quote_ident(%(schema)s::text)) AND c.relkind = 'r'
  AND NOT c.relispartition
GROUP BY c.oid, c.reltuples
