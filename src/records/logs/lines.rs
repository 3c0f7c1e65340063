//! The platform's own log lines as rows of the log.

use mito_core::telemetry::{LogRow, LogSink};
use serde_json::Value;

use super::LogEntry;
use crate::Records;

/// Takes lines. Holds the records, so they must not hold it.
pub(super) struct Lines(pub(super) Records);

impl LogSink for Lines {
    fn write(&self, row: LogRow) {
        let level = match row.level {
            "ERROR" => 8,
            "WARN" => 4,
            "INFO" => 0,
            _ => -4,
        };
        let mut data = row.fields;
        data.insert("type".to_owned(), "log".into());
        data.insert("target".to_owned(), row.target.into());
        if let Some(request_id) = row.request_id {
            data.insert("requestId".to_owned(), Value::String(request_id));
        }
        self.0.log(LogEntry {
            level,
            message: row.message,
            data,
        });
    }
}
