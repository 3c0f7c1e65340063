//! `mito up`: starts the platform and shows what is where.

use std::{
    io::IsTerminal as _,
    time::{Duration, Instant},
};

use mito_core::{
    Shutdown,
    config::Loaded,
    telemetry::{self, LogFormat},
};
use mito_network::Network;
use tokio::signal::unix::{SignalKind, signal};

use super::{EXIT_FAILURE, EXIT_USAGE, UpArguments, output};
use crate::{
    app::{App, Environment, Error, healthy_within},
    config::Config,
    starter::Importer,
};

/// Within this time of the start, `--json` says `ready` or `failed`.
const READY_LIMIT: Duration = Duration::from_secs(30);
/// The starter that `--demo` imports.
const DEMO_STARTER: &str = "content";

pub(super) async fn run(loaded: Loaded<Config>, arguments: UpArguments) -> u8 {
    let started = Instant::now();
    // Somebody at a terminal reads the table; a service manager keeps the log.
    let usual = if std::io::stderr().is_terminal() {
        "warn"
    } else {
        "info"
    };
    let filter = loaded
        .variables
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
        Ok(code) => code,
        Err(error) => {
            output::failed(json, &error.to_string());
            EXIT_FAILURE
        }
    }
}

/// Returns the exit code; an error is one that nobody was told of yet.
async fn serve(config: Config, arguments: UpArguments, started: Instant) -> Result<u8, Error> {
    let shutdown = Shutdown::new();
    let json = arguments.json;
    let mut signals = std::pin::pin!(ended_by_signal());
    let limit = async {
        if json {
            tokio::time::sleep_until((started + READY_LIMIT).into()).await;
        } else {
            std::future::pending::<()>().await;
        }
    };
    let mut app = tokio::select! {
        opened = App::open(config, Environment::default()) => opened?,
        // Nothing was acknowledged yet, so there is nothing to close.
        () = &mut signals => return Err(Error::Stopped),
        () = limit => return Err(Error::NotOpen { seconds: READY_LIMIT.as_secs() }),
    };
    if let Err(error) = app.bind().map(|_| ()).and_then(|()| app.start()) {
        app.close().await;
        return Err(error);
    }
    let setup_url = match app.setup_url().await {
        Ok(setup_url) => setup_url,
        Err(error) => {
            app.close().await;
            return Err(error);
        }
    };
    let sheet = Sheet::of(&app, setup_url);
    let demo = arguments.demo.then(|| app.importer());
    let mut ready = std::pin::pin!(ready(app.network().clone(), demo, sheet, json, started));
    let mut serving = std::pin::pin!(app.serve(shutdown.clone()));
    let outcome = tokio::select! {
        _ = &mut serving => return Ok(0),
        outcome = &mut ready => outcome,
        () = &mut signals => {
            shutdown.begin();
            if json { Err(Error::Stopped) } else { Ok(()) }
        }
    };
    let code = match outcome {
        Ok(()) => 0,
        Err(error) => {
            // A program that waits for the one line is told now, not after the shutdown.
            output::failed(json, &error.to_string());
            shutdown.begin();
            EXIT_FAILURE
        }
    };
    tokio::select! {
        _ = &mut serving => return Ok(code),
        () = &mut signals, if !shutdown.has_begun() => shutdown.begin(),
    }
    serving.await;
    Ok(code)
}

/// Waits until all is healthy, imports the demo and shows what is where. A program is told within
/// [`READY_LIMIT`] that it is not so; a person may wait longer.
async fn ready(
    network: Network,
    demo: Option<Importer>,
    sheet: Sheet,
    json: bool,
    started: Instant,
) -> Result<(), Error> {
    let left = READY_LIMIT.saturating_sub(started.elapsed());
    if let Err(error) = healthy_within(&network, left).await {
        if json {
            return Err(error);
        }
        output::failure(&format!("{error}; mito goes on, mito ps shows the state"));
        network.all_healthy().await;
    }
    if let Some(importer) = demo {
        let import = importer.import(DEMO_STARTER);
        let left = READY_LIMIT.saturating_sub(started.elapsed());
        let limit = if json { left } else { Duration::MAX };
        match tokio::time::timeout(limit, import).await {
            Ok(Ok(_)) => output::notice("The content starter is imported."),
            Ok(Err(error)) => output::failure(&format!("the demo was not imported: {error}")),
            Err(_) => output::failure("the demo was not imported in time; the panel can import it"),
        }
    }
    sheet.show(json, &network, started.elapsed());
    Ok(())
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

    fn show(&self, json: bool, network: &Network, took: Duration) {
        if json {
            let line = serde_json::json!({
                "event": "ready",
                "entrypoints": self.entrypoints,
                "services": self.services,
                "data": self.data,
                "setup_url": self.setup_url,
            });
            output::text(&format!("{line}\n"));
            for note in &self.notes {
                output::notice(note);
            }
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
