//! Hashes.

use bytes::Bytes;

use super::{Flags, Keys, Spec, options::is, strings::count};
use crate::{
    context::Context,
    data::Hash,
    fault::Fault,
    number::{add_decimals, parse_integer},
    resp::Reply,
};

const READ: Flags = Flags::READ_ONLY.and(Flags::FAST);
const WRITE: Flags = Flags::WRITE.and(Flags::DENY_OOM).and(Flags::FAST);

const fn spec(name: &'static str, arity: i32, flags: Flags, run: super::Run) -> Spec {
    Spec {
        name,
        arity,
        flags,
        keys: Keys::FIRST,
        run,
    }
}

pub(crate) const TABLE: &[Spec] = &[
    spec("hset", -4, WRITE, hset),
    spec("hmset", -4, WRITE, hmset),
    spec("hsetnx", 4, WRITE, hsetnx),
    spec("hget", 3, READ, hget),
    spec("hmget", -3, READ, hmget),
    spec("hgetall", 2, Flags::READ_ONLY, hgetall),
    spec("hkeys", 2, Flags::READ_ONLY, |cx, args| {
        all(cx, args, |(field, _)| field)
    }),
    spec("hvals", 2, Flags::READ_ONLY, |cx, args| {
        all(cx, args, |(_, value)| value)
    }),
    spec("hdel", -3, Flags::WRITE.and(Flags::FAST), hdel),
    spec("hlen", 2, READ, hlen),
    spec("hexists", 3, READ, hexists),
    spec("hstrlen", 3, READ, hstrlen),
    spec("hincrby", 4, WRITE, hincrby),
    spec("hincrbyfloat", 4, WRITE, hincrbyfloat),
    spec("hrandfield", -2, Flags::READ_ONLY, hrandfield),
];

fn put(cx: &mut Context<'_>, args: &[Bytes], name: &str) -> Result<usize, Fault> {
    let (pairs, rest) = args[2..].as_chunks::<2>();
    if !rest.is_empty() {
        return Err(Fault::error(format!(
            "ERR wrong number of arguments for '{name}' command"
        )));
    }
    let hash = cx.create::<Hash>(&args[1])?;
    let added = pairs
        .iter()
        .filter(|[field, value]| hash.set(field, value))
        .count();
    cx.changed(&args[1]);
    Ok(added)
}

fn hset(cx: &mut Context<'_>, args: &[Bytes]) -> Result<Reply, Fault> {
    Ok(count(put(cx, args, "hset")?))
}

fn hmset(cx: &mut Context<'_>, args: &[Bytes]) -> Result<Reply, Fault> {
    put(cx, args, "hmset")?;
    Ok(Reply::OK)
}

fn hsetnx(cx: &mut Context<'_>, args: &[Bytes]) -> Result<Reply, Fault> {
    let old = cx.read::<Hash>(&args[1])?;
    if old.is_some_and(|hash| hash.get(&args[2]).is_some()) {
        return Ok(Reply::Integer(0));
    }
    cx.create::<Hash>(&args[1])?.set(&args[2], &args[3]);
    cx.changed(&args[1]);
    Ok(Reply::Integer(1))
}

fn found(value: Option<&Bytes>) -> Reply {
    value.map_or(Reply::Nil, |value| Reply::Bulk(value.clone()))
}

fn hget(cx: &mut Context<'_>, args: &[Bytes]) -> Result<Reply, Fault> {
    let hash = cx.read::<Hash>(&args[1])?;
    Ok(found(hash.and_then(|hash| hash.get(&args[2]))))
}

fn hmget(cx: &mut Context<'_>, args: &[Bytes]) -> Result<Reply, Fault> {
    let hash = cx.read::<Hash>(&args[1])?;
    let fields = args[2..].iter();
    let values = fields.map(|field| found(hash.and_then(|hash| hash.get(field))));
    Ok(Reply::Array(values.collect()))
}

fn hgetall(cx: &mut Context<'_>, args: &[Bytes]) -> Result<Reply, Fault> {
    let Some(hash) = cx.read::<Hash>(&args[1])? else {
        return Ok(Reply::Map(Vec::new()));
    };
    let pairs = hash.iter();
    let pairs =
        pairs.map(|(field, value)| (Reply::Bulk(field.clone()), Reply::Bulk(value.clone())));
    Ok(Reply::Map(pairs.collect()))
}

fn all(
    cx: &mut Context<'_>,
    args: &[Bytes],
    which: for<'a> fn((&'a Bytes, &'a Bytes)) -> &'a Bytes,
) -> Result<Reply, Fault> {
    let hash = cx.read::<Hash>(&args[1])?;
    let shown = hash.into_iter().flat_map(Hash::iter);
    Ok(Reply::Array(
        shown.map(|pair| Reply::Bulk(which(pair).clone())).collect(),
    ))
}

fn hdel(cx: &mut Context<'_>, args: &[Bytes]) -> Result<Reply, Fault> {
    let Some(hash) = cx.write::<Hash>(&args[1])? else {
        return Ok(Reply::Integer(0));
    };
    let removed = args[2..].iter().filter(|field| hash.remove(field)).count();
    if removed > 0 {
        cx.changed(&args[1]);
    }
    Ok(count(removed))
}

fn hlen(cx: &mut Context<'_>, args: &[Bytes]) -> Result<Reply, Fault> {
    Ok(count(cx.read::<Hash>(&args[1])?.map_or(0, Hash::len)))
}

fn hexists(cx: &mut Context<'_>, args: &[Bytes]) -> Result<Reply, Fault> {
    let hash = cx.read::<Hash>(&args[1])?;
    Ok(Reply::Integer(
        hash.is_some_and(|hash| hash.get(&args[2]).is_some()).into(),
    ))
}

fn hstrlen(cx: &mut Context<'_>, args: &[Bytes]) -> Result<Reply, Fault> {
    let hash = cx.read::<Hash>(&args[1])?;
    Ok(count(
        hash.and_then(|hash| hash.get(&args[2]))
            .map_or(0, Bytes::len),
    ))
}

fn hincrby(cx: &mut Context<'_>, args: &[Bytes]) -> Result<Reply, Fault> {
    let by = parse_integer(&args[3])?;
    let hash = cx.read::<Hash>(&args[1])?;
    let old = hash
        .and_then(|hash| hash.get(&args[2]))
        .map_or(Ok(0), |text| {
            parse_integer(text).map_err(|_| Fault::error("ERR hash value is not an integer"))
        })?;
    let sum = old
        .checked_add(by)
        .ok_or_else(|| Fault::error("ERR increment or decrement would overflow"))?;
    let hash = cx.create::<Hash>(&args[1])?;
    hash.set(&args[2], itoa::Buffer::new().format(sum).as_bytes());
    cx.changed(&args[1]);
    Ok(Reply::Integer(sum))
}

fn hincrbyfloat(cx: &mut Context<'_>, args: &[Bytes]) -> Result<Reply, Fault> {
    let (key, field) = (&args[1], &args[2]);
    crate::number::parse_double(&args[3])?;
    let hash = cx.read::<Hash>(key)?;
    let old = hash.and_then(|hash| hash.get(field)).cloned();
    let old = old.unwrap_or_else(|| Bytes::from_static(b"0"));
    crate::number::parse_double(&old).map_err(|_| Fault::error("ERR hash value is not a float"))?;
    let sum = Bytes::from(add_decimals(&old, &args[3])?);
    cx.create::<Hash>(key)?.set(field, &sum);
    cx.changed(key);
    let words = vec![
        Bytes::from_static(b"HSET"),
        key.clone(),
        field.clone(),
        sum.clone(),
    ];
    cx.propagate(vec![words]);
    Ok(Reply::Bulk(sum))
}

fn hrandfield(cx: &mut Context<'_>, args: &[Bytes]) -> Result<Reply, Fault> {
    let with_values = match args.get(3..).unwrap_or(&[]) {
        [] => false,
        [word] if is(word, "WITHVALUES") => true,
        _ => return Err(Fault::SYNTAX),
    };
    let wanted = args.get(2).map(|word| parse_integer(word)).transpose()?;
    if with_values && wanted.is_some_and(|wanted| wanted.unsigned_abs() > i64::MAX as u64 / 2) {
        return Err(Fault::error("ERR value is out of range"));
    }
    let length = cx.read::<Hash>(&args[1])?.map_or(0, Hash::len);
    let Some(wanted) = wanted else {
        if length == 0 {
            return Ok(Reply::Nil);
        }
        let drawn = cx.random(length);
        let hash = cx.read::<Hash>(&args[1])?;
        return Ok(found(
            hash.and_then(|hash| hash.at(drawn)).map(|(field, _)| field),
        ));
    };
    let places = places(cx, length, wanted)?;
    let nested = cx.protocol() >= 3;
    let Some(hash) = cx.read::<Hash>(&args[1])? else {
        return Ok(Reply::Array(Vec::new()));
    };
    let mut shown = Vec::with_capacity(places.len());
    for (field, value) in places.into_iter().filter_map(|at| hash.at(at)) {
        let (field, value) = (Reply::Bulk(field.clone()), Reply::Bulk(value.clone()));
        match (with_values, nested) {
            (false, _) => shown.push(field),
            (true, true) => shown.push(Reply::Array(vec![field, value])),
            (true, false) => shown.extend([field, value]),
        }
    }
    Ok(Reply::Array(shown))
}

/// The most elements that may be asked for more than once.
const MAX_REPEATED: u64 = 1_000_000;

/// Places below `length`: `wanted` different ones, or `-wanted` that may repeat.
pub(crate) fn places(cx: &Context<'_>, length: usize, wanted: i64) -> Result<Vec<usize>, Fault> {
    if length == 0 {
        return Ok(Vec::new());
    }
    if wanted < 0 {
        let wanted = wanted.unsigned_abs();
        if wanted > MAX_REPEATED {
            return Err(Fault::error("ERR value is out of range"));
        }
        return Ok((0..wanted).map(|_| cx.random(length)).collect());
    }
    let wanted = usize::try_from(wanted).unwrap_or(usize::MAX).min(length);
    let mut places: Vec<usize> = (0..length).collect();
    if wanted < length {
        for at in 0..wanted {
            let other = at + cx.random(length - at);
            places.swap(at, other);
        }
        places.truncate(wanted);
    }
    Ok(places)
}
