//! Requests as they are answered, for the panel: a stream of events (SSE). Nothing is made for it
//! while nobody listens, and who reads slowly misses some.

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::{
    extract::State as Extracted,
    response::{
        IntoResponse, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use futures_util::stream;
use http::StatusCode;
use mito_network::Problem;
use serde::Serialize;
use tokio::sync::broadcast::{self, error::RecvError};
use ts_rs::TS;

use crate::{record::Record, state::State};

/// How many requests wait for a listener.
const WAITING: usize = 256;
/// How many may listen at once.
const MAX_LISTENERS: usize = 20;
/// How often a quiet stream shows that it is there.
const KEEP_ALIVE: Duration = Duration::from_secs(20);

/// A request that was answered.
#[derive(Clone, Debug, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export, rename = "GatewayRequest")]
pub(crate) struct Seen {
    /// When it came, RFC 3339.
    time: String,
    method: &'static str,
    host: String,
    path: String,
    status: u16,
    duration_ms: f64,
    /// `-` for a request that no router took.
    router: String,
    service: String,
    client_ip: String,
    entry_point: String,
    #[ts(type = "number")]
    bytes: u64,
}

/// The requests for all listeners. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Traffic(broadcast::Sender<Arc<Seen>>);

impl Default for Traffic {
    fn default() -> Self {
        Self(broadcast::channel(WAITING).0)
    }
}

impl Traffic {
    /// Shows a request to those who listen.
    pub(crate) fn show(&self, record: &Record) {
        if self.0.receiver_count() == 0 {
            return;
        }
        let (router, service) = match &record.router {
            Some(router) => (router.full_name.to_string(), router.service.to_string()),
            None => ("-".to_owned(), "-".to_owned()),
        };
        let seen = Seen {
            time: record.at.to_string(),
            method: record.method,
            host: record.host.to_string(),
            path: record.path.clone(),
            status: record.code(),
            duration_ms: record.elapsed().as_secs_f64() * 1_000.0,
            router,
            service,
            client_ip: record.client.ip().to_string(),
            entry_point: record.entrypoint.to_string(),
            bytes: record.bytes,
        };
        // Whoever listened may have gone.
        let _ = self.0.send(Arc::new(seen));
    }
}

/// `GET /traffic`
pub(super) async fn stream(Extracted(state): Extracted<Arc<State>>) -> Response {
    let traffic = &state.traffic.0;
    if traffic.receiver_count() >= MAX_LISTENERS {
        let detail = format!("{MAX_LISTENERS} pages show the requests already.");
        return Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail)
            .retry_after(10)
            .into_response();
    }
    let shutdown = state.supervisor.shutdown();
    let events = stream::unfold(
        (traffic.subscribe(), shutdown),
        async |(mut seen, ending)| {
            let next = loop {
                tokio::select! {
                    () = ending.begun() => return None,
                    next = seen.recv() => match next {
                        Ok(next) => break next,
                        Err(RecvError::Lagged(_)) => {}
                        Err(RecvError::Closed) => return None,
                    },
                }
            };
            let event = Event::default().event("request").json_data(&*next);
            let event = event.unwrap_or_else(|_| Event::default().comment("unreadable"));
            Some((Ok::<_, Infallible>(event), (seen, ending)))
        },
    );
    Sse::new(events)
        .keep_alive(KeepAlive::new().interval(KEEP_ALIVE))
        .into_response()
}
