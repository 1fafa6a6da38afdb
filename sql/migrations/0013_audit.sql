-- The ledger (core/review/audit): what happened, in rows that are only ever added. No foreign keys: a check of one locks the row
-- it points to, which asks for the right to update it, and nobody has that here.

CREATE TABLE audit_events (
    event_id      bigint      GENERATED ALWAYS AS IDENTITY,
    recorded_at   timestamptz NOT NULL,
    effective_on  date,
    n_leaves      integer     NOT NULL CHECK (n_leaves >= 0),
    tenant_id     text        NOT NULL CHECK (tenant_id <> '' AND length(tenant_id) <= 100),
    kind          text        NOT NULL CHECK (kind <> ''),
    actor         text        NOT NULL CHECK (actor <> ''),
    leaves_in     text        NOT NULL CHECK (leaves_in <> ''),
    root          bytea       NOT NULL CHECK (octet_length(root) = 32),
    digest        bytea       NOT NULL CHECK (octet_length(digest) = 32),
    details       bytea       NOT NULL,
    PRIMARY KEY (tenant_id, event_id)
);
COMMENT ON TABLE audit_events IS 'One row a batch that was decided, or a click: appended in the transaction that it tells of.';
COMMENT ON COLUMN audit_events.recorded_at IS 'When it became known; effective_on is the day from which it counts, if that is another.';
COMMENT ON COLUMN audit_events.leaves_in IS 'Who holds its leaves: audit_leaves, or a table of a workload.';
COMMENT ON COLUMN audit_events.root IS 'Merkle root over its leaves (RFC 9162).';
COMMENT ON COLUMN audit_events.details IS 'Canonical bytes, not jsonb: that would change the order of keys, and so the digest.';

CREATE TABLE audit_leaves (
    event_id   bigint  NOT NULL,
    leaf_no    integer NOT NULL CHECK (leaf_no >= 0),
    tenant_id  text    NOT NULL,
    body       bytea   NOT NULL,
    PRIMARY KEY (tenant_id, event_id, leaf_no)
);
COMMENT ON TABLE audit_leaves IS 'Leaves of events whose workload has no table for them: the canonical bytes of each decision.';

CREATE TABLE audit_unsealed (
    tenant_id  text   NOT NULL,
    event_id   bigint NOT NULL,
    PRIMARY KEY (tenant_id, event_id)
);
COMMENT ON TABLE audit_unsealed IS 'Events that no seal has yet. Whatever committed late stands here until the next round of the sealer.';

CREATE TABLE audit_seals (
    seq        bigint      NOT NULL CHECK (seq > 0),
    event_id   bigint      NOT NULL,
    sealed_at  timestamptz NOT NULL,
    tenant_id  text        NOT NULL,
    digest     bytea       NOT NULL CHECK (octet_length(digest) = 32),
    previous   bytea       NOT NULL CHECK (octet_length(previous) = 32),
    link       bytea       NOT NULL CHECK (octet_length(link) = 32),
    PRIMARY KEY (tenant_id, seq),
    UNIQUE (tenant_id, event_id)
);
COMMENT ON TABLE audit_seals IS 'The chain of a tenant: each link is SHA-256 over its event''s digest and the link before it.';

CREATE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% only grows: % is refused', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'insufficient_privilege', HINT = 'Record what takes it back as another event.';
END $$;
COMMENT ON FUNCTION audit_refuse IS 'Of triggers: rows of the ledger are neither changed nor taken away.';

CREATE FUNCTION audit_unsealed_leave() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM audit_seals s WHERE s.tenant_id = OLD.tenant_id AND s.event_id = OLD.event_id) THEN
        RAISE EXCEPTION 'audit_unsealed: event % has no seal yet, so it stays', OLD.event_id
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN OLD;
END $$;
COMMENT ON FUNCTION audit_unsealed_leave IS 'Of a trigger: an event leaves the list only once it is sealed.';

-- ALWAYS: session_replication_role does not get round them. The owner of the tables can still drop them, and what is done then is
-- what `headrace audit verify` finds.
DO $$
DECLARE
    kept text;
BEGIN
    FOREACH kept IN ARRAY ARRAY['audit_events', 'audit_leaves', 'audit_seals'] LOOP
        EXECUTE format('CREATE TRIGGER %I BEFORE UPDATE OR DELETE ON %I FOR EACH ROW EXECUTE FUNCTION audit_refuse()',
                       kept || '_rows', kept);
        EXECUTE format('ALTER TABLE %I ENABLE ALWAYS TRIGGER %I', kept, kept || '_rows');
        -- The owner's own rights, too; those of a superuser know no bounds, so that there the triggers are what holds.
        EXECUTE format('REVOKE UPDATE, DELETE, TRUNCATE ON %I FROM PUBLIC, CURRENT_USER', kept);
    END LOOP;
    FOREACH kept IN ARRAY ARRAY['audit_events', 'audit_leaves', 'audit_seals', 'audit_unsealed'] LOOP
        EXECUTE format('CREATE TRIGGER %I BEFORE TRUNCATE ON %I FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()',
                       kept || '_whole', kept);
        EXECUTE format('ALTER TABLE %I ENABLE ALWAYS TRIGGER %I', kept, kept || '_whole');
    END LOOP;
END $$;
CREATE TRIGGER audit_unsealed_rows BEFORE UPDATE ON audit_unsealed FOR EACH ROW EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_unsealed_leaving BEFORE DELETE ON audit_unsealed
    FOR EACH ROW EXECUTE FUNCTION audit_unsealed_leave();
ALTER TABLE audit_unsealed ENABLE ALWAYS TRIGGER audit_unsealed_rows, ENABLE ALWAYS TRIGGER audit_unsealed_leaving;
REVOKE TRUNCATE ON audit_unsealed FROM PUBLIC, CURRENT_USER;
