//! What the control panel reads: the mailbox, deliveries, the inbox.

use axum::{
    Json, Router,
    extract::{Path, Query, State},
    routing::get,
};
use http::StatusCode;
use mito_database::{Database, Error, Tx};
use mito_network::Problem;
use serde::{Deserialize, Serialize};

use crate::store::{self, Delivery, InboxEntry, MailboxItem, MailboxMessage};

/// How many rows a page has unless asked otherwise.
const DEFAULT_LIMIT: u32 = 50;
/// The most rows of a page.
const MAX_LIMIT: u32 = 500;

#[derive(Debug, Deserialize)]
struct PageQuery {
    limit: Option<u32>,
    before: Option<String>,
}

#[derive(Serialize)]
struct Page<T> {
    items: Vec<T>,
    next: Option<String>,
}

pub(crate) fn routes(database: Database) -> Router {
    Router::new()
        .route("/mailbox", get(mailbox))
        .route("/mailbox/{id}", get(mailbox_message))
        .route("/deliveries", get(deliveries))
        .route("/inbox", get(inbox))
        .with_state(database)
}

async fn mailbox(
    State(database): State<Database>,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page<MailboxItem>>, Problem> {
    page(&database, query, store::mailbox, |item| &item.id).await
}

async fn deliveries(
    State(database): State<Database>,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page<Delivery>>, Problem> {
    page(&database, query, store::deliveries, |item| &item.id).await
}

async fn inbox(
    State(database): State<Database>,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page<InboxEntry>>, Problem> {
    page(&database, query, store::inbox, |item| &item.id).await
}

async fn mailbox_message(
    State(database): State<Database>,
    Path(id): Path<String>,
) -> Result<Json<MailboxMessage>, Problem> {
    let message = database
        .read(move |tx| store::mailbox_message(tx, &id))
        .await;
    let message = message.map_err(problem)?;
    message
        .map(Json)
        .ok_or_else(|| Problem::new(StatusCode::NOT_FOUND, "there is no such message (any more)"))
}

/// Reads one page of a list.
type ReadPage<T> = fn(&mut Tx<'_>, Option<&str>, u32) -> Result<Vec<T>, Error>;

async fn page<T: Send + 'static>(
    database: &Database,
    query: PageQuery,
    read: ReadPage<T>,
    id: fn(&T) -> &String,
) -> Result<Json<Page<T>>, Problem> {
    let limit = query.limit.unwrap_or(DEFAULT_LIMIT).clamp(1, MAX_LIMIT);
    let items = database
        .read(move |tx| read(tx, query.before.as_deref(), limit))
        .await;
    let items = items.map_err(problem)?;
    let is_full = items.len() >= limit as usize;
    let next = items
        .last()
        .filter(|_| is_full)
        .map(|item| id(item).clone());
    Ok(Json(Page { items, next }))
}

fn problem(error: Error) -> Problem {
    if error.is_transient() {
        return Problem::new(StatusCode::SERVICE_UNAVAILABLE, error.to_string()).retry_after(1);
    }
    tracing::error!(%error, "could not read notifications for the panel");
    Problem::new(
        StatusCode::INTERNAL_SERVER_ERROR,
        "the database failed; the log has the cause",
    )
}
