//! What has to survive a restart: the account, the certificates and how orders went, below `acme/` of
//! the data folder, one folder an authority. Files are 0600 and replaced as a whole; a certificate
//! and its key stand in one file, so that neither is ever there without the other.

#[cfg(test)]
mod tests;

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use mito_core::files;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::tls::certificate::Certificate;

/// The files of one authority. Its methods block.
#[derive(Clone, Debug)]
pub(crate) struct Store(PathBuf);

/// How the orders of a host went.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Attempts {
    /// Failures in a row.
    pub(crate) failures: u32,
    /// Before then nothing is ordered, in milliseconds since the Unix epoch.
    pub(crate) not_before_ms: i64,
    /// Why the last order failed.
    pub(crate) last_error: Option<String>,
}

impl Store {
    /// The files of the authority with that directory.
    pub(crate) fn new(data: &Path, directory: &str) -> Self {
        let name: String = directory
            .trim_start_matches("https://")
            .chars()
            .map(|letter| match letter.to_ascii_lowercase() {
                letter @ ('a'..='z' | '0'..='9' | '-' | '.') => letter,
                _ => '_',
            })
            .collect();
        Self(data.join("acme").join(name.trim_start_matches('.')))
    }

    /// The certificate of a host, `None` if there is none.
    pub(crate) fn certificate(&self, host: &str) -> Result<Option<Certificate>, String> {
        let path = self.path(host, "pem");
        let read = match fs::read(&path) {
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(format!("{}: {error}", path.display())),
        };
        Certificate::from_pem(&read, &read)
            .map(Some)
            .map_err(|reason| format!("{}: {reason}", path.display()))
    }

    /// Keeps the certificate and the key of a host, both in `pem`.
    pub(crate) fn keep_certificate(&self, host: &str, pem: &[u8]) -> Result<(), String> {
        self.replace(&self.path(host, "pem"), pem)
    }

    /// How the orders of a host went. A file that cannot be read counts as none.
    pub(crate) fn attempts(&self, host: &str) -> Attempts {
        read_json(&self.path(host, "json")).unwrap_or_default()
    }

    /// Keeps how the orders of a host went.
    pub(crate) fn keep_attempts(&self, host: &str, attempts: &Attempts) -> Result<(), String> {
        let text = serde_json::to_vec_pretty(attempts).map_err(|error| error.to_string())?;
        self.replace(&self.path(host, "json"), &text)
    }

    /// The account, if there is one that can be read.
    pub(crate) fn account<T: DeserializeOwned>(&self) -> Option<T> {
        read_json(&self.account_path())
    }

    /// Keeps the account, as JSON.
    pub(crate) fn keep_account(&self, account: &[u8]) -> Result<(), String> {
        self.replace(&self.account_path(), account)
    }

    /// Sets the account aside, because the authority does not know it any more.
    pub(crate) fn forget_account(&self) {
        let path = self.account_path();
        let aside = path.with_extension("unknown");
        if let Err(error) = fs::rename(&path, &aside)
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::warn!(%error, path = %path.display(), "the account cannot be set aside");
        }
    }

    fn account_path(&self) -> PathBuf {
        self.0.join("account.json")
    }

    /// `host` is a DNS name that [`super::may_be_ordered`] let through: it holds no separator.
    fn path(&self, host: &str, extension: &str) -> PathBuf {
        self.0.join("hosts").join(format!("{host}.{extension}"))
    }

    fn replace(&self, path: &Path, content: &[u8]) -> Result<(), String> {
        files::create_folder(&self.0.join("hosts"))
            .and_then(|()| files::replace(path, content))
            .map_err(|error| format!("{}: {error}", path.display()))
    }
}

/// The content of a file, `None` where there is none or it cannot be read.
fn read_json<T: DeserializeOwned>(path: &Path) -> Option<T> {
    serde_json::from_slice(&fs::read(path).ok()?)
        .inspect_err(|error| {
            tracing::warn!(%error, path = %path.display(), "the file cannot be read");
        })
        .ok()
}
