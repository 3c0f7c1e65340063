//! What can be said of a text without a model: its language, its telling sentences, its key
//! phrases. Together they are the provider called `extractive`: sentences and phrases are copied
//! from the source, nothing is written.

pub(crate) mod language;
pub(crate) mod phrases;
pub(crate) mod sentences;
mod stopwords;
pub(crate) mod summary;

/// The name of the provider in runs.
pub(crate) const PROVIDER: &str = "extractive";
