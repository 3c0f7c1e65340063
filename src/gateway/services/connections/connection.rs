//! One connection, and the body of an answer that comes by it. What they wait for is the socket
//! alone: answers and parts of bodies appear while the connection is polled, so the channels that
//! hyper hands them over by need no waker, which would only wake the task that runs already.

use std::{
    future::poll_fn,
    pin::{Pin, pin},
    task::{Context, Poll, Waker},
};

use axum::body::Body;
use bytes::Bytes;
use http::{Request, Response};
use http_body::{Body as HttpBody, Frame, SizeHint};
use hyper::{
    body::Incoming,
    client::conn::{TrySendError, http1::SendRequest},
};

use mito_network::timer::Timer;

use super::{Connections, Patience, Server};

/// What reads and writes. hyper has no public name for a connection that can be upgraded.
type Protocol = Pin<Box<dyn Future<Output = hyper::Result<()>> + Send>>;

/// A connection.
pub(super) struct Connection {
    sender: SendRequest<Body>,
    protocol: Protocol,
    ended: bool,
    /// Of the request that is waited for.
    waiting: Timer<()>,
}

/// Why there is no answer.
pub(super) enum Unanswered {
    /// The connection was closed; nothing of the request was sent.
    Unsent(Box<Request<Body>>),
    /// The connection broke.
    Failed(hyper::Error),
    /// It ended without a reason.
    Closed,
    /// The server took too long.
    TimedOut,
}

impl Connection {
    pub(super) fn new<P>(sender: SendRequest<Body>, protocol: P) -> Self
    where
        P: Future<Output = hyper::Result<()>> + Send + 'static,
    {
        Self {
            sender,
            protocol: Box::pin(protocol),
            ended: false,
            waiting: Timer::default(),
        }
    }

    /// Reads and writes what can be; whether the connection is at its end.
    fn drive(&mut self, context: &mut Context<'_>) -> bool {
        // An error reaches whoever waits for the answer or its body.
        self.ended = self.ended || self.protocol.as_mut().poll(context).is_ready();
        self.ended
    }

    /// Sends a request and waits for the beginning of its answer.
    pub(super) async fn exchange(
        &mut self,
        request: Request<Body>,
        patience: &Patience<'_>,
    ) -> Result<Response<Incoming>, Unanswered> {
        let mut answer = pin!(self.sender.try_send_request(request));
        let answer = poll_fn(|context| {
            // Not by `drive`, since the sender is lent to the answer in the eyes of the compiler.
            self.ended = self.ended || self.protocol.as_mut().poll(context).is_ready();
            let mut unwoken = Context::from_waker(Waker::noop());
            match answer.as_mut().poll(&mut unwoken) {
                Poll::Ready(answer) => Poll::Ready(answer.map_err(Unanswered::of)),
                Poll::Pending if self.ended => Poll::Ready(Err(Unanswered::Closed)),
                Poll::Pending => {
                    let Some(until) = patience.until() else {
                        return Poll::Pending;
                    };
                    let waited = self.waiting.poll_until((), until, context);
                    waited.map(|()| Err(Unanswered::TimedOut))
                }
            }
        });
        let answer = answer.await;
        self.waiting.disarm();
        answer
    }

    /// Whether it takes a request. After being idle it is looked at anew: the server may have closed it.
    pub(super) fn still_works(&mut self) -> bool {
        self.drive(&mut Context::from_waker(Waker::noop()));
        self.is_ready()
    }

    /// Whether it takes a request, as far as is known.
    pub(super) fn is_ready(&self) -> bool {
        !self.ended && self.sender.is_ready()
    }

    /// Whether nothing more comes of it.
    pub(super) fn has_ended(&self) -> bool {
        self.ended
    }

    /// Drives it until it takes a request or has ended.
    pub(super) async fn until_ready(&mut self) {
        poll_fn(|context| {
            let over = self.drive(context) || self.sender.is_ready();
            if over { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }

    /// Drives it to its end.
    pub(super) async fn until_end(mut self) {
        poll_fn(|context| {
            let over = self.drive(context);
            if over { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }
}

impl Unanswered {
    fn of(mut error: TrySendError<Request<Body>>) -> Self {
        match error.take_message() {
            Some(request) => Self::Unsent(Box::new(request)),
            None => Self::Failed(error.into_error()),
        }
    }
}

/// The body of an answer that came by `connection`.
pub(super) fn answer(
    body: Incoming,
    connection: Connection,
    connections: Connections,
    server: Server,
) -> Body {
    if body.is_end_stream() {
        connections.put(server, connection);
        return Body::empty();
    }
    Body::new(Answer {
        body,
        held: Some((connection, connections, server)),
        error: None,
    })
}

struct Answer {
    body: Incoming,
    /// Until the answer has ended.
    held: Option<(Connection, Connections, Server)>,
    /// How it broke off, if it did and nobody knows of it yet.
    error: Option<hyper::Error>,
}

impl HttpBody for Answer {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let this = &mut *self;
        if let Some(error) = this.error.take() {
            return Poll::Ready(Some(Err(error)));
        }
        let mut unwoken = Context::from_waker(Waker::noop());
        let mut polled = Pin::new(&mut this.body).poll_frame(&mut unwoken);
        if polled.is_pending()
            && let Some((connection, ..)) = &mut this.held
        {
            connection.drive(context);
            polled = Pin::new(&mut this.body).poll_frame(&mut unwoken);
        }
        // Whoever writes the answer drops what it has not written when it hears of an error. What came
        // before goes out first: it is written while nothing more comes.
        if let Poll::Ready(Some(Err(error))) = polled {
            this.error = Some(error);
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        let is_over = match &polled {
            Poll::Ready(Some(Ok(_))) => this.body.is_end_stream(),
            Poll::Ready(None) => true,
            Poll::Ready(Some(Err(_))) | Poll::Pending => false,
        };
        if is_over && let Some((mut connection, connections, server)) = this.held.take() {
            if !connection.is_ready() {
                connection.drive(context);
            }
            connections.put(server, connection);
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.error.is_none() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
