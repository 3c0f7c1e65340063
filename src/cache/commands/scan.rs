//! Walking over keys and fields.

use bytes::Bytes;

use super::{
    Flags, Keys, Spec,
    options::{integer, is, value},
};
use crate::{context::Context, data::Hash, database::Key, fault::Fault, glob, resp::Reply};

/// The most entries that one call of `SCAN` looks at.
const MAX_COUNT: i64 = 100_000;
/// The most that `KEYS` answers, in keys and in bytes: an answer is held in memory as a whole.
const MAX_KEYS: usize = 5_000_000;
const MAX_KEYS_BYTES: usize = 256 * 1024 * 1024;

pub(crate) const TABLE: &[Spec] = &[
    Spec {
        name: "scan",
        arity: -2,
        flags: Flags::READ_ONLY,
        keys: Keys::NONE,
        run: scan,
    },
    Spec {
        name: "keys",
        arity: 2,
        flags: Flags::READ_ONLY,
        keys: Keys::NONE,
        run: keys,
    },
    Spec {
        name: "hscan",
        arity: -3,
        flags: Flags::READ_ONLY,
        keys: Keys::FIRST,
        run: hscan,
    },
];

/// The options of the `SCAN` family.
#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) pattern: Option<Bytes>,
    pub(crate) count: usize,
    pub(crate) type_name: Option<Bytes>,
}

impl Options {
    /// Reads them; `with_type` allows `TYPE`.
    pub(crate) fn read(words: &[Bytes], with_type: bool) -> Result<Self, Fault> {
        let mut options = Self {
            pattern: None,
            count: 10,
            type_name: None,
        };
        let mut words = words.iter();
        while let Some(word) = words.next() {
            if is(word, "MATCH") {
                options.pattern = Some(value(&mut words)?.clone());
            } else if is(word, "COUNT") {
                let count = integer(&mut words)?;
                if count < 1 {
                    return Err(Fault::SYNTAX);
                }
                options.count = usize::try_from(count.min(MAX_COUNT)).unwrap_or(10);
            } else if is(word, "TYPE") && with_type {
                options.type_name = Some(value(&mut words)?.clone());
            } else {
                return Err(Fault::SYNTAX);
            }
        }
        Ok(options)
    }

    pub(crate) fn shows(&self, name: &[u8]) -> bool {
        self.pattern
            .as_ref()
            .is_none_or(|pattern| glob::matches(pattern, name))
    }
}

/// The cursor of a call: how many entries are not shown yet; the first call says 0.
pub(crate) fn cursor(word: &[u8], length: usize) -> Result<usize, Fault> {
    let text = std::str::from_utf8(word).ok();
    let cursor: u64 = text
        .and_then(|text| text.parse().ok())
        .ok_or_else(|| Fault::error("ERR invalid cursor"))?;
    if cursor == 0 {
        return Ok(length);
    }
    Ok(usize::try_from(cursor).unwrap_or(usize::MAX).min(length))
}

/// The answer of a call: where the next one goes on, and what was found.
pub(crate) fn page(next: usize, found: Vec<Reply>) -> Reply {
    Reply::Array(vec![Reply::bulk(next.to_string()), Reply::Array(found)])
}

fn scan(cx: &mut Context<'_>, args: &[Bytes]) -> Result<Reply, Fault> {
    let length = cx.database().len();
    let from = cursor(&args[1], length)?;
    let options = Options::read(&args[2..], true)?;
    let next = from.saturating_sub(options.count);
    let mut found: Vec<Key> = Vec::new();
    for at in (next..from).rev() {
        let Some((key, entry)) = cx.database().at(at) else {
            continue;
        };
        let of_type = options.type_name.as_ref();
        let fits = of_type.is_none_or(|name| is(name, entry.value.type_name()));
        if fits && options.shows(key) {
            found.push(Key::clone(key));
        }
    }
    // Removing what has expired moves entries, so it comes after the walk.
    found.retain(|key| cx.exists(key));
    Ok(page(next, found.iter().map(Reply::bulk).collect()))
}

fn keys(cx: &mut Context<'_>, args: &[Bytes]) -> Result<Reply, Fault> {
    let (now_ms, mut found, mut bytes) = (cx.now_ms(), Vec::new(), 0);
    for (key, entry) in cx.database().iter() {
        let gone = entry.expires_ms.is_some_and(|at_ms| at_ms <= now_ms);
        if gone || !glob::matches(&args[1], key) {
            continue;
        }
        bytes += key.len();
        if found.len() >= MAX_KEYS || bytes > MAX_KEYS_BYTES {
            return Err(Fault::error(
                "ERR the pattern matches too many keys for one answer: use SCAN",
            ));
        }
        found.push(Reply::bulk(key));
    }
    Ok(Reply::Array(found))
}

fn hscan(cx: &mut Context<'_>, args: &[Bytes]) -> Result<Reply, Fault> {
    let length = cx.read::<Hash>(&args[1])?.map_or(0, Hash::len);
    let from = cursor(&args[2], length)?;
    let options = Options::read(&args[3..], false)?;
    let next = from.saturating_sub(options.count);
    let mut found = Vec::new();
    if let Some(hash) = cx.read::<Hash>(&args[1])? {
        let places = (next..from).rev();
        for (field, value) in places.filter_map(|at| hash.at(at)) {
            if options.shows(field) {
                found.extend([Reply::Bulk(field.clone()), Reply::Bulk(value.clone())]);
            }
        }
    }
    Ok(page(next, found))
}
