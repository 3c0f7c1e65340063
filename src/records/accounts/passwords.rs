//! Passwords: argon2id with 19 MiB, two passes and one lane (OWASP ASVS 5.0, appendix C), on
//! blocking threads. As many hashes run at once as there are cores, so that memory stays bounded.

use std::{
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use argon2::{
    Algorithm, Argon2, Params, PasswordHasher as _, PasswordVerifier as _, Version,
    password_hash::phc::PasswordHash,
};
use mito_core::Random;
use secrecy::{ExposeSecret as _, SecretString};
use tokio::sync::Semaphore;

use crate::{
    Collection, Error, FieldError, SUPERUSERS, accounts::common::is_common, fields::accept,
};

/// Memory of one hash, in KiB.
const MEMORY_KIB: u32 = 19 * 1024;
/// Passes over the memory.
const PASSES: u32 = 2;
/// Bytes of salt.
const SALT_BYTES: usize = 16;
/// The shortest password, in characters, where the collection does not ask for more.
const MIN_CHARACTERS: usize = 8;
/// The longest password, in characters. Nothing is cut off.
const MAX_CHARACTERS: usize = 1_000;
/// The highest cost of an imported hash that is compared: some seconds.
const MAX_BCRYPT_COST: u32 = 15;
/// The longest that a no is held back so that it takes as long as others.
const MAX_PAUSE: Duration = Duration::from_secs(1);
/// How many hashes may wait for a core before callers are turned away.
const MAX_WAITING: usize = 64;
/// When a caller that was turned away may come back.
const BUSY_RETRY: Duration = Duration::from_secs(2);

/// Hashes and verifies passwords. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Passwords {
    running: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
    /// What an unknown account's password is compared with, so that the answer takes as long.
    nobody: Arc<OnceLock<String>>,
    /// How many passwords have been compared or hashed.
    runs: Arc<AtomicU64>,
    /// How long an imported hash takes, in microseconds; 0 while none was compared.
    imported_us: Arc<AtomicU64>,
    random: Random,
}

impl Passwords {
    pub(crate) fn new(random: Random) -> Self {
        let cores = thread::available_parallelism().map_or(2, std::num::NonZero::get);
        Self {
            running: Arc::new(Semaphore::new(cores)),
            waiting: Arc::new(Semaphore::new(cores + MAX_WAITING)),
            nobody: Arc::new(OnceLock::new()),
            runs: Arc::default(),
            imported_us: Arc::default(),
            random,
        }
    }

    /// The hash of a password as a PHC string.
    pub(crate) async fn hash(&self, password: SecretString) -> Result<String, Error> {
        let salt = self.random.bytes::<SALT_BYTES>();
        let runs = Arc::clone(&self.runs);
        let work = move || {
            runs.fetch_add(1, Ordering::Relaxed);
            hash(password.expose_secret(), &salt)
        };
        self.on_a_core(work).await?
    }

    /// Whether the password is the one that was hashed. Without a hash, or with an empty one, the
    /// answer is no and takes as long. Every no takes as long as one to an imported hash, once there
    /// was such, or it would tell which accounts were imported.
    pub(crate) async fn verify(
        &self,
        password: SecretString,
        hash: Option<String>,
    ) -> Result<bool, Error> {
        let (nobody, salt) = (Arc::clone(&self.nobody), self.random.bytes::<SALT_BYTES>());
        let runs = Arc::clone(&self.runs);
        let verify = move || {
            // Whoever signs in first makes it, so that its cost tells nothing of an account.
            let nobody = nobody.get_or_init(|| self::hash("nobody", &salt).unwrap_or_default());
            let known = hash.filter(|hash| !hash.is_empty());
            let compared = known.as_ref().unwrap_or(nobody);
            // A longer password can have been set nowhere; it is not worth the time of hashing it.
            let password = password.expose_secret();
            let cut = password.chars().nth(MAX_CHARACTERS).is_none();
            let tried = if cut { password.as_bytes() } else { b"" };
            runs.fetch_add(1, Ordering::Relaxed);
            let started = Instant::now();
            let imported = is_imported(compared);
            let matches = if imported {
                is_affordable(compared) && bcrypt::verify(tried, compared).unwrap_or(false)
            } else {
                let parsed = PasswordHash::new(compared).map_err(|error| {
                    Error::Internal(format!("a password hash is damaged: {error}"))
                })?;
                hasher()?.verify_password(tried, &parsed).is_ok()
            };
            let matches = matches && known.is_some() && cut;
            Ok::<_, Error>((matches, imported, started.elapsed()))
        };
        let (matches, imported, took) = self.on_a_core(verify).await??;
        let slowest = if imported {
            self.note_imported(took)
        } else {
            Duration::from_micros(self.imported_us.load(Ordering::Relaxed))
        };
        if !matches && took < slowest {
            tokio::time::sleep(slowest.saturating_sub(took)).await;
        }
        Ok(matches)
    }

    /// Follows how long imported hashes take: up at once, down slowly.
    fn note_imported(&self, took: Duration) -> Duration {
        let took_us = u64::try_from(took.min(MAX_PAUSE).as_micros()).unwrap_or(u64::MAX);
        let follow = |slowest: u64| Some(took_us.max(slowest - slowest / 16));
        let before = self
            .imported_us
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, follow);
        let before = before.unwrap_or_else(|same| same);
        Duration::from_micros(took_us.max(before - before / 16))
    }

    /// How often the slow function has run: what an answer costs, without a stopwatch.
    #[cfg(test)]
    pub(crate) fn runs(&self) -> u64 {
        self.runs.load(Ordering::Relaxed)
    }

    async fn on_a_core<T, F>(&self, work: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce() -> T + Send + 'static,
    {
        let _waiting = self
            .waiting
            .try_acquire()
            .map_err(|_| Error::TooManyRequests {
                retry_after: BUSY_RETRY,
            })?;
        let running = Arc::clone(&self.running).acquire_owned().await;
        let running =
            running.map_err(|_| Error::Internal("password hashing has stopped".to_owned()))?;
        // The permit goes with the work: a caller who goes away does not free the core.
        let hashed = tokio::task::spawn_blocking(move || {
            let _running = running;
            work()
        });
        hashed
            .await
            .map_err(|error| Error::Internal(format!("hashing a password failed: {error}")))
    }
}

fn hasher() -> Result<Argon2<'static>, Error> {
    let params = Params::new(MEMORY_KIB, PASSES, 1, None)
        .map_err(|error| Error::Internal(format!("argon2 parameters: {error}")))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

fn hash(password: &str, salt: &[u8]) -> Result<String, Error> {
    let hash = hasher()?
        .hash_password_with_salt(password.as_bytes(), salt)
        .map_err(|error| Error::Internal(format!("hashing a password failed: {error}")))?;
    Ok(hash.to_string())
}

/// Whether a hash comes from another PocketBase: bcrypt, which is compared, but not made.
pub(crate) fn is_imported(hash: &str) -> bool {
    ["$2a$", "$2b$", "$2x$", "$2y$"]
        .iter()
        .any(|prefix| hash.starts_with(prefix))
}

/// Whether an imported hash costs no more than a sign-in may.
fn is_affordable(hash: &str) -> bool {
    let cost = hash.split('$').nth(2).and_then(|cost| cost.parse().ok());
    cost.is_some_and(|cost: u32| cost <= MAX_BCRYPT_COST)
}

/// Whether a password may be set.
pub(crate) fn check(collection: &Collection, password: &str) -> Result<(), FieldError> {
    if password.is_empty() {
        return Err(FieldError::required());
    }
    let field = collection.field("password");
    let min = field
        .and_then(|field| field.limit_option("min"))
        .unwrap_or(0)
        .max(MIN_CHARACTERS);
    let length = password.chars().count();
    if length < min {
        return Err(accept::too_short(min));
    }
    if length > MAX_CHARACTERS {
        return Err(accept::too_long(MAX_CHARACTERS));
    }
    if collection.name == SUPERUSERS && is_common(password) {
        let message = "This password is too common; it would be among the first to be tried.";
        return Err(FieldError::new("validation_common_password", message));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_no_takes_as_long_as_one_to_an_imported_hash() {
        let passwords = Passwords::new(Random::seeded(1));
        let verify = async |password: &str, hash: Option<&str>| {
            let started = Instant::now();
            let hash = hash.map(str::to_owned);
            let matches = passwords.verify(SecretString::from(password), hash);
            (matches.await.unwrap(), started.elapsed())
        };
        let imported = bcrypt::hash("imported", 6).unwrap();
        assert!(verify("imported", Some(&imported)).await.0);
        assert!(!verify("another", Some(&imported)).await.0);
        // As if the hash had been a costly one.
        passwords.imported_us.store(400_000, Ordering::Relaxed);
        for hash in [None, Some(imported.as_str())] {
            let (matches, took) = verify("another", hash).await;
            assert!(!matches && took >= Duration::from_millis(300), "{took:?}");
        }
    }
}
