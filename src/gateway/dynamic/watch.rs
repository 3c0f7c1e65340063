//! Sees the files of the dynamic configuration and the certificates it names change. They are looked
//! at every second instead of listened to: notices of the system are lost on network file systems and
//! where a file is mounted over another one.

use std::{sync::Arc, time::Duration};

use mito_core::Shutdown;

use crate::state::State;

/// Between two looks.
const EVERY: Duration = Duration::from_secs(1);

/// Puts what the files say in place whenever it has changed, until shutdown.
pub(crate) async fn run(state: Arc<State>, shutdown: &Shutdown) {
    loop {
        tokio::select! {
            () = shutdown.begun() => return,
            () = state.clock.sleep(EVERY) => {}
        }
        let looking = Arc::clone(&state);
        let looked = tokio::task::spawn_blocking(move || {
            let changed = looking.files.refresh();
            if changed || looking.table.load().tls.is_stale() {
                looking.rebuild();
            }
            looking.certificates.refresh();
        });
        if let Err(error) = looked.await {
            tracing::error!(%error, "the configuration files cannot be looked at");
        }
    }
}
