//! Archives made under load, restored whole, and refused when they are not.

use std::{fs, io::Write as _};

use mito_core::{Clock, files};
use mito_database::{Options, Tx, database::Location};
use mito_objects::Put;
use serde_json::json;
use zip::{ZipWriter, write::SimpleFileOptions};

use super::*;
use crate::{Platform, logs::Logs, testing::Fixture};

const KNOWN: Known = Known {
    main: &[mito_queue::MIGRATIONS, crate::MIGRATIONS],
    objects: &[mito_objects::MIGRATIONS],
};

struct Folder {
    fixture: Fixture,
    restart: Shutdown,
}

impl Folder {
    /// A data folder whose parts are those of the fixture; none on PostgreSQL.
    async fn new() -> Option<Self> {
        let folder = Self::on_any_engine().await;
        folder.fixture.database.is_file().then_some(folder)
    }

    async fn on_any_engine() -> Self {
        let fixture = Fixture::new().await;
        let data = fixture.folder.path();
        files::create_folder(&data.join("secrets")).unwrap();
        fs::write(data.join("secrets/jwt_secret"), "first").unwrap();
        files::create_folder(&data.join("gateway")).unwrap();
        fs::write(data.join("gateway/shop.yml"), "first").unwrap();
        let options = Options {
            location: Location::File(data.join("telemetry.db")),
            config: mito_database::database::Config::default(),
            clock: Clock::system(),
        };
        let telemetry = Database::open(options, &[crate::logs::LOG_MIGRATIONS]).await;
        let restart = Shutdown::new();
        fixture.records.attach(Platform {
            logs: Logs::new(telemetry.unwrap(), Clock::system(), Random::seeded(1)),
            backups: Backups::new(Dependencies {
                folder: data.to_owned(),
                database: fixture.database.clone(),
                objects_database: fixture.objects_database.clone(),
                objects: fixture.records.inner.objects.clone(),
                migrations: KNOWN,
                random: Random::system(),
                restart: restart.clone(),
            }),
        });
        Self { fixture, restart }
    }

    fn data(&self) -> &Path {
        self.fixture.folder.path()
    }

    async fn close(&self) {
        let limit = std::time::Duration::from_secs(5);
        self.fixture.database.close(limit).await;
        self.fixture.objects_database.close(limit).await;
    }
}

/// The application's name as the database in `data` has it.
async fn app_name(data: &Path) -> String {
    let options = Options {
        location: Location::File(data.join("mito.db")),
        config: mito_database::database::Config::default(),
        clock: Clock::system(),
    };
    let database = Database::open(options, KNOWN.main).await.unwrap();
    let read = |tx: &mut Tx<'_>| {
        let row = tx.query_one("SELECT value FROM _mito_records_settings", &[])?;
        row.expect("a row").get::<String>("value")
    };
    let value: Result<String, mito_database::Error> = database.read(read).await;
    database.close(std::time::Duration::from_secs(5)).await;
    let value: serde_json::Value = serde_json::from_str(&value.unwrap()).unwrap();
    value["meta"]["appName"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn what_was_backed_up_comes_back_whole() {
    let Some(folder) = Folder::new().await else {
        return;
    };
    let (records, data) = (&folder.fixture.records, folder.data());
    let objects = &records.inner.objects;
    let rename = async |name: &str| {
        let patch = json!({"meta": {"appName": name}});
        records.change_settings(patch, None).await.unwrap();
    };
    objects.create_bucket("things").await.unwrap();
    let large = vec![7_u8; 300_000];
    let put = async |key: &str| {
        let body: mito_objects::Body = Box::pin(futures_util::stream::iter([Ok(
            bytes::Bytes::from(large.clone()),
        )]));
        objects
            .put("things", key, Put::default(), body)
            .await
            .unwrap();
    };
    rename("before").await;
    put("kept").await;
    let path = records.make_backup("one.zip").await.unwrap();
    assert_eq!(path, data.join("backups/one.zip"));
    let mode = std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&path).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
    let listed = records.backup_files().await.unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!(
        (&*listed[0].key, listed[0].size),
        ("one.zip", fs::metadata(&path).unwrap().len())
    );
    assert!(
        records.make_backup("one.zip").await.is_err(),
        "the name is taken"
    );

    rename("after").await;
    put("lost").await;
    fs::write(data.join("secrets/jwt_secret"), "second").unwrap();
    fs::write(data.join("gateway/shop.yml"), "second").unwrap();
    assert!(!folder.restart.has_begun());
    records.restore_backup(&path).await.unwrap();
    assert!(folder.restart.has_begun());
    assert_eq!(
        fs::read(data.join("secrets/jwt_secret")).unwrap(),
        b"second"
    );
    folder.close().await;
    assert!(finish_restore(data).unwrap());
    assert!(!finish_restore(data).unwrap(), "once");
    assert_eq!(app_name(data).await, "before");
    assert_eq!(fs::read(data.join("secrets/jwt_secret")).unwrap(), b"first");
    assert_eq!(fs::read(data.join("gateway/shop.yml")).unwrap(), b"first");
    let blobs = walk(&data.join("objects/blob"));
    assert_eq!(blobs, 1, "the blob of the one object");
    let mut left: Vec<_> = fs::read_dir(data)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with("restore"))
        .collect();
    left.sort();
    assert_eq!(left, [""; 0]);
}

fn walk(folder: &Path) -> usize {
    let entries = fs::read_dir(folder).unwrap();
    entries
        .map(|entry| entry.unwrap().path())
        .map(|path| if path.is_dir() { walk(&path) } else { 1 })
        .sum()
}

#[tokio::test]
async fn writers_go_on_while_a_backup_is_made() {
    let Some(folder) = Folder::new().await else {
        return;
    };
    let database = &folder.fixture.database;
    let fill = |tx: &mut Tx<'_>| {
        tx.execute(
            "CREATE TABLE ballast (id INTEGER PRIMARY KEY, body TEXT)",
            &[],
        )?;
        tx.execute(
            "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n LIMIT 20000) \
             INSERT INTO ballast (body) SELECT hex(randomblob(1000)) FROM n",
            &[],
        )
        .map(|_| ())
    };
    database
        .exclusive::<(), mito_database::Error, _>(fill)
        .await
        .unwrap();
    let mut backup = std::pin::pin!(folder.fixture.records.make_backup("load.zip"));
    let (mut written, mut slowest) = (0, std::time::Duration::ZERO);
    loop {
        let began = std::time::Instant::now();
        let write = |tx: &mut Tx<'_>| {
            tx.execute("INSERT INTO ballast (body) VALUES ('while it runs')", &[])
        };
        tokio::select! {
            biased;
            done = &mut backup => { done.unwrap(); break }
            result = database.write::<usize, mito_database::Error, _>(write) => {
                result.unwrap();
                written += 1;
                slowest = slowest.max(began.elapsed());
            }
        }
    }
    // Copying takes much longer than a commit, and none of them waits for its end.
    assert!(written >= 5, "only {written} writes were acknowledged");
    assert!(slowest.as_secs() < 2, "a write waited {slowest:?}");
}

/// An archive with these files and a manifest that says what it should of them.
fn archive(path: &Path, files: &[(&str, &[u8])], manifest: Option<serde_json::Value>) {
    use sha2::Digest as _;
    let mut zip = ZipWriter::new(fs::File::create(path).unwrap());
    let mut entries = serde_json::Map::new();
    for (name, content) in files {
        zip.start_file(*name, SimpleFileOptions::default()).unwrap();
        zip.write_all(content).unwrap();
        let sha256 = hex::encode(sha2::Sha256::digest(content));
        entries.insert(
            (*name).to_owned(),
            json!({"size": content.len(), "sha256": sha256}),
        );
    }
    let manifest =
        manifest.unwrap_or_else(|| json!({"format": 1, "version": "0.0.0", "files": entries}));
    zip.start_file("manifest.json", SimpleFileOptions::default())
        .unwrap();
    zip.write_all(manifest.to_string().as_bytes()).unwrap();
    zip.finish().unwrap();
}

#[tokio::test]
async fn what_is_no_whole_archive_changes_nothing() {
    let Some(folder) = Folder::new().await else {
        return;
    };
    let good = folder
        .fixture
        .records
        .make_backup("good.zip")
        .await
        .unwrap();
    let bytes = fs::read(&good).unwrap();
    let place = tempfile::tempdir().unwrap();
    let (path, data) = (place.path().join("bad.zip"), place.path().join("data"));
    files::create_folder(&data).unwrap();
    let check = |expected: &str| {
        let error = stage_restore(&data, &path, KNOWN).unwrap_err().to_string();
        assert!(error.contains(expected), "{error} instead of {expected}");
        assert_eq!(fs::read_dir(&data).unwrap().count(), 0, "nothing stays");
    };
    fs::write(&path, b"no zip at all").unwrap();
    check("cannot be read");
    fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
    check("cannot be read");
    let mut flipped = bytes.clone();
    flipped[bytes.len() / 3] ^= 0x40;
    fs::write(&path, &flipped).unwrap();
    check("damaged");
    archive(&path, &[("data.db", b"x")], Some(json!({"nothing": 1})));
    check("no backup of this platform");
    archive(
        &path,
        &[],
        Some(json!({"format": 99, "version": "9.0.0", "files": {}})),
    );
    check("newer version 9.0.0");
    for name in [
        "../evil",
        "/etc/evil",
        "mito.db/../../evil",
        "secrets/.hidden",
        "backups/x.zip",
    ] {
        archive(&path, &[(name, b"x")], None);
        check("foreign file");
    }
    archive(&path, &[("objects.db", b"x")], None);
    check("mito.db is missing");
    archive(&path, &[("mito.db", b"x"), ("objects.db", b"x")], None);
    check("not a database");
    let entry = json!({"size": 1, "sha256": "0"});
    archive(
        &path,
        &[("mito.db", &[0; 1_000])],
        Some(json!({"format": 1, "version": "0", "files": {"mito.db": entry}})),
    );
    check("damaged");
    stage_restore(&data, &good, KNOWN).unwrap();
    assert!(data.join("restore.ready").exists());
}

#[test]
fn a_restore_that_is_killed_at_any_point_is_finished_by_the_next_start() {
    let names = ["mito.db", "objects.db", "objects", "secrets"];
    let build = |data: &Path| {
        for (folder, content) in [
            (data.to_owned(), "old"),
            (data.join("restore.ready"), "new"),
        ] {
            for name in names {
                let path = folder.join(name);
                if name.contains(".db") {
                    files::create_folder(&folder).unwrap();
                    fs::write(&path, content).unwrap();
                } else {
                    files::create_folder(&path).unwrap();
                    fs::write(path.join("inside"), content).unwrap();
                }
            }
        }
        fs::write(data.join("mito.db-wal"), "old").unwrap();
    };
    // The moves in their order; after each of them the process may have been killed.
    let moves: Vec<(String, String)> = ["mito.db-wal"]
        .into_iter()
        .map(|name| (name.to_owned(), format!("restore.replaced/{name}")))
        .chain(names.into_iter().flat_map(|name| {
            [
                (name.to_owned(), format!("restore.replaced/{name}")),
                (format!("restore.ready/{name}"), name.to_owned()),
            ]
        }))
        .collect();
    for killed_after in 0..=moves.len() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path();
        build(data);
        files::create_folder(&data.join("restore.replaced")).unwrap();
        for (from, to) in &moves[..killed_after] {
            fs::rename(data.join(from), data.join(to)).unwrap();
        }
        assert!(finish_restore(data).unwrap(), "after {killed_after} moves");
        for name in names {
            let path = data.join(name);
            let path = if path.is_dir() {
                path.join("inside")
            } else {
                path
            };
            assert_eq!(
                fs::read(path).unwrap(),
                b"new",
                "{name} after {killed_after} moves"
            );
        }
        assert!(!data.join("mito.db-wal").exists());
        assert_eq!(fs::read_dir(data).unwrap().count(), names.len());
    }
}

#[tokio::test]
async fn what_is_sent_is_checked_and_kept_under_a_plain_name() {
    let Some(folder) = Folder::new().await else {
        return;
    };
    let records = &folder.fixture.records;
    let good = fs::read(records.make_backup("good.zip").await.unwrap()).unwrap();
    let send = async |name: &str, content: &[u8]| {
        let mut upload = records.upload_backup(name).await?;
        for part in content.chunks(1_000) {
            upload.write(part).await?;
        }
        upload.finish().await
    };
    let code = |result: Result<(), Error>| match result {
        Ok(()) => "ok",
        Err(Error::Fields(fields)) => fields["file"].code,
        Err(error) => panic!("{error}"),
    };
    assert_eq!(code(send("../../sent.zip", &good).await), "ok");
    assert_eq!(
        code(send("sent.zip", &good).await),
        "validation_backup_name_exists"
    );
    assert_eq!(
        code(send("bad.zip", b"hi").await),
        "validation_invalid_mime_type"
    );
    assert_eq!(
        code(send("bad.zip", b"").await),
        "validation_invalid_mime_type"
    );
    assert_eq!(
        code(send("bad.zip", &good[..99]).await),
        "validation_invalid_mime_type"
    );
    assert_eq!(code(send("..", &good).await), "validation_match_invalid");
    let names: Vec<_> = fs::read_dir(folder.data().join("backups"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(names.len(), 2, "{names:?}");
    records.delete_backup("sent.zip").await.unwrap();
    for missing in ["sent.zip", "../mito.db", ""] {
        let error = records
            .delete_backup(missing)
            .await
            .unwrap_err()
            .to_string();
        assert_eq!(error, "Invalid or already deleted backup file.");
    }
    assert!(records.backup_path("../mito.db").is_err());
}

#[tokio::test]
async fn backups_that_make_themselves_replace_the_oldest_of_their_kind() {
    let Some(folder) = Folder::new().await else {
        return;
    };
    let records = &folder.fixture.records;
    records.make_backup("by_hand.zip").await.unwrap();
    let patch = json!({"backups": {"cron": "@daily", "cronMaxKeep": 2}});
    records.change_settings(patch, None).await.unwrap();
    for _ in 0..4 {
        folder
            .fixture
            .clock
            .advance(std::time::Duration::from_mins(1));
        records.auto_backup().await.unwrap();
    }
    let keys: Vec<String> = records
        .backup_files()
        .await
        .unwrap()
        .into_iter()
        .map(|file| file.key)
        .collect();
    assert_eq!(
        keys,
        [
            "@auto_mito_backup_mito_20260506071109.zip",
            "@auto_mito_backup_mito_20260506071209.zip",
            "by_hand.zip",
        ]
    );
}

#[tokio::test]
async fn postgresql_is_backed_up_by_its_own_tools() {
    let folder = Folder::on_any_engine().await;
    if folder.fixture.database.is_file() {
        return;
    }
    let records = &folder.fixture.records;
    let made = records.make_backup("a.zip").await.unwrap_err().to_string();
    assert!(made.contains("pg_dump"), "{made}");
    let restored = records.restore_backup(Path::new("/nothing.zip")).await;
    let restored = restored.unwrap_err().to_string();
    assert!(restored.contains("pg_restore"), "{restored}");
    assert_eq!(records.backup_files().await.unwrap(), []);
}
