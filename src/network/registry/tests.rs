//! Start order, held services, recovery, dispatch and tasks, with real tasks on a real runtime.

use std::{collections::HashSet, time::Duration};

use http::header;
use mito_core::Shutdown;

use super::*;
use crate::{
    Exposure, HealthCheck, Protocol, Task,
    service::{always_healthy, http_service},
};

/// How long a test waits for what must happen.
const PATIENCE: Duration = Duration::from_secs(10);

struct Running {
    network: Network,
    supervisor: Supervisor,
    held: Arc<watch::Sender<HashSet<String>>>,
}

/// An HTTP service that answers with its name.
fn service(name: &'static str, depends_on: &'static [&'static str]) -> Service {
    Service {
        name,
        aliases: &[],
        port: Some(3000),
        protocol: Protocol::Http,
        exposure: Exposure::Public,
        depends_on,
        handler: Handler::Http(http_service(
            Router::new().route("/", get(move || async move { name })),
        )),
        health: always_healthy(),
        tasks: Vec::new(),
    }
}

fn network(services: Vec<Service>) -> Network {
    let network = Network::new(Clock::manual(1_000));
    for service in services {
        network.register(service).expect("a new name");
    }
    network
}

fn options() -> Options {
    Options {
        check_every: Duration::from_millis(20),
        ..Options::default()
    }
}

fn start(services: Vec<Service>, kept_back: &[&str]) -> Running {
    let network = network(services);
    let kept_back: HashSet<String> = kept_back.iter().map(ToString::to_string).collect();
    let held = Arc::new(watch::Sender::new(kept_back));
    let supervisor = Supervisor::new(Shutdown::new());
    network
        .start(
            &supervisor,
            Options {
                held: Some(held.clone()),
                ..options()
            },
        )
        .expect("a possible order");
    Running {
        network,
        supervisor,
        held,
    }
}

impl Running {
    /// Waits until `name` is in the given state.
    async fn reaches(&self, name: &str, reached: impl Fn(&Health) -> bool) -> Health {
        let mut changes = self.network.changes();
        let waiting = async {
            loop {
                let health = self.network.health(name).expect("it is registered");
                if reached(&health) {
                    return health;
                }
                changes.changed().await.expect("the network lives");
            }
        };
        tokio::time::timeout(PATIENCE, waiting)
            .await
            .unwrap_or_else(|_| {
                panic!("{name} is {:?}", self.network.health(name));
            })
    }

    async fn all_healthy(&self) {
        let all = self.network.all_healthy();
        let statuses = || panic!("{:#?}", self.network.statuses());
        tokio::time::timeout(PATIENCE, all)
            .await
            .unwrap_or_else(|_| statuses());
    }

    async fn get(&self, name: &str, accept: &str) -> (StatusCode, Option<String>, String) {
        let request = Request::builder().uri("/").header(header::ACCEPT, accept);
        let request = request.body(Body::empty()).expect("a request");
        let response = self.network.dispatch(name, request).await;
        let retry = response.headers().get(header::RETRY_AFTER);
        let retry = retry.map(|value| value.to_str().expect("text").to_owned());
        let status = response.status();
        let body = axum::body::to_bytes(response.into_body(), 100_000)
            .await
            .expect("a body");
        (status, retry, String::from_utf8_lossy(&body).into_owned())
    }
}

#[tokio::test]
async fn services_start_after_what_they_depend_on_and_answer() {
    let running = start(
        vec![service("api", &["postgres"]), service("postgres", &[])],
        &[],
    );
    running.all_healthy().await;
    let statuses = running.network.statuses();
    let shown: Vec<_> = statuses
        .iter()
        .map(|one| (one.name.as_str(), one.state.as_str()))
        .collect();
    assert_eq!(shown, [("postgres", "healthy"), ("api", "healthy")]);
    assert_eq!(
        running.get("api", "*/*").await,
        (StatusCode::OK, None, "api".to_owned())
    );
    running.supervisor.shut_down(PATIENCE).await;
    assert_eq!(running.network.health("api"), Some(Health::Stopped));
}

#[tokio::test]
async fn start_to_healthy_takes_well_under_a_second() {
    let chain = vec![
        service("a", &[]),
        service("b", &["a"]),
        service("c", &["b"]),
        service("d", &["c"]),
        service("e", &["d"]),
    ];
    let started = std::time::Instant::now();
    start(chain, &[]).all_healthy().await;
    assert!(
        started.elapsed() < Duration::from_millis(800),
        "{:?}",
        started.elapsed()
    );
}

#[tokio::test]
async fn a_held_role_keeps_its_dependants_waiting_until_it_is_let_go() {
    let services = vec![
        service("postgres", &[]),
        service("redis", &[]),
        service("api", &["redis", "postgres"]),
    ];
    let running = start(services, &["postgres"]);
    let waiting = Health::Waiting {
        on: "postgres".to_owned(),
    };
    running.reaches("api", |health| *health == waiting).await;
    let held = running
        .reaches("postgres", |health| *health != Health::Starting)
        .await;
    assert_eq!(
        held,
        Health::Unhealthy {
            reason: "held back".to_owned()
        }
    );
    assert_eq!(running.network.health("redis"), Some(Health::Healthy));

    let (status, retry, body) = running.get("api", "text/html").await;
    assert_eq!(
        (status, retry.as_deref()),
        (StatusCode::SERVICE_UNAVAILABLE, Some("1"))
    );
    assert!(body.contains("<p>api waits for postgres"), "{body}");
    let (_, _, body) = running.get("api", "application/json").await;
    assert!(
        body.contains("\"detail\":\"api waits for postgres"),
        "{body}"
    );

    running.held.send_modify(HashSet::clear);
    running.all_healthy().await;
    assert_eq!(running.get("api", "*/*").await.0, StatusCode::OK);
}

#[tokio::test]
async fn a_dependency_that_fails_later_leaves_the_role_and_its_tasks_alone() {
    let starts = Arc::new(Mutex::new(0));
    let counter = starts.clone();
    let mut api = service("api", &["postgres"]);
    api.tasks
        .push(Task::new("worker", move |shutdown: Shutdown| {
            *counter.lock().expect("no panic") += 1;
            async move {
                shutdown.begun().await;
                Ok(())
            }
        }));
    let running = start(vec![service("postgres", &[]), api], &[]);
    running.all_healthy().await;
    running
        .held
        .send_modify(|held| held.extend(["postgres".to_owned()]));
    running
        .reaches("postgres", |health| !health.is_healthy())
        .await;
    assert_eq!(running.get("api", "*/*").await.0, StatusCode::OK);
    let (status, retry, body) = running.get("postgres", "*/*").await;
    assert_eq!(
        (status, retry.as_deref()),
        (StatusCode::SERVICE_UNAVAILABLE, Some("5"))
    );
    assert!(body.contains("postgres does not work"), "{body}");
    running.held.send_modify(HashSet::clear);
    running.all_healthy().await;
    let task = running
        .supervisor
        .tasks()
        .into_iter()
        .find(|task| task.name == "api/worker");
    let task = task.expect("it was started");
    assert_eq!(
        (
            task.running,
            task.restarts,
            *starts.lock().expect("no panic")
        ),
        (true, 0, 1)
    );
}

/// A service whose check goes through `outcomes` and then passes.
async fn check_health(check: HealthCheck, expected: &str) {
    let failing = Service {
        health: check,
        ..service("redis", &[])
    };
    let running = start(vec![failing], &[]);
    let unhealthy = |health: &Health| matches!(health, Health::Unhealthy { .. });
    let Health::Unhealthy { reason } = running.reaches("redis", unhealthy).await else {
        unreachable!("it was waited for")
    };
    assert_eq!(reason, expected);
    running.reaches("redis", Health::is_healthy).await;
}

/// Fails in the given way after it has passed once, three times, and then passes again.
fn fails_after_start(fail: fn() -> Result<(), String>) -> HealthCheck {
    let calls = Arc::new(Mutex::new(0));
    Arc::new(move || {
        let mut calls = calls.lock().unwrap_or_else(PoisonError::into_inner);
        *calls += 1;
        let fails = (2..5).contains(&*calls);
        Box::pin(async move { if fails { fail() } else { Ok(()) } })
    })
}

#[tokio::test]
async fn a_check_that_fails_is_shown_and_recovers() {
    check_health(
        fails_after_start(|| Err("no answer to PING".to_owned())),
        "no answer to PING",
    )
    .await;
}

#[tokio::test]
async fn a_check_that_panics_is_contained_and_recovers() {
    check_health(fails_after_start(|| panic!("broken")), "panicked: broken").await;
}

#[tokio::test]
async fn roles_that_are_left_out_are_stopped_and_not_waited_for() {
    let mut postgres = service("postgres", &[]);
    postgres.aliases = &["database"];
    let network = network(vec![
        postgres,
        service("api", &["database"]),
        service("traefik", &[]),
    ]);
    let supervisor = Supervisor::new(Shutdown::new());
    let roles = |name: &str| Some(HashSet::from([name.to_owned()]));
    let error = network.start(
        &supervisor,
        Options {
            roles: roles("ap"),
            ..options()
        },
    );
    let error = error.expect_err("there is no such role").to_string();
    assert_eq!(error, r#"there is no role "ap"; did you mean "api"?"#);
    network
        .start(
            &supervisor,
            Options {
                roles: roles("api"),
                ..options()
            },
        )
        .expect("it starts");
    tokio::time::timeout(PATIENCE, network.all_healthy())
        .await
        .expect("only api is waited for");
    let states: Vec<_> = network
        .statuses()
        .into_iter()
        .map(|one| one.state)
        .collect();
    assert_eq!(states, ["stopped", "healthy", "stopped"]);
    let running = Running {
        network,
        supervisor,
        held: Arc::new(watch::Sender::default()),
    };
    let (answer, _, body) = running.get("database", "*/*").await;
    assert_eq!(answer, StatusCode::SERVICE_UNAVAILABLE);
    assert!(body.contains("postgres is stopped"), "{body}");
}

#[tokio::test]
async fn what_cannot_be_dispatched_answers_502() {
    let worker = Service {
        handler: Handler::None,
        ..service("ai-pipeline", &[])
    };
    let running = start(vec![worker], &[]);
    let (status, _, body) = running.get("ai-pipeline", "*/*").await;
    assert_eq!(status, StatusCode::BAD_GATEWAY);
    assert!(body.contains("takes no HTTP requests"), "{body}");
    let (status, _, body) = running.get("shop", "*/*").await;
    assert_eq!(status, StatusCode::BAD_GATEWAY);
    assert!(body.contains("no service called shop"), "{body}");
}

#[test]
fn names_and_aliases_are_unique() {
    let network = network(vec![service("api", &[])]);
    let mut other = service("other", &[]);
    other.aliases = &["api"];
    assert_eq!(
        network.register(other),
        Err(start::Error::Duplicate("api".to_owned()))
    );
}

#[tokio::test]
async fn the_panel_lists_the_services() {
    let mut redis = service("redis", &[]);
    redis.aliases = &["cache"];
    let network = network(vec![redis, service("api", &["cache"])]);
    network.set_published("api", ([127, 0, 0, 1], 3000).into());
    let request = Request::builder()
        .uri("/services")
        .body(Body::empty())
        .expect("a request");
    let response = panel(network).call(request).await.expect("infallible");
    let body = axum::body::to_bytes(response.into_body(), 100_000)
        .await
        .expect("a body");
    let services: serde_json::Value = serde_json::from_slice(&body).expect("JSON");
    assert_eq!(
        services[1],
        serde_json::json!({
            "name": "api", "state": "stopped", "reason": null, "port": 3000, "protocol": "http",
            "exposure": "public", "depends_on": ["redis"], "published": "127.0.0.1:3000",
            "since_ms": 1000,
        })
    );
}
