//! The tables of the role.

use mito_database::{Migration, Migrations};

/// The tables of triggers, deliveries, mailbox and inbox.
pub const MIGRATIONS: Migrations = Migrations {
    role: "notifications",
    steps: &[Migration {
        version: 1,
        sql: "
            CREATE TABLE _mito_notifications_triggers (
                name TEXT PRIMARY KEY,
                collection TEXT NOT NULL,
                definition TEXT NOT NULL,
                installed_ms BIGINT NOT NULL
            );
            CREATE INDEX _mito_notifications_triggers_collection
                ON _mito_notifications_triggers (collection);
            CREATE TABLE _mito_notifications_deliveries (
                id TEXT PRIMARY KEY,
                source_event TEXT NOT NULL,
                trigger_name TEXT NOT NULL,
                collection TEXT NOT NULL,
                record TEXT NOT NULL,
                recipient TEXT NOT NULL,
                address TEXT NOT NULL,
                channel TEXT NOT NULL,
                state TEXT NOT NULL,
                note TEXT NOT NULL,
                created_ms BIGINT NOT NULL,
                finished_ms BIGINT,
                UNIQUE (source_event, trigger_name, recipient)
            );
            CREATE INDEX _mito_notifications_deliveries_created
                ON _mito_notifications_deliveries (created_ms);
            CREATE TABLE _mito_notifications_inbox (
                id TEXT PRIMARY KEY,
                recipient_collection TEXT NOT NULL,
                recipient TEXT NOT NULL,
                title TEXT NOT NULL,
                body TEXT NOT NULL,
                collection TEXT NOT NULL,
                record TEXT NOT NULL,
                created_ms BIGINT NOT NULL,
                read_ms BIGINT
            );
            CREATE INDEX _mito_notifications_inbox_recipient
                ON _mito_notifications_inbox (recipient_collection, recipient, id);
            CREATE TABLE _mito_notifications_mailbox (
                id TEXT PRIMARY KEY,
                sender TEXT NOT NULL,
                recipient TEXT NOT NULL,
                subject TEXT NOT NULL,
                text_part TEXT NOT NULL,
                html_part TEXT NOT NULL,
                headers TEXT NOT NULL,
                size_bytes BIGINT NOT NULL,
                created_ms BIGINT NOT NULL
            );
        ",
        postgres: None,
    }],
};
