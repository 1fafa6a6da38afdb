-- Every job writes its entities, members and matches into partitions of its own, and a large job its identities too.
-- They are filled by COPY while they have no index, then each index is built in one pass: rows that come in one by one
-- cost an index several times as much. A job's answers go with its partitions, without deleting a row.

DROP VIEW current_entity_members, current_entities;

-- What a job has of its own, by the table that it is a partition of. Indexes of such a partition do not begin with the
-- job: it is the same in all rows.
CREATE FUNCTION own_indexes(p_parent text)
RETURNS TABLE (suffix text, definition text) LANGUAGE sql IMMUTABLE AS $$
    SELECT suffix, definition FROM (VALUES
        ('entities', 'id', 'UNIQUE (entity_id)'),
        ('entity_members', 'record', 'UNIQUE (record_id, source_no)'),
        ('entity_members', 'entity', '(entity_id)'),
        ('matches', 'confidence', '(confidence)'),
        ('matches', 'a', '(id_a)'),
        ('matches', 'b', '(id_b)'),
        ('identities', 'record', '(record_id)'),
        ('identities', 'entity', '(entity_id)'),
        ('identities', 'ssn', '(ssn) WHERE ssn IS NOT NULL'),
        ('identities', 'phone', '(phone) WHERE phone IS NOT NULL'),
        ('identities', 'dob', '(dob)'),
        ('identities', 'full_name', 'USING gin (full_name gin_trgm_ops)')
    ) AS known (parent, suffix, definition)
    WHERE parent = p_parent;
$$;

CREATE FUNCTION own_table_make(p_parent text, p_name text, p_job bigint)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF to_regclass(p_name) IS NULL THEN
        -- Attached empty: that asks for no lock that readers of the parent would feel.
        EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING GENERATED)',
                       p_name, p_parent);
        EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES IN (%s)', p_parent, p_name, p_job);
    END IF;
END $$;

CREATE FUNCTION own_tables_make(p_job bigint, p_identities boolean)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    parent text;
BEGIN
    -- Two workers of the job may come at once.
    PERFORM pg_advisory_xact_lock(hashtext('headrace own tables'), hashint8(p_job));
    FOREACH parent IN ARRAY ARRAY['entities', 'entity_members', 'matches'] LOOP
        PERFORM own_table_make(parent, parent || '_j' || p_job, p_job);
    END LOOP;
    IF p_identities THEN
        FOR parent IN SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'identities'::regclass LOOP
            PERFORM own_table_make(parent, parent || '_j' || p_job, p_job);
        END LOOP;
    END IF;
END $$;
COMMENT ON FUNCTION own_tables_make IS 'The partitions of a job, without indexes; those that are there stay as they are.';

CREATE FUNCTION own_tables(p_job bigint)
RETURNS TABLE (name text, parent text, n_bytes bigint) LANGUAGE sql STABLE AS $$
    SELECT c.relname::text, CASE WHEN p.relname LIKE 'identities%' THEN 'identities' ELSE p.relname::text END,
           pg_relation_size(c.oid)
    FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid JOIN pg_class p ON p.oid = i.inhparent
    WHERE c.relkind = 'r' AND c.relname LIKE '%\_j' || p_job
      AND (p.oid IN ('entities'::regclass, 'entity_members'::regclass, 'matches'::regclass)
           OR p.oid IN (SELECT inhrelid FROM pg_inherits WHERE inhparent = 'identities'::regclass));
$$;
COMMENT ON FUNCTION own_tables IS 'The partitions of a job, the table each belongs to, and how large it is without indexes.';

CREATE FUNCTION own_table_index(p_name text, p_parent text)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    made record;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('headrace own index'), hashtext(p_name));
    FOR made IN SELECT * FROM own_indexes(p_parent) LOOP
        EXECUTE format('CREATE %s INDEX IF NOT EXISTS %I ON %I %s',
                       CASE WHEN made.definition LIKE 'UNIQUE%' THEN 'UNIQUE' ELSE '' END,
                       p_name || '_' || made.suffix, p_name, replace(made.definition, 'UNIQUE ', ''));
    END LOOP;
    EXECUTE format('ANALYZE %I', p_name);
END $$;
COMMENT ON FUNCTION own_table_index IS 'Build the indexes that a filled partition lacks, one pass each, and its statistics.';

-- What is there moves into partitions.
CREATE FUNCTION pg_temp.by_job(p_table text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    job bigint;
BEGIN
    EXECUTE format('ALTER TABLE %I RENAME TO %I', p_table, p_table || '_before');
    EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING COMMENTS) '
                   'PARTITION BY LIST (job_id)', p_table, p_table || '_before');
    FOR job IN EXECUTE format('SELECT DISTINCT job_id FROM %I', p_table || '_before') LOOP
        PERFORM own_table_make(p_table, p_table || '_j' || job, job);
        EXECUTE format('INSERT INTO %I SELECT * FROM %I WHERE job_id = %s', p_table, p_table || '_before', job);
        PERFORM own_table_index(p_table || '_j' || job, p_table);
    END LOOP;
    EXECUTE format('DROP TABLE %I', p_table || '_before');
END $$;

SELECT pg_temp.by_job('entities');
SELECT pg_temp.by_job('entity_members');
SELECT pg_temp.by_job('matches');

ALTER TABLE entities ALTER COLUMN golden DROP NOT NULL, ALTER COLUMN lineage DROP NOT NULL;
COMMENT ON TABLE entities IS 'Partitioned by job (own_tables_make); ids are unique within a job.';
COMMENT ON COLUMN entities.golden IS 'Surviving value of each field; null where the job did not publish golden records.';
COMMENT ON COLUMN entities.lineage IS 'For each surviving value the id of the record it was taken from.';
COMMENT ON TABLE entity_members IS 'Every record belongs to exactly one entity of a job. Partitioned by job (own_tables_make).';
COMMENT ON TABLE matches IS 'Pairs of records that were accepted or are worth a review. Partitioned by job (own_tables_make).';

-- Identities of small jobs share the partitions of the states, which keep their indexes; a large job has its own below.
ALTER TABLE identities ADD COLUMN own_job bigint NOT NULL DEFAULT 0;
COMMENT ON COLUMN identities.own_job IS 'The job where it has partitions of its own, else 0.';
DROP INDEX identities_record, identities_entity, identities_ssn, identities_phone, identities_dob, identities_full_name;

DO $$
DECLARE
    state   record;
    made    record;
BEGIN
    FOR state IN
        SELECT c.relname::text AS name, pg_get_expr(c.relpartbound, c.oid) AS bound
        FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent = 'identities'::regclass
    LOOP
        EXECUTE format('ALTER TABLE identities DETACH PARTITION %I', state.name);
        EXECUTE format('ALTER TABLE %I RENAME TO %I', state.name, state.name || '_shared');
        EXECUTE format('CREATE TABLE %I PARTITION OF identities %s PARTITION BY LIST (own_job)',
                       state.name, state.bound);
        EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES IN (0)', state.name, state.name || '_shared');
        FOR made IN SELECT * FROM own_indexes('identities') LOOP
            EXECUTE format('CREATE INDEX %I ON %I %s', state.name || '_shared_' || made.suffix, state.name || '_shared',
                           CASE WHEN made.suffix IN ('record', 'entity')
                                THEN replace(made.definition, '(', '(job_id, ') ELSE made.definition END);
        END LOOP;
    END LOOP;
END $$;

-- What became of entities from run to run: see core.linkage.lasting. A job's rows are the whole log up to it.
CREATE TABLE entity_changes (
    job_id     bigint NOT NULL REFERENCES jobs,
    version    bigint NOT NULL,
    kind       text   NOT NULL CHECK (kind IN ('new', 'merge', 'split', 'gone')),
    entity_id  uuid,
    from_id    uuid,
    records    bigint
);
CREATE INDEX entity_changes_job ON entity_changes (job_id);
COMMENT ON TABLE entity_changes IS 'Merges, splits, beginnings and ends of published entities, as of each job; version is the job that brought the change.';
COMMENT ON COLUMN entity_changes.records IS 'How many records moved with a merge or split; null otherwise.';

CREATE VIEW current_entity_members AS
    SELECT p.dataset, m.* FROM published_jobs p JOIN entity_members m USING (job_id);
CREATE VIEW current_entities AS
    SELECT p.dataset, e.* FROM published_jobs p JOIN entities e USING (job_id);
COMMENT ON VIEW current_entities IS 'Entities of the published jobs only.';
