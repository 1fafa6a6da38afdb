-- Statements of core/database: pool, COPY, migrations.

-- name: label_transaction :exec
-- SET LOCAL in the form that takes a parameter: holds for this transaction only, so that poolers stay usable.
SELECT set_config('application_name', %(application_name)s, true)

-- name: query_bound :exec
-- The limit of the statements that follow in this transaction.
SELECT set_config('statement_timeout', %(timeout_ms)s::text, true)

-- name: schema_current :one
-- Where unqualified names are made; NULL where the search_path holds no schema that exists.
SELECT current_schema()

-- name: schema_revisions :many
-- The revision that Alembic has written down as the last applied.
SELECT version_num FROM alembic_version

-- name: migration_lock :exec
-- One migrator at a time; a transaction lock, because poolers in transaction mode break session locks.
SELECT pg_advisory_xact_lock(4850726563)

-- name: database_create :exec
-- A database of the embedded server: Headrace's, made right after initdb, or the Prefect server's beside it.
CREATE DATABASE {name}

-- name: database_exists :one
-- Asked first, for CREATE DATABASE knows no IF NOT EXISTS.
SELECT EXISTS (SELECT FROM pg_database WHERE datname = %(name)s)

-- name: server_facts :one
-- What doctor and `db status` print about the server.
SELECT current_setting('server_version') AS version, current_database() AS database, current_user AS username,
       pg_database_size(current_database()) AS size_bytes, current_setting('transaction_read_only')::boolean AS read_only,
       (SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()) AS connections,
       current_setting('max_connections')::int AS max_connections, current_setting('server_encoding') AS encoding

-- name: copy_in :exec
-- {table} and {columns} are composed as quoted identifiers. Text format: backslash escapes keep NULL and '' apart.
COPY {table} ({columns}) FROM STDIN

-- name: copy_in_binary :exec
-- The same for bytes: the server neither looks for line ends nor parses numbers.
COPY {table} ({columns}) FROM STDIN (FORMAT binary)

-- name: copy_out :exec
-- {query} is another named query; its parameters are composed by the client, for COPY takes none.
COPY ({query}) TO STDOUT

-- name: describe :exec
-- Names and types of {query} without its rows: the planner drops the scan under LIMIT 0.
SELECT * FROM ({query}) AS described LIMIT 0

-- name: backend_pid :one
-- Who serves this statement, for a pooler in front has told another pid; and the forms in which it writes dates and numbers.
SELECT pg_backend_pid(), current_setting('TimeZone'), current_setting('DateStyle'), current_setting('IntervalStyle'),
       current_setting('extra_float_digits')

-- name: session_forms :one
-- For this transaction only: behind a pooler the next one may run on another backend.
SELECT set_config('TimeZone', %(timezone)s, true), set_config('DateStyle', %(datestyle)s, true),
       set_config('IntervalStyle', %(intervalstyle)s, true), set_config('extra_float_digits', %(extra_float_digits)s, true)

-- name: scaler_grant :exec
-- A scaler such as KEDA asks queue_backlog() and may do nothing else. Made by whoever runs the database; without it nothing happens.
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'headrace_scaler') THEN
        GRANT EXECUTE ON FUNCTION queue_backlog(text, integer) TO headrace_scaler;
    END IF;
END
$$

-- name: scaler_granted :one
-- Whether the scaler's role is there and may ask.
SELECT coalesce(bool_or(has_function_privilege(oid, 'queue_backlog(text, integer)', 'EXECUTE')), false) AS granted
FROM pg_roles WHERE rolname = 'headrace_scaler'
