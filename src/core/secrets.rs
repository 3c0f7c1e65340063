//! Secrets that the user did not set: generated once, kept with mode 0600 in `DATA/secrets`.

use std::{
    fs::{self, OpenOptions, Permissions},
    io::{self, ErrorKind, Write},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

use secrecy::SecretString;

use crate::{Random, files};

/// The longest file that is taken for a secret, in bytes.
const MAX_SECRET_BYTES: u64 = 64 * 1024;

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
    /// When several processes ask at once, all get the same.
    pub fn get_or_create(&self, name: &str) -> io::Result<SecretString> {
        check_name(name)?;
        let path = self.folder.join(name);
        match read(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => self.create(&path, name)?,
            other => return other,
        }
        read(&path)
    }

    /// Writes a new secret beside `path` and links it there, which fails if another process was
    /// faster; then that one's secret counts.
    fn create(&self, path: &Path, name: &str) -> io::Result<()> {
        files::create_folder(&self.folder)?;
        let staging = self.folder.join(format!(".{name}.{}", self.random.id(12)));
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&staging)?;
        file.write_all(self.random.token().as_bytes())?;
        file.sync_all()?;
        let linked = fs::hard_link(&staging, path);
        fs::remove_file(&staging)?;
        match linked {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
            _ => files::sync_folder(&self.folder),
        }
    }
}

fn check_name(name: &str) -> io::Result<()> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if name.is_empty() || name.starts_with('.') || !name.chars().all(plain) {
        return Err(io::Error::new(
            ErrorKind::InvalidInput,
            format!("{name:?} is not a name for a secret"),
        ));
    }
    Ok(())
}

fn read(path: &Path) -> io::Result<SecretString> {
    let metadata = fs::metadata(path)?;
    if metadata.len() > MAX_SECRET_BYTES {
        return Err(unusable(path, "is too large for a secret"));
    }
    if metadata.permissions().mode() & 0o077 != 0 {
        tracing::warn!(file = %path.display(), "others could read this secret; now they cannot");
        fs::set_permissions(path, Permissions::from_mode(0o600))?;
    }
    let text = fs::read_to_string(path)?;
    let text = text.trim_end_matches(['\n', '\r']);
    if text.is_empty() {
        return Err(unusable(
            path,
            "is empty; delete it to have a new one generated",
        ));
    }
    Ok(SecretString::from(text))
}

fn unusable(path: &Path, what: &str) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, format!("{} {what}", path.display()))
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;

    fn secrets(folder: &Path) -> Secrets {
        Secrets::new(folder.join("secrets"), Random::system())
    }

    #[test]
    fn a_secret_is_generated_once_with_mode_0600() {
        let folder = tempfile::tempdir().expect("a folder");
        let first = secrets(folder.path())
            .get_or_create("jwt")
            .expect("a secret");
        let second = secrets(folder.path())
            .get_or_create("jwt")
            .expect("the same secret");
        assert_eq!(first.expose_secret(), second.expose_secret());
        assert_eq!(first.expose_secret().len(), 43);
        let other = secrets(folder.path())
            .get_or_create("redis")
            .expect("another secret");
        assert_ne!(first.expose_secret(), other.expose_secret());
        let path = folder.path().join("secrets/jwt");
        assert_eq!(
            fs::metadata(path).expect("it exists").permissions().mode() & 0o777,
            0o600
        );
        let left: Vec<_> = fs::read_dir(folder.path().join("secrets"))
            .expect("a list")
            .collect();
        assert_eq!(left.len(), 2, "no staging files are left");
    }

    #[test]
    fn callers_at_the_same_time_get_the_same_secret() {
        let folder = tempfile::tempdir().expect("a folder");
        let secrets = secrets(folder.path());
        let got: Vec<String> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8)
                .map(|_| scope.spawn(|| secrets.get_or_create("jwt").expect("a secret")))
                .collect();
            threads
                .into_iter()
                .map(|thread| thread.join().expect("no panic").expose_secret().to_owned())
                .collect()
        });
        assert!(got.iter().all(|secret| *secret == got[0]), "{got:?}");
    }

    #[test]
    fn a_secret_that_others_can_read_is_closed_to_them() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("secrets/jwt");
        files::create_folder(&folder.path().join("secrets")).expect("a folder");
        fs::write(&path, "chosen by hand\n").expect("written");
        fs::set_permissions(&path, Permissions::from_mode(0o644)).expect("opened");
        let secret = secrets(folder.path())
            .get_or_create("jwt")
            .expect("the secret");
        assert_eq!(secret.expose_secret(), "chosen by hand");
        assert_eq!(
            fs::metadata(&path).expect("it exists").permissions().mode() & 0o777,
            0o600
        );
    }

    #[test]
    fn bad_names_and_empty_files_are_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        for name in ["", "..", ".hidden", "a/b", "a b"] {
            let error = secrets(folder.path()).get_or_create(name).expect_err(name);
            assert_eq!(error.kind(), ErrorKind::InvalidInput, "{name:?}");
        }
        files::create_folder(&folder.path().join("secrets")).expect("a folder");
        fs::write(folder.path().join("secrets/jwt"), "").expect("written");
        let error = secrets(folder.path())
            .get_or_create("jwt")
            .expect_err("it is empty");
        assert!(error.to_string().contains("is empty"), "{error}");
    }
}
