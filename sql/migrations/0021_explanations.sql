-- Why each bank line of the receivables stands as it does, as it was found when it was decided.

CREATE TABLE explanations (
    tenant_id   text  NOT NULL,
    payment_id  text  NOT NULL,
    told        jsonb NOT NULL,
    PRIMARY KEY (tenant_id, payment_id)
);
COMMENT ON TABLE explanations IS 'One row a bank line: its explanations with what each weighs; what was applied of it stands in allocations.';
