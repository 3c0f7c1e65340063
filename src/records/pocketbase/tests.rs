//! Installations that stand in the way of what is here, or of themselves. What the real PocketBase
//! leaves behind is taken over in `tests/e2e/test_import_pocketbase.py`.

use std::path::PathBuf;

use mito_database::{Database, Migration, Migrations, Options, Tx, database::Location};
use serde_json::{Value, json};

use super::{Installation, Report};
use crate::{Error, testing::Fixture};

const TABLES: Migrations = Migrations {
    role: "pocketbase",
    steps: &[Migration {
        version: 1,
        sql: "CREATE TABLE _collections (id TEXT PRIMARY KEY, system BOOLEAN, type TEXT, name TEXT,
                  fields JSON, indexes JSON, listRule TEXT, viewRule TEXT, createRule TEXT,
                  updateRule TEXT, deleteRule TEXT, options JSON);
              CREATE TABLE _params (id TEXT PRIMARY KEY, value JSON);
              CREATE TABLE users (id TEXT PRIMARY KEY, title TEXT);
              CREATE TABLE notes (id TEXT PRIMARY KEY, title TEXT);",
        postgres: None,
    }],
};

struct Old {
    folder: PathBuf,
    data: Database,
}

impl Old {
    async fn new(fixture: &Fixture) -> Self {
        let folder = fixture.folder.path().join("pb_data");
        std::fs::create_dir_all(folder.join("storage")).unwrap();
        let options = Options {
            location: Location::File(folder.join("data.db")),
            config: mito_database::database::Config::default(),
            clock: fixture.clock.clone(),
        };
        let data = Database::open(options, &[TABLES]).await.unwrap();
        let old = Self { folder, data };
        old.sql("INSERT INTO _params VALUES ('settings', '{}')")
            .await;
        old
    }

    async fn sql(&self, sql: &str) {
        let sql = sql.to_owned();
        let run = move |tx: &mut Tx<'_>| tx.execute(&sql, &[]);
        self.data.exclusive(run).await.unwrap();
    }

    async fn collection(&self, id: &str, name: &str, more: Value) {
        let fields = json!([{"id": "text1", "name": "title", "type": "text", "unknown": 1}]);
        let text = |key: &str, other: Value| match more.get(key) {
            Some(Value::String(text)) => text.clone(),
            Some(given) => given.to_string(),
            None => other.to_string(),
        };
        let (id, name) = (id.to_owned(), name.to_owned());
        let kind = more["type"].as_str().unwrap_or("base").to_owned();
        let rule = more["listRule"].as_str().map(str::to_owned);
        let (fields, indexes) = (text("fields", fields), text("indexes", json!([])));
        let options = text("options", json!({}));
        let run = move |tx: &mut Tx<'_>| {
            tx.execute(
                "INSERT INTO _collections (id, system, type, name, fields, indexes, listRule, options) \
                 VALUES ($1, 0, $2, $3, $4, $5, $6, $7)",
                &[&id, &kind, &name, &fields, &indexes, &rule, &options],
            )
        };
        self.data.write(run).await.unwrap();
    }

    async fn import(&self, fixture: &Fixture, dry_run: bool) -> Result<Report, Error> {
        let installation = Installation {
            folder: self.folder.clone(),
            encryption_key: None,
            dry_run,
        };
        let import = fixture.records.import_pocketbase(&installation, &|_| {});
        import.await
    }
}

fn reasons(report: &Report) -> String {
    let reasons: Vec<String> = report
        .problems
        .iter()
        .map(|problem| format!("{}: {}", problem.place, problem.reason))
        .collect();
    reasons.join("\n")
}

#[tokio::test]
async fn empty_namesakes_give_way_and_others_do_not() {
    let fixture = Fixture::new().await;
    let old = Old::new(&fixture).await;
    old.collection("oldusers0000000", "users", json!({})).await;
    old.sql("INSERT INTO users VALUES ('r1', 'theirs')").await;
    let report = old.import(&fixture, true).await.unwrap();
    assert_eq!(report.collections[0].records, 1, "{report:?}");
    let users = fixture.records.collection("users").await.unwrap();
    assert_eq!(users.id, "_pb_users_auth_", "a dry run writes nothing");
    let report = old.import(&fixture, false).await.unwrap();
    assert_eq!(report.problems, [], "{report:?}");
    let users = fixture.records.collection("users").await.unwrap();
    assert_eq!(users.id, "oldusers0000000");
    // Now it is not empty, and another of that name stays outside.
    old.sql("UPDATE _collections SET id = 'other0000000000'")
        .await;
    let error = old.import(&fixture, false).await.unwrap_err().to_string();
    assert!(error.contains("left out: name:"), "{error}");
    let users = fixture.records.collection("users").await.unwrap();
    assert_eq!(users.id, "oldusers0000000");
}

#[tokio::test]
async fn a_collection_with_records_keeps_its_fields() {
    let fixture = Fixture::new().await;
    let old = Old::new(&fixture).await;
    old.collection("notes0000000000", "notes", json!({})).await;
    old.sql("INSERT INTO notes VALUES ('r1', 'theirs')").await;
    old.import(&fixture, false).await.unwrap();
    let more = json!({"fields": [
        {"id": "text1", "name": "title", "type": "text"},
        {"id": "text2", "name": "ours", "type": "text"},
    ]});
    let more = more.as_object().unwrap().clone();
    fixture
        .records
        .update_collection("notes", more)
        .await
        .unwrap();
    let fill = |tx: &mut Tx<'_>| tx.execute("UPDATE notes SET ours = 'kept'", &[]);
    fixture.database.write(fill).await.unwrap();
    let fill = |tx: &mut Tx<'_>| tx.execute("INSERT INTO notes (id) VALUES ('r2')", &[]);
    fixture.database.write(fill).await.unwrap();
    let dry = old.import(&fixture, true).await.unwrap();
    assert_eq!(dry.collections[0].replaced, 1, "{dry:?}");
    let report = old.import(&fixture, false).await.unwrap();
    assert_eq!(report.collections[0].replaced, 1, "{report:?}");
    assert!(
        reasons(&report).contains("1 records are here and not"),
        "{report:?}"
    );
    let look = |tx: &mut Tx<'_>| tx.query_one("SELECT ours FROM notes WHERE id = 'r1'", &[]);
    let row = fixture.database.read(look).await.unwrap().unwrap();
    assert_eq!(row.get::<String>("ours").unwrap(), "kept");
}

#[tokio::test]
async fn pieces_that_do_not_fit_are_left_out() {
    let fixture = Fixture::new().await;
    let old = Old::new(&fixture).await;
    let view = json!({"type": "view", "fields": [],
        "options": {"viewQuery": "SELECT id, title FROM first_view"}});
    // It speaks of a view that comes after it.
    old.collection("view20000000000", "second_view", view).await;
    let view = json!({"type": "view", "fields": [],
        "options": {"viewQuery": "SELECT id, title FROM notes"}});
    old.collection("view10000000000", "first_view", view).await;
    let view = json!({"type": "view", "fields": [],
        "options": {"viewQuery": "SELECT id FROM nowhere"}});
    old.collection("view30000000000", "lost_view", view).await;
    let mut indexes: Vec<String> = (0..12)
        .map(|number| {
            format!(
                "CREATE INDEX `idx_{number}` ON `notes` (`title`, `id`) WHERE `title` != '{number}'"
            )
        })
        .collect();
    indexes[2] = "CREATE INDEX `idx_a` ON `notes` (`nothing`)".to_owned();
    indexes[10] = "CREATE INDEX broken".to_owned();
    let more = json!({"listRule": "no_such_field = 1", "indexes": indexes});
    old.collection("notes0000000000", "notes", more).await;
    let report = old.import(&fixture, false).await.unwrap();
    let told = reasons(&report);
    for words in [
        "listRule is locked",
        "idx_a",
        "broken",
        "lost_view: the collection is left out",
    ] {
        assert!(told.contains(words), "{words}: {told}");
    }
    let notes = fixture.records.collection("notes").await.unwrap();
    assert_eq!(notes.list_rule, None);
    assert_eq!(notes.indexes.len(), 10, "{notes:?}");
    assert!(fixture.records.collection("second_view").await.is_ok());
    assert!(fixture.records.collection("lost_view").await.is_err());
}

#[tokio::test]
async fn what_is_no_installation_is_refused() {
    let fixture = Fixture::new().await;
    let old = Old::new(&fixture).await;
    old.sql("ALTER TABLE _collections RENAME COLUMN fields TO schema")
        .await;
    let error = old.import(&fixture, false).await.unwrap_err();
    assert!(error.to_string().contains("0.23"), "{error}");
    let _importing = fixture.records.inner.importing.lock().await;
    let error = old.import(&fixture, false).await.unwrap_err();
    assert!(error.to_string().contains("Another import"), "{error}");
}
