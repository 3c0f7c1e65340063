-- What administrators set while the platform runs.

CREATE TABLE _mito_records_settings (
    id TEXT PRIMARY KEY NOT NULL,
    value TEXT NOT NULL,
    updated_ms BIGINT NOT NULL
);

-- When the jobs that run by the clock last ran.
CREATE TABLE _mito_records_crons (
    id TEXT PRIMARY KEY NOT NULL,
    expression TEXT NOT NULL,
    last_ms BIGINT NOT NULL
);
