-- Which jobs were ever published for a data set, so that readers can be sent back to an earlier one.

CREATE TABLE publications (
    publication_id bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    dataset        text        NOT NULL,
    job_id         bigint      NOT NULL REFERENCES jobs,
    how            text        NOT NULL CHECK (how IN ('publish', 'rollback')),
    at             timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX publications_job ON publications (job_id);
COMMENT ON TABLE publications IS 'Append-only: every time published_jobs was pointed at a job, and whether that was a step back.';

INSERT INTO publications (dataset, job_id, how, at)
SELECT dataset, job_id, 'publish', published_at FROM published_jobs;
