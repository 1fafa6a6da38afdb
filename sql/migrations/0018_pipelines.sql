-- Pipelines (core/workloads/pipelines): approved specs, how far each has read, and what its runs did.

CREATE TABLE pipelines (
    name        text        NOT NULL,
    version     integer     NOT NULL CHECK (version > 0),
    spec        text        NOT NULL,
    fingerprint text        NOT NULL,
    columns     json        NOT NULL,
    written_by  text        NOT NULL,
    written_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    approved_by text,
    approved_at timestamptz,
    PRIMARY KEY (name, version),
    UNIQUE (name, fingerprint),
    CHECK ((approved_by IS NULL) = (approved_at IS NULL))
);
COMMENT ON COLUMN pipelines.fingerprint IS 'SHA-256 of what the spec says, whatever its spaces and comments.';
COMMENT ON COLUMN pipelines.columns IS 'Source -> column -> type, in order, as they were when it was written: a source that differs has drifted.';

CREATE FUNCTION pipelines_stay() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (OLD.name, OLD.version, OLD.spec, OLD.fingerprint, OLD.columns::text, OLD.written_by)
       IS DISTINCT FROM (NEW.name, NEW.version, NEW.spec, NEW.fingerprint, NEW.columns::text, NEW.written_by)
       OR (OLD.approved_by IS NOT NULL AND OLD.approved_by IS DISTINCT FROM NEW.approved_by) THEN
        RAISE EXCEPTION 'a version of a pipeline does not change';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER pipelines_stay BEFORE UPDATE ON pipelines FOR EACH ROW EXECUTE FUNCTION pipelines_stay();

CREATE TABLE pipeline_pauses (
    name      text        PRIMARY KEY,
    paused_by text        NOT NULL,
    paused_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE pipeline_pauses IS 'Pipelines that do not run until they are resumed.';

CREATE TABLE pipeline_runs (
    run_id     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name       text        NOT NULL,
    version    integer     NOT NULL,
    state      text        NOT NULL CHECK (state IN ('running', 'published', 'stopped', 'failed', 'lost')),
    started_at timestamptz NOT NULL,
    ended_at   timestamptz,
    rows       json        NOT NULL DEFAULT '{}',
    reason     text,
    FOREIGN KEY (name, version) REFERENCES pipelines
);
CREATE INDEX pipeline_runs_name ON pipeline_runs (name, run_id);
COMMENT ON COLUMN pipeline_runs.state IS 'running -> published, in the transaction of its rows; stopped by a rule, failed, or lost with its process.';

CREATE TABLE pipeline_watermarks (
    name      text   NOT NULL,
    source    text   NOT NULL,
    watermark text   NOT NULL,
    run_id    bigint NOT NULL,
    PRIMARY KEY (name, source)
);
COMMENT ON TABLE pipeline_watermarks IS 'The greatest value of the cursor that is published; rows above it are new.';

CREATE TABLE pipeline_files (
    name       text   NOT NULL,
    source     text   NOT NULL,
    path       text   NOT NULL,
    n_bytes    bigint NOT NULL,
    written_ns bigint NOT NULL,
    run_id     bigint NOT NULL,
    PRIMARY KEY (name, source, path)
);
COMMENT ON TABLE pipeline_files IS 'Files whose rows are published, below the root of their folder.';

CREATE TABLE pipeline_checks (
    run_id  bigint  NOT NULL,
    step    text    NOT NULL,
    rule    text    NOT NULL,
    on_fail text    NOT NULL,
    passed  boolean NOT NULL,
    rows    bigint  NOT NULL,
    PRIMARY KEY (run_id, step, rule)
);

CREATE TABLE pipeline_dead (
    run_id bigint NOT NULL,
    step   text   NOT NULL,
    name   text   NOT NULL,
    fault  text   NOT NULL,
    rows   bigint NOT NULL,
    PRIMARY KEY (run_id, step, name, fault)
);
COMMENT ON TABLE pipeline_dead IS 'Rows that could not be computed, by step, column or rule, and class; never their values.';

CREATE TABLE pipeline_sink_files (
    name   text   NOT NULL,
    path   text   NOT NULL,
    part   text   NOT NULL,
    run_id bigint NOT NULL,
    PRIMARY KEY (name, path)
);
COMMENT ON TABLE pipeline_sink_files IS 'Files that pipelines write: the part that is published, which takes the name of the file after the commit.';
