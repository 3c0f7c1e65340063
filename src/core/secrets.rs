//! Secrets that the user did not set: generated once, kept with mode 0600 in `DATA/secrets`.

use std::path::PathBuf;

use secrecy::SecretString;

use crate::Random;

/// The folder of generated secrets.
#[derive(Clone, Debug)]
pub struct Secrets {
    folder: PathBuf,
    random: Random,
}

impl Secrets {
    /// Uses `folder`, which is created when the first secret is.
    pub fn new(folder: PathBuf, random: Random) -> Self {
        Self { folder, random }
    }

    /// The secret of that name; generated (256 bits, URL-safe base64) if it does not exist yet.
    pub fn get_or_create(&self, name: &str) -> std::io::Result<SecretString> {
        let _ = (&self.folder, &self.random, name);
        todo!("core helper")
    }
}
