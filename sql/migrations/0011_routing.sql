-- Which consumers may take the batches of a flow.

ALTER TABLE queue_flows
    ADD COLUMN work_queue text   NOT NULL DEFAULT 'default',
    ADD COLUMN needs      text[] NOT NULL DEFAULT '{}';
COMMENT ON COLUMN queue_flows.work_queue IS 'Consumers started with --queue take the flows of that queue.';
COMMENT ON COLUMN queue_flows.needs IS 'Capabilities (such as gpu) that a consumer must have been started with.';
COMMENT ON COLUMN workers.capabilities IS 'What the worker was started with: flows, queue, capabilities, cores, memory.';
