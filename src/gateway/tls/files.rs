//! Certificates of the operator's own. A pair that cannot be used is named with the reason and hurts
//! no other; one that breaks while mito runs stays as it was until its files are right again.

#[cfg(test)]
mod tests;

use std::{
    fs, io,
    os::unix::fs::MetadataExt as _,
    path::Path,
    sync::{Arc, PoisonError, RwLock},
};

use rustls::sign::CertifiedKey;

use super::certificate::Certificate;
use crate::config::CertificateFiles;

/// The largest file that is read, in bytes.
const MAX_FILE_BYTES: u64 = 1024 * 1024;

/// The certificates of `[gateway.tls]` and of the files of the dynamic configuration.
#[derive(Debug, Default)]
pub(crate) struct OwnCertificates(RwLock<Vec<Pair>>);

/// A pair of files with what was read of it.
#[derive(Clone, Debug)]
pub(crate) struct Pair {
    pub(crate) files: CertificateFiles,
    pub(crate) certificate: Option<Arc<Certificate>>,
    pub(crate) error: Option<String>,
    stamp: Option<[Stamp; 2]>,
    /// It is shown where no other fits.
    is_default: bool,
}

/// What changes when a file is written or replaced: device, inode, size and time.
type Stamp = (u64, u64, u64, i64, i64);

impl OwnCertificates {
    /// Has these pairs from now on, and that one for names that none of them covers; those that were
    /// read stay read.
    pub(crate) fn set(&self, files: Vec<CertificateFiles>, default: Option<CertificateFiles>) {
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let before = std::mem::take(&mut *known);
        let each = files.into_iter().map(|files| (files, false));
        *known = each
            .chain(default.map(|files| (files, true)))
            .map(|(files, is_default)| {
                let read = before.iter().find(|pair| pair.files == files);
                let pair = read.cloned().unwrap_or_else(|| Pair::unread(files));
                Pair { is_default, ..pair }
            })
            .collect();
    }

    /// Reads the pairs that have changed; returns whether any has. Blocks.
    pub(crate) fn refresh(&self) -> bool {
        let mut changed = false;
        for mut pair in self.pairs() {
            if !pair.refresh() {
                continue;
            }
            changed = true;
            let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
            // It may have been taken away meanwhile.
            for place in known.iter_mut().filter(|known| known.files == pair.files) {
                let is_default = place.is_default;
                *place = Pair {
                    is_default,
                    ..pair.clone()
                };
            }
        }
        changed
    }

    /// The certificate for `host`: one that names it before one whose wildcard covers it.
    pub(crate) fn find(&self, host: &str) -> Option<Arc<CertifiedKey>> {
        let pairs = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let mut fitting = pairs
            .iter()
            .filter_map(|pair| pair.certificate.as_ref())
            .filter(|certificate| certificate.covers(host));
        let first = fitting.clone().find(|certificate| {
            let names = &certificate.facts.sans;
            names.iter().any(|name| name.eq_ignore_ascii_case(host))
        });
        Some(first.or_else(|| fitting.next())?.key.clone())
    }

    /// The certificate for names that none covers.
    pub(crate) fn fallback(&self) -> Option<Arc<CertifiedKey>> {
        let pairs = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let default = pairs.iter().find(|pair| pair.is_default)?;
        Some(default.certificate.as_ref()?.key.clone())
    }

    /// The pairs as they are.
    pub(crate) fn pairs(&self) -> Vec<Pair> {
        self.0
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl Pair {
    fn unread(files: CertificateFiles) -> Self {
        Self {
            files,
            certificate: None,
            error: None,
            stamp: None,
            is_default: false,
        }
    }

    /// Reads the pair if it has changed since; returns whether it has.
    fn refresh(&mut self) -> bool {
        let stamp = stamp(&self.files.cert_file)
            .and_then(|certificate| Ok([certificate, stamp(&self.files.key_file)?]));
        if self.stamp.is_some() && self.stamp == stamp.as_ref().ok().copied() {
            return false;
        }
        let read = stamp.and_then(|stamp| self.read().map(|read| (stamp, read)));
        match read {
            Ok((stamp, certificate)) => {
                self.stamp = Some(stamp);
                self.certificate = Some(Arc::new(certificate));
                self.error = None;
                tracing::info!(path = %self.files.cert_file.display(), "read a certificate");
                true
            }
            Err(error) if self.error.as_ref() == Some(&error) => false,
            Err(error) => {
                tracing::error!(%error, "a certificate of the configuration cannot be used");
                self.error = Some(error);
                true
            }
        }
    }

    fn read(&self) -> Result<Certificate, String> {
        let chain = read(&self.files.cert_file)?;
        let key = read(&self.files.key_file)?;
        Certificate::from_pem(&chain, &key).map_err(|reason| {
            format!(
                "{} with {}: {reason}",
                self.files.cert_file.display(),
                self.files.key_file.display()
            )
        })
    }
}

fn stamp(path: &Path) -> Result<Stamp, String> {
    let found = fs::metadata(path).map_err(|error| failure(path, &error))?;
    if found.len() > MAX_FILE_BYTES {
        return Err(format!("{}: over {MAX_FILE_BYTES} bytes", path.display()));
    }
    Ok((
        found.dev(),
        found.ino(),
        found.len(),
        found.mtime(),
        found.mtime_nsec(),
    ))
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    fs::read(path).map_err(|error| failure(path, &error))
}

fn failure(path: &Path, error: &io::Error) -> String {
    format!("{}: {error}", path.display())
}
