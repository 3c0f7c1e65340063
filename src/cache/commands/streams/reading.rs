//! `XREAD`: what came after a name, from several streams, now or when it comes.

use std::time::Duration;

use bytes::Bytes;

use super::shown;
use crate::{
    commands::{
        Flags, Keys, Spec,
        options::{integer, is, value},
    },
    context::Context,
    data::stream::{Stream, StreamId},
    fault::{Fault, Wait},
    number::parse_integer,
    resp::Reply,
};

pub(crate) const TABLE: &[Spec] = &[Spec {
    name: "xread",
    arity: -4,
    flags: Flags::READ_ONLY.and(Flags::BLOCKING),
    keys: Keys::Streams,
    run: xread,
}];

/// How long to wait; `None` is for ever.
#[derive(Clone, Copy, Debug)]
struct Blocking(Option<Duration>);

/// What is asked for.
#[derive(Debug, Default)]
struct Query<'a> {
    limit: Option<usize>,
    /// Whether to wait.
    block: Option<Blocking>,
    /// The keys, then as many names.
    streams: &'a [Bytes],
}

impl<'a> Query<'a> {
    fn read(words: &'a [Bytes]) -> Result<Self, Fault> {
        let mut query = Self::default();
        let mut rest = words.iter();
        while let Some(word) = rest.next() {
            if is(word, "BLOCK") && rest.len() > 0 {
                query.block = Some(Blocking(milliseconds(value(&mut rest)?)?));
            } else if is(word, "COUNT") && rest.len() > 0 {
                query.limit = usize::try_from(integer(&mut rest)?)
                    .ok()
                    .filter(|limit| *limit > 0);
            } else if is(word, "STREAMS") && rest.len() > 0 {
                query.streams = rest.as_slice();
                if query.streams.len() % 2 != 0 {
                    return Err(Fault::error(
                        "ERR Unbalanced 'xread' list of streams: for each stream key an ID or '$' must be specified.",
                    ));
                }
                return Ok(query);
            } else {
                return Err(Fault::SYNTAX);
            }
        }
        Err(Fault::SYNTAX)
    }
}

fn milliseconds(word: &[u8]) -> Result<Option<Duration>, Fault> {
    let number = parse_integer(word)
        .map_err(|_| Fault::error("ERR timeout is not an integer or out of range"))?;
    let number = u64::try_from(number).map_err(|_| Fault::error("ERR timeout is negative"))?;
    Ok((number > 0).then(|| Duration::from_millis(number)))
}

fn xread(cx: &mut Context<'_>, args: &[Bytes]) -> Result<Reply, Fault> {
    let query = Query::read(&args[1..])?;
    let (keys, names) = query.streams.split_at(query.streams.len() / 2);
    let mut after = Vec::with_capacity(names.len());
    for (key, name) in keys.iter().zip(names) {
        after.push(match &name[..] {
            b"$" => cx.read::<Stream>(key)?.map_or(StreamId::MIN, |stream| stream.last_id),
            b">" => return Err(Fault::error("ERR The > ID can be specified only when calling XREADGROUP using the GROUP <group> <consumer> option.")),
            name => StreamId::parse(name, 0)?,
        });
    }
    let mut found = Vec::new();
    for (key, after) in keys.iter().zip(&after) {
        let Some(stream) = cx.read::<Stream>(key)? else {
            continue;
        };
        let Some(from) = after.next().filter(|from| *from <= stream.last_id) else {
            continue;
        };
        let entries = stream.range(from..=StreamId::MAX);
        let entries = entries.take(query.limit.unwrap_or(usize::MAX));
        let entries: Vec<Reply> = entries.map(|(id, entry)| shown(id, entry)).collect();
        if !entries.is_empty() {
            found.push((Reply::Bulk(key.clone()), Reply::Array(entries)));
        }
    }
    if found.is_empty() {
        return nothing(&query, keys, &after, args);
    }
    if cx.protocol() >= 3 {
        return Ok(Reply::Map(found));
    }
    let pairs = found
        .into_iter()
        .map(|(key, entries)| Reply::Array(vec![key, entries]));
    Ok(Reply::Array(pairs.collect()))
}

/// Waits with the names that `$` stands for now.
fn nothing(
    query: &Query<'_>,
    keys: &[Bytes],
    after: &[StreamId],
    args: &[Bytes],
) -> Result<Reply, Fault> {
    let Some(Blocking(timeout)) = query.block else {
        return Ok(Reply::NilArray);
    };
    let mut again = args[..args.len() - after.len()].to_vec();
    again.extend(after.iter().map(|id| Bytes::from(id.to_string())));
    Err(Fault::Wait(Box::new(Wait {
        keys: keys.to_vec(),
        timeout,
        otherwise: Reply::NilArray,
        again: Some(again),
    })))
}
