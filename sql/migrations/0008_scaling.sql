-- What autoscalers decided, and from what.

CREATE TABLE scaling_decisions (
    decision_id     bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    flow_name       text        NOT NULL,
    pool            text        NOT NULL,
    holder          text        NOT NULL,
    decided_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    ready_batches   bigint      NOT NULL,
    leased_batches  bigint      NOT NULL,
    ready_items     bigint      NOT NULL,
    leased_items    bigint      NOT NULL,
    oldest_age_s    double precision,
    batch_s         double precision,
    items_per_s     double precision,
    working         integer     NOT NULL,
    starting        integer     NOT NULL,
    ended_well      integer     NOT NULL,
    ended_badly     integer     NOT NULL,
    policy          json        NOT NULL,
    need            integer     NOT NULL,
    desired         integer     NOT NULL CHECK (desired >= 0),
    reason          text        NOT NULL,
    up_at_s         double precision,
    below_since_s   double precision,
    started         integer,
    stopped         integer,
    error           text
);
CREATE INDEX scaling_decisions_flow ON scaling_decisions (flow_name, decision_id DESC);
CREATE INDEX scaling_decisions_age ON scaling_decisions (decided_at);
COMMENT ON TABLE scaling_decisions IS 'One row per decision of an autoscaler: what it saw, what it wanted and why, what it did. Old rows go after HEADRACE_SCALING__RETAIN_DAYS.';
COMMENT ON COLUMN scaling_decisions.up_at_s IS 'Last rise, seconds since 1970: what the next decision must remember, whoever makes it. below_since_s likewise.';
COMMENT ON COLUMN scaling_decisions.started IS 'Consumers that were started; empty where nobody could carry the decision out, error then says why.';

-- What scalers ask. With the statistics of a table that one flow fills the planner would read all of it to find the few
-- headers of another; the order asked for and the settings leave it the index of the flow only, so 100,000 headers of
-- others cost nothing.
CREATE OR REPLACE FUNCTION queue_backlog(p_flow text, p_saturate integer DEFAULT 1000) RETURNS bigint
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = public, pg_temp SET enable_seqscan = off SET enable_bitmapscan = off AS $$
    SELECT least(p_saturate,
        (SELECT count(*) FROM (
            SELECT 1 FROM processing_queue q WHERE q.flow_name = p_flow AND q.state = 'running'
            ORDER BY q.flow_name, q.tenant_id, q.batch_id LIMIT p_saturate) running)
      + (SELECT count(*) FROM queue_flows f CROSS JOIN LATERAL (
            SELECT 1 FROM processing_queue q WHERE q.flow_name = p_flow AND q.state = 'ready'
            AND q.tenant_id BETWEEN f.tenant_id AND f.tenant_id
            ORDER BY q.tenant_id, q.priority, q.batch_id LIMIT p_saturate) ready
         WHERE f.flow_name = p_flow AND NOT f.paused)
      + (SELECT count(*) FROM queue_flows f CROSS JOIN LATERAL (
            SELECT 1 FROM processing_queue q WHERE q.flow_name = p_flow AND q.state = 'scheduled'
            AND q.tenant_id = f.tenant_id AND q.not_before <= now()
            ORDER BY q.not_before, q.batch_id LIMIT p_saturate) due
         WHERE f.flow_name = p_flow AND NOT f.paused)
      + (SELECT ceil(count(*) / 1000.0)::bigint FROM (
            SELECT 1 FROM queue_retries r JOIN queue_flows f USING (flow_name, tenant_id)
            WHERE r.flow_name = p_flow AND NOT f.paused AND r.retry_batch_id IS NULL AND r.due_at <= now()
            LIMIT p_saturate * 1000::bigint) retries)
      + (SELECT ceil(count(*) / 1000.0)::bigint FROM (
            SELECT 1 FROM queue_inbox i JOIN queue_flows f USING (flow_name, tenant_id)
            WHERE i.flow_name = p_flow AND NOT f.paused LIMIT p_saturate * 1000::bigint) inbox)
    )::bigint
$$;

-- Counted from headers, retries and inbox directly, so it is right while no consumer lives; each count ends at p_most. Paused
-- tenants hand out nothing, hence only what runs of them counts. What waits to become a batch counts as batches of
-- p_batch_rows.
CREATE FUNCTION scaling_signals(p_flow text, p_most integer, p_batch_rows integer, OUT at_s double precision,
    OUT ready_batches bigint, OUT leased_batches bigint, OUT ready_items bigint, OUT leased_items bigint,
    OUT oldest_age_s double precision)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = public, pg_temp SET enable_seqscan = off SET enable_bitmapscan = off AS $$
    WITH open AS MATERIALIZED (
        SELECT tenant_id FROM queue_flows WHERE flow_name = p_flow AND NOT paused
    ), ready AS MATERIALIZED (
        SELECT r.n_items FROM open f CROSS JOIN LATERAL (
            SELECT q.n_items FROM processing_queue q
            WHERE q.flow_name = p_flow AND q.state = 'ready' AND q.tenant_id BETWEEN f.tenant_id AND f.tenant_id
            ORDER BY q.tenant_id, q.priority, q.batch_id LIMIT p_most) r
        UNION ALL
        SELECT d.n_items FROM open f CROSS JOIN LATERAL (
            SELECT q.n_items FROM processing_queue q
            WHERE q.flow_name = p_flow AND q.state = 'scheduled' AND q.tenant_id = f.tenant_id AND q.not_before <= now()
            ORDER BY q.not_before, q.batch_id LIMIT p_most) d
    ), leased AS MATERIALIZED (
        SELECT q.n_items FROM processing_queue q WHERE q.flow_name = p_flow AND q.state = 'running'
        ORDER BY q.flow_name, q.tenant_id, q.batch_id LIMIT p_most
    ), loose AS MATERIALIZED (
        SELECT q.since FROM open f CROSS JOIN LATERAL (
            SELECT r.due_at AS since FROM queue_retries r
            WHERE r.flow_name = p_flow AND r.tenant_id = f.tenant_id AND r.retry_batch_id IS NULL AND r.due_at <= now()
            LIMIT p_most * 100) q
        UNION ALL
        SELECT q.received_at FROM open f CROSS JOIN LATERAL (
            SELECT i.received_at FROM queue_inbox i WHERE i.flow_name = p_flow AND i.tenant_id = f.tenant_id
            LIMIT p_most * 100) q
    ), oldest AS (
        SELECT min(r.created_at) AS since FROM open f CROSS JOIN LATERAL (
            SELECT q.created_at FROM processing_queue q
            WHERE q.flow_name = p_flow AND q.state = 'ready' AND q.tenant_id BETWEEN f.tenant_id AND f.tenant_id
            ORDER BY q.tenant_id, q.batch_id LIMIT 1) r
    ), clock AS (
        SELECT clock_timestamp() AS at
    )
    SELECT extract(epoch FROM c.at)::double precision,
           (SELECT count(*) FROM ready) + (SELECT ceil(count(*) / p_batch_rows::numeric)::bigint FROM loose),
           (SELECT count(*) FROM leased),
           ((SELECT coalesce(sum(n_items), 0) FROM ready) + (SELECT count(*) FROM loose))::bigint,
           (SELECT coalesce(sum(n_items), 0)::bigint FROM leased),
           extract(epoch FROM c.at - least((SELECT since FROM oldest), (SELECT min(since) FROM loose)))::double precision
    FROM clock c
$$;
REVOKE EXECUTE ON FUNCTION scaling_signals(text, integer, integer) FROM PUBLIC;
COMMENT ON FUNCTION scaling_signals(text, integer, integer) IS 'What an autoscaler of ours looks at. at_s: the server''s clock, seconds since 1970.';
