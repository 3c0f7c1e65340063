//! Starting twice, log rows with their request, and rendered metrics.

use std::sync::{Mutex, PoisonError};

use serde_json::json;

use super::*;
use crate::Shutdown;

/// Keeps the rows of one test, which are told apart by their target.
struct Kept {
    target: &'static str,
    rows: Mutex<Vec<LogRow>>,
}

impl LogSink for Kept {
    fn write(&self, row: LogRow) {
        tracing::error!(target: "sink", "what a sink logs does not come back");
        if row.target == self.target || row.target == "sink" {
            self.rows
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(row);
        }
    }
}

#[test]
fn rows_reach_every_sink_with_the_request_around_them() {
    init("debug", LogFormat::Text).expect("a filter");
    init("trace", LogFormat::Json).expect("a second start does no harm");
    let kept = Arc::new(Kept {
        target: "rows",
        rows: Mutex::default(),
    });
    let sink: Arc<dyn LogSink> = kept.clone();
    add_sink(&sink);
    tracing::info_span!("request", request.id = "r1").in_scope(|| {
        tracing::info_span!("inner").in_scope(|| {
            tracing::warn!(target: "rows", size_bytes = 3, slow = true, error = %"no", "it was slow");
        });
    });
    tracing::info!(target: "rows", { request.id = "r2" }, "alone");
    tracing::trace!(target: "rows", "the filter of the first start holds");
    let rows = kept.rows.lock().unwrap_or_else(PoisonError::into_inner);
    let shown: Vec<_> = rows
        .iter()
        .map(|row| (row.level, &*row.message, row.request_id.as_deref()))
        .collect();
    assert_eq!(
        shown,
        [
            ("WARN", "it was slow", Some("r1")),
            ("INFO", "alone", Some("r2"))
        ]
    );
    assert_eq!(
        serde_json::Value::Object(rows[0].fields.clone()),
        json!({"size_bytes": 3, "slow": true, "error": "no"})
    );
}

#[test]
fn a_broken_filter_is_named() {
    let error = init("info,=x=y", LogFormat::Text).expect_err("it is broken");
    assert!(
        error
            .to_string()
            .starts_with("the log filter \"info,=x=y\" cannot be read"),
        "{error}"
    );
}

#[tokio::test]
async fn metrics_are_rendered_for_prometheus() {
    let metrics = Metrics::install();
    metrics::counter!("mito_test_total", "kind" => "a").increment(2);
    metrics::histogram!("mito_test_seconds").record(0.02);
    metrics::histogram!("traefik_test_duration_seconds").record(0.2);
    let text = Metrics::install().render();
    for line in [
        "traefik_test_duration_seconds_bucket{le=\"0.1\"} 0\n\
         traefik_test_duration_seconds_bucket{le=\"0.3\"} 1\n\
         traefik_test_duration_seconds_bucket{le=\"1.2\"} 1\n\
         traefik_test_duration_seconds_bucket{le=\"5\"} 1\n\
         traefik_test_duration_seconds_bucket{le=\"+Inf\"} 1\n",
        "mito_test_total{kind=\"a\"} 2",
        "mito_test_seconds_bucket{le=\"0.025\"} 1",
        "mito_test_seconds_bucket{le=\"0.01\"} 0",
    ] {
        assert!(text.contains(line), "{line} is missing in {text}");
    }
    let supervisor = Supervisor::new(Shutdown::new());
    metrics.maintain(&supervisor);
    let left = supervisor.shut_down(Duration::from_secs(5)).await;
    assert_eq!(left, Vec::<String>::new());
}
