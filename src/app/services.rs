//! Builds the roles and registers them under the names of the old stack.

use std::{future::Future, sync::Arc};

use mito_ai::Ai;
use mito_core::{Shutdown, Supervisor, egress::Egress};
use mito_gateway::Gateway;
use mito_mobile::Mobile;
use mito_network::{
    Authenticator, Exposure, Handler, HealthCheck, Network, Protocol, Service, Task,
    service::always_healthy,
};
use mito_notifications::Notifications;
use mito_queue::Queue;
use mito_records::Records;

use super::{Environment, Error, Storage};
use crate::{
    config::Config,
    starter::{self, Importer},
};

/// However long the gateway may drain, mito stops within 10 s.
const LONGEST_DRAIN_MS: u64 = 8_000;

/// The roles above the storage.
pub struct Roles {
    /// Durable jobs.
    pub queue: Queue,
    /// Collections, records and accounts.
    pub records: Records,
    /// E-mail and inbox.
    pub notifications: Notifications,
    /// Content pipelines.
    pub ai: Ai,
    /// Over-the-air updates.
    pub mobile: Mobile,
    /// Imports starters.
    pub importer: Importer,
}

impl Roles {
    /// Builds every role; no I/O.
    pub fn build(
        config: &Config,
        environment: &Environment,
        storage: &Storage,
        egress: Egress,
    ) -> Self {
        let (clock, random) = (&environment.clock, &environment.random);
        let database = &storage.database;
        let queue = Queue::new(
            database.clone(),
            clock.clone(),
            random.clone(),
            config.queue.clone(),
        );
        let records = Records::new(
            config.records.clone(),
            mito_records::Dependencies {
                database: database.clone(),
                cache: storage.cache.clone(),
                clock: clock.clone(),
                random: random.clone(),
                objects: storage.objects.clone(),
                queue: queue.clone(),
                egress: egress.clone(),
                jwt_secret: storage.jwt_secret.clone(),
            },
        );
        let notifications = Notifications::new(
            config.notifications.clone(),
            mito_notifications::Dependencies {
                database: database.clone(),
                queue: queue.clone(),
                records: records.clone(),
                egress,
                domain: config.domain.clone(),
                clock: clock.clone(),
                random: random.clone(),
            },
        );
        let ai = Ai::new(
            config.ai.clone(),
            mito_ai::Dependencies {
                database: database.clone(),
                objects_database: storage.objects_database.clone(),
                objects: storage.objects.clone(),
                queue: queue.clone(),
                records: records.clone(),
                clock: clock.clone(),
                random: random.clone(),
            },
        );
        let mobile = Mobile::new(
            config.mobile.clone(),
            mito_mobile::Dependencies {
                database: database.clone(),
                objects: storage.objects.clone(),
                authenticator: Arc::new(records.clone()),
                clock: clock.clone(),
                random: random.clone(),
            },
        );
        let importer = Importer {
            database: database.clone(),
            records: records.clone(),
            objects: storage.objects.clone(),
            ai: ai.clone(),
            notifications: notifications.clone(),
        };
        Self {
            queue,
            records,
            notifications,
            ai,
            mobile,
            importer,
        }
    }
}

/// Gives records what they need beside the database: the log, and backups of the whole folder.
pub(super) fn attach_platform(
    environment: &Environment,
    storage: &Storage,
    records: &Records,
    restart: &Shutdown,
) {
    let (clock, random) = (&environment.clock, &environment.random);
    records.attach(mito_records::Platform {
        logs: mito_records::logs::Logs::new(
            storage.telemetry.clone(),
            clock.clone(),
            random.clone(),
        ),
        backups: mito_records::backups::Backups::new(mito_records::backups::Dependencies {
            folder: storage.folder.path().to_owned(),
            database: storage.database.clone(),
            objects_database: storage.objects_database.clone(),
            objects: storage.objects.clone(),
            migrations: super::storage::KNOWN,
            random: random.clone(),
            restart: restart.clone(),
        }),
    });
}

/// Builds the gateway.
pub(super) fn gateway(
    config: &Config,
    environment: &Environment,
    storage: &Storage,
    supervisor: &Supervisor,
    network: &Network,
    roles: &Roles,
) -> Result<Gateway, Error> {
    let authenticator: Arc<dyn Authenticator> = Arc::new(roles.records.clone());
    let dependencies = mito_gateway::Dependencies {
        network: network.clone(),
        supervisor: supervisor.clone(),
        authenticator,
        domain: config.domain.clone(),
        data: storage.folder.path().to_owned(),
        clock: environment.clock.clone(),
        random: environment.random.clone(),
        routers: mito_gateway::routers::platform::routers(&config.domain),
        metrics: {
            let metrics = environment.metrics.clone();
            Arc::new(move || metrics.render())
        },
    };
    Ok(Gateway::build(gateway_config(config), dependencies)?)
}

/// The gateway's section as it is used.
pub(super) fn gateway_config(config: &Config) -> mito_gateway::Config {
    let mut gateway = config.gateway.clone();
    gateway.drain_ms = gateway.drain_ms.min(LONGEST_DRAIN_MS);
    gateway
}

/// Registers every role. The phases of the start follow from `depends_on`: storage, then api and
/// workers, then the pages.
pub(super) fn register(
    config: &Config,
    environment: &Environment,
    network: &Network,
    storage: &Storage,
    roles: &Roles,
    gateway: &Gateway,
) -> Result<(), Error> {
    for service in storage_services(storage, roles) {
        network.register(service)?;
    }
    for service in worker_services(roles) {
        network.register(service)?;
    }
    for service in application_services(config, environment, network, storage, roles, gateway) {
        network.register(service)?;
    }
    Ok(())
}

fn storage_services(storage: &Storage, roles: &Roles) -> Vec<Service> {
    let (database, cache, objects) = (&storage.database, &storage.cache, &storage.objects);
    let redis = (cache.clone(), storage.redis.clone());
    vec![
        Service {
            name: "postgres",
            aliases: &["database"],
            port: Some(5432),
            protocol: Protocol::Postgres,
            exposure: Exposure::Internal,
            depends_on: &[],
            handler: Handler::None,
            health: check(database, |database| async move { database.ping().await }),
            tasks: Vec::new(),
        },
        Service {
            name: "redis",
            aliases: &["cache", "queue"],
            port: Some(6379),
            protocol: Protocol::Redis,
            exposure: Exposure::Loopback,
            depends_on: &[],
            handler: Handler::Connection(storage.redis.handler()),
            health: check(&redis, |(cache, redis)| async move {
                cache.ping().await.map_err(|error| error.to_string())?;
                redis.ping().await
            }),
            tasks: vec![roles.queue.keeper()],
        },
        Service {
            name: "minio",
            aliases: &["objects"],
            port: Some(9000),
            protocol: Protocol::Http,
            exposure: Exposure::Public,
            depends_on: &[],
            handler: Handler::Http(objects.service()),
            health: check(objects, |objects| async move { objects.ping().await }),
            tasks: vec![objects.sweeper()],
        },
    ]
}

fn worker_services(roles: &Roles) -> Vec<Service> {
    let worker = |name, aliases, depends_on, health, tasks| Service {
        name,
        aliases,
        port: None,
        protocol: Protocol::None,
        exposure: Exposure::Internal,
        depends_on,
        handler: Handler::None,
        health,
        tasks,
    };
    let (notifications, ai) = (&roles.notifications, &roles.ai);
    vec![
        worker(
            "notifications",
            &[],
            &["postgres", "redis"],
            check(notifications, |role| async move { role.ping().await }),
            notifications.tasks(),
        ),
        worker(
            "ai-pipeline",
            &["ai"],
            &["postgres", "redis", "minio"],
            check(ai, |role| async move { role.ping().await }),
            ai.tasks(),
        ),
    ]
}

fn application_services(
    config: &Config,
    environment: &Environment,
    network: &Network,
    storage: &Storage,
    roles: &Roles,
    gateway: &Gateway,
) -> Vec<Service> {
    let application = |name, aliases, port, depends_on, handler, tasks: Vec<Task>| Service {
        name,
        aliases,
        port: Some(port),
        protocol: Protocol::Http,
        exposure: Exposure::Public,
        depends_on,
        handler: Handler::Http(handler),
        health: always_healthy(),
        tasks,
    };
    let api = mito_api::service(
        config.api.clone(),
        mito_api::Dependencies {
            records: roles.records.clone(),
            network: network.clone(),
            panel: vec![
                ("network", mito_network::registry::panel(network.clone())),
                ("gateway", gateway.panel()),
                ("queue", mito_queue::panel::routes(roles.queue.clone())),
                (
                    "objects",
                    mito_objects::panel::routes(storage.objects.clone()),
                ),
                ("notifications", roles.notifications.panel()),
                ("ai", roles.ai.panel()),
                ("mobile", roles.mobile.panel()),
                ("starter", starter::routes(roles.importer.clone())),
            ],
            domain: config.domain.clone(),
            clock: environment.clock.clone(),
            random: environment.random.clone(),
        },
    );
    let pages = mito_admin::service;
    vec![
        application(
            "api",
            &[],
            3000,
            &["postgres", "redis", "minio"],
            api,
            roles.records.tasks(),
        ),
        application("admin-web", &["admin"], 3001, &["api"], pages(), Vec::new()),
        application(
            "minio-console",
            &[],
            9001,
            &["minio", "api"],
            pages(),
            Vec::new(),
        ),
        application(
            "mobile-build",
            &["mobile"],
            8081,
            &["api"],
            roles.mobile.service(),
            Vec::new(),
        ),
        Service {
            exposure: Exposure::Public,
            ..application(
                "traefik",
                &["gateway"],
                8080,
                &[],
                gateway.service("traefik"),
                Vec::new(),
            )
        },
    ]
}

/// A health check from a handle and what to ask of it.
fn check<T, F, R, E>(handle: &T, ask: F) -> HealthCheck
where
    T: Clone + Send + Sync + 'static,
    F: Fn(T) -> R + Send + Sync + 'static,
    R: Future<Output = Result<(), E>> + Send + 'static,
    E: ToString,
{
    let handle = handle.clone();
    Arc::new(move || {
        let answer = ask(handle.clone());
        Box::pin(async move { answer.await.map_err(|error| error.to_string()) })
    })
}
