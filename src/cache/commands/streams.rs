//! Streams without consumer groups: adding, ranges, deletion and state. Trimming and waiting reads
//! are in `streams/`.

use bytes::Bytes;

use super::{
    Flags, Keys, Spec,
    options::{integer, is},
    strings::count,
};
use crate::{
    context::Context,
    data::stream::{Stream, StreamId, id, words},
    fault::Fault,
    resp::Reply,
};

pub(crate) mod reading;
pub(crate) mod state;
pub(crate) mod trimming;

use trimming::Trim;

const READ: Flags = Flags::READ_ONLY;
const WRITE: Flags = Flags::WRITE;

const fn spec(name: &'static str, arity: i32, flags: Flags, run: super::Run) -> Spec {
    let keys = Keys::FIRST;
    Spec {
        name,
        arity,
        flags,
        keys,
        run,
    }
}

pub(crate) const TABLE: &[Spec] = &[
    spec(
        "xadd",
        -5,
        WRITE.and(Flags::DENY_OOM).and(Flags::FAST),
        xadd,
    ),
    spec("xlen", 2, READ.and(Flags::FAST), xlen),
    spec("xrange", -4, READ, |cx, args| xrange(cx, args, false)),
    spec("xrevrange", -4, READ, |cx, args| xrange(cx, args, true)),
    spec("xdel", -3, WRITE.and(Flags::FAST), xdel),
    spec("xtrim", -4, WRITE, trimming::xtrim),
];

/// An entry as it is shown: its name, then its fields and values.
fn shown(id: StreamId, entry: &Bytes) -> Reply {
    let words = words(entry).map(Reply::Bulk).collect();
    Reply::Array(vec![Reply::bulk(id.to_string()), Reply::Array(words)])
}

/// How a new entry is to be named.
#[derive(Clone, Copy, Debug)]
enum Name {
    Next,
    NextWithin(u64),
    Given(StreamId),
}

impl Name {
    fn read(word: &[u8]) -> Result<Self, Fault> {
        if word == b"*" {
            return Ok(Self::Next);
        }
        if let Some(ms) = word.strip_suffix(b"-*") {
            return Ok(Self::NextWithin(id::part(ms)?));
        }
        Ok(Self::Given(StreamId::parse(word, 0)?))
    }

    /// The name of the entry after `last`.
    fn after(self, last: StreamId, now_ms: i64) -> Result<StreamId, Fault> {
        const SMALL: &str =
            "ERR The ID specified in XADD is equal or smaller than the target stream top item";
        let next = last.next().ok_or_else(|| {
            Fault::error(
                "ERR The stream has exhausted the last possible ID, unable to add more items",
            )
        })?;
        match self {
            Self::Next => {
                let now = StreamId {
                    ms: u64::try_from(now_ms).unwrap_or(0),
                    sequence: 0,
                };
                Ok(now.max(next))
            }
            Self::NextWithin(ms) if ms > last.ms => Ok(StreamId { ms, sequence: 0 }),
            Self::NextWithin(ms) if ms == next.ms => Ok(next),
            Self::Given(given) if given > last => Ok(given),
            Self::NextWithin(_) | Self::Given(_) => Err(Fault::error(SMALL)),
        }
    }
}

fn xadd(cx: &mut Context<'_>, args: &[Bytes]) -> Result<Reply, Fault> {
    let key = &args[1];
    let (trim, make, used) = Trim::read(&args[2..], true)?;
    let rest = &args[2 + used..];
    let [name, fields @ ..] = rest else {
        return Err(wrong_number());
    };
    let name = Name::read(name)?;
    if fields.len() < 2 || fields.len() % 2 != 0 {
        return Err(wrong_number());
    }
    if matches!(name, Name::Given(StreamId::MIN)) {
        return Err(Fault::error(
            "ERR The ID specified in XADD must be greater than 0-0",
        ));
    }
    let there = cx.read::<Stream>(key)?;
    if there.is_none() && !make {
        return Ok(Reply::Nil);
    }
    let last = there.map_or(StreamId::MIN, |stream| stream.last_id);
    let id = name.after(last, cx.now_ms())?;
    let stream = cx.create::<Stream>(key)?;
    stream.add(id, fields);
    let id = Bytes::from(id.to_string());
    let mut logged = vec![Bytes::from_static(b"XADD"), key.clone()];
    if let Some(trim) = trim {
        trim.run(stream);
        // What is left is logged, not the rule: the rule may leave more or less elsewhere.
        let left = Bytes::from(stream.len().to_string());
        logged.extend([
            Bytes::from_static(b"MAXLEN"),
            Bytes::from_static(b"="),
            left,
        ]);
    }
    logged.push(id.clone());
    logged.extend(fields.iter().cloned());
    cx.changed(key);
    cx.propagate(vec![logged]);
    Ok(Reply::Bulk(id))
}

fn wrong_number() -> Fault {
    Fault::error("ERR wrong number of arguments for 'xadd' command")
}

fn xlen(cx: &mut Context<'_>, args: &[Bytes]) -> Result<Reply, Fault> {
    Ok(count(cx.read::<Stream>(&args[1])?.map_or(0, Stream::len)))
}

/// The lower end of a range; `(` leaves the named entry out.
fn low_end(word: &[u8]) -> Result<StreamId, Fault> {
    let Some(word) = word.strip_prefix(b"(") else {
        return StreamId::parse_end(word, 0);
    };
    StreamId::parse(word, 0)?
        .next()
        .ok_or_else(|| Fault::error("ERR invalid start ID for the interval"))
}

/// The upper end of a range.
fn high_end(word: &[u8]) -> Result<StreamId, Fault> {
    let Some(word) = word.strip_prefix(b"(") else {
        return StreamId::parse_end(word, u64::MAX);
    };
    StreamId::parse(word, u64::MAX)?
        .previous()
        .ok_or_else(|| Fault::error("ERR invalid end ID for the interval"))
}

fn xrange(cx: &mut Context<'_>, args: &[Bytes], backwards: bool) -> Result<Reply, Fault> {
    let (low, high) = if backwards {
        (&args[3], &args[2])
    } else {
        (&args[2], &args[3])
    };
    let range = low_end(low)?..=high_end(high)?;
    let mut limit = usize::MAX;
    let mut rest = args[4..].iter();
    while let Some(word) = rest.next() {
        if !is(word, "COUNT") {
            return Err(Fault::SYNTAX);
        }
        limit = usize::try_from(integer(&mut rest)?).unwrap_or(0);
    }
    let Some(stream) = cx.read::<Stream>(&args[1])? else {
        return Ok(Reply::Array(Vec::new()));
    };
    if limit == 0 {
        return Ok(Reply::NilArray);
    }
    let entries = stream.range(range);
    let found = if backwards {
        entries
            .rev()
            .take(limit)
            .map(|(id, entry)| shown(id, entry))
            .collect()
    } else {
        entries
            .take(limit)
            .map(|(id, entry)| shown(id, entry))
            .collect()
    };
    Ok(Reply::Array(found))
}

fn xdel(cx: &mut Context<'_>, args: &[Bytes]) -> Result<Reply, Fault> {
    let mut ids = Vec::with_capacity(args.len() - 2);
    if cx.read::<Stream>(&args[1])?.is_none() {
        return Ok(Reply::Integer(0));
    }
    for word in &args[2..] {
        ids.push(StreamId::parse(word, 0)?);
    }
    let Some(stream) = cx.write::<Stream>(&args[1])? else {
        return Ok(Reply::Integer(0));
    };
    let deleted = ids.into_iter().filter(|id| stream.delete(*id)).count();
    if deleted > 0 {
        cx.changed(&args[1]);
    }
    Ok(count(deleted))
}
