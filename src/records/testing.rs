//! What the tests of this crate stand on: a real database, a manual clock.

use std::path::PathBuf;

use mito_cache::Cache;
use mito_core::{Clock, Random};
use mito_database::{Database, Options, database::Location};
use secrecy::SecretString;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    AuthOutcome, Config, Dependencies, Error, MIGRATIONS, Record, Records, RequestInfo, Session,
    SignIn,
};

/// 2026-05-06 07:08:09.000Z.
pub(crate) const START_MS: i64 = 1_778_051_289_000;
pub(crate) const PASSWORD: &str = "correct horse battery";

pub(crate) struct Fixture {
    pub(crate) records: Records,
    pub(crate) database: Database,
    pub(crate) clock: Clock,
    pub(crate) objects_database: Database,
    pub(crate) folder: TempDir,
}

impl Fixture {
    pub(crate) async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Clock::manual(START_MS);
        let location = match postgres().await {
            Some(location) => location,
            None => Location::File(folder.path().join("mito.db")),
        };
        let options = Options {
            location,
            config: mito_database::database::Config::default(),
            clock: clock.clone(),
        };
        let database = Database::open(options, &[mito_queue::MIGRATIONS, MIGRATIONS])
            .await
            .unwrap();
        let objects_options = Options {
            location: Location::File(folder.path().join("objects.db")),
            config: mito_database::database::Config::default(),
            clock: clock.clone(),
        };
        let objects_database = Database::open(objects_options, &[mito_objects::MIGRATIONS])
            .await
            .unwrap();
        let objects = mito_objects::Objects::new(
            mito_objects::Config {
                reserve_bytes: 0,
                ..Default::default()
            },
            mito_objects::store::Dependencies {
                database: objects_database.clone(),
                folder: folder.path().join("objects"),
                root_password: "a-secret-of-tests".into(),
                domain: "localhost".to_owned(),
                clock: clock.clone(),
                random: Random::seeded(9),
                fault: None,
            },
        );
        objects.recover().await.unwrap();
        let queue = mito_queue::Queue::new(
            database.clone(),
            clock.clone(),
            Random::seeded(10),
            mito_queue::queue::Config::default(),
        );
        let cache_config = mito_cache::Config {
            warm_restart: false,
            ..Default::default()
        };
        let spill: PathBuf = folder.path().join("cache");
        let cache = Cache::open(cache_config, spill, clock.clone()).await;
        let dependencies = Dependencies {
            database: database.clone(),
            cache,
            clock: clock.clone(),
            random: Random::seeded(7),
            objects,
            queue,
            egress: mito_core::egress::Egress::new(&mito_core::egress::Config {
                // Providers of the tests are on this machine.
                allow: vec!["127.0.0.1".to_owned()],
                ..Default::default()
            })
            .unwrap(),
            jwt_secret: SecretString::from("a secret of the tests"),
        };
        let records = Records::new(Config::default(), dependencies);
        Self {
            records,
            database,
            clock,
            objects_database,
            folder,
        }
    }

    /// What a new process would hold on the same database and cache.
    pub(crate) fn restarted(&self) -> Records {
        let inner = &self.records.inner;
        let dependencies = Dependencies {
            database: inner.database.clone(),
            cache: inner.cache.clone(),
            clock: inner.clock.clone(),
            random: inner.random.clone(),
            objects: inner.objects.clone(),
            queue: inner.queue.clone(),
            egress: inner.egress.clone(),
            jwt_secret: SecretString::from("a secret of the tests"),
        };
        Records::new(Config::default(), dependencies)
    }

    /// Whether the suite runs on the other engine.
    pub(crate) fn is_postgres() -> bool {
        mito_core::config::environment()
            .get("MITO_TEST_POSTGRES")
            .is_some_and(|url| !url.is_empty())
    }

    pub(crate) async fn import(&self, collections: Value) -> Result<(), Error> {
        self.records
            .import_collections(serde_json::from_value(collections).unwrap())
            .await
    }

    pub(crate) async fn sign_up(&self, email: &str) -> Record {
        let values = record(json!({
            "email": email, "password": PASSWORD, "passwordConfirm": PASSWORD,
        }));
        self.records
            .create("users", values, &RequestInfo::of(None))
            .await
            .unwrap()
    }

    pub(crate) async fn sign_in(&self, email: &str, password: &str) -> Result<Session, Error> {
        match self.authenticate(email, password, &client()).await? {
            AuthOutcome::Session(session) => Ok(*session),
            AuthOutcome::MfaRequired { mfa_id } => panic!("a second method is needed: {mfa_id}"),
        }
    }

    /// [`Fixture::sign_in`] that may need a second method.
    pub(crate) async fn authenticate(
        &self,
        email: &str,
        password: &str,
        info: &RequestInfo,
    ) -> Result<AuthOutcome, Error> {
        let sign_in = SignIn {
            collection: "users".to_owned(),
            identity: email.to_owned(),
            identity_field: None,
            password: SecretString::from(password),
        };
        self.records.sign_in(sign_in, info).await
    }

    /// The committed events as `action collection/record detail`.
    pub(crate) async fn events(&self) -> Vec<String> {
        let events = self
            .database
            .read(|tx| mito_database::outbox::read_after(tx, 0, 500))
            .await;
        let describe = |event: mito_database::Event| {
            format!(
                "{:?} {}/{} {}",
                event.action, event.collection, event.record, event.detail
            )
        };
        events.unwrap().into_iter().map(describe).collect()
    }
}

/// A fresh schema of the PostgreSQL that `MITO_TEST_POSTGRES` names, if it names one: the whole
/// suite then runs on the other engine.
async fn postgres() -> Option<Location> {
    let environment = mito_core::config::environment();
    let url = environment
        .get("MITO_TEST_POSTGRES")
        .filter(|url| !url.is_empty())?
        .clone();
    let schema = format!("test_{}", Random::system().id(15));
    let separator = if url.contains('?') { '&' } else { '?' };
    let location = format!("{url}{separator}options=-csearch_path%3D{schema}");
    let create = move || {
        let mut client = ::postgres::Client::connect(&url, ::postgres::NoTls).unwrap();
        client
            .batch_execute(&format!("CREATE SCHEMA {schema}"))
            .unwrap();
    };
    tokio::task::spawn_blocking(create).await.unwrap();
    Some(Location::Postgres(location))
}

/// A request of somebody's client.
pub(crate) fn client() -> RequestInfo {
    RequestInfo {
        client_ip: "192.0.2.1".to_owned(),
        headers: record(json!({"user_agent": "test"})).into(),
        ..RequestInfo::default()
    }
}

pub(crate) fn record(value: Value) -> Record {
    value.as_object().expect("an object").clone()
}

/// The codes of an [`Error::Fields`], by field; other errors as they read.
pub(crate) fn codes<T: std::fmt::Debug>(result: Result<T, Error>) -> Vec<String> {
    match result {
        Err(Error::Fields(fields)) => fields
            .iter()
            .map(|(name, error)| format!("{name} {}", error.code))
            .collect(),
        Err(other) => vec![other.to_string()],
        Ok(value) => panic!("expected an error, got {value:?}"),
    }
}
