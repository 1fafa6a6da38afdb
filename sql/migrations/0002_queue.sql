-- The queue: live batch headers, append-only items, and what became of them. Names here are public: operators write
-- SQL against them. Closed sets are CHECK constraints; the same sets are Literals in core/queue/states.py (a test compares).

-- Flows ---------------------------------------------------------------------------------------------------------------

CREATE TABLE queue_flows (
    flow_name         text        NOT NULL CHECK (flow_name <> '' AND length(flow_name) <= 200),
    tenant_id         text        NOT NULL DEFAULT 'default' CHECK (tenant_id <> '' AND length(tenant_id) <= 100),
    max_attempts      integer     NOT NULL DEFAULT 3 CHECK (max_attempts BETWEEN 1 AND 100),
    max_runtime_s     integer     NOT NULL DEFAULT 1800 CHECK (max_runtime_s > 0),
    splittable        boolean     NOT NULL DEFAULT false,
    backoff_s         double precision NOT NULL DEFAULT 2 CHECK (backoff_s >= 0),
    max_running       integer     CHECK (max_running > 0),
    rows_per_s        double precision CHECK (rows_per_s > 0),
    burst_rows        bigint      CHECK (burst_rows > 0),
    bucket_rows       double precision,
    bucket_at         timestamptz,
    weight            double precision NOT NULL DEFAULT 1 CHECK (weight > 0),
    depth_limit_rows  bigint      CHECK (depth_limit_rows > 0),
    payload_schema    json,
    paused            boolean     NOT NULL DEFAULT false,
    paused_reason     text,
    bad_batches       integer     NOT NULL DEFAULT 0 CHECK (bad_batches >= 0),
    low_hint          bigint      NOT NULL DEFAULT 0,
    created_at        timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (flow_name, tenant_id)
);
COMMENT ON TABLE queue_flows IS 'Policy per flow and tenant. The batch API refuses flows that are not here.';
COMMENT ON COLUMN queue_flows.bad_batches IS 'Batches in a row in which too many rows failed; at five the flow is paused.';
COMMENT ON COLUMN queue_flows.low_hint IS 'No ready header of the flow has a smaller batch_id; lags behind.';

-- Jobs ----------------------------------------------------------------------------------------------------------------

CREATE TABLE jobs (
    job_id        bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id     text        NOT NULL DEFAULT 'default',
    flow_name     text        NOT NULL,
    job_key       text        NOT NULL CHECK (job_key <> ''),
    parameters    json        NOT NULL DEFAULT '{}',
    input_digest  text        NOT NULL DEFAULT '',
    status        text        NOT NULL DEFAULT 'running' CHECK (status IN (
                      'running', 'paused', 'blocked', 'completed', 'completed_with_errors', 'failed', 'cancelled')),
    priority      integer     NOT NULL DEFAULT 100 CHECK (priority BETWEEN 0 AND 1000),
    sealed_at     timestamptz,
    error         text,
    created_at    timestamptz NOT NULL DEFAULT now(),
    finished_at   timestamptz,
    CHECK ((finished_at IS NOT NULL) = (status IN ('completed', 'completed_with_errors', 'failed', 'cancelled')))
);
CREATE INDEX jobs_by_key ON jobs (tenant_id, job_key);
CREATE INDEX jobs_sealed ON jobs (job_id) WHERE sealed_at IS NOT NULL AND finished_at IS NULL;
COMMENT ON TABLE jobs IS 'One submission. Completing a batch never updates it: one hot row would serialise all workers.';
COMMENT ON COLUMN jobs.sealed_at IS 'Set when no more stages or batches will come; only then may the job finish by itself.';

CREATE TABLE job_keys (
    tenant_id  text   NOT NULL,
    job_key    text   NOT NULL,
    job_id     bigint NOT NULL REFERENCES jobs,
    PRIMARY KEY (tenant_id, job_key)
);
COMMENT ON TABLE job_keys IS 'The newest job of each key; what makes a submission unique.';

CREATE TABLE job_stages (
    job_id     bigint      NOT NULL REFERENCES jobs,
    stage      text        NOT NULL CHECK (stage <> '' AND length(stage) <= 100),
    status     text        NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'failed', 'closed')),
    n_batches  integer     NOT NULL DEFAULT 0 CHECK (n_batches >= 0),
    n_items    bigint      NOT NULL DEFAULT 0 CHECK (n_items >= 0),
    output     json,
    opened_at  timestamptz NOT NULL DEFAULT now(),
    closed_at  timestamptz,
    PRIMARY KEY (job_id, stage)
);
COMMENT ON TABLE job_stages IS 'Written in the transaction that enqueues the stage, so a stage starts once. A stage is drained when it has no header in processing_queue and no row in queue_retries.';
COMMENT ON COLUMN job_stages.output IS 'What the stage found out (trained parameters, counts), for the stages after it.';

-- Live batches --------------------------------------------------------------------------------------------------------

CREATE SEQUENCE queue_batch_id_seq AS bigint;

-- fillfactor leaves room on the page for the claim and the heartbeats; lease_until is in no index, so beats stay HOT.
CREATE TABLE processing_queue (
    batch_id         bigint      PRIMARY KEY DEFAULT nextval('queue_batch_id_seq'),
    origin_batch_id  bigint      NOT NULL,
    tenant_id        text        NOT NULL DEFAULT 'default',
    job_id           bigint,
    stage            text        NOT NULL DEFAULT 'main',
    flow_name        text        NOT NULL,
    kind             text        NOT NULL DEFAULT 'new' CHECK (kind IN ('new', 'retry')),
    partition_no     integer     NOT NULL DEFAULT 0,
    priority         integer     NOT NULL DEFAULT 100 CHECK (priority BETWEEN 0 AND 1000),
    state            text        NOT NULL DEFAULT 'ready' CHECK (state IN ('scheduled', 'ready', 'running', 'paused')),
    attempt          integer     NOT NULL DEFAULT 0 CHECK (attempt >= 0),
    n_items          bigint      NOT NULL,
    item_lo          bigint      NOT NULL DEFAULT 0 CHECK (item_lo >= 0),
    item_hi          bigint      NOT NULL,
    splittable       boolean     NOT NULL DEFAULT false,
    partial          boolean     NOT NULL DEFAULT false,
    not_before       timestamptz,
    deadline_at      timestamptz,
    lease_token      uuid,
    worker_id        text,
    lease_until      timestamptz,
    flow_run_id      text,
    source           json,
    created_at       timestamptz NOT NULL DEFAULT now(),
    claimed_at       timestamptz,
    CONSTRAINT processing_queue_range CHECK (item_hi > item_lo AND n_items = item_hi - item_lo),
    CONSTRAINT processing_queue_seq CHECK (source IS NOT NULL OR item_hi <= 1048576),
    CONSTRAINT processing_queue_lease CHECK (
        (state = 'running') = (lease_token IS NOT NULL)
        AND (state = 'running') = (lease_until IS NOT NULL)
        AND (state = 'running') = (worker_id IS NOT NULL)),
    CONSTRAINT processing_queue_due CHECK (state <> 'scheduled' OR not_before IS NOT NULL)
) WITH (fillfactor = 40, autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 500,
        autovacuum_analyze_scale_factor = 0.05, autovacuum_vacuum_cost_delay = 0);
CREATE INDEX processing_queue_ready ON processing_queue (flow_name, priority, batch_id) INCLUDE (n_items) WHERE state = 'ready';
CREATE INDEX processing_queue_ready_stage ON processing_queue (job_id, stage, priority, batch_id) WHERE state = 'ready' AND job_id IS NOT NULL;
CREATE INDEX processing_queue_oldest ON processing_queue (flow_name, created_at, batch_id) WHERE state = 'ready';
CREATE INDEX processing_queue_running ON processing_queue (flow_name, batch_id) WHERE state = 'running';
CREATE INDEX processing_queue_scheduled ON processing_queue (not_before, batch_id) WHERE state = 'scheduled';
CREATE INDEX processing_queue_job ON processing_queue (job_id, stage) WHERE job_id IS NOT NULL;
CREATE INDEX processing_queue_origin ON processing_queue (origin_batch_id);
COMMENT ON TABLE processing_queue IS 'One row per live batch; a finished one is deleted and told by queue_history.';
COMMENT ON COLUMN processing_queue.origin_batch_id IS 'The batch that was enqueued; splits keep it. record id = origin_batch_id << 20 | seq.';
COMMENT ON COLUMN processing_queue.item_lo IS 'Items [item_lo, item_hi) of the origin; for kind retry: retry_seq of queue_retries; for a source: key - source.lo.';
COMMENT ON COLUMN processing_queue.partial IS 'Single records of it may be marked already (record-level API); readers leave those out.';
COMMENT ON COLUMN processing_queue.lease_token IS 'Random, new with every claim; whoever ends the batch must show it.';

-- What was enqueued, item by item and batch by batch; never updated, dropped by partition ------------------------------

CREATE TABLE queue_batches (
    batch_id      bigint      NOT NULL,
    tenant_id     text        NOT NULL,
    flow_name     text        NOT NULL,
    job_id        bigint,
    stage         text        NOT NULL,
    partition_no  integer     NOT NULL,
    priority      integer     NOT NULL,
    splittable    boolean     NOT NULL,
    n_items       bigint      NOT NULL,
    source        json,
    created_at    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (batch_id)
) PARTITION BY RANGE (batch_id);
CREATE INDEX queue_batches_job ON queue_batches (job_id, stage);
COMMENT ON TABLE queue_batches IS 'One row per enqueued batch, as it came in. n_items of a batch with a source is an upper bound.';

-- json, not jsonb (a third faster in); no unique index: the fence at completion is what makes (batch_id, seq) unique.
CREATE TABLE queue_items (
    batch_id  bigint  NOT NULL,
    seq       integer NOT NULL,
    payload   json    NOT NULL
) PARTITION BY RANGE (batch_id);
CREATE INDEX queue_items_batch ON queue_items (batch_id);
COMMENT ON TABLE queue_items IS 'Append-only. batch_id is the origin batch: items never move.';

CREATE TABLE queue_results (
    batch_id  bigint  NOT NULL,
    seq       integer NOT NULL,
    output    json
) PARTITION BY RANGE (batch_id);
CREATE INDEX queue_results_batch ON queue_results (batch_id);
COMMENT ON TABLE queue_results IS 'Append-only, keyed by origin batch and seq; committed together with the acknowledgement.';

CREATE SEQUENCE queue_history_id_seq AS bigint;

CREATE TABLE queue_history (
    history_id       bigint      NOT NULL DEFAULT nextval('queue_history_id_seq'),
    origin_batch_id  bigint      NOT NULL,
    batch_id         bigint      NOT NULL,
    tenant_id        text        NOT NULL,
    job_id           bigint,
    stage            text        NOT NULL,
    flow_name        text        NOT NULL,
    kind             text        NOT NULL CHECK (kind IN ('new', 'retry')),
    item_lo          bigint      NOT NULL,
    item_hi          bigint      NOT NULL,
    attempt          integer     NOT NULL,
    outcome          text        NOT NULL CHECK (outcome IN (
                         'completed', 'retried', 'split', 'dead', 'expired', 'released', 'cancelled', 'rejected')),
    lease_token      uuid,
    worker_id        text,
    flow_run_id      text,
    n_ok             bigint      NOT NULL DEFAULT 0 CHECK (n_ok >= 0),
    n_failed         bigint      NOT NULL DEFAULT 0 CHECK (n_failed >= 0),
    n_dead           bigint      NOT NULL DEFAULT 0 CHECK (n_dead >= 0 AND n_dead <= n_failed),
    n_rows           bigint      NOT NULL DEFAULT 0,
    n_bytes          bigint      NOT NULL DEFAULT 0,
    started_at       timestamptz,
    finished_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    wall_ms          double precision NOT NULL DEFAULT 0,
    cpu_ms           double precision NOT NULL DEFAULT 0,
    error_class      text,
    reason           text,
    rolled           boolean     NOT NULL DEFAULT false,
    PRIMARY KEY (origin_batch_id, history_id)
) PARTITION BY RANGE (origin_batch_id);
-- A lease ends once.
CREATE UNIQUE INDEX queue_history_token ON queue_history (origin_batch_id, batch_id, lease_token);
CREATE INDEX queue_history_job ON queue_history (job_id, stage) WHERE job_id IS NOT NULL;
CREATE INDEX queue_history_unrolled ON queue_history (history_id) WHERE NOT rolled;
CREATE INDEX queue_history_finished ON queue_history (finished_at);
COMMENT ON TABLE queue_history IS 'One row per finished attempt. rolled: its figures are in queue_totals.';
COMMENT ON COLUMN queue_history.n_failed IS 'Rows that left the batch without a result; n_dead of them for good.';

CREATE TABLE queue_totals (
    tenant_id       text        NOT NULL,
    flow_name       text        NOT NULL,
    hour            timestamptz NOT NULL,
    n_attempts      bigint      NOT NULL DEFAULT 0,
    n_completed     bigint      NOT NULL DEFAULT 0,
    n_ok            bigint      NOT NULL DEFAULT 0,
    n_failed        bigint      NOT NULL DEFAULT 0,
    n_dead          bigint      NOT NULL DEFAULT 0,
    n_rows          bigint      NOT NULL DEFAULT 0,
    n_bytes         bigint      NOT NULL DEFAULT 0,
    wall_ms         double precision NOT NULL DEFAULT 0,
    cpu_ms          double precision NOT NULL DEFAULT 0,
    record_wall_ms  double precision NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant_id, flow_name, hour)
);
COMMENT ON TABLE queue_totals IS 'Rolled up from queue_history by the leader; a count is the total plus the rows not yet rolled. Not shrunk by retention.';
COMMENT ON COLUMN queue_totals.record_wall_ms IS 'Sum over ended attempts of wall_ms * (n_ok + n_dead): time from claim to mark, per record.';

CREATE TABLE queue_partitions (
    lo          bigint      PRIMARY KEY,
    hi          bigint      NOT NULL CHECK (hi > lo),
    state       text        NOT NULL DEFAULT 'attached' CHECK (state IN ('attached', 'detached', 'dropped')),
    created_at  timestamptz NOT NULL DEFAULT now(),
    dropped_at  timestamptz
);
COMMENT ON TABLE queue_partitions IS 'Ranges of batch ids; each has one partition of queue_batches, queue_items, queue_results and queue_history.';

-- CREATE + ATTACH, because CREATE ... PARTITION OF waits for every open report on the parent. The CHECK saves the scan.
CREATE FUNCTION queue_partition_create(p_lo bigint, p_hi bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    parent text;
    key_column text;
    child text;
BEGIN
    FOREACH parent IN ARRAY ARRAY['queue_batches', 'queue_items', 'queue_results', 'queue_history'] LOOP
        child := format('%s_p%s', parent, p_lo);
        key_column := CASE parent WHEN 'queue_history' THEN 'origin_batch_id' ELSE 'batch_id' END;
        EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING ALL, CONSTRAINT %I CHECK (%I >= %s AND %I < %s))',
                       child, parent, child || '_range', key_column, p_lo, key_column, p_hi);
        EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%s) TO (%s)', parent, child, p_lo, p_hi);
        EXECUTE format('ALTER TABLE %I DROP CONSTRAINT %I', child, child || '_range');
    END LOOP;
    INSERT INTO queue_partitions (lo, hi) VALUES (p_lo, p_hi);
END $$;

-- Keeps p_ahead whole partitions above the sequence. Returns how many were made. There is no DEFAULT partition: an id
-- without a partition is an error, not a slow leak into a table that can never be dropped.
CREATE FUNCTION queue_partitions_ahead(p_ahead integer DEFAULT 2, p_span bigint DEFAULT 1048576) RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
    top bigint;
    at_id bigint;
    made integer := 0;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('headrace.queue_partitions_ahead'));
    SELECT last_value INTO at_id FROM queue_batch_id_seq;
    SELECT coalesce(max(hi), 0) INTO top FROM queue_partitions;
    WHILE (SELECT count(*) FROM queue_partitions WHERE lo > at_id) < p_ahead OR top <= at_id LOOP
        PERFORM queue_partition_create(top, top + p_span);
        top := top + p_span;
        made := made + 1;
    END LOOP;
    RETURN made;
END $$;

SELECT queue_partitions_ahead();

-- Waiting, failed, trickling ------------------------------------------------------------------------------------------

CREATE TABLE queue_inbox (
    inbox_id     bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id    text        NOT NULL DEFAULT 'default',
    flow_name    text        NOT NULL,
    payload      json        NOT NULL,
    received_at  timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX queue_inbox_flow ON queue_inbox (flow_name, tenant_id, inbox_id);
COMMENT ON TABLE queue_inbox IS 'Single payloads of trickling producers until the leader seals them into a batch.';

CREATE TABLE queue_dedupe (
    flow_name   text        NOT NULL,
    key         text        NOT NULL,
    expires_at  timestamptz NOT NULL,
    PRIMARY KEY (flow_name, key)
);
CREATE INDEX queue_dedupe_expiry ON queue_dedupe (expires_at);
COMMENT ON TABLE queue_dedupe IS 'Keys of records that may not be enqueued again before expires_at.';

CREATE TABLE queue_retries (
    origin_batch_id  bigint      NOT NULL,
    seq              integer     NOT NULL,
    tenant_id        text        NOT NULL,
    flow_name        text        NOT NULL,
    job_id           bigint,
    stage            text        NOT NULL,
    payload          json        NOT NULL,
    attempts         integer     NOT NULL DEFAULT 1 CHECK (attempts >= 0),
    fault            text        NOT NULL DEFAULT 'transient' CHECK (fault IN ('transient', 'permanent', 'poison')),
    error_class      text        NOT NULL,
    reason           text        NOT NULL DEFAULT '',
    due_at           timestamptz NOT NULL,
    created_at       timestamptz NOT NULL DEFAULT now(),
    retry_batch_id   bigint,
    retry_seq        integer,
    marked           text        CHECK (marked IN ('completed', 'dead')),
    PRIMARY KEY (origin_batch_id, seq),
    CHECK ((retry_batch_id IS NULL) = (retry_seq IS NULL)),
    CHECK (marked IS NULL OR retry_batch_id IS NOT NULL)
);
CREATE INDEX queue_retries_due ON queue_retries (due_at) WHERE retry_batch_id IS NULL;
CREATE INDEX queue_retries_batch ON queue_retries (retry_batch_id, retry_seq) WHERE retry_batch_id IS NOT NULL;
CREATE INDEX queue_retries_job ON queue_retries (job_id, stage) WHERE job_id IS NOT NULL;
CREATE INDEX queue_retries_flow ON queue_retries (flow_name, tenant_id);
COMMENT ON TABLE queue_retries IS 'Rows that failed and will run again. Waiting until the sweeper stamps them with the origin id and seq of a retry header.';
COMMENT ON COLUMN queue_retries.marked IS 'Marked one by one through the record-level API while their header lives.';

CREATE TABLE dead_letters (
    dead_letter_id   bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    origin_batch_id  bigint      NOT NULL,
    seq              bigint      NOT NULL,
    n_items          bigint      NOT NULL DEFAULT 1 CHECK (n_items >= 1),
    tenant_id        text        NOT NULL,
    flow_name        text        NOT NULL,
    job_id           bigint,
    stage            text        NOT NULL,
    payload          json,
    payload_raw      bytea,
    source           json,
    attempts         integer     NOT NULL DEFAULT 1 CHECK (attempts >= 0),
    fault            text        NOT NULL DEFAULT 'permanent' CHECK (fault IN ('transient', 'permanent', 'poison')),
    error_class      text        NOT NULL,
    reason           text        NOT NULL DEFAULT '',
    worker_id        text,
    died_at          timestamptz NOT NULL DEFAULT clock_timestamp(),
    UNIQUE (origin_batch_id, seq),
    CHECK (num_nonnulls(payload, payload_raw, source) = 1),
    CHECK (n_items = 1 OR source IS NOT NULL)
);
CREATE INDEX dead_letters_class ON dead_letters (flow_name, error_class, dead_letter_id);
CREATE INDEX dead_letters_job ON dead_letters (job_id, stage) WHERE job_id IS NOT NULL;
COMMENT ON TABLE dead_letters IS 'Rows, or whole ranges of a source, that failed for good; redrive puts them back.';
COMMENT ON COLUMN dead_letters.payload_raw IS 'What came in where it was not JSON.';

-- Workers, leaders ----------------------------------------------------------------------------------------------------

CREATE TABLE workers (
    worker_id     text        PRIMARY KEY,
    pool          text        NOT NULL DEFAULT 'default',
    host          text        NOT NULL,
    pid           integer     NOT NULL,
    capabilities  json        NOT NULL DEFAULT '{}',
    n_leases      integer     NOT NULL DEFAULT 0,
    load          real        NOT NULL DEFAULT 0,
    started_at    timestamptz NOT NULL DEFAULT now(),
    heartbeat_at  timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 50);
COMMENT ON TABLE workers IS 'Who beats. Leases hang on processing_queue.lease_until, not on this table.';

CREATE TABLE leases (
    name         text        PRIMARY KEY,
    holder       text        NOT NULL,
    token        uuid        NOT NULL,
    acquired_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    lease_until  timestamptz NOT NULL
) WITH (fillfactor = 50);
COMMENT ON TABLE leases IS 'Leaders and singletons: a row with a token, because session locks break behind a transaction pooler.';

CREATE TABLE queue_depth_cache (
    tenant_id          text        NOT NULL,
    flow_name          text        NOT NULL,
    ready_batches      bigint      NOT NULL,
    ready_items        bigint      NOT NULL,
    running_batches    bigint      NOT NULL,
    running_items      bigint      NOT NULL,
    expired_batches    bigint      NOT NULL,
    scheduled_batches  bigint      NOT NULL,
    scheduled_items    bigint      NOT NULL,
    due_batches        bigint      NOT NULL,
    paused_batches     bigint      NOT NULL,
    paused_items       bigint      NOT NULL,
    waiting_retries    bigint      NOT NULL,
    due_retries        bigint      NOT NULL,
    inbox_items        bigint      NOT NULL,
    oldest_ready_at    timestamptz,
    as_of              timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, flow_name)
) WITH (fillfactor = 50);

-- What scalers and dashboards read ------------------------------------------------------------------------------------

-- Sums over headers and over the small tables beside them; never over items or history.
CREATE VIEW queue_depth_live AS
WITH headers AS (
    SELECT tenant_id, flow_name,
           count(*) FILTER (WHERE state = 'ready') AS ready_batches,
           coalesce(sum(n_items) FILTER (WHERE state = 'ready'), 0)::bigint AS ready_items,
           count(*) FILTER (WHERE state = 'running') AS running_batches,
           coalesce(sum(n_items) FILTER (WHERE state = 'running'), 0)::bigint AS running_items,
           count(*) FILTER (WHERE state = 'running' AND lease_until < now()) AS expired_batches,
           count(*) FILTER (WHERE state = 'scheduled') AS scheduled_batches,
           coalesce(sum(n_items) FILTER (WHERE state = 'scheduled'), 0)::bigint AS scheduled_items,
           count(*) FILTER (WHERE state = 'scheduled' AND not_before <= now()) AS due_batches,
           count(*) FILTER (WHERE state = 'paused') AS paused_batches,
           coalesce(sum(n_items) FILTER (WHERE state = 'paused'), 0)::bigint AS paused_items,
           min(created_at) FILTER (WHERE state = 'ready') AS oldest_ready_at
    FROM processing_queue GROUP BY tenant_id, flow_name
), retries AS (
    SELECT tenant_id, flow_name, count(*) AS waiting_retries, count(*) FILTER (WHERE due_at <= now()) AS due_retries
    FROM queue_retries WHERE retry_batch_id IS NULL GROUP BY tenant_id, flow_name
), inbox AS (
    SELECT tenant_id, flow_name, count(*) AS inbox_items, min(received_at) AS oldest_inbox_at
    FROM queue_inbox GROUP BY tenant_id, flow_name
)
SELECT f.tenant_id, f.flow_name,
       coalesce(h.ready_batches, 0) AS ready_batches, coalesce(h.ready_items, 0) AS ready_items,
       coalesce(h.running_batches, 0) AS running_batches, coalesce(h.running_items, 0) AS running_items,
       coalesce(h.expired_batches, 0) AS expired_batches,
       coalesce(h.scheduled_batches, 0) AS scheduled_batches, coalesce(h.scheduled_items, 0) AS scheduled_items,
       coalesce(h.due_batches, 0) AS due_batches,
       coalesce(h.paused_batches, 0) AS paused_batches, coalesce(h.paused_items, 0) AS paused_items,
       coalesce(r.waiting_retries, 0) AS waiting_retries, coalesce(r.due_retries, 0) AS due_retries,
       coalesce(i.inbox_items, 0) AS inbox_items,
       least(h.oldest_ready_at, i.oldest_inbox_at) AS oldest_ready_at,
       now() AS as_of
FROM queue_flows f
LEFT JOIN headers h USING (tenant_id, flow_name)
LEFT JOIN retries r USING (tenant_id, flow_name)
LEFT JOIN inbox i USING (tenant_id, flow_name);
COMMENT ON VIEW queue_depth_live IS 'Depth computed now; read queue_depth_v1 instead.';

CREATE VIEW queue_depth_v1 AS
WITH stamp AS MATERIALIZED (
    SELECT coalesce(min(as_of) > now() - interval '5 seconds', false) AS fresh FROM queue_depth_cache
), depth AS (
    SELECT c.*, true AS cached FROM queue_depth_cache c WHERE (SELECT fresh FROM stamp)
    UNION ALL
    SELECT l.tenant_id, l.flow_name, l.ready_batches, l.ready_items, l.running_batches, l.running_items,
           l.expired_batches, l.scheduled_batches, l.scheduled_items, l.due_batches, l.paused_batches, l.paused_items,
           l.waiting_retries, l.due_retries, l.inbox_items, l.oldest_ready_at, l.as_of, false
    FROM queue_depth_live l WHERE NOT (SELECT fresh FROM stamp)
)
SELECT d.*, extract(epoch FROM now() - d.oldest_ready_at)::double precision AS oldest_age_s, f.paused
FROM depth d JOIN queue_flows f USING (tenant_id, flow_name);
COMMENT ON VIEW queue_depth_v1 IS 'Depth per flow from the leader''s cache, or computed when the cache is older than 5 s.';

-- What a scaler asks, in batches: right with no process of ours alive, and its cost is bounded by p_saturate.
-- SECURITY DEFINER, so that the scaler's role may be granted this and nothing else.
CREATE FUNCTION queue_backlog(p_flow text, p_saturate integer DEFAULT 1000) RETURNS bigint
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT least(p_saturate,
        (SELECT count(*) FROM (
            SELECT 1 FROM processing_queue q WHERE q.flow_name = p_flow AND q.state = 'running' LIMIT p_saturate) running)
      + (SELECT count(*) FROM (
            SELECT 1 FROM processing_queue q JOIN queue_flows f USING (flow_name, tenant_id)
            WHERE q.flow_name = p_flow AND NOT f.paused AND q.state = 'ready' LIMIT p_saturate) ready)
      + (SELECT count(*) FROM (
            SELECT 1 FROM processing_queue q JOIN queue_flows f USING (flow_name, tenant_id)
            WHERE q.flow_name = p_flow AND NOT f.paused AND q.state = 'scheduled' AND q.not_before <= now()
            LIMIT p_saturate) due)
      + (SELECT ceil(count(*) / 1000.0)::bigint FROM (
            SELECT 1 FROM queue_retries r JOIN queue_flows f USING (flow_name, tenant_id)
            WHERE r.flow_name = p_flow AND NOT f.paused AND r.retry_batch_id IS NULL AND r.due_at <= now()
            LIMIT p_saturate * 1000::bigint) retries)
      + (SELECT ceil(count(*) / 1000.0)::bigint FROM (
            SELECT 1 FROM queue_inbox i JOIN queue_flows f USING (flow_name, tenant_id)
            WHERE i.flow_name = p_flow AND NOT f.paused LIMIT p_saturate * 1000::bigint) inbox)
    )::bigint
$$;
REVOKE EXECUTE ON FUNCTION queue_backlog(text, integer) FROM PUBLIC;
COMMENT ON FUNCTION queue_backlog(text, integer) IS 'Batches that are ready, due or running, saturating at p_saturate. GRANT EXECUTE to the role of the scaler.';

CREATE VIEW processing_queue_records AS
WITH state_of AS (
    SELECT i.batch_id, i.seq, i.payload, b.flow_name, b.created_at,
           h.batch_id AS live_id, h.state, h.attempt, h.worker_id, h.claimed_at,
           t.retry_batch_id, t.attempts AS retry_attempts, t.reason AS retry_reason, t.marked,
           rh.state AS retry_state, rh.worker_id AS retry_worker_id, rh.claimed_at AS retry_claimed_at,
           d.dead_letter_id, d.attempts AS dead_attempts, d.reason AS dead_reason, d.worker_id AS dead_worker_id,
           r.batch_id AS result_id, r.output
    FROM queue_items i
    JOIN queue_batches b ON b.batch_id = i.batch_id
    LEFT JOIN processing_queue h
           ON h.origin_batch_id = i.batch_id AND h.kind = 'new' AND i.seq >= h.item_lo AND i.seq < h.item_hi
    LEFT JOIN queue_retries t ON t.origin_batch_id = i.batch_id AND t.seq = i.seq
    LEFT JOIN processing_queue rh
           ON rh.origin_batch_id = t.retry_batch_id AND rh.kind = 'retry'
          AND t.retry_seq >= rh.item_lo AND t.retry_seq < rh.item_hi
    LEFT JOIN dead_letters d ON d.origin_batch_id = i.batch_id AND d.seq = i.seq
    LEFT JOIN queue_results r ON r.batch_id = i.batch_id AND r.seq = i.seq
)
SELECT s.batch_id << 20 | s.seq AS id, s.flow_name, s.payload,
       CASE WHEN s.result_id IS NOT NULL THEN 'completed'
            WHEN s.dead_letter_id IS NOT NULL THEN 'failed'
            WHEN s.retry_attempts IS NOT NULL AND s.retry_batch_id IS NULL THEN 'failed'
            WHEN s.retry_state = 'running' OR (s.retry_attempts IS NULL AND s.state = 'running') THEN 'processing'
            WHEN s.retry_state IS NOT NULL OR s.live_id IS NOT NULL THEN 'pending'
            ELSE 'completed' END AS status,
       coalesce(s.retry_attempts, s.dead_attempts - 1, greatest(s.attempt - 1, 0), 0) AS retry_count,
       coalesce(s.retry_worker_id, s.worker_id, s.dead_worker_id,
                (SELECT a.worker_id FROM queue_history a
                 WHERE a.origin_batch_id = s.batch_id AND a.kind = 'new' AND a.outcome = 'completed'
                   AND s.seq >= a.item_lo AND s.seq < a.item_hi LIMIT 1)) AS flow_instance_id,
       coalesce(s.retry_claimed_at, s.claimed_at,
                (SELECT a.started_at FROM queue_history a
                 WHERE a.origin_batch_id = s.batch_id AND a.kind = 'new' AND a.outcome = 'completed'
                   AND s.seq >= a.item_lo AND s.seq < a.item_hi LIMIT 1)) AS claimed_at,
       s.created_at, s.output AS result, coalesce(s.dead_reason, s.retry_reason) AS error
FROM state_of s;
COMMENT ON VIEW processing_queue_records IS 'The record level, for reading: one row per item. Filter by flow_name or by id range, not by status alone: it computes each row.';

CREATE VIEW job_statistics_v1 AS
SELECT j.job_id, j.tenant_id, j.flow_name, j.job_key, j.status, j.priority, j.created_at, j.finished_at,
       coalesce(s.n_stages, 0) AS n_stages, coalesce(s.n_batches, 0) AS n_batches, coalesce(s.n_items, 0) AS n_items,
       coalesce(h.n_ok, 0) AS n_ok, coalesce(h.n_attempts, 0) AS n_attempts,
       coalesce(h.wall_ms, 0) AS wall_ms, coalesce(h.cpu_ms, 0) AS cpu_ms,
       coalesce(q.live_batches, 0) AS live_batches, coalesce(q.running_batches, 0) AS running_batches,
       coalesce(r.waiting_retries, 0) AS waiting_retries, coalesce(d.dead_items, 0) AS dead_items
FROM jobs j
LEFT JOIN LATERAL (SELECT count(*) AS n_stages, sum(n_batches)::bigint AS n_batches, sum(n_items)::bigint AS n_items
                   FROM job_stages WHERE job_id = j.job_id) s ON true
LEFT JOIN LATERAL (SELECT sum(n_ok)::bigint AS n_ok, count(*) AS n_attempts, sum(wall_ms) AS wall_ms, sum(cpu_ms) AS cpu_ms
                   FROM queue_history WHERE job_id = j.job_id) h ON true
LEFT JOIN LATERAL (SELECT count(*) AS live_batches, count(*) FILTER (WHERE state = 'running') AS running_batches
                   FROM processing_queue WHERE job_id = j.job_id) q ON true
LEFT JOIN LATERAL (SELECT count(*) AS waiting_retries FROM queue_retries
                   WHERE job_id = j.job_id AND retry_batch_id IS NULL) r ON true
LEFT JOIN LATERAL (SELECT sum(n_items)::bigint AS dead_items FROM dead_letters WHERE job_id = j.job_id) d ON true;
COMMENT ON VIEW job_statistics_v1 IS 'One row per job: what came in, what is left, what it cost.';
