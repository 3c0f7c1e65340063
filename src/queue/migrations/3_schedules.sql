CREATE TABLE _mito_queue_schedules (
    name TEXT PRIMARY KEY,
    queue TEXT NOT NULL,
    kind TEXT NOT NULL,
    payload TEXT NOT NULL,
    sensitive BIGINT NOT NULL,
    rule TEXT NOT NULL,
    runs BIGINT NOT NULL,
    last_ms BIGINT,
    next_ms BIGINT,
    created_ms BIGINT NOT NULL,
    changed_ms BIGINT NOT NULL
);

CREATE INDEX _mito_queue_schedules_next
    ON _mito_queue_schedules (next_ms) WHERE next_ms IS NOT NULL;

CREATE TABLE _mito_queue_replicas (
    role TEXT PRIMARY KEY,
    configured BIGINT NOT NULL,
    wanted BIGINT NOT NULL
);
