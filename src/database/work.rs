//! A closure on its way through a database thread: it runs, perhaps more than once, and answers
//! its caller after the commit.

use std::panic::{AssertUnwindSafe, catch_unwind};

use mito_core::supervisor::record_panic;
use tokio::sync::oneshot;
use tracing::Span;

use crate::{Error, Tx};

/// What a database thread does with a closure of any type.
pub(crate) trait Work: Send {
    /// Runs the closure, panics contained; whether its effects are to be kept.
    fn run(&mut self, tx: &mut Tx<'_>) -> bool;
    /// Replaces the result: the engine failed where the closure could not see it.
    fn refuse(&mut self, error: Error);
    /// Hands the result to the caller.
    fn answer(self: Box<Self>);
    /// Whether the caller has gone, so that nobody waits for an effect.
    fn is_abandoned(&self) -> bool;
}

struct Job<T, E, F> {
    work: F,
    span: Span,
    result: Option<Result<T, E>>,
    reply: oneshot::Sender<Result<T, E>>,
}

/// What the caller waits on.
pub(crate) type Reply<T, E> = oneshot::Receiver<Result<T, E>>;

/// Packs a closure for a database thread.
pub(crate) fn pack<T, E, F>(work: F) -> (Box<dyn Work>, Reply<T, E>)
where
    F: Fn(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
    T: Send + 'static,
    E: From<Error> + Send + 'static,
{
    let (reply, receiver) = oneshot::channel();
    (
        Box::new(Job {
            work,
            span: Span::current(),
            result: None,
            reply,
        }),
        receiver,
    )
}

impl<T, E, F> Work for Job<T, E, F>
where
    F: Fn(&mut Tx<'_>) -> Result<T, E> + Send,
    T: Send,
    E: From<Error> + Send,
{
    fn run(&mut self, tx: &mut Tx<'_>) -> bool {
        let _entered = self.span.enter();
        // The closure is `Fn` and the transaction is rolled back, so nothing half-done is seen.
        let result = catch_unwind(AssertUnwindSafe(|| (self.work)(tx))).unwrap_or_else(|panic| {
            let said = record_panic("database", panic.as_ref());
            tracing::error!(
                panic.message = said,
                "a database closure panicked; rolled back"
            );
            Err(E::from(Error::Engine(format!("a closure {said}"))))
        });
        let keep = result.is_ok();
        self.result = Some(result);
        keep
    }

    fn refuse(&mut self, error: Error) {
        self.result = Some(Err(E::from(error)));
    }

    fn answer(self: Box<Self>) {
        let result = self.result.unwrap_or_else(|| Err(E::from(Error::Closed)));
        // The caller may have gone; the commit stands.
        let _ = self.reply.send(result);
    }

    fn is_abandoned(&self) -> bool {
        self.reply.is_closed()
    }
}
