-- Wake-ups, statistics and retention

-- Somebody waits for work until this moment (milliseconds since 1970), by a hash of the flow's name. A sequence, because
-- it is neither transactional nor versioned: a look costs one page, and a mark leaves no dead row under a held snapshot.
-- Unlogged, because a mark is worth less than a write-ahead record: after a crash the waiting mark themselves again.
CREATE SCHEMA queue_wake;
COMMENT ON SCHEMA queue_wake IS 'idle_<n>: until when a consumer of a flow with hash n waits on the channel headrace_<n>.';
DO $$
BEGIN
    FOR slot IN 0..15 LOOP
        EXECUTE format('CREATE UNLOGGED SEQUENCE queue_wake.idle_%s', slot);
    END LOOP;
END $$;

CREATE FUNCTION queue_wake_slot(p_flow text) RETURNS integer LANGUAGE sql STABLE AS $$ SELECT hashtext(p_flow) & 15 $$;

-- NOTIFY only where somebody waits: every NOTIFY takes one lock of the whole server at commit, and holds it while the
-- commit is written. The mark is taken down with it, so that of a storm of commits one notifies.
CREATE FUNCTION queue_wake_up(p_flow text) RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    slot integer := queue_wake_slot(p_flow);
    mark regclass := 'queue_wake.idle_' || slot;
BEGIN
    IF pg_sequence_last_value(mark) > extract(epoch FROM clock_timestamp()) * 1000 THEN
        PERFORM setval(mark, 1), pg_notify('headrace_' || slot, p_flow);
        RETURN true;
    END IF;
    RETURN false;
END $$;
COMMENT ON FUNCTION queue_wake_up(text) IS 'Wakes the idle consumers of a flow when the transaction commits; false where nobody waits.';

CREATE FUNCTION queue_wake_mark(p_slots integer[], p_life_ms integer) RETURNS void LANGUAGE sql VOLATILE AS $$
    SELECT setval(('queue_wake.idle_' || slot)::regclass, (extract(epoch FROM clock_timestamp()) * 1000)::bigint + p_life_ms)
    FROM unnest(p_slots) AS slot
$$;
COMMENT ON FUNCTION queue_wake_mark(integer[], integer) IS 'Says that somebody waits for batches of flows with these hashes.';

-- LISTEN takes no parameters.
CREATE FUNCTION queue_wake_listen(p_slots integer[]) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    FOR i IN 1..cardinality(p_slots) LOOP
        EXECUTE format('LISTEN %I', 'headrace_' || p_slots[i]);
    END LOOP;
END $$;

-- Retention asks for unfinished jobs, which are few among many.
CREATE INDEX jobs_unfinished ON jobs (job_id) WHERE finished_at IS NULL;

COMMENT ON COLUMN queue_partitions.state IS 'detached: given up, its tables are being detached and dropped; after a crash the next retention goes on.';

-- A redriven dead letter keeps its identity, so its results and history need the range of its origin again.
CREATE FUNCTION queue_partition_revive(p_lo bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    p_hi bigint;
BEGIN
    DELETE FROM queue_partitions WHERE lo = p_lo AND state = 'dropped' RETURNING hi INTO p_hi;
    IF FOUND THEN
        PERFORM queue_partition_create(p_lo, p_hi);
    END IF;
END $$;
COMMENT ON FUNCTION queue_partition_revive(bigint) IS 'Makes the empty tables of a dropped partition again.';
