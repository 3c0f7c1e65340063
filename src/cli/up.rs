//! `mito up`: starts the platform and shows what is where.

use std::{
    io::IsTerminal as _,
    time::{Duration, Instant},
};

use mito_core::{
    Shutdown,
    config::{Loaded, Sources},
    telemetry::{self, LogFormat},
};
use tokio::signal::unix::{SignalKind, signal};

use super::{EXIT_FAILURE, EXIT_USAGE, UpArguments, output};
use crate::{
    app::{App, Environment, Error, healthy_within},
    config::Config,
};

/// How long `--json` waits for all roles before it says `failed`.
const READY_LIMIT: Duration = Duration::from_secs(30);
/// The starter that `--demo` imports.
const DEMO_STARTER: &str = "content";

pub(super) async fn run(loaded: Loaded<Config>, sources: &Sources, arguments: UpArguments) -> u8 {
    let started = Instant::now();
    // Somebody at a terminal reads the table; a service manager keeps the log.
    let usual = if std::io::stderr().is_terminal() {
        "warn"
    } else {
        "info"
    };
    let filter = sources
        .environment
        .get("MITO_LOG")
        .map_or(usual, String::as_str);
    if let Err(error) = telemetry::init(filter, LogFormat::Text) {
        output::failed(arguments.json, &error.to_string());
        return EXIT_USAGE;
    }
    for ignored in &loaded.ignored {
        tracing::info!("{ignored}");
    }
    let json = arguments.json;
    match Box::pin(serve(loaded.value, arguments, started)).await {
        Ok(()) => 0,
        Err(error) => {
            output::failed(json, &error.to_string());
            EXIT_FAILURE
        }
    }
}

async fn serve(config: Config, arguments: UpArguments, started: Instant) -> Result<(), Error> {
    let shutdown = Shutdown::new();
    let mut app = App::open(config, Environment::default()).await?;
    if let Err(error) = app.bind().map(|_| ()).and_then(|()| app.start()) {
        app.close().await;
        return Err(error);
    }
    let setup_url = app.setup_url().await?;
    let network = app.network().clone();
    let (importer, sheet) = (app.importer(), Sheet::of(&app, setup_url));
    let ready = async {
        healthy_within(&network, READY_LIMIT).await?;
        if arguments.demo {
            match importer.import(DEMO_STARTER).await {
                Ok(_) => output::notice("The content starter is imported."),
                Err(error) => output::failure(&format!("the demo was not imported: {error}")),
            }
        }
        sheet.show(arguments.json, &network, started.elapsed());
        Ok::<(), Error>(())
    };
    let watch = async {
        let outcome = ready.await;
        if let Err(error) = &outcome {
            output::failure(&format!("{error}; mito goes on, mito ps shows the state"));
            if arguments.json {
                // A program that waits for the one line cannot be told later.
                shutdown.begin();
                return outcome;
            }
        }
        std::future::pending().await
    };
    let signals = async {
        ended_by_signal().await;
        shutdown.begin();
    };
    let serving = app.serve(shutdown.clone());
    tokio::pin!(serving);
    let mut signals = std::pin::pin!(signals);
    let mut watch = std::pin::pin!(watch);
    let mut signalled = false;
    loop {
        tokio::select! {
            _ = &mut serving => return Ok(()),
            failed = &mut watch => { serving.await; return failed; }
            () = &mut signals, if !signalled => signalled = true,
        }
    }
}

/// Returns at the first SIGINT or SIGTERM.
async fn ended_by_signal() {
    let (Ok(mut interrupt), Ok(mut terminate)) = (
        signal(SignalKind::interrupt()),
        signal(SignalKind::terminate()),
    ) else {
        tracing::error!("signals cannot be received; end mito with SIGKILL");
        return std::future::pending().await;
    };
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}

/// What is shown when all is healthy.
struct Sheet {
    entrypoints: serde_json::Value,
    services: serde_json::Value,
    notes: Vec<String>,
    urls: Vec<(&'static str, String)>,
    data: String,
    setup_url: Option<String>,
}

impl Sheet {
    fn of(app: &App, setup_url: Option<String>) -> Self {
        let addresses = app.addresses();
        let hosts = [
            ("traefik", "traefik"),
            ("api", "api"),
            ("admin-web", "admin"),
            ("mobile-build", "mobile-build"),
            ("minio", "minio"),
            ("minio-console", "minio-console"),
        ];
        Self {
            entrypoints: serde_json::json!(addresses.entrypoints),
            services: serde_json::json!(addresses.services),
            notes: addresses.notes.clone(),
            urls: hosts
                .map(|(service, host)| (service, app.url(host)))
                .to_vec(),
            data: app.data().display().to_string(),
            setup_url,
        }
    }

    fn show(&self, json: bool, network: &mito_network::Network, took: Duration) {
        if json {
            let line = serde_json::json!({
                "event": "ready",
                "entrypoints": self.entrypoints,
                "services": self.services,
                "data": self.data,
                "setup_url": self.setup_url,
            });
            output::text(&format!("{line}\n"));
            return;
        }
        let rows: Vec<[String; 4]> = network
            .statuses()
            .into_iter()
            .map(|status| {
                let url = self
                    .urls
                    .iter()
                    .find(|(service, _)| *service == status.name);
                let internal = match status.port {
                    Some(port) => format!("{}:{port}", status.name),
                    None => status.name.clone(),
                };
                [
                    status.name,
                    status.state,
                    internal,
                    url.map_or(String::new(), |(_, url)| url.clone()),
                ]
            })
            .collect();
        let table = output::table(["ROLE", "STATE", "INTERNAL NAME", "URL"], &rows);
        let mut lines = vec![table, format!("Data folder  {}", self.data)];
        lines.extend(self.notes.iter().map(|note| format!("Note         {note}")));
        if let Some(url) = &self.setup_url {
            lines.push(format!("\nCreate the administrator (works once): {url}"));
        }
        let took_ms = took.as_millis();
        lines.push(format!("\nAll healthy after {took_ms} ms. Ctrl-C stops.\n"));
        let text = lines.join("\n");
        output::text(&text);
    }
}
