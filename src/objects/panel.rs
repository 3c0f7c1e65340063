//! What the control panel's object browser reads and does.

use axum::Router;

use crate::Objects;

/// Routes relative to `/_mito/api/objects`; the caller has checked that an administrator asks.
pub fn routes(objects: Objects) -> Router {
    let _ = objects;
    todo!("objects helper")
}
