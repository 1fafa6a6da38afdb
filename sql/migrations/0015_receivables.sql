-- Receivables (core/workloads/invoices/publishing): how open items stand, and the allocations that brought them there.

CREATE TABLE open_items (
    given_minor  bigint      NOT NULL CHECK (given_minor <> 0),
    open_minor   bigint      NOT NULL,
    version      bigint      NOT NULL DEFAULT 1,
    recorded_at  timestamptz NOT NULL,
    issued_on    date        NOT NULL,
    due_on       date        NOT NULL,
    tenant_id    text        NOT NULL,
    item_id      text        NOT NULL,
    customer_id  text        NOT NULL,
    number       text        NOT NULL,
    currency     text        NOT NULL CHECK (length(currency) = 3),
    PRIMARY KEY (tenant_id, item_id),
    CHECK (open_minor BETWEEN least(0, given_minor) AND greatest(0, given_minor))
);
COMMENT ON TABLE open_items IS 'One row an item of the receivables: what it was worth when it was first handed in, and what is open of it now.';
COMMENT ON COLUMN open_items.given_minor IS 'Smallest units of the currency; credit notes are negative.';
COMMENT ON COLUMN open_items.version IS 'Grows with every change: whoever writes names the version that he has read.';

CREATE TABLE receipts (
    amount_minor  bigint NOT NULL,
    event_id      bigint,
    version       bigint NOT NULL DEFAULT 1,
    booked_on     date   NOT NULL,
    tenant_id     text   NOT NULL,
    payment_id    text   NOT NULL,
    currency      text   NOT NULL CHECK (length(currency) = 3),
    state         text   NOT NULL CHECK (state IN ('applied', 'suggested', 'exception', 'unapplied', 'foreign', 'unmatched')),
    PRIMARY KEY (tenant_id, payment_id),
    CHECK (event_id IS NOT NULL OR state NOT IN ('applied', 'unmatched'))
);
COMMENT ON TABLE receipts IS 'One row a bank line: how it stands now.';
COMMENT ON COLUMN receipts.event_id IS 'The event of the ledger that applied it, or took that back.';

CREATE TABLE allocations (
    event_id        bigint      NOT NULL,
    reverses_event  bigint,
    amount_minor    bigint      NOT NULL,
    applied_minor   bigint      NOT NULL,
    residual_minor  bigint      NOT NULL,
    recorded_at     timestamptz NOT NULL,
    leaf_no         integer     NOT NULL CHECK (leaf_no >= 0),
    reverses_leaf   integer,
    effective_on    date        NOT NULL,
    tenant_id       text        NOT NULL,
    payment_id      text        NOT NULL,
    item_id         text,
    currency        text        NOT NULL,
    residual_kind   text        NOT NULL,
    PRIMARY KEY (tenant_id, event_id, leaf_no),
    CHECK ((reverses_event IS NULL) = (reverses_leaf IS NULL))
);
COMMENT ON TABLE allocations IS 'What was applied, and what took it back: rows that are only added, each a leaf of its event in the ledger.';
COMMENT ON COLUMN allocations.effective_on IS 'The day from which it counts; recorded_at is when it became known.';
COMMENT ON COLUMN allocations.item_id IS 'Null: a residual of a payment of several items.';
COMMENT ON COLUMN allocations.amount_minor IS 'In the currency of the item; applied_minor and residual_minor are in that of the payment.';
COMMENT ON COLUMN allocations.reverses_event IS 'With reverses_leaf the row that this one takes back.';
CREATE INDEX allocations_of_item ON allocations (tenant_id, item_id) INCLUDE (effective_on, recorded_at, amount_minor);

CREATE TRIGGER allocations_rows BEFORE UPDATE OR DELETE ON allocations FOR EACH ROW EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER allocations_whole BEFORE TRUNCATE ON allocations FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();
ALTER TABLE allocations ENABLE ALWAYS TRIGGER allocations_rows, ENABLE ALWAYS TRIGGER allocations_whole;
REVOKE UPDATE, DELETE, TRUNCATE ON allocations FROM PUBLIC, CURRENT_USER;
