//! The workload that TrailBase publishes for back ends of this kind: chat messages inserted under a
//! rule that asks whether their author is a member of the room, and messages read one by one. mito
//! (`synchronous=FULL`) and PocketBase (its default, `NORMAL`) get the same requests in the same
//! run. Each server has one core to itself; the load comes from the other one.

pub(crate) mod client;
pub(crate) mod servers;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use serde_json::{Value, json};

pub(crate) use self::servers::resident_mib;
use self::{client::Client, servers::Server};
use crate::stats::{Sorted, line, millis};

/// Clients in a closed loop.
const CLIENTS: [usize; 4] = [1, 16, 64, 256];
/// How long each measure takes.
const MEASURE: Duration = Duration::from_secs(4);
/// How long the clients run before it.
const WARM_UP: Duration = Duration::from_millis(500);
/// The core of the load.
const LOAD_CORE: usize = 1;

/// What a server did.
struct Figures {
    inserts: Vec<Rate>,
    reads: Vec<Rate>,
    resident_mib: f64,
}

struct Rate {
    per_second: f64,
    durations: Sorted,
}

/// Measures and prints a table.
pub(crate) async fn run() -> anyhow::Result<()> {
    servers::stay_on(LOAD_CORE)?;
    let theirs = measure(servers::pocketbase().await?).await?;
    let ours = measure(servers::mito().await?).await?;
    print("inserts", &theirs.inserts, &ours.inserts)?;
    print("reads", &theirs.reads, &ours.reads)?;
    line(&format!(
        "\nresident afterwards: PocketBase {:.0} MiB, mito {:.0} MiB, ratio {:.2}",
        theirs.resident_mib,
        ours.resident_mib,
        ours.resident_mib / theirs.resident_mib
    ))?;
    Ok(())
}

fn print(what: &str, theirs: &[Rate], ours: &[Rate]) -> anyhow::Result<()> {
    line(&format!(
        "\n| {what}: clients | PocketBase /s | p50 ms | p99 ms | mito /s | p50 ms | p99 ms | ratio |"
    ))?;
    line("|---:|---:|---:|---:|---:|---:|---:|---:|")?;
    for ((clients, theirs), ours) in CLIENTS.iter().zip(theirs).zip(ours) {
        line(&format!(
            "| {clients} | {} | {} | {:.1} |",
            cells(theirs),
            cells(ours),
            ours.per_second / theirs.per_second
        ))?;
    }
    Ok(())
}

fn cells(rate: &Rate) -> String {
    format!(
        "{:.0} | {} | {}",
        rate.per_second,
        millis(rate.durations.percentile(50)),
        millis(rate.durations.percentile(99))
    )
}

async fn measure(server: Server) -> anyhow::Result<Figures> {
    let chat = Chat::set_up(&server).await?;
    let (mut inserts, mut reads) = (Vec::new(), Vec::new());
    for clients in CLIENTS {
        let insert = chat.insert();
        inserts.push(load(&server, clients, Arc::new(move |_| insert.clone())).await?);
    }
    let ids = chat.ids(&server).await?;
    for clients in CLIENTS {
        let (ids, token) = (ids.clone(), chat.token.clone());
        let view = move |number: u64| {
            let id = &ids[usize::try_from(number).unwrap_or_default() % ids.len()];
            client::request(
                "GET",
                &format!("/api/collections/messages/records/{id}"),
                &token,
                None,
            )
        };
        reads.push(load(&server, clients, Arc::new(view)).await?);
    }
    let resident_mib = resident_mib(server.process.id())?;
    server.stop().await?;
    Ok(Figures {
        inserts,
        reads,
        resident_mib,
    })
}

/// The requests of `clients` connections, each sending the next when it has the last's answer.
async fn load(
    server: &Server,
    clients: usize,
    request: Arc<dyn Fn(u64) -> client::Prepared + Send + Sync>,
) -> anyhow::Result<Rate> {
    let number = Arc::new(AtomicU64::new(0));
    let mut running = tokio::task::JoinSet::new();
    let begins = Instant::now() + WARM_UP;
    let ends = begins + MEASURE;
    for _ in 0..clients {
        let mut client = Client::connect(server.address).await?;
        let (number, request) = (Arc::clone(&number), Arc::clone(&request));
        running.spawn(async move {
            let mut durations = Vec::new();
            while Instant::now() < ends {
                let prepared = request(number.fetch_add(1, Ordering::Relaxed));
                let started = Instant::now();
                let (status, body) = client.send(&prepared).await?;
                let took = started.elapsed();
                ensure!(
                    status == 200,
                    "answered {status}: {}",
                    String::from_utf8_lossy(&body)
                );
                if started >= begins {
                    durations.push(took);
                }
            }
            anyhow::Ok(durations)
        });
    }
    let mut durations = Vec::new();
    while let Some(ended) = running.join_next().await {
        durations.extend(ended??);
    }
    let elapsed = begins.elapsed();
    let durations = Sorted::new(durations);
    #[expect(clippy::cast_precision_loss, reason = "far below 2⁵³")]
    let per_second = durations.len() as f64 / elapsed.as_secs_f64();
    Ok(Rate {
        per_second,
        durations,
    })
}

/// Rooms, their members, and the messages in them.
struct Chat {
    token: String,
    user: String,
    room: String,
}

impl Chat {
    async fn set_up(server: &Server) -> anyhow::Result<Self> {
        let admin = &server.token;
        let users = "_pb_users_auth_";
        let relation = |name: &str, target: &str| json!({"name": name, "type": "relation", "collectionId": target, "maxSelect": 1, "required": true});
        let rooms =
            json!({"name": "rooms", "type": "base", "fields": [{"name": "name", "type": "text"}]});
        let rooms = text(
            &server
                .call("POST", "/api/collections", admin, &rooms)
                .await?,
            "id",
        )?;
        let members = json!({"name": "members", "type": "base",
            "fields": [relation("user", users), relation("room", &rooms)],
            "indexes": ["CREATE UNIQUE INDEX `idx_members` ON `members` (`user`, `room`)"]});
        server
            .call("POST", "/api/collections", admin, &members)
            .await?;
        let member = "@request.auth.id != '' && @collection.members.user ?= @request.auth.id \
                      && @collection.members.room ?= room";
        let messages = json!({"name": "messages", "type": "base",
            "fields": [relation("owner", users), relation("room", &rooms), {"name": "text", "type": "text"}],
            "createRule": format!("owner = @request.auth.id && {member}"), "viewRule": member});
        server
            .call("POST", "/api/collections", admin, &messages)
            .await?;

        let password = "a password of the bench";
        let account = json!({"email": "bench@example.com", "password": password, "passwordConfirm": password});
        let records = |collection: &str| format!("/api/collections/{collection}/records");
        let user = text(
            &server
                .call("POST", &records("users"), admin, &account)
                .await?,
            "id",
        )?;
        let room = json!({"name": "bench"});
        let room = text(
            &server.call("POST", &records("rooms"), admin, &room).await?,
            "id",
        )?;
        let member = json!({"user": user, "room": room});
        server
            .call("POST", &records("members"), admin, &member)
            .await?;
        let sign_in = json!({"identity": "bench@example.com", "password": password});
        let path = "/api/collections/users/auth-with-password";
        let token = text(&server.call("POST", path, "", &sign_in).await?, "token")?;
        Ok(Self { token, user, room })
    }

    fn insert(&self) -> client::Prepared {
        let body =
            json!({"owner": self.user, "room": self.room, "text": "What a lovely morning it is."});
        client::request(
            "POST",
            "/api/collections/messages/records",
            &self.token,
            Some(&body),
        )
    }

    /// Some of the messages.
    async fn ids(&self, server: &Server) -> anyhow::Result<Vec<String>> {
        let path = "/api/collections/messages/records?perPage=1000&skipTotal=1&fields=id";
        let page = server
            .call("GET", path, &server.token, &Value::Null)
            .await?;
        let items = page["items"].as_array().context("a list has items")?;
        ensure!(!items.is_empty(), "there are no messages");
        items.iter().map(|item| text(item, "id")).collect()
    }
}

fn text(answer: &Value, field: &str) -> anyhow::Result<String> {
    let text = answer[field].as_str();
    Ok(text
        .with_context(|| format!("no {field} in {answer}"))?
        .to_owned())
}
