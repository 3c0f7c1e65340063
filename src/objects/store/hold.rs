//! Holding removals back while a backup copies the metadata and the blobs that it names.

use std::sync::Arc;

use tokio::sync::{OwnedRwLockReadGuard, OwnedRwLockWriteGuard, RwLock};

use super::Objects;

/// Who removes takes it for reading, who must not lose anything takes it for writing.
pub(crate) type Removals = Arc<RwLock<()>>;

/// While it lives, nothing is removed.
pub struct Hold {
    _guard: OwnedRwLockWriteGuard<()>,
}

/// While it lives, nobody may rely on what is there.
pub struct Removing {
    _guard: OwnedRwLockReadGuard<()>,
}

impl Objects {
    /// Waits until nobody removes, and holds removals back from then on.
    pub async fn hold_removals(&self) -> Hold {
        Hold {
            _guard: Arc::clone(&self.inner.removals).write_owned().await,
        }
    }

    /// Waits until nobody holds removals back. Taken for a batch, never for long.
    pub async fn removing(&self) -> Removing {
        Removing {
            _guard: Arc::clone(&self.inner.removals).read_owned().await,
        }
    }
}
