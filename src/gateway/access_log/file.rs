//! The file behind the access log: appended to in batches, set aside when it has grown.

use std::{fs, io, io::Write as _, os::unix::fs::OpenOptionsExt as _, path::Path};

use mito_core::Shutdown;
use tokio::sync::mpsc;

/// Lines written at once.
const BATCH_LINES: usize = 512;
/// The size at which the file becomes `access.log.1`, which replaces the one before, in bytes.
const MAX_FILE_BYTES: u64 = 64 * 1024 * 1024;

/// Writes what comes until shutdown begins, then what waits already.
pub(super) async fn write_all(
    path: &Path,
    lines: &mut mpsc::Receiver<String>,
    shutdown: &Shutdown,
) {
    let mut batch = Vec::with_capacity(BATCH_LINES);
    let mut broken = false;
    loop {
        let ends = tokio::select! {
            received = lines.recv_many(&mut batch, BATCH_LINES) => received == 0,
            () = shutdown.begun() => {
                while let Ok(line) = lines.try_recv() {
                    batch.push(line);
                }
                true
            }
        };
        let text = batch.concat();
        batch.clear();
        let path = path.to_owned();
        let written = tokio::task::spawn_blocking(move || append(&path, &text)).await;
        match written.unwrap_or_else(|error| Err(io::Error::other(error))) {
            Ok(()) => broken = false,
            // Once a disk is full, every batch fails: one line says so.
            Err(error) if !broken => {
                broken = true;
                tracing::warn!(%error, "the access log cannot be written; lines are lost");
            }
            Err(_) => {}
        }
        if ends {
            return;
        }
    }
}

/// Appends to the file, which is made anew when it is missing or has grown too large.
fn append(path: &Path, text: &str) -> io::Result<()> {
    if text.is_empty() {
        return Ok(());
    }
    if let Some(folder) = path.parent() {
        mito_core::files::create_folder(folder)?;
    }
    if fs::metadata(path).is_ok_and(|found| found.len() >= MAX_FILE_BYTES) {
        fs::rename(path, path.with_extension("log.1"))?;
    }
    let mut file = fs::OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(text.as_bytes())
}
