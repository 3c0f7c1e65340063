//! Tracing to standard error, Prometheus metrics, and the trait by which log rows reach a role
//! that keeps them. Both the subscriber and the recorder are the process's: where several
//! platforms run in one process (tests), the first one sets them up and all share them.

mod sinks;
#[cfg(test)]
mod tests;

use std::{
    io::IsTerminal as _,
    sync::{Arc, OnceLock},
    time::Duration,
};

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use serde::Serialize;
use tracing_subscriber::{EnvFilter, Layer as _, layer::SubscriberExt as _};

use crate::Supervisor;

/// What is logged where nothing is configured.
pub const DEFAULT_FILTER: &str = "info";
/// Holds unless the filter speaks of it: the `s3s` crate logs what clients do wrong as errors, with
/// whole bodies, and the object storage says itself what matters of that.
const QUIET: &str = "s3s=off";
/// How often histograms are folded, so that samples do not pile up where nobody scrapes.
const UPKEEP_EVERY: Duration = Duration::from_secs(5);
/// Upper bounds of the buckets of histograms of seconds.
const SECONDS_BUCKETS: [f64; 11] = [
    0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0,
];

/// Those of the series under Traefik's names, as its dashboards expect them.
const TRAEFIK_SECONDS_BUCKETS: [f64; 4] = [0.1, 0.3, 1.2, 5.0];

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people; in colour on a terminal.
    Text,
    /// One JSON object a line.
    Json,
}

/// The filter cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("the log filter {filter:?} cannot be read: {reason}")]
pub struct Error {
    /// What was given.
    pub filter: String,
    /// What is wrong with it.
    pub reason: String,
}

/// One line of the log.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LogRow {
    /// `ERROR`, `WARN`, `INFO`, `DEBUG` or `TRACE`.
    pub level: &'static str,
    /// The module that logged it.
    pub target: String,
    /// The message, readable alone.
    pub message: String,
    /// The request it belongs to: the field `request.id` of the line or of a span around it.
    pub request_id: Option<String>,
    /// The other fields.
    pub fields: serde_json::Map<String, serde_json::Value>,
}

/// Takes log rows. Called where the line is logged: it must not block, and what it logs itself
/// does not come back to it.
pub trait LogSink: Send + Sync {
    /// Takes one row.
    fn write(&self, row: LogRow);
}

/// Starts logging to standard error, with tracing's filter directives (`info,mito_queue=debug`).
/// Panics are logged too. If logging was started before, the filter is checked and the first
/// start stays in force.
pub fn init(filter: &str, format: LogFormat) -> Result<(), Error> {
    let directives = if filter.trim().is_empty() {
        DEFAULT_FILTER
    } else {
        filter
    };
    let mut directives = directives.to_owned();
    if !directives.contains("s3s") {
        directives = format!("{QUIET},{directives}");
    }
    let directives = EnvFilter::builder()
        .parse(&directives)
        .map_err(|error| Error {
            filter: filter.to_owned(),
            reason: error.to_string(),
        })?;
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    let lines = match format {
        LogFormat::Text => lines.boxed(),
        LogFormat::Json => lines.json().flatten_event(true).boxed(),
    };
    let subscriber = tracing_subscriber::registry()
        .with(directives)
        .with(lines)
        .with(sinks::SinkLayer);
    if tracing::subscriber::set_global_default(subscriber).is_ok() {
        log_panics();
    }
    Ok(())
}

/// Gives every further log row to `sink` too, as long as somebody else keeps it alive.
pub fn add_sink(sink: &Arc<dyn LogSink>) {
    sinks::add(sink);
}

/// Whoever contains a panic logs it; the place in the code is only known here.
fn log_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let location = panic
            .location()
            .map(ToString::to_string)
            .unwrap_or_default();
        let said = panic.payload_as_str().unwrap_or_default();
        tracing::error!(
            panic.location = location,
            panic.message = said,
            "the code panicked"
        );
    }));
}

/// The metrics of the process. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Metrics(PrometheusHandle);

impl Metrics {
    /// Installs the recorder behind the macros of `metrics`, or returns the one that is.
    pub fn install() -> Self {
        static INSTALLED: OnceLock<Metrics> = OnceLock::new();
        INSTALLED.get_or_init(Self::build).clone()
    }

    /// All metrics in Prometheus' text format.
    pub fn render(&self) -> String {
        self.0.run_upkeep();
        self.0.render()
    }

    /// Starts the task that keeps histograms small.
    pub fn maintain(&self, supervisor: &Supervisor) {
        let handle = self.0.clone();
        supervisor.start("telemetry/upkeep", move |shutdown| {
            let handle = handle.clone();
            async move {
                loop {
                    tokio::select! {
                        () = shutdown.begun() => return Ok(()),
                        () = tokio::time::sleep(UPKEEP_EVERY) => handle.run_upkeep(),
                    }
                }
            }
        });
    }

    fn build() -> Self {
        let recorder = PrometheusBuilder::new()
            .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS_BUCKETS)
            .expect("there are buckets")
            // A prefix is looked at before a suffix.
            .set_buckets_for_metric(
                Matcher::Prefix("traefik_".to_owned()),
                &TRAEFIK_SECONDS_BUCKETS,
            )
            .expect("there are buckets")
            .build_recorder();
        let handle = recorder.handle();
        if metrics::set_global_recorder(recorder).is_err() {
            tracing::warn!("another metrics recorder was installed before; /metrics stays empty");
        }
        Self(handle)
    }
}
