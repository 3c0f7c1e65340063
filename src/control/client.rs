//! How commands ask a running mito: one exchange of HTTP on the socket.

use std::{
    io::ErrorKind,
    path::{Path, PathBuf},
    pin::pin,
    time::Duration,
};

use bytes::Bytes;
use futures_util::future::Either;
use http::{Method, Request, Response};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use serde::{Serialize, de::DeserializeOwned};
use tokio::net::UnixStream;

use super::{MAX_BYTES, with_short_path};

/// The longest line of an answer that is read line by line, in bytes.
const MAX_LINE_BYTES: usize = 8 * 1024 * 1024;
/// How long a running mito may take to answer a command.
const ANSWER_LIMIT: Duration = Duration::from_secs(20);

/// Why a command could not be carried out by the running mito.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// No mito runs on the data folder.
    #[error("no mito runs on {}; start it with mito up, or name its data folder with --data", .0.display())]
    NotRunning(PathBuf),
    /// It refused.
    #[error("{0}")]
    Refused(String),
    /// The exchange failed.
    #[error("the exchange with the running mito failed: {0}")]
    Exchange(String),
}

/// Asks the mito that runs on `folder`.
pub async fn call<T: DeserializeOwned>(
    folder: &Path,
    method: Method,
    path: &str,
    body: Option<&impl Serialize>,
) -> Result<T, CallError> {
    call_within(ANSWER_LIMIT, folder, method, path, body).await
}

/// [`call`] for what may take longer.
pub async fn call_within<T: DeserializeOwned>(
    limit: Duration,
    folder: &Path,
    method: Method,
    path: &str,
    body: Option<&impl Serialize>,
) -> Result<T, CallError> {
    let exchanged = exchange(folder, method, path, body, async |response| {
        let body = whole(response).await?;
        let body: &[u8] = if body.is_empty() { b"null" } else { &body };
        serde_json::from_slice(body).map_err(|error| failed(&error))
    });
    tokio::time::timeout(limit, exchanged)
        .await
        .map_err(|_| CallError::Exchange(format!("no answer within {} s", limit.as_secs())))?
}

/// Asks, and hands each line of the answer to `on_line` as it comes, however long that takes. An
/// answer that breaks off just ends: its last line says whether it was whole.
pub async fn call_lines<T: DeserializeOwned>(
    folder: &Path,
    path: &str,
    body: &impl Serialize,
    mut on_line: impl FnMut(T),
) -> Result<(), CallError> {
    exchange(
        folder,
        Method::POST,
        path,
        Some(body),
        async |mut response| {
            let mut unread = Vec::new();
            while let Some(Ok(frame)) = response.body_mut().frame().await {
                unread.extend_from_slice(frame.data_ref().map_or(&[][..], |data| data));
                while let Some(end) = unread.iter().position(|byte| *byte == b'\n') {
                    let line: Vec<u8> = unread.drain(..=end).collect();
                    on_line(serde_json::from_slice(&line).map_err(|error| failed(&error))?);
                }
                if unread.len() > MAX_LINE_BYTES {
                    return Err(CallError::Exchange("a line is too long".to_owned()));
                }
            }
            Ok(())
        },
    )
    .await
}

async fn exchange<T>(
    folder: &Path,
    method: Method,
    path: &str,
    body: Option<&impl Serialize>,
    read: impl AsyncFnOnce(Response<Incoming>) -> Result<T, CallError>,
) -> Result<T, CallError> {
    let socket = folder.join("control.sock");
    let stream = with_short_path(&socket, std::os::unix::net::UnixStream::connect)
        .and_then(|stream| stream.set_nonblocking(true).map(|()| stream))
        .and_then(UnixStream::from_std)
        .map_err(|error| match error.kind() {
            ErrorKind::NotFound | ErrorKind::ConnectionRefused | ErrorKind::NotADirectory => {
                CallError::NotRunning(folder.to_owned())
            }
            _ => failed(&error),
        })?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .map_err(|error| failed(&error))?;
    let body = body
        .map(serde_json::to_vec)
        .transpose()
        .map_err(|error| failed(&error))?;
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("host", "control")
        .header("content-type", "application/json")
        .body(Full::new(Bytes::from(body.unwrap_or_default())))
        .map_err(|error| failed(&error))?;
    let answer = async {
        let response = sender.send_request(request).await;
        let response = response.map_err(|error| failed(&error))?;
        if response.status().is_success() {
            return read(response).await;
        }
        let problem = whole(response).await?;
        let problem: serde_json::Value = serde_json::from_slice(&problem).unwrap_or_default();
        let detail = problem["detail"].as_str().unwrap_or("it refused");
        Err(CallError::Refused(detail.to_owned()))
    };
    // An answer may be there and the connection closed behind it at the same time, as when mito
    // starts anew: then the answer counts.
    let (answer, connection) = (pin!(answer), pin!(connection));
    match futures_util::future::select(answer, connection).await {
        Either::Left((answer, _)) => answer,
        Either::Right((Ok(()), answer)) => answer.await,
        Either::Right((Err(error), _)) => Err(failed(&error)),
    }
}

async fn whole(response: Response<Incoming>) -> Result<Bytes, CallError> {
    let body = Limited::new(response.into_body(), MAX_BYTES)
        .collect()
        .await;
    Ok(body.map_err(|error| failed(&error))?.to_bytes())
}

fn failed(error: &dyn std::fmt::Display) -> CallError {
    CallError::Exchange(error.to_string())
}
