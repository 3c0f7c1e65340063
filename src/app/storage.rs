//! Opening and closing what keeps data: the folder, the two database files, the cache and object
//! storage, in parallel where they do not need each other.

use std::time::Duration;

use mito_cache::{Cache, Redis};
use mito_core::secrets::Secrets;
use mito_database::{Database, Migrations, Options, database::Location};
use mito_objects::{Objects, store::Dependencies};
use mito_records::backups::Known;
use secrecy::{ExposeSecret as _, SecretString};

use super::{Environment, Error};
use crate::{config::Config, data_folder::DataFolder};

/// The migrations of `mito.db`, of every role whatever `--roles` says.
const MIGRATIONS: &[Migrations] = &[
    mito_queue::MIGRATIONS,
    mito_records::MIGRATIONS,
    mito_ai::MIGRATIONS,
    mito_notifications::MIGRATIONS,
    mito_mobile::MIGRATIONS,
];

/// The migrations of `objects.db`, which has jobs' relays too.
const OBJECTS_MIGRATIONS: &[Migrations] = &[mito_objects::MIGRATIONS, mito_queue::MIGRATIONS];

/// What a backup may hold.
pub const KNOWN: Known = Known {
    main: MIGRATIONS,
    objects: OBJECTS_MIGRATIONS,
};

/// What keeps data.
pub struct Storage {
    /// Locked while the platform runs.
    pub folder: DataFolder,
    /// `mito.db`, or PostgreSQL.
    pub database: Database,
    /// `objects.db`.
    pub objects_database: Database,
    /// `telemetry.db`: what may be lost.
    pub telemetry: Database,
    /// The roles' own cache, which no client sees.
    pub cache: Cache,
    /// The databases that clients of the Redis protocol see.
    pub redis: Redis,
    /// Object storage.
    pub objects: Objects,
    /// The secret that signs session tokens.
    pub jwt_secret: SecretString,
}

impl Storage {
    /// Opens everything. A storage that cannot open its data is the one fatal failure of a role.
    pub async fn open(config: &Config, environment: &Environment) -> Result<Self, Error> {
        let folder = DataFolder::open(&config.data)?;
        let place = folder.path();
        if mito_records::backups::finish_restore(place).map_err(Error::Restore)? {
            tracing::warn!("the data of a backup is in its place");
        }
        let secrets = Secrets::new(folder.path().join("secrets"), environment.random.clone());
        let jwt_secret = secret(&secrets, "jwt_secret", &config.records.jwt_secret)?;
        let root_password = secret(
            &secrets,
            "minio_root_password",
            &config.objects.root_password,
        )?;
        let redis_password = secret(&secrets, "redis_password", &config.cache.password)?;
        let redis = mito_cache::redis::Options {
            config: config.cache.clone(),
            folder: folder.path().join("redis"),
            password: redis_password,
            clock: environment.clock.clone(),
            random: environment.random.clone(),
        };

        let options = |location| Options {
            location,
            config: config.database.clone(),
            clock: environment.clock.clone(),
        };
        let main = match config.database.url.as_str() {
            "" => Location::File(folder.path().join("mito.db")),
            url => Location::Postgres(url.to_owned()),
        };
        let objects_file = Location::File(folder.path().join("objects.db"));
        let cache_folder = folder.path().join("cache");
        let telemetry_file = Location::File(folder.path().join("telemetry.db"));
        let (database, objects_database, telemetry, cache, redis) = tokio::join!(
            Database::open(options(main), MIGRATIONS),
            Database::open(options(objects_file), OBJECTS_MIGRATIONS),
            Database::open(
                options(telemetry_file),
                &[mito_records::logs::LOG_MIGRATIONS]
            ),
            Cache::open(
                config.cache.clone(),
                cache_folder,
                environment.clock.clone()
            ),
            Redis::open(redis),
        );
        let redis = redis?;
        let (database, objects_database) = (database?, objects_database?);
        let telemetry = telemetry?;
        let dependencies = Dependencies {
            database: objects_database.clone(),
            folder: folder.path().join("objects"),
            root_password,
            domain: config.domain.clone(),
            clock: environment.clock.clone(),
            random: environment.random.clone(),
            fault: environment.blob_fault.clone(),
        };
        let objects = Objects::new(config.objects.clone(), dependencies);
        objects.recover().await?;
        Ok(Self {
            folder,
            database,
            objects_database,
            telemetry,
            cache,
            redis,
            objects,
            jwt_secret,
        })
    }

    /// Writes what is queued and closes.
    pub async fn close(&self, deadline: Duration) {
        tokio::join!(
            self.database.close(deadline),
            self.objects_database.close(deadline),
            self.telemetry.close(deadline),
            self.cache.close(),
            self.redis.close(),
        );
    }
}

fn secret(secrets: &Secrets, name: &'static str, configured: &str) -> Result<SecretString, Error> {
    if configured.is_empty() {
        return secrets
            .get_or_create(name)
            .map_err(|reason| Error::Secret { name, reason });
    }
    let configured = SecretString::from(configured.to_owned());
    debug_assert!(!configured.expose_secret().is_empty());
    Ok(configured)
}
