-- Requests and the platform's own log lines.

CREATE TABLE _mito_telemetry_logs (
    sequence INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    created TEXT NOT NULL,
    level BIGINT NOT NULL,
    size BIGINT NOT NULL,
    message TEXT NOT NULL,
    data TEXT NOT NULL
);
