-- Resolved records: what was read, which entity it belongs to, and why. Every row names the job that wrote it; readers
-- go through published_jobs (or the views below), so they see a job whole or not at all.

CREATE TABLE published_jobs (
    dataset       text        PRIMARY KEY CHECK (dataset <> ''),
    job_id        bigint      NOT NULL REFERENCES jobs,
    published_at  timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE published_jobs IS 'The job whose answer counts, per data set (the match spec''s name and the input files'' names). Publishing swaps one row.';

CREATE TABLE identities (
    job_id      bigint   NOT NULL,
    row_no      bigint   NOT NULL,
    source_no   smallint NOT NULL DEFAULT 0,
    record_id   text     NOT NULL,
    entity_id   uuid     NOT NULL,
    first_name  text,
    last_name   text,
    full_name   text     GENERATED ALWAYS AS (lower(coalesce(first_name || ' ', '') || coalesce(last_name, ''))) STORED,
    dob         date,
    ssn         text,
    phone       text,
    street      text,
    city        text,
    state       text,
    zip         text,
    email       text,
    attributes  json
) PARTITION BY LIST (state);
COMMENT ON TABLE identities IS 'One row per input record. Ids are unique per source and job: the load refuses a file in which one repeats.';
COMMENT ON COLUMN identities.dob IS 'Null where the input''s date is partial or impossible; the text as read is in the workspace.';
COMMENT ON COLUMN identities.attributes IS 'Fields of a custom spec that have no column here.';

DO $$
DECLARE
    code text;
BEGIN
    FOREACH code IN ARRAY ARRAY[
        'AL','AK','AZ','AR','CA','CO','CT','DE','DC','FL','GA','HI','ID','IL','IN','IA','KS','KY','LA','ME','MD','MA','MI',
        'MN','MS','MO','MT','NE','NV','NH','NJ','NM','NY','NC','ND','OH','OK','OR','PA','PR','RI','SC','SD','TN','TX','UT',
        'VT','VA','WA','WV','WI','WY'] LOOP
        EXECUTE format('CREATE TABLE %I PARTITION OF identities FOR VALUES IN (%L)', 'identities_' || lower(code), code);
    END LOOP;
END $$;
-- Other countries' states, typing errors and the missing one.
CREATE TABLE identities_other PARTITION OF identities DEFAULT;

CREATE INDEX identities_record ON identities (job_id, record_id);
CREATE INDEX identities_entity ON identities (job_id, entity_id);
CREATE INDEX identities_ssn ON identities (ssn) WHERE ssn IS NOT NULL;
CREATE INDEX identities_phone ON identities (phone) WHERE phone IS NOT NULL;
CREATE INDEX identities_dob ON identities (dob);
CREATE INDEX identities_full_name ON identities USING gin (full_name gin_trgm_ops);

CREATE TABLE entities (
    job_id     bigint  NOT NULL,
    entity_id  uuid    NOT NULL,
    n_members  integer NOT NULL CHECK (n_members >= 1),
    golden     json    NOT NULL,
    lineage    json    NOT NULL,
    PRIMARY KEY (job_id, entity_id)
);
COMMENT ON COLUMN entities.golden IS 'Surviving value of each field.';
COMMENT ON COLUMN entities.lineage IS 'For each surviving value the id of the record it was taken from.';

CREATE TABLE entity_members (
    job_id     bigint   NOT NULL,
    entity_id  uuid     NOT NULL,
    source_no  smallint NOT NULL DEFAULT 0,
    record_id  text     NOT NULL,
    PRIMARY KEY (job_id, source_no, record_id)
);
CREATE INDEX entity_members_entity ON entity_members (job_id, entity_id);
COMMENT ON TABLE entity_members IS 'Every record belongs to exactly one entity of a job.';

CREATE TABLE match_patterns (
    job_id      bigint  NOT NULL,
    pattern_id  integer NOT NULL,
    levels      text    NOT NULL,
    PRIMARY KEY (job_id, pattern_id)
);
COMMENT ON TABLE match_patterns IS 'The few hundred to few thousand level patterns of a job: field=level, in the order of the spec.';

CREATE TABLE matches (
    job_id      bigint  NOT NULL,
    source_a    smallint NOT NULL DEFAULT 0,
    id_a        text    NOT NULL,
    source_b    smallint NOT NULL DEFAULT 0,
    id_b        text    NOT NULL,
    score       real    NOT NULL,
    confidence  double precision NOT NULL CHECK (confidence BETWEEN 0 AND 1),
    tf_bits     real    NOT NULL,
    pattern_id  integer NOT NULL,
    rule        text    NOT NULL,
    passes      bigint  NOT NULL,
    decision    text    NOT NULL CHECK (decision IN ('match', 'review')),
    joined      boolean NOT NULL
);
CREATE INDEX matches_confidence ON matches (job_id, confidence);
CREATE INDEX matches_a ON matches (job_id, id_a);
CREATE INDEX matches_b ON matches (job_id, id_b);
COMMENT ON COLUMN matches.score IS 'Posterior log-odds in bits that both records are one person: 0 is an even chance, 3.3 ten to one.';
COMMENT ON COLUMN matches.confidence IS 'The same as a probability.';
COMMENT ON COLUMN matches.rule IS 'First blocking pass that brought the two together; passes has a bit for each.';
COMMENT ON COLUMN matches.joined IS 'Whether both ended in one entity: a guard may keep a match apart, a chain may join a review.';

CREATE VIEW current_entity_members AS
    SELECT p.dataset, m.* FROM published_jobs p JOIN entity_members m USING (job_id);
CREATE VIEW current_entities AS
    SELECT p.dataset, e.* FROM published_jobs p JOIN entities e USING (job_id);
COMMENT ON VIEW current_entities IS 'Entities of the published jobs only.';
