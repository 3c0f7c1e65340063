//! The control panel's side of the API: sessions by cookie, and the check that everything else is
//! asked for by an administrator.

pub(crate) mod cookie;
pub(crate) mod guard;
pub(crate) mod session;
pub mod types;

use http::StatusCode;
use mito_network::Problem;
use mito_records::Error;

use crate::caller::Caller;

/// No such path.
pub(crate) async fn no_route() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "There is no such endpoint.")
}

/// The path does not know the method.
pub(crate) async fn no_method() -> Problem {
    Problem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "The endpoint does not know this method.",
    )
}

/// The one table from errors to problems.
pub(crate) fn problem(error: Error, caller: &Caller) -> Problem {
    match error {
        Error::NotFound | Error::MissingCollection => no_such_thing(),
        Error::Forbidden(detail) => Problem::new(StatusCode::FORBIDDEN, detail),
        Error::Unauthorized(detail) => Problem::new(StatusCode::UNAUTHORIZED, detail),
        Error::Invalid(detail) => Problem::new(StatusCode::BAD_REQUEST, detail),
        Error::Fields(fields) => match fields.into_iter().next() {
            Some((name, error)) => Problem::new(StatusCode::BAD_REQUEST, error.message).field(name),
            None => Problem::new(StatusCode::BAD_REQUEST, "The request is invalid."),
        },
        Error::TooManyRequests { retry_after } => {
            let seconds = u32::try_from(retry_after.as_secs())
                .unwrap_or(u32::MAX)
                .max(1);
            let detail = "There were too many attempts. Try again later.";
            Problem::new(StatusCode::TOO_MANY_REQUESTS, detail).retry_after(seconds)
        }
        Error::Database(mito_database::Error::TimedOut) => {
            let detail = "The request takes the database too long and was stopped. Ask for less.";
            Problem::new(StatusCode::BAD_REQUEST, detail)
        }
        Error::Database(error) if error.is_transient() => {
            let detail = "The database is busy. Try again.";
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail).retry_after(1)
        }
        Error::Database(mito_database::Error::Full) => {
            let detail = "The disk is full. Nothing was written.";
            Problem::new(StatusCode::INSUFFICIENT_STORAGE, detail)
        }
        Error::Database(_) | Error::Internal(_) => {
            tracing::error!(%error, request.id = %caller.request_id, "a panel request failed");
            Problem::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                "Something went wrong; see the log.",
            )
        }
    }
}

fn no_such_thing() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "It does not exist.")
}
