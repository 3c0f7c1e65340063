//! How our types look in S3's.

use std::time::{Duration, UNIX_EPOCH};

use s3s::dto::{ETag, Owner, Timestamp, TimestampFormat};
use sha2::{Digest as _, Sha256};

use crate::{Checksums, Objects, checksums::Algorithm};

/// The version of every object while versioning is off.
pub(crate) const NULL_VERSION: &str = "null";

/// Fills the five checksum fields of an S3 output.
macro_rules! set_checksums {
    ($output:expr, $checksums:expr) => {{
        let value = |algorithm| $checksums.values.get(&algorithm).cloned();
        $output.checksum_crc32 = value($crate::checksums::Algorithm::Crc32);
        $output.checksum_crc32c = value($crate::checksums::Algorithm::Crc32c);
        $output.checksum_crc64nvme = value($crate::checksums::Algorithm::Crc64nvme);
        $output.checksum_sha1 = value($crate::checksums::Algorithm::Sha1);
        $output.checksum_sha256 = value($crate::checksums::Algorithm::Sha256);
    }};
}
/// The five checksum fields of an S3 input, as pairs.
macro_rules! given_checksums {
    ($input:expr) => {{
        use $crate::checksums::Algorithm;
        [
            (Algorithm::Crc32, $input.checksum_crc32.clone()),
            (Algorithm::Crc32c, $input.checksum_crc32c.clone()),
            (Algorithm::Crc64nvme, $input.checksum_crc64nvme.clone()),
            (Algorithm::Sha1, $input.checksum_sha1.clone()),
            (Algorithm::Sha256, $input.checksum_sha256.clone()),
        ]
    }};
}
pub(crate) use {given_checksums, set_checksums};

/// A time as S3 shows it.
pub(crate) fn timestamp(at_ms: i64) -> Timestamp {
    let since = Duration::from_millis(u64::try_from(at_ms).unwrap_or(0));
    Timestamp::from(UNIX_EPOCH + since)
}

/// A time as HTTP headers show it.
pub(crate) fn http_date(timestamp: &Timestamp) -> Option<String> {
    let mut text = Vec::new();
    timestamp
        .format(TimestampFormat::HttpDate, &mut text)
        .ok()?;
    String::from_utf8(text).ok()
}

/// An ETag of ours is always strong.
pub(crate) fn etag(etag: &str) -> ETag {
    ETag::Strong(etag.to_owned())
}

/// A size as S3's types want it.
pub(crate) fn long(size: u64) -> i64 {
    i64::try_from(size).unwrap_or(i64::MAX)
}

/// The root user, who owns everything.
pub(crate) fn owner(objects: &Objects) -> Owner {
    let name = &objects.inner.config.root_user;
    Owner {
        display_name: Some(name.clone()),
        id: Some(hex::encode(Sha256::digest(name.as_bytes()))),
    }
}

/// The algorithm and kind of an object's checksum, for listings and `x-amz-checksum-type`.
pub(crate) fn checksum_kind(checksums: &Checksums) -> Option<(Algorithm, &'static str)> {
    let kind = if checksums.composite {
        "COMPOSITE"
    } else {
        "FULL_OBJECT"
    };
    checksums
        .values
        .keys()
        .next()
        .map(|algorithm| (*algorithm, kind))
}
