//! The thread that learns of commits, also those of other processes, by LISTEN.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use postgres::{Client, fallible_iterator::FallibleIterator as _};
use tokio::sync::watch;

use crate::{
    Error,
    postgres::{connection::Connection, errors::translate, writer::CHANNEL},
};

/// How long the thread listens before it looks whether it is to end.
const LISTEN_FOR: Duration = Duration::from_millis(200);
/// How long it waits before it connects again.
const RECONNECT_AFTER: Duration = Duration::from_secs(1);
/// The newest sequence that was ever given out in this schema.
const NEWEST: &str =
    "SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM _mito_outbox_sequence_seq";

/// Listens until `ended`.
pub(crate) fn run(mut connection: Connection, changes: &watch::Sender<i64>, ended: &AtomicBool) {
    while !ended.load(Ordering::Relaxed) {
        if let Err(error) = listen(&mut connection, changes, ended) {
            tracing::warn!(error = %error, "lost the notices of PostgreSQL; connecting again");
            connection.reset();
            thread::park_timeout(RECONNECT_AFTER);
        }
    }
}

fn listen(
    connection: &mut Connection,
    changes: &watch::Sender<i64>,
    ended: &AtomicBool,
) -> Result<(), Error> {
    let client = connection.client()?;
    let listen = format!("LISTEN {CHANNEL}");
    client
        .batch_execute(&listen)
        .map_err(|error| translate(&error, &listen))?;
    // What was committed while nobody listened.
    announce(changes, newest(client)?);
    while !ended.load(Ordering::Relaxed) {
        let heard = {
            let mut notices = client.notifications();
            let mut waiting = notices.timeout_iter(LISTEN_FOR);
            // One look covers a burst of notices; its rest costs one look each.
            waiting
                .next()
                .map_err(|error| translate(&error, &listen))?
                .is_some()
        };
        if heard {
            announce(changes, newest(client)?);
        }
    }
    Ok(())
}

/// The newest sequence that was ever given out.
pub(crate) fn newest(client: &mut Client) -> Result<i64, Error> {
    client
        .query_one(NEWEST, &[])
        .and_then(|row| row.try_get(0))
        .map_err(|error| translate(&error, NEWEST))
}

/// Wakes whoever waits, also when the number was known: a look for another commit's notice sees
/// numbers that were given out and are not committed yet.
fn announce(changes: &watch::Sender<i64>, newest: i64) {
    changes.send_modify(|seen| *seen = newest.max(*seen));
}

/// Tells the listening thread to end.
pub(crate) type Ended = Arc<AtomicBool>;
