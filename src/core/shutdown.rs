//! The signal that ends every task: given once, seen by all clones.

use tokio_util::sync::CancellationToken;

/// Tells tasks to end. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Shutdown(CancellationToken);

impl Shutdown {
    /// A signal that has not been given.
    pub fn new() -> Self {
        Self::default()
    }

    /// A signal that is given with this one, and can also be given alone.
    #[must_use]
    pub fn child(&self) -> Self {
        Self(self.0.child_token())
    }

    /// Gives the signal.
    pub fn begin(&self) {
        self.0.cancel();
    }

    /// Whether the signal has been given.
    pub fn has_begun(&self) -> bool {
        self.0.is_cancelled()
    }

    /// Returns when the signal has been given.
    pub async fn begun(&self) {
        self.0.cancelled().await;
    }
}
