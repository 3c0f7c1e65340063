//! Lists keys in byte order. With a delimiter it skips from group to group in the index instead
//! of reading every key, so a page costs what it shows, not what the bucket holds.

use mito_database::Tx;

use super::{buckets, versions};
use crate::{Error, ListOptions, Listing, names};

/// The most keys and groups of a page, as in S3.
pub(crate) const MAX_PAGE: u32 = 1_000;
/// Rows read at a time when groups may let us skip the rest.
const GROUPED_BATCH: u32 = 64;

/// Where the scan goes on.
enum Cursor {
    After(String),
    From(String),
}

/// A page of a bucket.
pub(crate) fn list(tx: &mut Tx<'_>, bucket: &str, options: &ListOptions) -> Result<Listing, Error> {
    let bucket_id = buckets::id(tx, bucket)?;
    let limit = options.limit.clamp(1, MAX_PAGE) as usize;
    let delimiter = options
        .delimiter
        .as_deref()
        .filter(|delimiter| !delimiter.is_empty());
    let end = names::successor(&options.prefix);
    let mut listing = Listing::default();
    let mut last = None;
    let Some(mut cursor) = start(options, delimiter) else {
        return Ok(listing);
    };
    loop {
        let batch = match delimiter {
            Some(_) => GROUPED_BATCH,
            None => u32::try_from(limit - listing.objects.len()).unwrap_or(MAX_PAGE) + 1,
        };
        let rows = read(tx, &bucket_id, &cursor, end.as_deref(), batch)?;
        let complete = rows.len() < batch as usize;
        let mut group: Option<String> = None;
        for row in &rows {
            let key: String = row.get("key")?;
            if group.as_deref().is_some_and(|group| key.starts_with(group)) {
                continue;
            }
            group = delimiter.and_then(|delimiter| group_of(&key, &options.prefix, delimiter));
            if listing.objects.len() + listing.prefixes.len() == limit {
                listing.next = last;
                return Ok(listing);
            }
            if let Some(group) = &group {
                listing.prefixes.push(group.clone());
                last = Some(group.clone());
            } else {
                listing.objects.push(versions::object(bucket, row)?);
                last = Some(key.clone());
            }
            cursor = Cursor::After(key);
        }
        if complete {
            return Ok(listing);
        }
        if let Some(group) = group {
            match names::successor(&group) {
                Some(next) => cursor = Cursor::From(next),
                None => return Ok(listing),
            }
        }
    }
}

/// Where a page begins; none when nothing can follow. A group that was the last entry of the page
/// before is skipped whole.
fn start(options: &ListOptions, delimiter: Option<&str>) -> Option<Cursor> {
    let prefix = &options.prefix;
    let Some(after) = options.after.as_ref().filter(|after| *after >= prefix) else {
        return Some(Cursor::From(prefix.clone()));
    };
    let group = delimiter.and_then(|delimiter| group_of(after, prefix, delimiter));
    if group.as_ref() == Some(after) {
        return names::successor(after).map(Cursor::From);
    }
    Some(Cursor::After(after.clone()))
}

/// The part of `key` up to and with the first delimiter after the prefix.
fn group_of(key: &str, prefix: &str, delimiter: &str) -> Option<String> {
    let rest = key.strip_prefix(prefix)?;
    let index = rest.find(delimiter)?;
    Some(key[..prefix.len() + index + delimiter.len()].to_owned())
}

fn read(
    tx: &mut Tx<'_>,
    bucket_id: &str,
    cursor: &Cursor,
    end: Option<&str>,
    limit: u32,
) -> Result<Vec<mito_database::Row>, Error> {
    let (comparison, from) = match cursor {
        Cursor::After(key) => (">", key),
        Cursor::From(key) => (">=", key),
    };
    let before = if end.is_some() { "AND key < $4" } else { "" };
    let sql = format!(
        "SELECT {} FROM _mito_objects_versions \
         WHERE bucket = $1 AND latest = 1 AND marker = 0 AND key {comparison} $2 {before} \
         ORDER BY key LIMIT $3",
        versions::COLUMNS
    );
    Ok(match end {
        Some(end) => tx.query(&sql, &[&bucket_id, from, &limit, &end])?,
        None => tx.query(&sql, &[&bucket_id, from, &limit])?,
    })
}
