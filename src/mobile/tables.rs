//! The tables of the role.

use mito_database::{Migration, Migrations};

/// The tables of updates.
pub const MIGRATIONS: Migrations = Migrations {
    role: "mobile",
    steps: &[Migration {
        version: 1,
        sql: "
            CREATE TABLE _mito_mobile_updates (
                id TEXT PRIMARY KEY,
                channel TEXT NOT NULL,
                platform TEXT NOT NULL,
                runtime_version TEXT NOT NULL,
                message TEXT NOT NULL,
                manifest TEXT NOT NULL,
                size_bytes BIGINT NOT NULL,
                assets BIGINT NOT NULL,
                published_by TEXT NOT NULL,
                created_ms BIGINT NOT NULL
            );
            CREATE INDEX _mito_mobile_updates_newest
                ON _mito_mobile_updates (platform, runtime_version, channel, created_ms);
            CREATE TABLE _mito_mobile_assets (
                sha256 TEXT NOT NULL,
                content_type TEXT NOT NULL,
                object_key TEXT NOT NULL,
                size_bytes BIGINT NOT NULL,
                created_ms BIGINT NOT NULL,
                PRIMARY KEY (sha256, content_type)
            );
        ",
        postgres: None,
    }],
};
