//! When sessions were used last. Every request uses one, so uses are noted in memory and written
//! down together, every 30 s; a crash loses no more than that. Being used is what keeps a session
//! from going idle.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use mito_database::Tx;

use crate::{Error, Records};

/// The most sessions whose use waits to be written; further ones are noted when there is room.
const MAX_NOTED: usize = 100_000;
/// The most rows of one transaction.
const CHUNK: usize = 500;

/// Uses that are not written yet.
#[derive(Debug, Default)]
pub(crate) struct Used {
    by_session: Mutex<HashMap<String, i64>>,
}

impl Used {
    /// Notes a use.
    pub(crate) fn note(&self, session: &str, now_ms: i64) {
        let mut noted = self
            .by_session
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(used_at) = noted.get_mut(session) {
            *used_at = now_ms;
        } else if noted.len() < MAX_NOTED {
            noted.insert(session.to_owned(), now_ms);
        }
    }

    fn take(&self) -> Vec<(String, i64)> {
        let mut noted = self
            .by_session
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *noted).into_iter().collect()
    }
}

impl Records {
    /// Writes down which sessions were used.
    pub(crate) async fn write_uses(&self) -> Result<(), Error> {
        let uses = self.inner.used.take();
        for chunk in uses.chunks(CHUNK) {
            let chunk = chunk.to_vec();
            let write = move |tx: &mut Tx<'_>| {
                for (session, used_at) in &chunk {
                    // The idle limit moves with the use; what it is was decided at the last refresh.
                    tx.execute(
                        "UPDATE _mito_records_sessions \
                         SET idle_at = idle_at + ($1 - used_at), used_at = $1 \
                         WHERE id = $2 AND used_at < $1 AND refreshable = 1",
                        &[used_at, session],
                    )?;
                }
                Ok::<_, Error>(())
            };
            self.inner.database.write(write).await?;
        }
        Ok(())
    }
}
