-- Emissions (core/workloads/emissions/publishing): lines as they were booked, what they were computed with, and inventories.

CREATE TABLE emission_documents (
    document_id  text  PRIMARY KEY CHECK (document_id ~ '^[0-9a-f]{64}$'),
    body         bytea NOT NULL
);
COMMENT ON TABLE emission_documents IS 'Files that inventories were computed with (rates, indices, classes, own entities, revisions of codes), by SHA-256.';

CREATE TABLE factor_datasets (
    n_factors    integer NOT NULL CHECK (n_factors >= 0),
    restricted   boolean NOT NULL,
    dataset_id   text    PRIMARY KEY CHECK (dataset_id ~ '^[0-9a-f]{64}$'),
    file_sha256  text    NOT NULL,
    source       text    NOT NULL,
    edition      text    NOT NULL,
    patch        text    NOT NULL,
    licence      text    NOT NULL,
    facts        json    NOT NULL
);
COMMENT ON TABLE factor_datasets IS 'Editions of publishers: the id is the hash of all that they say, so one content stands here once.';
COMMENT ON COLUMN factor_datasets.restricted IS 'A licence that lets results leave, and no values.';

CREATE TABLE factors (
    factor_no   integer NOT NULL CHECK (factor_no > 0),
    dataset_id  text    NOT NULL,
    scheme      text    NOT NULL,
    code        text    NOT NULL,
    unit        text    NOT NULL,
    facts       json    NOT NULL,
    PRIMARY KEY (dataset_id, factor_no)
);
COMMENT ON TABLE factors IS 'Figures of a data set in the order of its hash; facts holds all that the publisher says of one.';

CREATE TABLE activity_imports (
    event_id     bigint   NOT NULL,
    n_lines      integer  NOT NULL CHECK (n_lines > 0),
    period       smallint NOT NULL,
    tenant_id    text     NOT NULL,
    file_sha256  text     NOT NULL,
    PRIMARY KEY (tenant_id, period, event_id)
);
COMMENT ON TABLE activity_imports IS 'One row an import that brought lines; who and when are those of its event in the ledger.';

CREATE TABLE activity_lines (
    event_id                  bigint  NOT NULL,
    row_no                    integer NOT NULL CHECK (row_no >= 0),
    tenant_id                 text    NOT NULL,
    line_id                   text,
    document                  text,
    document_line             text,
    document_type             text,
    document_ref              text,
    date                      text,
    supplier                  text,
    supplier_id               text,
    supplier_country          text,
    supplier_vat              text,
    supplier_lei              text,
    buyer_code                text,
    code_scheme               text,
    code                      text,
    text                      text,
    amount                    text,
    currency                  text,
    tax                       text,
    amount_basis              text,
    valuation                 text,
    capex                     text,
    quantity                  text,
    unit                      text,
    country                   text,
    product_key               text,
    covers_amount             text,
    supplier_factor           text,
    supplier_factor_unit      text,
    supplier_factor_boundary  text,
    PRIMARY KEY (tenant_id, event_id, row_no)
);
COMMENT ON TABLE activity_lines IS 'Purchase and activity lines as they were booked, blocks of which are the leaves of their event. Of a line_id the latest import counts.';

CREATE TABLE inventories (
    event_id    bigint   NOT NULL,
    total_mg    bigint   NOT NULL,
    n_lines     integer  NOT NULL CHECK (n_lines >= 0),
    version     integer  NOT NULL CHECK (version > 0),
    restates    integer  CHECK (restates < version),
    period      smallint NOT NULL,
    tenant_id   text     NOT NULL,
    state       text     NOT NULL DEFAULT 'draft' CHECK (state IN ('draft', 'locked', 'superseded')),
    content     bytea    NOT NULL CHECK (octet_length(content) = 32),
    pin         bytea    NOT NULL,
    summary     json     NOT NULL,
    PRIMARY KEY (tenant_id, period, version)
);
COMMENT ON TABLE inventories IS 'One row a version: what it comes to, and what it was computed with.';
COMMENT ON COLUMN inventories.content IS 'Merkle root over the blocks of its lines: that of its event, too.';
COMMENT ON COLUMN inventories.pin IS 'Canonical bytes of what went in: imports, data sets in order, choices, files by hash, version of the code.';
COMMENT ON COLUMN inventories.state IS 'The only thing that changes: draft, then locked, then superseded; a draft may be superseded, too.';
CREATE UNIQUE INDEX inventories_draft ON inventories (tenant_id, period) WHERE state = 'draft';
CREATE UNIQUE INDEX inventories_locked ON inventories (tenant_id, period) WHERE state = 'locked';

CREATE TABLE inventory_lines (
    event_id           bigint   NOT NULL,
    mass_mg            bigint,
    amount_minor       bigint,
    row_no             integer  NOT NULL CHECK (row_no >= 0),
    ln_sd_millionths   integer,
    category           smallint,
    data_quality       smallint,
    review             boolean  NOT NULL,
    tenant_id          text     NOT NULL,
    line_id            text,
    fate               text     NOT NULL CHECK (fate IN ('counted', 'superseded', 'excluded', 'review', 'rejected')),
    reason             text,
    method             text,
    dataset_id         text,
    factor_no          text,
    share              text,
    supplier_entity    text,
    currency           text,
    flags              text,
    note               text,
    PRIMARY KEY (tenant_id, event_id, row_no),
    CHECK ((fate = 'counted') = (mass_mg IS NOT NULL)),
    CHECK ((fate = 'counted') = (reason IS NULL))
);
COMMENT ON TABLE inventory_lines IS 'The lines of an inventory, each with one fate; blocks of them are the leaves of its event. Rows are only added.';
COMMENT ON COLUMN inventory_lines.mass_mg IS 'Whole milligrams of CO2e, of counted lines only: a blank is no 0.';
COMMENT ON COLUMN inventory_lines.ln_sd_millionths IS 'Standard deviation of the logarithm, times a million: no float is kept of what a stranger recomputes.';

CREATE TABLE inventory_bridges (
    event_id    bigint   NOT NULL,
    delta_mg    bigint   NOT NULL,
    total_mg    bigint   NOT NULL,
    step_no     integer  NOT NULL CHECK (step_no >= 0),
    n_changed   integer  NOT NULL CHECK (n_changed >= 0),
    tenant_id   text     NOT NULL,
    driver      text     NOT NULL CHECK (driver <> ''),
    PRIMARY KEY (tenant_id, event_id, step_no)
);
COMMENT ON TABLE inventory_bridges IS 'From the locked version to the one that restates it, one driver after the other; the steps add up without a rest.';
COMMENT ON COLUMN inventory_bridges.total_mg IS 'What the inventory comes to after the step.';

CREATE FUNCTION inventories_only_state() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'inventories: version % of % is % and stays', OLD.version, OLD.period, OLD.state
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF to_jsonb(NEW) - 'state' <> to_jsonb(OLD) - 'state'
       OR NOT ((OLD.state = 'draft' AND NEW.state IN ('locked', 'superseded'))
               OR (OLD.state = 'locked' AND NEW.state = 'superseded')) THEN
        RAISE EXCEPTION 'inventories: version % of % is % and only its state changes, draft to locked to superseded',
                        OLD.version, OLD.period, OLD.state
            USING ERRCODE = 'insufficient_privilege', HINT = 'headrace emissions restate makes a new version.';
    END IF;
    RETURN NEW;
END $$;
COMMENT ON FUNCTION inventories_only_state IS 'Of a trigger: a version is never changed or taken away; its state goes one way.';
CREATE TRIGGER inventories_rows BEFORE UPDATE OR DELETE ON inventories FOR EACH ROW EXECUTE FUNCTION inventories_only_state();
ALTER TABLE inventories ENABLE ALWAYS TRIGGER inventories_rows;
REVOKE DELETE, TRUNCATE ON inventories FROM PUBLIC, CURRENT_USER;

DO $$
DECLARE
    kept text;
BEGIN
    FOREACH kept IN ARRAY ARRAY['emission_documents', 'factor_datasets', 'factors', 'activity_imports', 'activity_lines',
                                'inventory_lines', 'inventory_bridges'] LOOP
        EXECUTE format('CREATE TRIGGER %I BEFORE UPDATE OR DELETE ON %I FOR EACH ROW EXECUTE FUNCTION audit_refuse()',
                       kept || '_rows', kept);
        EXECUTE format('ALTER TABLE %I ENABLE ALWAYS TRIGGER %I', kept, kept || '_rows');
        EXECUTE format('REVOKE UPDATE, DELETE, TRUNCATE ON %I FROM PUBLIC, CURRENT_USER', kept);
    END LOOP;
    FOREACH kept IN ARRAY ARRAY['emission_documents', 'factor_datasets', 'factors', 'activity_imports', 'activity_lines',
                                'inventories', 'inventory_lines', 'inventory_bridges'] LOOP
        EXECUTE format('CREATE TRIGGER %I BEFORE TRUNCATE ON %I FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()',
                       kept || '_whole', kept);
        EXECUTE format('ALTER TABLE %I ENABLE ALWAYS TRIGGER %I', kept, kept || '_whole');
    END LOOP;
END $$;
