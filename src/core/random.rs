//! The one random source: the operating system's generator, or a seeded one in tests.

use std::sync::{Arc, Mutex, PoisonError};

use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};

/// Gives random bytes and identifiers. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Random(Option<Arc<Mutex<StdRng>>>);

/// The characters of a record id, as PocketBase draws them.
const ID_ALPHABET: &[u8; 36] = b"abcdefghijklmnopqrstuvwxyz0123456789";

impl Random {
    /// Cryptographically secure randomness.
    pub fn system() -> Self {
        Self(None)
    }

    /// The same sequence for the same seed. For tests alone.
    pub fn seeded(seed: u64) -> Self {
        Self(Some(Arc::new(Mutex::new(StdRng::seed_from_u64(seed)))))
    }

    /// `N` random bytes.
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        match &self.0 {
            None => rand::rng().random(),
            Some(seeded) => seeded
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .random(),
        }
    }

    /// A string of `length` characters out of `a-z0-9`, without modulo bias that matters here
    /// (36 out of 65,536). Record ids have 15.
    pub fn id(&self, length: usize) -> String {
        (0..length)
            .map(|_| {
                let draw = u16::from_le_bytes(self.bytes::<2>());
                char::from(ID_ALPHABET[usize::from(draw) % ID_ALPHABET.len()])
            })
            .collect()
    }

    /// A secret of 256 bits in URL-safe base64 (43 characters).
    pub fn token(&self) -> String {
        use base64::Engine as _;
        base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(self.bytes::<32>())
    }

    /// A UUID of version 7 for the given time (RFC 9562 §5.7), so that ids sort by time.
    pub fn uuid(&self, now_ms: i64) -> uuid::Uuid {
        let millis = u64::try_from(now_ms).unwrap_or(0);
        uuid::Builder::from_unix_timestamp_millis(millis, &self.bytes::<10>()).into_uuid()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeded_sources_repeat_and_system_ones_do_not() {
        assert_eq!(Random::seeded(7).id(15), Random::seeded(7).id(15));
        assert_ne!(Random::system().id(15), Random::system().id(15));
    }

    #[test]
    fn uuids_sort_by_time() {
        let random = Random::system();
        assert!(random.uuid(1_000) < random.uuid(2_000));
    }
}
