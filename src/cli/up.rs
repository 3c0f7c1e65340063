//! `mito up`: starts the platform and shows what is where.

use std::{
    future::Future,
    io::IsTerminal as _,
    pin::Pin,
    sync::Arc,
    time::{Duration, Instant},
};

use mito_core::{
    Shutdown,
    config::{Loaded, Sources},
    telemetry::{self, LogFormat},
};
use mito_network::Network;
use tokio::signal::unix::{SignalKind, signal};

use super::{EXIT_FAILURE, EXIT_USAGE, UpArguments, output};
use crate::{
    app::{App, Environment, Error, Source, healthy_within},
    config::Config,
    starter::Importer,
};

/// Within this time of the start, `--json` says `ready` or `failed`.
const READY_LIMIT: Duration = Duration::from_secs(30);
/// The starter that `--demo` imports.
const DEMO_STARTER: &str = "content";

pub(super) async fn run(loaded: Loaded<Config>, sources: Sources, arguments: UpArguments) -> u8 {
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
    let source = source(sources);
    match Box::pin(serve(loaded.value, source, arguments, started)).await {
        Ok(code) => code,
        Err(error) => {
            output::failed(json, &error.to_string());
            EXIT_FAILURE
        }
    }
}

/// The configuration, to be read again when it changes. Flags and the process's own environment stay
/// what they were.
fn source(sources: Sources) -> Source {
    let files = sources.file.iter().chain(&sources.env_file);
    Source {
        files: files.cloned().collect(),
        read: Arc::new(move || {
            let loaded = mito_core::config::load::<Config>(&sources);
            Ok(loaded.map_err(|error| error.to_string())?.value)
        }),
    }
}

/// How one life of the platform ended.
enum Ended {
    /// For good, with this exit code.
    Done(u8),
    /// To start anew with the data of a backup and this configuration.
    Again(Box<Config>),
}

/// Returns the exit code; an error is one that nobody was told of yet.
async fn serve(
    mut config: Config,
    source: Source,
    arguments: UpArguments,
    started: Instant,
) -> Result<u8, Error> {
    let mut signals = std::pin::pin!(ended_by_signal());
    let mut first = Some((arguments, started));
    loop {
        let life = Box::pin(live(config, source.clone(), first.take(), signals.as_mut()));
        match life.await? {
            Ended::Done(code) => return Ok(code),
            Ended::Again(current) => {
                tracing::warn!("the platform starts anew");
                config = *current;
            }
        }
    }
}

/// One life of the platform. `first` says how the first one is announced; what follows is not.
async fn live(
    config: Config,
    source: Source,
    first: Option<(UpArguments, Instant)>,
    mut signals: Pin<&mut impl Future<Output = ()>>,
) -> Result<Ended, Error> {
    let shutdown = Shutdown::new();
    let is_first = first.is_some();
    let (arguments, started) = first.unwrap_or_else(|| (UpArguments::default(), Instant::now()));
    let json = arguments.json;
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
    app.watch(source);
    if let Err(error) = app.bind().map(|_| ()).and_then(|()| app.start()) {
        app.close().await;
        return Err(error);
    }
    let sheet = match sheet(&app, is_first).await {
        Ok(sheet) => sheet,
        Err(error) => {
            app.close().await;
            return Err(error);
        }
    };
    let (restart, current) = (app.restart(), app.current_config());
    let demo = arguments.demo.then(|| app.importer());
    let mut ready = std::pin::pin!(ready(app.network().clone(), demo, sheet, json, started));
    let mut serving = std::pin::pin!(app.serve(shutdown.clone()));
    let mut signalled = false;
    let outcome = tokio::select! {
        _ = &mut serving => return Ok(Ended::Done(0)),
        outcome = &mut ready => outcome,
        () = &mut signals => {
            signalled = true;
            if json { Err(Error::Stopped) } else { Ok(()) }
        }
        () = restart.begun() => Ok(()),
    };
    let code = match outcome {
        Ok(()) => 0,
        Err(error) => {
            // A program that waits for the one line is told now, not after the shutdown.
            output::failed(json, &error.to_string());
            signalled = true;
            EXIT_FAILURE
        }
    };
    if !signalled {
        tokio::select! {
            _ = &mut serving => return Ok(Ended::Done(code)),
            () = &mut signals => signalled = true,
            () = restart.begun() => {}
        }
    }
    shutdown.begin();
    serving.await;
    Ok(if signalled || !restart.has_begun() {
        Ended::Done(code)
    } else {
        Ended::Again(Box::new(current()))
    })
}

/// What to show; nothing after the first start.
async fn sheet(app: &App, is_first: bool) -> Result<Option<Sheet>, Error> {
    if !is_first {
        return Ok(None);
    }
    let setup_url = app.setup_url().await?;
    Ok(Some(Sheet::of(app, setup_url)))
}

/// Waits until all is healthy, imports the demo and shows what is where. A program is told within
/// [`READY_LIMIT`] that it is not so; a person may wait longer.
async fn ready(
    network: Network,
    demo: Option<Importer>,
    sheet: Option<Sheet>,
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
    if let Some(sheet) = sheet {
        sheet.show(json, &network, started.elapsed());
    }
    Ok(())
}

/// Returns at the first SIGINT or SIGTERM. SIGUSR1 is what rotates the logs of Traefik; it must not
/// end mito, whose access log is opened anew for every write.
async fn ended_by_signal() {
    let (Ok(mut interrupt), Ok(mut terminate), Ok(mut rotated)) = (
        signal(SignalKind::interrupt()),
        signal(SignalKind::terminate()),
        signal(SignalKind::user_defined1()),
    ) else {
        tracing::error!("signals cannot be received; end mito with SIGKILL");
        return std::future::pending().await;
    };
    loop {
        tokio::select! {
            _ = interrupt.recv() => return,
            _ = terminate.recv() => return,
            _ = rotated.recv() => {}
        }
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
