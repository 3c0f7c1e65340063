//! How an entry lies on disk: version, flags, expiry, checksum over key and all the rest, value.
//! Numbers are big-endian.

use bytes::Bytes;
use crc_fast::{CrcAlgorithm, Digest};

/// The version of the layout.
const VERSION: u8 = 1;

/// Set in the flags when the entry has an expiry.
const EXPIRES: u8 = 1;

/// version, flags, expiry, checksum
const HEADER_BYTES: usize = 1 + 1 + 8 + 8;

/// Where the checksum begins.
const CHECKSUM_AT: usize = 10;

/// An entry's bytes.
pub(super) fn encode(key: &[u8], value: &[u8], expires_ms: Option<i64>) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(HEADER_BYTES + value.len());
    bytes.push(VERSION);
    bytes.push(if expires_ms.is_some() { EXPIRES } else { 0 });
    bytes.extend(expires_ms.unwrap_or(0).to_be_bytes());
    let sum = checksum(key, &bytes, value);
    bytes.extend(sum.to_be_bytes());
    bytes.extend_from_slice(value);
    bytes
}

/// The value and expiry behind an entry's bytes; `None` when they are not what was written.
pub(super) fn decode(key: &[u8], bytes: &[u8]) -> Option<(Bytes, Option<i64>)> {
    let (header, value) = bytes.split_at_checked(HEADER_BYTES)?;
    let (head, sum) = header.split_at(CHECKSUM_AT);
    if head[0] != VERSION || sum != checksum(key, head, value).to_be_bytes() {
        return None;
    }
    let expires_ms = i64::from_be_bytes(head[2..].try_into().ok()?);
    Some((
        Bytes::copy_from_slice(value),
        (head[1] & EXPIRES != 0).then_some(expires_ms),
    ))
}

fn checksum(key: &[u8], head: &[u8], value: &[u8]) -> u64 {
    let mut digest = Digest::new(CrcAlgorithm::Crc64Nvme);
    digest.update(key);
    digest.update(head);
    digest.update(value);
    digest.finalize()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_encoded_is_decoded() {
        for (value, expires_ms) in [
            (&b""[..], None),
            (b"value", None),
            (b"value", Some(0)),
            (b"value", Some(1_700_000_000_000)),
        ] {
            let bytes = encode(b"key", value, expires_ms);
            assert_eq!(
                decode(b"key", &bytes),
                Some((Bytes::from_static(value), expires_ms))
            );
        }
    }

    #[test]
    fn any_changed_byte_is_noticed() {
        let bytes = encode(b"key", b"value", Some(7));
        for position in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[position] ^= 0x10;
            assert_eq!(decode(b"key", &damaged), None, "byte {position}");
            assert_eq!(
                decode(b"key", &bytes[..position]),
                None,
                "cut at {position}"
            );
        }
        assert_eq!(decode(b"other", &bytes), None, "the key belongs to it");
    }
}
