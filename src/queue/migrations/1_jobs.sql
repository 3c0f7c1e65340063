CREATE TABLE _mito_queue_jobs (
    id TEXT PRIMARY KEY,
    sequence BIGINT NOT NULL,
    queue TEXT NOT NULL,
    kind TEXT NOT NULL,
    state TEXT NOT NULL,
    priority BIGINT NOT NULL,
    payload TEXT NOT NULL,
    sensitive BIGINT NOT NULL DEFAULT 0,
    unique_key TEXT,
    request_id TEXT,
    attempts BIGINT NOT NULL,
    max_attempts BIGINT,
    created_ms BIGINT NOT NULL,
    due_ms BIGINT NOT NULL,
    waits_until_ms BIGINT,
    started_ms BIGINT,
    finished_ms BIGINT,
    lease_token TEXT,
    lease_until_ms BIGINT,
    boot TEXT,
    error TEXT
);

CREATE UNIQUE INDEX _mito_queue_jobs_unique
    ON _mito_queue_jobs (kind, unique_key) WHERE unique_key IS NOT NULL;

CREATE INDEX _mito_queue_jobs_available
    ON _mito_queue_jobs (queue, kind, priority, sequence) WHERE state = 'available';

CREATE INDEX _mito_queue_jobs_waiting
    ON _mito_queue_jobs (waits_until_ms) WHERE waits_until_ms IS NOT NULL;

CREATE INDEX _mito_queue_jobs_leased
    ON _mito_queue_jobs (lease_until_ms) WHERE lease_until_ms IS NOT NULL;

CREATE INDEX _mito_queue_jobs_finished
    ON _mito_queue_jobs (state, finished_ms) WHERE finished_ms IS NOT NULL;

CREATE INDEX _mito_queue_jobs_listed ON _mito_queue_jobs (queue, state, sequence);

CREATE TABLE _mito_queue_log (
    job TEXT NOT NULL,
    number BIGINT NOT NULL,
    at_ms BIGINT NOT NULL,
    line TEXT NOT NULL,
    PRIMARY KEY (job, number)
);

CREATE TABLE _mito_queue_cursors (
    relay TEXT NOT NULL,
    source TEXT NOT NULL,
    sequence BIGINT NOT NULL,
    seen_ms BIGINT NOT NULL,
    PRIMARY KEY (relay, source)
);
