//! The tables of the role.

use mito_database::{Migration, Migrations};

/// The tables of pipelines and runs.
pub const MIGRATIONS: Migrations = Migrations {
    role: "ai",
    steps: &[
        Migration {
            version: 1,
            sql: "
            CREATE TABLE _mito_ai_pipelines (
                name TEXT PRIMARY KEY,
                bucket TEXT NOT NULL,
                content_types TEXT NOT NULL,
                collection TEXT NOT NULL,
                definition TEXT NOT NULL,
                installed_ms BIGINT NOT NULL
            );
            CREATE INDEX _mito_ai_pipelines_bucket ON _mito_ai_pipelines (bucket);
            CREATE TABLE _mito_ai_runs (
                id TEXT PRIMARY KEY,
                source_event TEXT NOT NULL UNIQUE,
                pipeline TEXT NOT NULL,
                bucket TEXT NOT NULL,
                object_key TEXT NOT NULL,
                etag TEXT NOT NULL,
                content_type TEXT NOT NULL,
                state TEXT NOT NULL,
                note TEXT NOT NULL,
                steps TEXT NOT NULL,
                collection TEXT NOT NULL,
                record TEXT NOT NULL,
                created_ms BIGINT NOT NULL,
                finished_ms BIGINT
            );
            CREATE INDEX _mito_ai_runs_created ON _mito_ai_runs (created_ms, id);
            CREATE INDEX _mito_ai_runs_version
                ON _mito_ai_runs (pipeline, bucket, object_key, etag);
        ",
            postgres: None,
        },
        Migration {
            version: 2,
            sql: "
            CREATE TABLE _mito_ai_sources (
                pipeline TEXT NOT NULL,
                bucket TEXT NOT NULL,
                object_key TEXT NOT NULL,
                seen_etag TEXT NOT NULL,
                etag TEXT NOT NULL,
                record TEXT NOT NULL,
                PRIMARY KEY (pipeline, bucket, object_key)
            );
            INSERT INTO _mito_ai_sources (pipeline, bucket, object_key, seen_etag, etag, record)
                SELECT pipeline, bucket, object_key, '', etag, record
                FROM _mito_ai_runs AS run
                WHERE record <> '' AND NOT EXISTS (
                    SELECT 1 FROM _mito_ai_runs AS later
                    WHERE later.pipeline = run.pipeline AND later.bucket = run.bucket
                        AND later.object_key = run.object_key AND later.record <> ''
                        AND (later.created_ms > run.created_ms
                            OR (later.created_ms = run.created_ms AND later.id > run.id)));
        ",
            postgres: None,
        },
    ],
};

#[cfg(test)]
mod tests {
    use mito_core::Clock;
    use mito_database::{
        Database, Migrations, Options, Tx,
        database::{Config, Location},
    };

    use super::MIGRATIONS;

    #[tokio::test]
    async fn the_records_of_earlier_runs_are_known_as_their_sources() {
        let folder = tempfile::tempdir().unwrap();
        let open = async |migrations: Migrations| {
            let options = Options {
                location: Location::File(folder.path().join("mito.db")),
                config: Config::default(),
                clock: Clock::system(),
            };
            Database::open(options, &[migrations]).await.unwrap()
        };
        let old = Migrations {
            role: MIGRATIONS.role,
            steps: &MIGRATIONS.steps[..1],
        };
        let database = open(old).await;
        let insert = |tx: &mut Tx<'_>| {
            for (id, key, etag, record, created_ms) in [
                ("1", "a", "e1", "r1", 1_i64),
                ("2", "a", "e2", "r2", 2),
                ("3", "a", "e3", "", 3),
                ("4", "b", "e4", "", 4),
            ] {
                tx.execute(
                    "INSERT INTO _mito_ai_runs (id, source_event, pipeline, bucket, object_key,
                         etag, content_type, state, note, steps, collection, record, created_ms)
                     VALUES ($1, $1, 'p', 'inbox', $2, $3, '', 'recorded', '', '[]', 'c', $4, $5)",
                    &[&id, &key, &etag, &record, &created_ms],
                )?;
            }
            Ok::<_, mito_database::Error>(())
        };
        database.write(insert).await.unwrap();
        database.close(std::time::Duration::from_secs(5)).await;
        let database = open(MIGRATIONS).await;
        let read = |tx: &mut Tx<'_>| {
            let rows = tx.query("SELECT object_key, etag, record FROM _mito_ai_sources", &[])?;
            let columns = ["object_key", "etag", "record"];
            rows.iter()
                .map(|row| {
                    columns
                        .map(|name| row.get::<String>(name))
                        .into_iter()
                        .collect()
                })
                .collect::<Result<Vec<Vec<String>>, mito_database::Error>>()
        };
        assert_eq!(database.read(read).await.unwrap(), [["a", "e2", "r2"]]);
    }
}
