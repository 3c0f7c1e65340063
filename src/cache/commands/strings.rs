//! Strings: set and get, numbers, parts.

#![expect(
    clippy::unnecessary_wraps,
    reason = "commands have one shape, whether or not they can fail"
)]

use bytes::{Bytes, BytesMut};

use super::{
    Flags, Keys, Spec,
    expiry::{Unit, deadline},
    options::{is, value},
};
use crate::{
    context::Context,
    data::Value,
    fault::Fault,
    number::{add_decimals, parse_integer},
    resp::Reply,
};

/// The longest string, in bytes, as in Redis.
pub(crate) const MAX_STRING_BYTES: usize = 512 * 1024 * 1024;

const READ: Flags = Flags::READ_ONLY.and(Flags::FAST);
const WRITE: Flags = Flags::WRITE.and(Flags::DENY_OOM);
const FAST_WRITE: Flags = WRITE.and(Flags::FAST);

macro_rules! spec {
    ($name:literal, $arity:literal, $flags:expr, $keys:expr, $run:expr) => {
        Spec {
            name: $name,
            arity: $arity,
            flags: $flags,
            keys: $keys,
            run: $run,
        }
    };
}

pub(crate) const TABLE: &[Spec] = &[
    spec!("get", 2, READ, Keys::FIRST, get),
    spec!("set", -3, WRITE, Keys::FIRST, set),
    spec!("setnx", 3, FAST_WRITE, Keys::FIRST, setnx),
    spec!("setex", 4, WRITE, Keys::FIRST, |cx, args| set_expiring(
        cx,
        args,
        Unit::Seconds
    )),
    spec!("psetex", 4, WRITE, Keys::FIRST, |cx, args| set_expiring(
        cx,
        args,
        Unit::Milliseconds
    )),
    spec!("getset", 3, FAST_WRITE, Keys::FIRST, getset),
    spec!(
        "getdel",
        2,
        Flags::WRITE.and(Flags::FAST),
        Keys::FIRST,
        getdel
    ),
    spec!(
        "getex",
        -2,
        Flags::WRITE.and(Flags::FAST),
        Keys::FIRST,
        getex
    ),
    spec!("mget", -2, READ, Keys::range(1, -1, 1), mget),
    spec!("mset", -3, WRITE, Keys::range(1, -1, 2), mset),
    spec!("msetnx", -3, WRITE, Keys::range(1, -1, 2), msetnx),
    spec!("incr", 2, FAST_WRITE, Keys::FIRST, |cx, args| add(
        cx, &args[1], 1
    )),
    spec!("decr", 2, FAST_WRITE, Keys::FIRST, |cx, args| add(
        cx, &args[1], -1
    )),
    spec!("incrby", 3, FAST_WRITE, Keys::FIRST, |cx, args| {
        add(cx, &args[1], parse_integer(&args[2])?)
    }),
    spec!("decrby", 3, FAST_WRITE, Keys::FIRST, decrby),
    spec!("incrbyfloat", 3, FAST_WRITE, Keys::FIRST, incrbyfloat),
    spec!("append", 3, FAST_WRITE, Keys::FIRST, append),
    spec!("strlen", 2, READ, Keys::FIRST, strlen),
    spec!("setrange", 4, WRITE, Keys::FIRST, setrange),
    spec!("getrange", 4, Flags::READ_ONLY, Keys::FIRST, getrange),
    spec!("substr", 4, Flags::READ_ONLY, Keys::FIRST, getrange),
];

fn get(cx: &mut Context<'_>, args: &[Bytes]) -> Result<Reply, Fault> {
    Ok(found(cx.read::<Bytes>(&args[1])?))
}

fn found(value: Option<&Bytes>) -> Reply {
    value.map_or(Reply::Nil, |value| Reply::Bulk(value.clone()))
}

/// Copied, so that the value does not keep the buffer alive in which it arrived.
fn stored(value: &[u8]) -> Value {
    Value::String(Bytes::copy_from_slice(value))
}

#[derive(Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "one for each word of the command"
)]
struct SetOptions {
    if_absent: bool,
    if_present: bool,
    get: bool,
    keep_deadline: bool,
    expires_ms: Option<i64>,
}

fn set(cx: &mut Context<'_>, args: &[Bytes]) -> Result<Reply, Fault> {
    let options = set_options(cx, &args[3..])?;
    let key = &args[1];
    let old = if options.get {
        found(cx.read::<Bytes>(key)?)
    } else {
        Reply::Nil
    };
    let exists =
        (options.if_absent || options.if_present || options.keep_deadline) && cx.exists(key);
    if (options.if_absent && exists) || (options.if_present && !exists) {
        return Ok(old);
    }
    let kept_ms = if options.keep_deadline {
        cx.expires_ms(key)
    } else {
        None
    };
    cx.set_value(key, stored(&args[2]));
    if let Some(at_ms) = options.expires_ms.or(kept_ms) {
        cx.set_deadline(key, Some(at_ms));
        let at_ms = Bytes::from(at_ms.to_string());
        let head = [Bytes::from_static(b"SET"), key.clone(), args[2].clone()];
        let tail = [Bytes::from_static(b"PXAT"), at_ms];
        cx.propagate(vec![[&head[..], &tail[..]].concat()]);
    } else {
        cx.propagate(vec![vec![
            Bytes::from_static(b"SET"),
            key.clone(),
            args[2].clone(),
        ]]);
    }
    Ok(if options.get { old } else { Reply::OK })
}

fn set_options(cx: &Context<'_>, words: &[Bytes]) -> Result<SetOptions, Fault> {
    let mut options = SetOptions::default();
    let mut words = words.iter();
    let mut expiries = 0;
    while let Some(word) = words.next() {
        match word {
            word if is(word, "NX") => options.if_absent = true,
            word if is(word, "XX") => options.if_present = true,
            word if is(word, "GET") => options.get = true,
            word if is(word, "KEEPTTL") => {
                options.keep_deadline = true;
                expiries += 1;
            }
            word => {
                let unit = Unit::named(word).ok_or(Fault::SYNTAX)?;
                let at_ms = deadline(cx, value(&mut words)?, unit, "set")?;
                options.expires_ms = Some(at_ms);
                expiries += 1;
            }
        }
    }
    if expiries > 1 || (options.if_absent && options.if_present) {
        return Err(Fault::SYNTAX);
    }
    Ok(options)
}

fn setnx(cx: &mut Context<'_>, args: &[Bytes]) -> Result<Reply, Fault> {
    if cx.exists(&args[1]) {
        return Ok(Reply::Integer(0));
    }
    cx.set_value(&args[1], stored(&args[2]));
    Ok(Reply::Integer(1))
}

fn set_expiring(cx: &mut Context<'_>, args: &[Bytes], unit: Unit) -> Result<Reply, Fault> {
    let name = if unit == Unit::Seconds {
        "setex"
    } else {
        "psetex"
    };
    let at_ms = deadline(cx, &args[2], unit, name)?;
    cx.set_value(&args[1], stored(&args[3]));
    cx.set_deadline(&args[1], Some(at_ms));
    let at_ms = Bytes::from(at_ms.to_string());
    let words = [Bytes::from_static(b"SET"), args[1].clone(), args[3].clone()];
    cx.propagate(vec![
        [&words[..], &[Bytes::from_static(b"PXAT"), at_ms]].concat(),
    ]);
    Ok(Reply::OK)
}

fn getset(cx: &mut Context<'_>, args: &[Bytes]) -> Result<Reply, Fault> {
    let old = found(cx.read::<Bytes>(&args[1])?);
    cx.set_value(&args[1], stored(&args[2]));
    cx.propagate(vec![vec![
        Bytes::from_static(b"SET"),
        args[1].clone(),
        args[2].clone(),
    ]]);
    Ok(old)
}

fn getdel(cx: &mut Context<'_>, args: &[Bytes]) -> Result<Reply, Fault> {
    let old = found(cx.read::<Bytes>(&args[1])?);
    if cx.remove(&args[1]) {
        cx.propagate(vec![vec![Bytes::from_static(b"DEL"), args[1].clone()]]);
    }
    Ok(old)
}

fn getex(cx: &mut Context<'_>, args: &[Bytes]) -> Result<Reply, Fault> {
    let key = &args[1];
    let change = match &args[2..] {
        [] => None,
        [word] if is(word, "PERSIST") => Some(None),
        [unit, amount] => {
            let unit = Unit::named(unit).ok_or(Fault::SYNTAX)?;
            Some(Some(deadline(cx, amount, unit, "getex")?))
        }
        _ => return Err(Fault::SYNTAX),
    };
    let value = found(cx.read::<Bytes>(key)?);
    if let (Some(expires_ms), Reply::Bulk(_)) = (change, &value) {
        super::expiry::set(cx, key, expires_ms);
    }
    Ok(value)
}

fn mget(cx: &mut Context<'_>, args: &[Bytes]) -> Result<Reply, Fault> {
    // A key of another type is as good as none here.
    let values = args[1..]
        .iter()
        .map(|key| found(cx.read::<Bytes>(key).unwrap_or(None)));
    Ok(Reply::Array(values.collect()))
}

fn pairs<'a>(args: &'a [Bytes], name: &str) -> Result<&'a [[Bytes; 2]], Fault> {
    let (pairs, rest) = args[1..].as_chunks::<2>();
    if rest.is_empty() {
        return Ok(pairs);
    }
    Err(Fault::error(format!(
        "ERR wrong number of arguments for '{name}' command"
    )))
}

fn mset(cx: &mut Context<'_>, args: &[Bytes]) -> Result<Reply, Fault> {
    for [key, value] in pairs(args, "mset")? {
        cx.set_value(key, stored(value));
    }
    Ok(Reply::OK)
}

fn msetnx(cx: &mut Context<'_>, args: &[Bytes]) -> Result<Reply, Fault> {
    let pairs = pairs(args, "msetnx")?;
    if pairs.iter().any(|[key, _]| cx.exists(key)) {
        return Ok(Reply::Integer(0));
    }
    for [key, value] in pairs {
        cx.set_value(key, stored(value));
    }
    Ok(Reply::Integer(1))
}

fn decrby(cx: &mut Context<'_>, args: &[Bytes]) -> Result<Reply, Fault> {
    let by = parse_integer(&args[2])?.checked_neg();
    let by = by.ok_or_else(|| Fault::error("ERR decrement would overflow"))?;
    add(cx, &args[1], by)
}

fn add(cx: &mut Context<'_>, key: &Bytes, by: i64) -> Result<Reply, Fault> {
    let old = cx
        .read::<Bytes>(key)?
        .map_or(Ok(0), |text| parse_integer(text))?;
    let sum = old
        .checked_add(by)
        .ok_or_else(|| Fault::error("ERR increment or decrement would overflow"))?;
    replace(
        cx,
        key,
        Bytes::from(itoa::Buffer::new().format(sum).to_owned()),
    )?;
    Ok(Reply::Integer(sum))
}

/// Changes a string in place: its deadline stays.
fn replace(cx: &mut Context<'_>, key: &Bytes, text: Bytes) -> Result<(), Fault> {
    *cx.create::<Bytes>(key)? = text;
    cx.changed(key);
    Ok(())
}

fn incrbyfloat(cx: &mut Context<'_>, args: &[Bytes]) -> Result<Reply, Fault> {
    let key = &args[1];
    let old = cx.read::<Bytes>(key)?.cloned();
    let old = old.unwrap_or_else(|| Bytes::from_static(b"0"));
    let sum = Bytes::from(add_decimals(&old, &args[2])?);
    replace(cx, key, sum.clone())?;
    let words = [Bytes::from_static(b"SET"), key.clone(), sum.clone()];
    cx.propagate(vec![
        [&words[..], &[Bytes::from_static(b"KEEPTTL")]].concat(),
    ]);
    Ok(Reply::Bulk(sum))
}

fn check_length(length: usize) -> Result<(), Fault> {
    if length <= MAX_STRING_BYTES {
        return Ok(());
    }
    Err(Fault::error(
        "ERR string exceeds maximum allowed size (proto-max-bulk-len)",
    ))
}

/// Gives a string to `change` for changing in place; its length afterwards.
pub(super) fn change(
    cx: &mut Context<'_>,
    key: &Bytes,
    change: impl FnOnce(&mut BytesMut),
) -> Result<usize, Fault> {
    let value = cx.create::<Bytes>(key)?;
    // Without a copy when no answer holds the bytes any more.
    let mut text = match std::mem::take(value).try_into_mut() {
        Ok(text) => text,
        Err(text) => BytesMut::from(&text[..]),
    };
    change(&mut text);
    *value = text.freeze();
    let length = value.len();
    cx.changed(key);
    Ok(length)
}

pub(super) fn count(length: usize) -> Reply {
    Reply::Integer(i64::try_from(length).unwrap_or(i64::MAX))
}

fn append(cx: &mut Context<'_>, args: &[Bytes]) -> Result<Reply, Fault> {
    let length = cx.read::<Bytes>(&args[1])?.map_or(0, Bytes::len);
    check_length(length + args[2].len())?;
    Ok(count(change(cx, &args[1], |text| {
        text.extend_from_slice(&args[2]);
    })?))
}

fn strlen(cx: &mut Context<'_>, args: &[Bytes]) -> Result<Reply, Fault> {
    Ok(count(cx.read::<Bytes>(&args[1])?.map_or(0, Bytes::len)))
}

fn setrange(cx: &mut Context<'_>, args: &[Bytes]) -> Result<Reply, Fault> {
    let (key, part) = (&args[1], &args[3]);
    let offset = parse_integer(&args[2])?;
    let offset = usize::try_from(offset).map_err(|_| Fault::error("ERR offset is out of range"))?;
    let length = cx.read::<Bytes>(key)?.map_or(0, Bytes::len);
    if part.is_empty() {
        return Ok(count(length));
    }
    let end = offset.saturating_add(part.len());
    check_length(end)?;
    Ok(count(change(cx, key, |text| {
        if text.len() < end {
            text.resize(end, 0);
        }
        text[offset..end].copy_from_slice(part);
    })?))
}

fn getrange(cx: &mut Context<'_>, args: &[Bytes]) -> Result<Reply, Fault> {
    let (start, end) = (parse_integer(&args[2])?, parse_integer(&args[3])?);
    let Some(text) = cx.read::<Bytes>(&args[1])? else {
        return Ok(Reply::bulk(""));
    };
    let length = i64::try_from(text.len()).unwrap_or(i64::MAX);
    if start < 0 && end < 0 && start > end {
        return Ok(Reply::bulk(""));
    }
    let from_start = |at: i64| if at < 0 { (length + at).max(0) } else { at };
    let (start, end) = (from_start(start), from_start(end).min(length - 1));
    if length == 0 || start > end {
        return Ok(Reply::bulk(""));
    }
    let place = usize::try_from(start).unwrap_or(0)..usize::try_from(end + 1).unwrap_or(0);
    Ok(Reply::Bulk(text.slice(place)))
}
