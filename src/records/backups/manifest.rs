//! What an archive says of itself.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The name of the manifest in the archive.
pub(super) const NAME: &str = "manifest.json";
/// The layout of archives that this program writes and reads.
pub(super) const FORMAT: u32 = 1;
/// The largest manifest, in bytes: a million files.
pub(super) const MAX_BYTES: u64 = 256 * 1024 * 1024;

/// The manifest.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Manifest {
    /// The layout.
    pub(super) format: u32,
    /// The version of the program that wrote it.
    pub(super) version: String,
    /// Every other file by its name in the archive.
    pub(super) files: BTreeMap<String, Entry>,
}

/// A file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Entry {
    /// Its length in bytes.
    pub(super) size: u64,
    /// Its SHA-256 in hex.
    pub(super) sha256: String,
}

/// Whether a file of that name belongs in a data folder. Everything else in an archive, paths that
/// lead out of it among that, is refused.
pub(super) fn is_known(name: &str) -> bool {
    let plain = |part: &str| {
        !part.is_empty()
            && !part.starts_with('.')
            && part
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
    };
    match name.split('/').collect::<Vec<_>>()[..] {
        ["mito.db" | "objects.db"] => true,
        ["secrets" | "gateway", name] => plain(name),
        ["objects", "blob", first, second, id] => [first, second, id].into_iter().all(plain),
        _ => false,
    }
}
