//! From tracing events to [`LogRow`]s.

use std::{
    cell::Cell,
    fmt,
    sync::{Arc, PoisonError, RwLock, Weak},
};

use serde_json::{Map, Value};
use tracing::{
    Event, Id, Subscriber,
    field::{Field, Visit},
    span::Attributes,
};
use tracing_subscriber::{Layer, layer::Context, registry::LookupSpan};

use super::{LogRow, LogSink};

/// The field that ties a line or a span to a request.
const REQUEST_ID: &str = "request.id";

static SINKS: RwLock<Vec<Weak<dyn LogSink>>> = RwLock::new(Vec::new());

thread_local! {
    /// This thread is inside a sink: what it logs is not given to sinks again.
    static WRITING: Cell<bool> = const { Cell::new(false) };
}

/// Adds a sink and forgets those that are gone.
pub(super) fn add(sink: &Arc<dyn LogSink>) {
    let mut sinks = SINKS.write().unwrap_or_else(PoisonError::into_inner);
    sinks.retain(|sink| sink.strong_count() > 0);
    sinks.push(Arc::downgrade(sink));
}

/// Gives events to the sinks.
pub(super) struct SinkLayer;

/// The request that a span belongs to.
struct RequestId(String);

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for SinkLayer {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        if let (Some(request_id), Some(span)) = (fields.take_request_id(), context.span(id)) {
            span.extensions_mut().insert(RequestId(request_id));
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let sinks: Vec<_> = {
            let sinks = SINKS.read().unwrap_or_else(PoisonError::into_inner);
            sinks.iter().filter_map(Weak::upgrade).collect()
        };
        if sinks.is_empty() || WRITING.replace(true) {
            return;
        }
        let row = row(event, &context);
        for sink in sinks {
            sink.write(row.clone());
        }
        WRITING.set(false);
    }
}

fn row<S: Subscriber + for<'a> LookupSpan<'a>>(
    event: &Event<'_>,
    context: &Context<'_, S>,
) -> LogRow {
    let mut fields = Fields::default();
    event.record(&mut fields);
    let around = || {
        let mut spans = context.event_scope(event)?;
        spans.find_map(|span| span.extensions().get::<RequestId>().map(|id| id.0.clone()))
    };
    let request_id = fields.take_request_id().or_else(around);
    let message = match fields.0.shift_remove("message") {
        Some(Value::String(message)) => message,
        _ => String::new(),
    };
    let metadata = event.metadata();
    LogRow {
        level: metadata.level().as_str(),
        target: metadata.target().to_owned(),
        message,
        request_id,
        fields: fields.0,
    }
}

#[derive(Default)]
struct Fields(Map<String, Value>);

impl Fields {
    fn take_request_id(&mut self) -> Option<String> {
        match self.0.shift_remove(REQUEST_ID)? {
            Value::String(id) => Some(id),
            other => Some(other.to_string()),
        }
    }

    fn set(&mut self, field: &Field, value: impl Into<Value>) {
        self.0.insert(field.name().to_owned(), value.into());
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.set(field, format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.set(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.set(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.set(field, value);
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.set(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.set(field, value);
    }
}
