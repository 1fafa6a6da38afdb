-- What a run suggests for bank lines that people have to decide: to be accepted as it stands.

CREATE TABLE suggestions (
    amount_minor    bigint           NOT NULL,
    applied_minor   bigint           NOT NULL,
    residual_minor  bigint           NOT NULL,
    posterior       double precision NOT NULL CHECK (posterior BETWEEN 0 AND 1),
    rank            integer          NOT NULL CHECK (rank >= 1),
    line_no         integer          NOT NULL CHECK (line_no >= 0),
    tenant_id       text             NOT NULL,
    payment_id      text             NOT NULL,
    item_id         text,
    currency        text             NOT NULL,
    residual_kind   text             NOT NULL,
    reason          text             NOT NULL,
    PRIMARY KEY (tenant_id, payment_id, rank, line_no)
);
COMMENT ON TABLE suggestions IS 'Allocations of the likeliest explanations of a bank line that was not applied: what they would apply of each item. Replaced by the next run that decides the line.';
COMMENT ON COLUMN suggestions.rank IS '1 is the likeliest.';
COMMENT ON COLUMN suggestions.item_id IS 'Null: a residual of a payment of several items.';
