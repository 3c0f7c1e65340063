//! What the terminal shows. Standard output is written here alone; a closed pipe is no failure of
//! ours.

use std::io::{IsTerminal as _, Write as _};

use comfy_table::{Table, presets::UTF8_FULL_CONDENSED};

/// Writes text to standard output; returns the exit code.
pub fn text(text: &str) -> u8 {
    let mut output = std::io::stdout().lock();
    // Nobody reads on, so there is nobody to tell.
    let _ = output
        .write_all(text.as_bytes())
        .and_then(|()| output.flush());
    0
}

/// Writes one line to standard error.
pub fn notice(line: &str) {
    let mut output = std::io::stderr().lock();
    let _ = writeln!(output, "{line}");
}

/// Writes a line over the last one on standard error, which is a terminal.
pub fn redraw(line: &str) {
    let mut output = std::io::stderr().lock();
    let _ = write!(output, "\r\x1b[K{line}").and_then(|()| output.flush());
}

/// Says on standard error what went wrong.
pub fn failure(message: &str) {
    notice(&format!("mito: {message}"));
}

/// Says what went wrong, and with `--json` also as the one line on standard output.
pub fn failed(json: bool, message: &str) {
    failure(message);
    if json {
        json_failed(message);
    }
}

/// The one line on standard output of a command that failed.
pub fn json_failed(message: &str) {
    let line = serde_json::json!({ "event": "failed", "reason": message });
    text(&format!("{line}\n"));
}

/// A table as wide as the terminal.
pub fn table<const N: usize>(head: [&str; N], rows: &[[String; N]]) -> String {
    let mut table = Table::new();
    if std::io::stdout().is_terminal() {
        table.load_style(UTF8_FULL_CONDENSED);
    } else {
        table.load_style(comfy_table::presets::NOTHING);
    }
    table.set_header(head);
    for row in rows {
        table.add_row(row);
    }
    table.to_string()
}
