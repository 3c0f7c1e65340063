ALTER TABLE _mito_queue_jobs ADD COLUMN options TEXT;
ALTER TABLE _mito_queue_jobs ADD COLUMN expires_ms BIGINT;
ALTER TABLE _mito_queue_jobs ADD COLUMN dedup_key TEXT;
ALTER TABLE _mito_queue_jobs ADD COLUMN result TEXT;
ALTER TABLE _mito_queue_jobs ADD COLUMN progress TEXT;
ALTER TABLE _mito_queue_jobs ADD COLUMN group_key TEXT;
ALTER TABLE _mito_queue_jobs ADD COLUMN held BIGINT NOT NULL DEFAULT 0;
ALTER TABLE _mito_queue_jobs ADD COLUMN parent TEXT;
ALTER TABLE _mito_queue_jobs ADD COLUMN parent_policy TEXT;
ALTER TABLE _mito_queue_jobs ADD COLUMN children_left BIGINT NOT NULL DEFAULT 0;

DROP INDEX _mito_queue_jobs_available;

CREATE INDEX _mito_queue_jobs_ready
    ON _mito_queue_jobs (queue, kind, priority, sequence) WHERE state = 'available' AND held = 0;

CREATE INDEX _mito_queue_jobs_held
    ON _mito_queue_jobs (queue, group_key, priority, sequence) WHERE held = 1;

CREATE INDEX _mito_queue_jobs_group_running
    ON _mito_queue_jobs (queue, group_key) WHERE group_key IS NOT NULL AND state = 'running';

CREATE INDEX _mito_queue_jobs_expiring
    ON _mito_queue_jobs (expires_ms) WHERE expires_ms IS NOT NULL;

CREATE INDEX _mito_queue_jobs_ended
    ON _mito_queue_jobs (kind, state, finished_ms) WHERE finished_ms IS NOT NULL;

CREATE INDEX _mito_queue_jobs_children
    ON _mito_queue_jobs (parent, sequence) WHERE parent IS NOT NULL;

CREATE TABLE _mito_queue_keys (
    kind TEXT NOT NULL,
    dedup_key TEXT NOT NULL,
    job TEXT NOT NULL,
    next_job TEXT,
    until_ms BIGINT,
    PRIMARY KEY (kind, dedup_key)
);

CREATE INDEX _mito_queue_keys_until ON _mito_queue_keys (until_ms) WHERE until_ms IS NOT NULL;

CREATE INDEX _mito_queue_keys_next ON _mito_queue_keys (next_job) WHERE next_job IS NOT NULL;

CREATE TABLE _mito_queue_queues (
    name TEXT PRIMARY KEY,
    paused BIGINT NOT NULL DEFAULT 0,
    limits TEXT,
    window_start_ms BIGINT NOT NULL DEFAULT 0,
    window_count BIGINT NOT NULL DEFAULT 0
);

CREATE TABLE _mito_queue_groups (
    queue TEXT NOT NULL,
    group_key TEXT NOT NULL,
    window_start_ms BIGINT NOT NULL,
    window_count BIGINT NOT NULL,
    PRIMARY KEY (queue, group_key)
);

CREATE INDEX _mito_queue_groups_window ON _mito_queue_groups (window_start_ms);

CREATE TABLE _mito_queue_steps (
    job TEXT NOT NULL,
    name TEXT NOT NULL,
    result TEXT NOT NULL,
    at_ms BIGINT NOT NULL,
    PRIMARY KEY (job, name)
);
