#!/bin/sh
# Run once by PostgreSQL's image when it makes the database: the roles, each with what it needs. Passwords come from Secrets.
set -eu
psql --username postgres --dbname headrace --set ON_ERROR_STOP=1 \
    --set owner="$OWNER_PASSWORD" --set prefect="$PREFECT_PASSWORD" --set scaler="$SCALER_PASSWORD" <<'SQL'
CREATE ROLE headrace LOGIN PASSWORD :'owner';
CREATE ROLE prefect LOGIN PASSWORD :'prefect';
CREATE ROLE headrace_scaler LOGIN PASSWORD :'scaler' CONNECTION LIMIT 10;
ALTER DATABASE headrace OWNER TO headrace;
ALTER SCHEMA public OWNER TO headrace;
CREATE DATABASE prefect OWNER prefect;
REVOKE CONNECT ON DATABASE prefect FROM PUBLIC;
-- Extensions of ours that only a superuser may create; the others the owner makes.
CREATE EXTENSION IF NOT EXISTS pg_stat_statements;
SQL
