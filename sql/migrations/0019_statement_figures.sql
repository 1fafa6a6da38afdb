-- What statements cost, as the server counts it. The extension is no trusted one, and all migrations are one
-- transaction: where the server lacks it, or the role may not create it, the schema is as good without.

DO $$
BEGIN
    CREATE EXTENSION IF NOT EXISTS pg_stat_statements;
EXCEPTION
    WHEN insufficient_privilege OR undefined_file OR feature_not_supported THEN
        RAISE NOTICE 'no figures of statements: pg_stat_statements was not created (%); a superuser may do it later',
            SQLERRM;
END
$$;
