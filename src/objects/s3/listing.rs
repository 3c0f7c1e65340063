//! ListBuckets, ListObjects, ListObjectsV2 and ListObjectVersions.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use s3s::{
    S3Error, S3ErrorCode, S3Result,
    dto::{
        Bucket, ChecksumAlgorithm, ChecksumType, CommonPrefix, EncodingType, ListBucketsInput,
        ListBucketsOutput, ListObjectVersionsInput, ListObjectVersionsOutput, ListObjectsInput,
        ListObjectsOutput, ListObjectsV2Input, ListObjectsV2Output, Object as Entry,
        ObjectStorageClass, ObjectVersion, Owner,
    },
};

use super::output;
use crate::{ListOptions, Listing, Object, Objects, checksums, names};

/// The most keys of a page, as in S3.
const MAX_KEYS: i32 = 1_000;

/// All buckets.
pub(crate) async fn buckets(
    objects: &Objects,
    input: ListBucketsInput,
) -> S3Result<ListBucketsOutput> {
    let prefix = input.prefix.unwrap_or_default();
    let after = input.continuation_token.unwrap_or_default();
    let max = input
        .max_buckets
        .map_or(usize::MAX, |max| usize::try_from(max).unwrap_or(1).max(1));
    let mut found: Vec<Bucket> = objects
        .buckets()
        .await?
        .into_iter()
        .filter(|bucket| bucket.name.starts_with(&prefix) && bucket.name > after)
        .map(|bucket| Bucket {
            bucket_region: Some(objects.inner.config.region.clone()),
            creation_date: Some(output::timestamp(bucket.created_ms)),
            name: Some(bucket.name),
        })
        .collect();
    let more = found.len() > max;
    found.truncate(max);
    Ok(ListBucketsOutput {
        continuation_token: found
            .last()
            .and_then(|bucket| bucket.name.clone())
            .filter(|_| more),
        buckets: Some(found),
        owner: Some(output::owner(objects)),
        prefix: Some(prefix).filter(|prefix| !prefix.is_empty()),
    })
}

/// What the listings have in common.
struct Page {
    listing: Listing,
    max_keys: i32,
    encoding: Encoding,
    owner: Option<Owner>,
}

/// How names are written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Encoding {
    /// As they are, but for characters that XML 1.0 cannot express.
    Plain,
    /// Percent-encoded.
    Url,
}

impl Encoding {
    fn new(asked: Option<&EncodingType>) -> S3Result<Self> {
        match asked.map(EncodingType::as_str) {
            None | Some("") => Ok(Self::Plain),
            Some("url") => Ok(Self::Url),
            Some(_) => Err(argument("Invalid Encoding Method specified in Request")),
        }
    }

    fn write(self, name: &str) -> String {
        match self {
            Self::Plain => name
                .chars()
                .map(|character| {
                    if is_xml(character) {
                        character
                    } else {
                        '\u{FFFD}'
                    }
                })
                .collect(),
            Self::Url => names::percent_encode(name, b"-._~/*"),
        }
    }

    fn shown(self) -> Option<EncodingType> {
        (self == Self::Url).then(|| EncodingType::from_static(EncodingType::URL))
    }
}

/// The characters of XML 1.0, §2.2.
fn is_xml(character: char) -> bool {
    matches!(character, '\t' | '\n' | '\r' | '\u{20}'..='\u{FFFD}' | '\u{10000}'..)
        && !matches!(character, '\u{FFFE}' | '\u{FFFF}')
}

impl Page {
    async fn read(
        objects: &Objects,
        bucket: &str,
        max_keys: Option<i32>,
        encoding: Option<&EncodingType>,
        options: ListOptions,
    ) -> S3Result<Self> {
        let encoding = Encoding::new(encoding)?;
        let max_keys = match max_keys {
            None => MAX_KEYS,
            Some(negative) if negative < 0 => {
                return Err(argument(
                    "Argument max-keys must be an integer between 0 and 2147483647",
                ));
            }
            Some(asked) => asked.min(MAX_KEYS),
        };
        let listing = if max_keys == 0 {
            objects.bucket(bucket).await?;
            Listing::default()
        } else {
            let limit = u32::try_from(max_keys).unwrap_or(1);
            objects
                .list(bucket, ListOptions { limit, ..options })
                .await?
        };
        Ok(Self {
            listing,
            max_keys,
            encoding,
            owner: None,
        })
    }

    fn contents(&self) -> Option<Vec<Entry>> {
        let entries = self.listing.objects.iter().map(|object| self.entry(object));
        Some(entries.collect::<Vec<_>>()).filter(|entries| !entries.is_empty())
    }

    fn entry(&self, object: &Object) -> Entry {
        let kind = output::checksum_kind(&object.checksums);
        Entry {
            checksum_algorithm: kind
                .map(|(algorithm, _)| vec![ChecksumAlgorithm::from_static(algorithm.name())]),
            checksum_type: kind.map(|(_, kind)| ChecksumType::from_static(kind)),
            e_tag: Some(output::etag(&object.etag)),
            key: Some(self.encoding.write(&object.key)),
            last_modified: Some(output::timestamp(object.modified_ms)),
            owner: self.owner.clone(),
            restore_status: None,
            size: Some(output::long(object.size)),
            storage_class: Some(ObjectStorageClass::from_static(
                ObjectStorageClass::STANDARD,
            )),
        }
    }

    fn prefixes(&self) -> Option<Vec<CommonPrefix>> {
        let prefixes = self.listing.prefixes.iter();
        let prefixes: Vec<_> = prefixes
            .map(|prefix| CommonPrefix {
                prefix: Some(self.encoding.write(prefix)),
            })
            .collect();
        Some(prefixes).filter(|prefixes| !prefixes.is_empty())
    }

    fn write(&self, name: Option<String>) -> Option<String> {
        name.map(|name| self.encoding.write(&name))
    }
}

/// Version 1, whose marker is a key.
pub(crate) async fn objects(
    objects: &Objects,
    input: ListObjectsInput,
) -> S3Result<ListObjectsOutput> {
    let options = ListOptions {
        prefix: input.prefix.clone().unwrap_or_default(),
        delimiter: input.delimiter.clone(),
        after: input.marker.clone(),
        limit: 0,
    };
    let encoding = input.encoding_type.as_ref();
    let mut page = Page::read(objects, &input.bucket, input.max_keys, encoding, options).await?;
    page.owner = Some(output::owner(objects));
    Ok(ListObjectsOutput {
        prefix: page.write(Some(input.prefix.unwrap_or_default())),
        marker: page.write(Some(input.marker.unwrap_or_default())),
        max_keys: Some(page.max_keys),
        is_truncated: Some(page.listing.next.is_some()),
        contents: page.contents(),
        common_prefixes: page.prefixes(),
        delimiter: page.write(input.delimiter.filter(|delimiter| !delimiter.is_empty())),
        next_marker: page.write(page.listing.next.clone()),
        encoding_type: page.encoding.shown(),
        name: Some(input.bucket),
        ..Default::default()
    })
}

/// Version 2, whose continuation token is opaque.
pub(crate) async fn objects_v2(
    objects: &Objects,
    input: ListObjectsV2Input,
) -> S3Result<ListObjectsV2Output> {
    let after = match &input.continuation_token {
        Some(token) => Some(read_token(&input.bucket, token)?),
        None => input.start_after.clone(),
    };
    let options = ListOptions {
        prefix: input.prefix.clone().unwrap_or_default(),
        delimiter: input.delimiter.clone(),
        after,
        limit: 0,
    };
    let encoding = input.encoding_type.as_ref();
    let mut page = Page::read(objects, &input.bucket, input.max_keys, encoding, options).await?;
    page.owner = input
        .fetch_owner
        .unwrap_or(false)
        .then(|| output::owner(objects));
    let count = page.listing.objects.len() + page.listing.prefixes.len();
    let next = page.listing.next.as_ref();
    Ok(ListObjectsV2Output {
        prefix: page.write(Some(input.prefix.unwrap_or_default())),
        max_keys: Some(page.max_keys),
        key_count: i32::try_from(count).ok(),
        continuation_token: input.continuation_token,
        is_truncated: Some(next.is_some()),
        next_continuation_token: next.map(|next| write_token(&input.bucket, next)),
        contents: page.contents(),
        common_prefixes: page.prefixes(),
        delimiter: page.write(input.delimiter.filter(|delimiter| !delimiter.is_empty())),
        encoding_type: page.encoding.shown(),
        start_after: page.write(input.start_after),
        name: Some(input.bucket),
        request_charged: None,
    })
}

/// Versions, of which every key has the null one.
pub(crate) async fn versions(
    objects: &Objects,
    input: ListObjectVersionsInput,
) -> S3Result<ListObjectVersionsOutput> {
    let options = ListOptions {
        prefix: input.prefix.clone().unwrap_or_default(),
        delimiter: input.delimiter.clone(),
        after: input.key_marker.clone(),
        limit: 0,
    };
    let encoding = input.encoding_type.as_ref();
    let mut page = Page::read(objects, &input.bucket, input.max_keys, encoding, options).await?;
    page.owner = Some(output::owner(objects));
    let versions: Vec<ObjectVersion> = page
        .contents()
        .unwrap_or_default()
        .into_iter()
        .map(|entry| ObjectVersion {
            e_tag: entry.e_tag,
            is_latest: Some(true),
            key: entry.key,
            last_modified: entry.last_modified,
            owner: entry.owner,
            size: entry.size,
            version_id: Some(output::NULL_VERSION.to_owned()),
            ..Default::default()
        })
        .collect();
    let next = page.listing.next.clone();
    Ok(ListObjectVersionsOutput {
        common_prefixes: page.prefixes(),
        delimiter: page.write(input.delimiter.filter(|delimiter| !delimiter.is_empty())),
        encoding_type: page.encoding.shown(),
        is_truncated: Some(next.is_some()),
        key_marker: page.write(Some(input.key_marker.unwrap_or_default())),
        max_keys: Some(page.max_keys),
        next_version_id_marker: next.as_ref().map(|_| output::NULL_VERSION.to_owned()),
        next_key_marker: page.write(next),
        prefix: page.write(Some(input.prefix.unwrap_or_default())),
        versions: Some(versions).filter(|versions| !versions.is_empty()),
        name: Some(input.bucket),
        ..Default::default()
    })
}

/// The name to go on after, with a sum that tells our tokens from others.
fn write_token(bucket: &str, next: &str) -> String {
    let mut token = token_sum(bucket, next).to_vec();
    token.extend_from_slice(next.as_bytes());
    URL_SAFE_NO_PAD.encode(token)
}

fn read_token(bucket: &str, token: &str) -> S3Result<String> {
    let read = || {
        let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
        let (sum, name) = bytes.split_at_checked(4)?;
        let name = String::from_utf8(name.to_vec()).ok()?;
        (token_sum(bucket, &name) == sum).then_some(name)
    };
    read().ok_or_else(|| argument("The continuation token provided is incorrect"))
}

fn token_sum(bucket: &str, name: &str) -> [u8; 4] {
    checksums::chunk_sum(format!("{bucket}/{name}").as_bytes())
}

fn argument(message: &'static str) -> S3Error {
    S3Error::with_message(S3ErrorCode::InvalidArgument, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_read_back_and_foreign_ones_refused() {
        for name in ["a", "dir/", "é\n\u{1}", ""] {
            assert_eq!(
                read_token("inbox", &write_token("inbox", name)).unwrap(),
                name
            );
        }
        for token in ["", "x", "AAAA", "not base64!", &write_token("other", "a")] {
            assert!(read_token("inbox", token).is_err(), "{token:?}");
        }
    }

    #[test]
    fn names_are_written_so_that_any_parser_reads_them() {
        for (name, plain, url) in [
            ("a/b c+d", "a/b c+d", "a/b%20c%2Bd"),
            ("x\u{1}y\n", "x\u{FFFD}y\n", "x%01y%0A"),
            ("é&<", "é&<", "%C3%A9%26%3C"),
        ] {
            assert_eq!(Encoding::Plain.write(name), plain);
            assert_eq!(Encoding::Url.write(name), url);
        }
    }
}
