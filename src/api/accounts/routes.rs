//! The paths of accounts.

use std::sync::Arc;

use axum::{
    Router,
    routing::{delete, get, post},
};

use crate::{
    Api,
    accounts::{self, links, sessions, sign_in},
};

/// What accounts call with a bearer token, or to get one.
pub(crate) fn public() -> Router<Arc<Api>> {
    let of_collection = Router::new()
        .route("/auth-methods", get(accounts::methods))
        .route("/auth-with-password", post(sign_in::with_password))
        .route("/request-otp", post(sign_in::request_otp))
        .route("/auth-with-otp", post(sign_in::with_otp))
        .route("/auth-refresh", post(sign_in::refresh))
        .route("/request-email-change", post(links::request_email_change));
    Router::new()
        .nest("/collections/{collection}", of_collection)
        .merge(mailed())
        .route("/platform/v1/sign-out", post(sessions::sign_out))
        .route(
            "/platform/v1/sessions",
            get(sessions::list).delete(sessions::end_others),
        )
        .route("/platform/v1/sessions/{session}", delete(sessions::end))
}

/// What needs nobody to be signed in but a mail, and the links in it: the panel's pages for those
/// links call it on their own host.
pub(crate) fn mailed() -> Router<Arc<Api>> {
    let of_collection = Router::new()
        .route("/request-verification", post(links::request_verification))
        .route("/confirm-verification", post(links::confirm_verification))
        .route(
            "/request-password-reset",
            post(links::request_password_reset),
        )
        .route(
            "/confirm-password-reset",
            post(links::confirm_password_reset),
        )
        .route("/confirm-email-change", post(links::confirm_email_change));
    Router::new().nest("/collections/{collection}", of_collection)
}

/// What administrators call, from the panel too.
pub(crate) fn of_administrators() -> Router<Arc<Api>> {
    Router::new()
        .route(
            "/collections/{collection}/impersonate/{id}",
            post(sign_in::impersonate),
        )
        .route(
            "/platform/v1/accounts/{collection}/{id}/sessions",
            get(sessions::list_of_account).delete(sessions::end_all_of_account),
        )
        .route(
            "/platform/v1/accounts/{collection}/{id}/sessions/{session}",
            delete(sessions::end_of_account),
        )
}
