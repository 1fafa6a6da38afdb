-- Cases for people to decide (core/review), whatever they are about, and what was said of them.

CREATE TABLE review_items (
    item_id       bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run           bigint      NOT NULL DEFAULT 0,
    version       bigint      NOT NULL DEFAULT 1,
    event_id      bigint,
    value         double precision NOT NULL DEFAULT 0 CHECK (value >= 0),
    probability   double precision CHECK (probability BETWEEN 0 AND 1),
    decided_at    timestamptz,
    leased_until  timestamptz,
    tenant_id     text        NOT NULL DEFAULT 'default' CHECK (tenant_id <> '' AND length(tenant_id) <= 100),
    topic         text        NOT NULL CHECK (topic <> ''),
    subject       text[]      NOT NULL CHECK (cardinality(subject) > 0),
    state         text        NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'second', 'settled')),
    returned      text        CHECK (returned IN ('values', 'disagreement', 'undone')),
    verdict       text,
    decided_by    text,
    leased_by     text,
    seen          text        NOT NULL,
    facts         json        NOT NULL,
    UNIQUE (tenant_id, topic, subject),
    CHECK ((verdict IS NULL) = (event_id IS NULL)),
    CHECK (state = 'open' OR verdict IS NOT NULL)
);
COMMENT ON TABLE review_items IS 'One row a case: how it stands now. What was said of it, and by whom, are the rows of review_verdicts.';
COMMENT ON COLUMN review_items.topic IS 'Whose list it is in: workload/data set.';
COMMENT ON COLUMN review_items.subject IS 'Ids of what is judged, in an order that does not change.';
COMMENT ON COLUMN review_items.state IS 'open: waits for a verdict; second: decided, waits for a blind second look; settled: nothing is asked.';
COMMENT ON COLUMN review_items.returned IS 'Why a case that had a verdict is open: its values changed, a second look disagreed, the verdict was taken back.';
COMMENT ON COLUMN review_items.verdict IS 'What holds, also while the case is open again; event_id is the event of the ledger that said so.';
COMMENT ON COLUMN review_items.version IS 'Grows with every verdict, and when what is judged by changes: a verdict names the version that was seen.';
COMMENT ON COLUMN review_items.value IS 'Worth of an answer: the highest is asked first.';
COMMENT ON COLUMN review_items.probability IS 'What the run stated for the likelier word of the topic, before anybody looked.';
COMMENT ON COLUMN review_items.seen IS 'Names the values that are judged by; never a value itself.';
COMMENT ON COLUMN review_items.facts IS 'The evidence in ids, levels and whole numbers; no personal value.';
COMMENT ON COLUMN review_items.run IS 'The job whose answer is judged.';
CREATE INDEX review_items_waiting ON review_items (tenant_id, topic, value DESC, item_id) WHERE state IN ('open', 'second');
CREATE INDEX review_items_said ON review_items USING gin (subject) WHERE verdict IS NOT NULL;

CREATE TABLE review_verdicts (
    event_id     bigint      NOT NULL,
    takes_back   bigint,
    item_id      bigint      NOT NULL,
    version      bigint      NOT NULL,
    decided_at   timestamptz NOT NULL,
    leaf_no      integer     NOT NULL DEFAULT 0 CHECK (leaf_no >= 0),
    tenant_id    text        NOT NULL,
    kind         text        NOT NULL CHECK (kind IN ('verdict', 'second', 'undo')),
    topic        text        NOT NULL,
    subject      text[]      NOT NULL,
    verdict      text        NOT NULL,
    actor        text        NOT NULL CHECK (actor <> ''),
    reason       text,
    seen         text        NOT NULL,
    evidence     bytea       NOT NULL,
    request_key  text        NOT NULL CHECK (request_key <> '' AND length(request_key) <= 200),
    PRIMARY KEY (tenant_id, event_id, leaf_no),
    UNIQUE (tenant_id, actor, request_key),
    CHECK ((kind = 'undo') = (takes_back IS NOT NULL))
);
COMMENT ON TABLE review_verdicts IS 'Leaves of the ledger: every verdict, second look and undo, each the one leaf of its event. Only ever added.';
COMMENT ON COLUMN review_verdicts.kind IS 'verdict: it holds from then on; second: a blind second look, which changes nothing that holds; undo: takes another back.';
COMMENT ON COLUMN review_verdicts.evidence IS 'Canonical bytes of the facts that were shown.';
COMMENT ON COLUMN review_verdicts.request_key IS 'Named by whoever asks: asked again, the answer is the first one.';
CREATE INDEX review_verdicts_item ON review_verdicts (item_id, event_id);
CREATE INDEX review_verdicts_actor ON review_verdicts (tenant_id, topic, actor, event_id);
CREATE INDEX review_verdicts_undone ON review_verdicts (takes_back) WHERE kind = 'undo';

CREATE TRIGGER review_verdicts_rows BEFORE UPDATE OR DELETE ON review_verdicts FOR EACH ROW EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER review_verdicts_whole BEFORE TRUNCATE ON review_verdicts FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();
ALTER TABLE review_verdicts ENABLE ALWAYS TRIGGER review_verdicts_rows, ENABLE ALWAYS TRIGGER review_verdicts_whole;
REVOKE UPDATE, DELETE, TRUNCATE ON review_verdicts FROM PUBLIC, CURRENT_USER;
