//! One change told to many: from the request that makes it to the last subscriber who has read of
//! it, over real connections on loopback. Once all subscribers ask for the same, and once each asks
//! with parameters of its own, so that the rule is asked and the message written for each of them.

use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    sync::mpsc,
    task::JoinSet,
};

use crate::{
    records::{
        client::{Client, request},
        resident_mib,
        servers::{self, Server},
    },
    stats::{Sorted, line, millis},
};

/// Subscribers, unless the limit of open files is lower.
const SUBSCRIBERS: usize = 10_000;
/// Files that are left for everything else.
const SPARE_FILES: u64 = 500;
/// Changes that are measured.
const CHANGES: usize = 5;
/// How long all subscribers may take to read of a change.
const PATIENCE: Duration = Duration::from_secs(30);
/// Connections that are opened at once.
const OPENED_AT_ONCE: usize = 64;

/// Measures and prints a table.
pub(crate) async fn run() -> anyhow::Result<()> {
    let subscribers = SUBSCRIBERS.min(usize::try_from(open_files().saturating_sub(SPARE_FILES))?);
    let server = servers::mito_with(&["gateway.limits.max_connections=20000"]).await?;
    let rule = "@request.query.seat != '' || @request.query.plain = ''";
    let notes = json!({"name": "notes", "type": "base", "listRule": rule,
        "fields": [{"name": "text", "type": "text"}]});
    server
        .call("POST", "/api/collections", &server.token, &notes)
        .await?;
    line(&format!(
        "| {subscribers} subscribers | first after, ms | p50 | p99 | last | resident, MiB |"
    ))?;
    line("|---|---:|---:|---:|---:|---:|")?;
    for (name, is_shared) in [("the same topic", true), ("parameters of their own", false)] {
        let audience = Audience::connect(&server, subscribers, is_shared).await?;
        for _ in 0..CHANGES {
            let durations = audience.change(&server).await?;
            let resident = resident_mib(server.process.id())?;
            line(&format!(
                "| {name} | {} | {} | {} | {} | {resident:.0} |",
                millis(durations.percentile(0)),
                millis(durations.percentile(50)),
                millis(durations.percentile(99)),
                millis(durations.percentile(100)),
            ))?;
        }
        audience.leave().await;
    }
    server.stop().await
}

fn open_files() -> u64 {
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    limit.current.unwrap_or(u64::MAX)
}

/// Everybody who is connected.
struct Audience {
    readers: JoinSet<anyhow::Result<()>>,
    heard: tokio::sync::Mutex<mpsc::UnboundedReceiver<Instant>>,
    size: usize,
}

impl Audience {
    async fn connect(server: &Server, size: usize, is_shared: bool) -> anyhow::Result<Self> {
        let (tell, heard) = mpsc::unbounded_channel();
        let mut readers = JoinSet::new();
        let mut opening: JoinSet<anyhow::Result<Subscriber>> = JoinSet::new();
        for number in 0..size {
            let address = server.address;
            opening.spawn(Subscriber::open(address, number, is_shared));
            if opening.len() >= OPENED_AT_ONCE {
                let opened = opening.join_next().await.context("some are opening")??;
                readers.spawn(opened?.read(tell.clone()));
            }
        }
        while let Some(opened) = opening.join_next().await {
            readers.spawn(opened??.read(tell.clone()));
        }
        Ok(Self {
            readers,
            heard: tokio::sync::Mutex::new(heard),
            size,
        })
    }

    /// Makes a change; how long each subscriber took to read of it.
    async fn change(&self, server: &Server) -> anyhow::Result<Sorted> {
        let mut heard = self.heard.lock().await;
        let started = Instant::now();
        let path = "/api/collections/notes/records";
        let note = json!({"text": "a change"});
        server.call("POST", path, &server.token, &note).await?;
        let mut durations = Vec::with_capacity(self.size);
        while durations.len() < self.size {
            let at = tokio::time::timeout(PATIENCE, heard.recv()).await;
            let at = at.context("somebody was not told")?;
            durations.push(at.context("nobody listens")?.duration_since(started));
        }
        Ok(Sorted::new(durations))
    }

    async fn leave(mut self) {
        self.readers.shutdown().await;
    }
}

struct Subscriber {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Subscriber {
    async fn open(
        address: std::net::SocketAddr,
        number: usize,
        is_shared: bool,
    ) -> anyhow::Result<Self> {
        let mut subscriber = Self {
            stream: TcpStream::connect(address).await?,
            buffer: Vec::with_capacity(1024),
        };
        let hello = "GET /api/realtime HTTP/1.1\r\nHost: localhost\r\n\r\n";
        subscriber.stream.write_all(hello.as_bytes()).await?;
        let id = loop {
            subscriber.more().await?;
            let text = String::from_utf8_lossy(&subscriber.buffer);
            if let Some((_, rest)) = text.split_once("\"clientId\":\"")
                && let Some((id, _)) = rest.split_once('"')
            {
                break id.to_owned();
            }
        };
        let topic = if is_shared {
            "notes/*".to_owned()
        } else {
            format!("notes/*?options={{\"query\":{{\"seat\":\"{number}\"}}}}")
        };
        let body: Value = json!({"clientId": id, "subscriptions": [topic]});
        let mut client = Client::connect(address).await?;
        let asked = request("POST", "/api/realtime", "", Some(&body));
        let (status, _) = client.send(&asked).await?;
        ensure!(status == 204, "subscribing was answered {status}");
        subscriber.buffer.clear();
        Ok(subscriber)
    }

    async fn more(&mut self) -> anyhow::Result<()> {
        if self.stream.read_buf(&mut self.buffer).await? == 0 {
            bail!("the stream ended");
        }
        Ok(())
    }

    /// Tells when a change was read of, until it is dropped.
    async fn read(mut self, heard: mpsc::UnboundedSender<Instant>) -> anyhow::Result<()> {
        loop {
            self.more().await?;
            if String::from_utf8_lossy(&self.buffer).contains("\"a change\"") {
                heard.send(Instant::now())?;
                self.buffer.clear();
            }
        }
    }
}
