-- Values of the records that people are asked about, which a page shows without the input file. They are replaced with each
-- run that is published, so what was erased from a data set is erased here.

CREATE TABLE identity_review_records (
    dataset  text NOT NULL CHECK (dataset <> ''),
    id       text NOT NULL,
    fields   json NOT NULL,
    PRIMARY KEY (dataset, id)
);
COMMENT ON TABLE identity_review_records IS 'One row a record of a case in review_items whose topic is identity/dataset.';
COMMENT ON COLUMN identity_review_records.fields IS 'Field -> value as the input has it, in the order of the spec.';
