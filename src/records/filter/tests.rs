//! The language: its grammar, and what it finds in a real database.

mod grammar;
pub(crate) mod library;
mod paths;
mod requests;

use library::Library;

use crate::filter::resolve::Author;

/// Checks which posts a rule finds, in the order of their ids.
async fn check_all(library: &Library, cases: &[(&'static str, &str)]) {
    for (rule, expected) in cases {
        let found = library.find("posts", rule, Author::Trusted).await;
        assert_eq!(found, *expected, "{rule}");
    }
}
