-- Looking one record up among those of a published job: written only when the job was asked for it.

CREATE TABLE lookup_jobs (
    job_id   bigint  PRIMARY KEY REFERENCES jobs,
    n_rows   bigint  NOT NULL CHECK (n_rows >= 1),
    rules    json    NOT NULL
);
COMMENT ON TABLE lookup_jobs IS 'Jobs that can be looked up in, and what they decide by.';
COMMENT ON COLUMN lookup_jobs.rules IS 'Spec, model with its term frequencies, order of dates, placeholders, width of blocks. Names frequent names.';

CREATE TABLE lookup_keys (
    job_id   bigint   NOT NULL,
    slot     smallint NOT NULL,
    bucket   integer  NOT NULL,
    entries  bytea    NOT NULL
) PARTITION BY LIST (job_id);
COMMENT ON TABLE lookup_keys IS 'Which records have which blocking key: 8 bytes each, little-endian, the upper bits of the key above the row; a bucket for each value of the highest bits. Partitioned by job (lookup_tables_make).';
COMMENT ON COLUMN lookup_keys.slot IS 'Blocking pass * 8 + refinements in the key.';

CREATE TABLE lookup_records (
    job_id     bigint  NOT NULL,
    row_no     bigint  NOT NULL,
    record_id  text    NOT NULL,
    entity_id  uuid    NOT NULL,
    began      bigint  NOT NULL,
    words      bytea   NOT NULL,
    texts      text    NOT NULL,
    links      bytea
) PARTITION BY LIST (job_id);
COMMENT ON TABLE lookup_records IS 'Records as they are compared, each with the accepted pairs it is in. Partitioned by job (lookup_tables_make).';
COMMENT ON COLUMN lookup_records.began IS 'Version in which the entity began; 0 for those of the first run.';
COMMENT ON COLUMN lookup_records.words IS 'The packed record, 4 bytes a word, little-endian; 0 for fields that are in texts.';
COMMENT ON COLUMN lookup_records.texts IS 'Normalised strings of the other fields, U+001F between them.';
COMMENT ON COLUMN lookup_records.links IS 'Row (4 bytes) and bits (float4) of each accepted pair; what people decided as plus and minus infinity.';

CREATE OR REPLACE FUNCTION own_indexes(p_parent text)
RETURNS TABLE (suffix text, definition text) LANGUAGE sql IMMUTABLE AS $$
    SELECT suffix, definition FROM (VALUES
        ('entities', 'id', 'UNIQUE (entity_id)'),
        ('entity_members', 'record', 'UNIQUE (record_id, source_no)'),
        ('entity_members', 'entity', '(entity_id)'),
        ('matches', 'confidence', '(confidence)'),
        ('matches', 'a', '(id_a)'),
        ('matches', 'b', '(id_b)'),
        ('lookup_keys', 'bucket', 'UNIQUE (slot, bucket)'),
        ('lookup_records', 'row', 'UNIQUE (row_no)'),
        ('identities', 'record', '(record_id)'),
        ('identities', 'entity', '(entity_id)'),
        ('identities', 'ssn', '(ssn) WHERE ssn IS NOT NULL'),
        ('identities', 'phone', '(phone) WHERE phone IS NOT NULL'),
        ('identities', 'dob', '(dob)'),
        ('identities', 'full_name', 'USING gin (full_name gin_trgm_ops)')
    ) AS known (parent, suffix, definition)
    WHERE parent = p_parent;
$$;

CREATE OR REPLACE FUNCTION own_tables(p_job bigint)
RETURNS TABLE (name text, parent text, n_bytes bigint) LANGUAGE sql STABLE AS $$
    SELECT c.relname::text, CASE WHEN p.relname LIKE 'identities%' THEN 'identities' ELSE p.relname::text END,
           pg_relation_size(c.oid)
    FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid JOIN pg_class p ON p.oid = i.inhparent
    WHERE c.relkind = 'r' AND c.relname LIKE '%\_j' || p_job
      AND (p.oid IN ('entities'::regclass, 'entity_members'::regclass, 'matches'::regclass,
                     'lookup_keys'::regclass, 'lookup_records'::regclass)
           OR p.oid IN (SELECT inhrelid FROM pg_inherits WHERE inhparent = 'identities'::regclass));
$$;

CREATE FUNCTION lookup_tables_make(p_job bigint)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    -- Two workers of the job may come at once.
    PERFORM pg_advisory_xact_lock(hashtext('headrace own tables'), hashint8(p_job));
    PERFORM own_table_make('lookup_keys', 'lookup_keys_j' || p_job, p_job);
    PERFORM own_table_make('lookup_records', 'lookup_records_j' || p_job, p_job);
END $$;
COMMENT ON FUNCTION lookup_tables_make IS 'The partitions that lookups in a job need, without indexes; those that are there stay as they are.';
