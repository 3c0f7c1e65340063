//! The embedded single-page application and its headers.

use mito_network::HttpService;

/// The application: its files with a strict content security policy, and `index.html` for every
/// path that is none.
pub fn service() -> HttpService {
    todo!("web helper")
}
