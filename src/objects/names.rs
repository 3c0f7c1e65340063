//! Which names buckets and keys may have, and the order of keys.
//!
//! Keys are opaque: `..`, `//x`, `a` beside `a/b` are all fine, since a key never becomes a path.

use std::net::Ipv4Addr;

use crate::Error;

/// The bucket of the files of records. Whoever browses objects may read it, but it is changed by
/// what happens to records alone: a record would name a file that is not there.
pub const RECORDS_BUCKET: &str = "mito-records";
/// The longest key, in bytes of UTF-8.
pub(crate) const MAX_KEY_BYTES: usize = 1024;
const MIN_BUCKET_BYTES: usize = 3;
const MAX_BUCKET_BYTES: usize = 63;

/// Accepts the names that S3's bucket naming rules accept.
pub(crate) fn check_bucket(name: &str) -> Result<(), Error> {
    let edge = |byte: Option<&u8>| {
        byte.is_some_and(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    };
    let bytes = name.as_bytes();
    let valid = (MIN_BUCKET_BYTES..=MAX_BUCKET_BYTES).contains(&bytes.len())
        && bytes.iter().all(|byte| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'.' | b'-')
        })
        && edge(bytes.first())
        && edge(bytes.last())
        && !name.contains("..")
        && name.parse::<Ipv4Addr>().is_err();
    if valid {
        Ok(())
    } else {
        Err(Error::InvalidBucketName(name.to_owned()))
    }
}

/// Refuses to change what belongs to the platform, for callers from outside.
pub(crate) fn check_changeable(bucket: &str) -> Result<(), Error> {
    if bucket == RECORDS_BUCKET {
        return Err(Error::Internal(bucket.to_owned()));
    }
    Ok(())
}

/// Accepts every key but empty, overlong and NUL-bearing ones (PostgreSQL cannot store NUL).
pub(crate) fn check_key(key: &str) -> Result<(), Error> {
    if key.is_empty() {
        return Err(Error::InvalidKey("it is empty".to_owned()));
    }
    if key.len() > MAX_KEY_BYTES {
        return Err(Error::KeyTooLong(key.len()));
    }
    if key.contains('\0') {
        return Err(Error::InvalidKey("it contains NUL".to_owned()));
    }
    Ok(())
}

/// The smallest string that is greater than every string starting with `prefix`, in the byte
/// order of UTF-8 (which is the order of code points). None when there is no such string.
pub(crate) fn successor(prefix: &str) -> Option<String> {
    let mut characters: Vec<char> = prefix.chars().collect();
    while let Some(last) = characters.pop() {
        let next = match last {
            char::MAX => continue,
            // The surrogates are no scalar values.
            '\u{D7FF}' => '\u{E000}',
            other => char::from_u32(u32::from(other) + 1)
                .expect("only the surrogates and the end interrupt scalar values"),
        };
        characters.push(next);
        return Some(characters.into_iter().collect());
    }
    None
}

/// Percent-encodes all but ASCII letters, digits and the bytes of `kept`.
pub(crate) fn percent_encode(text: &str, kept: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || kept.contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push('%');
            encoded.push(char::from(DIGITS[usize::from(byte >> 4)]));
            encoded.push(char::from(DIGITS[usize::from(byte & 15)]));
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bucket_names_follow_the_rules() {
        for (name, valid) in [
            ("inbox", true),
            ("a-b.c1", true),
            ("abc", true),
            ("ab", false),
            ("", false),
            ("Abc", false),
            ("a_b", false),
            ("-abc", false),
            ("abc-", false),
            ("a..b", false),
            ("192.168.0.1", false),
            ("../etc", false),
            (&"a".repeat(63), true),
            (&"a".repeat(64), false),
        ] {
            assert_eq!(check_bucket(name).is_ok(), valid, "{name:?}");
        }
    }

    #[test]
    fn keys_are_opaque() {
        for (key, valid) in [
            ("../../etc/x", true),
            ("..", true),
            ("//x", true),
            ("a\n\u{1}", true),
            ("", false),
            ("a\0b", false),
            (&"k".repeat(1024), true),
            (&"k".repeat(1025), false),
            (&"é".repeat(513), false),
        ] {
            assert_eq!(check_key(key).is_ok(), valid, "{key:?}");
        }
    }

    #[test]
    fn successors_follow_everything_with_the_prefix() {
        for (prefix, expected) in [
            ("a/", Some("a0")),
            ("a", Some("b")),
            ("\u{D7FF}", Some("\u{E000}")),
            ("a\u{10FFFF}", Some("b")),
            ("\u{10FFFF}", None),
            ("", None),
        ] {
            assert_eq!(successor(prefix).as_deref(), expected, "{prefix:?}");
            if let Some(successor) = successor(prefix) {
                assert!(format!("{prefix}\u{10FFFF}\u{10FFFF}").as_str() < successor.as_str());
            }
        }
    }
}
