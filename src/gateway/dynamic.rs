//! Traefik's dynamic configuration: YAML and TOML files in the folder `gateway` below the data
//! folder. They may be changed at any time; a file that is wrong keeps what it said before.
//!
//! | module | what it holds |
//! |---|---|
//! | [`document`] | what a file may say: routers, services, transports |
//! | [`duration`] | times as Go writes them |
//! | [`middlewares`] | what each kind of middleware can be told |
//! | [`places`] | where in a file its objects stand |
//! | [`tls`] | certificates, and how TLS is spoken |
//! | [`read`] | text to a document, or what is wrong with it and in which line |
//! | [`folder`] | the files, read and written |
//! | [`watch`] | the task that sees them change |

pub(crate) mod document;
pub(crate) mod duration;
pub(crate) mod folder;
pub(crate) mod middlewares;
mod places;
pub(crate) mod read;
pub(crate) mod tls;
pub(crate) mod watch;

pub(crate) use document::Document;
pub(crate) use read::{Format, Wrong};
