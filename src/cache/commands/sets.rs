//! Sets: members, one key at a time. What combines several sets is in `sets/algebra.rs`.

use bytes::Bytes;

use super::{
    Flags, Keys, Spec,
    hashes::places,
    scan::{Options, cursor, page},
    strings::count,
};
use crate::{context::Context, data::Set, fault::Fault, number::parse_integer, resp::Reply};

pub(crate) mod algebra;

const READ: Flags = Flags::READ_ONLY;
const FAST: Flags = Flags::READ_ONLY.and(Flags::FAST);
const WRITE: Flags = Flags::WRITE.and(Flags::FAST);

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
    spec("sadd", -3, WRITE.and(Flags::DENY_OOM), sadd),
    spec("srem", -3, WRITE, srem),
    spec("smembers", 2, READ, smembers),
    spec("sismember", 3, FAST, sismember),
    spec("smismember", -3, FAST, smismember),
    spec("scard", 2, FAST, scard),
    spec("spop", -2, WRITE, spop),
    spec("srandmember", -2, READ, srandmember),
    Spec {
        name: "smove",
        arity: 4,
        flags: WRITE,
        keys: Keys::range(1, 2, 1),
        run: smove,
    },
    spec("sscan", -3, READ, sscan),
];

fn sadd(cx: &mut Context<'_>, args: &[Bytes]) -> Result<Reply, Fault> {
    let set = cx.read::<Set>(&args[1])?;
    if set.is_some_and(|set| args[2..].iter().all(|member| set.contains(member))) {
        return Ok(Reply::Integer(0));
    }
    let set = cx.create::<Set>(&args[1])?;
    let added = args[2..].iter().filter(|member| set.insert(member)).count();
    cx.changed(&args[1]);
    Ok(count(added))
}

fn srem(cx: &mut Context<'_>, args: &[Bytes]) -> Result<Reply, Fault> {
    let Some(set) = cx.write::<Set>(&args[1])? else {
        return Ok(Reply::Integer(0));
    };
    let removed = args[2..].iter().filter(|member| set.remove(member)).count();
    if removed > 0 {
        cx.changed(&args[1]);
    }
    Ok(count(removed))
}

fn smembers(cx: &mut Context<'_>, args: &[Bytes]) -> Result<Reply, Fault> {
    let set = cx.read::<Set>(&args[1])?;
    let members = set.into_iter().flat_map(Set::iter);
    Ok(Reply::Set(members.cloned().map(Reply::Bulk).collect()))
}

fn sismember(cx: &mut Context<'_>, args: &[Bytes]) -> Result<Reply, Fault> {
    let set = cx.read::<Set>(&args[1])?;
    Ok(Reply::Integer(
        set.is_some_and(|set| set.contains(&args[2])).into(),
    ))
}

fn smismember(cx: &mut Context<'_>, args: &[Bytes]) -> Result<Reply, Fault> {
    let set = cx.read::<Set>(&args[1])?;
    let found = args[2..]
        .iter()
        .map(|member| Reply::Integer(set.is_some_and(|set| set.contains(member)).into()));
    Ok(Reply::Array(found.collect()))
}

fn scard(cx: &mut Context<'_>, args: &[Bytes]) -> Result<Reply, Fault> {
    Ok(count(cx.read::<Set>(&args[1])?.map_or(0, Set::len)))
}

fn spop(cx: &mut Context<'_>, args: &[Bytes]) -> Result<Reply, Fault> {
    let key = &args[1];
    let wanted = match &args[2..] {
        [] => None,
        [wanted] => Some(
            parse_integer(wanted)
                .ok()
                .and_then(|wanted| usize::try_from(wanted).ok())
                .ok_or_else(|| Fault::error("ERR value is out of range, must be positive"))?,
        ),
        _ => return Err(Fault::SYNTAX),
    };
    let length = cx.read::<Set>(key)?.map_or(0, Set::len);
    let mut popped = Vec::new();
    for left in (1..=length).rev().take(wanted.unwrap_or(1)) {
        let place = cx.random(left);
        popped.extend(cx.write::<Set>(key)?.and_then(|set| set.take(place)));
    }
    if !popped.is_empty() {
        cx.changed(key);
        let mut words = vec![Bytes::from_static(b"SREM"), key.clone()];
        words.extend(popped.iter().cloned());
        cx.propagate(vec![words]);
    }
    let mut popped = popped.into_iter().map(Reply::Bulk);
    if wanted.is_some() {
        return Ok(Reply::Set(popped.collect()));
    }
    Ok(popped.next().unwrap_or(Reply::Nil))
}

fn srandmember(cx: &mut Context<'_>, args: &[Bytes]) -> Result<Reply, Fault> {
    let wanted = match &args[2..] {
        [] => None,
        [wanted] => Some(parse_integer(wanted)?),
        _ => return Err(Fault::SYNTAX),
    };
    if wanted.is_some_and(|wanted| wanted == i64::MIN) {
        return Err(Fault::error(
            "ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807",
        ));
    }
    let length = cx.read::<Set>(&args[1])?.map_or(0, Set::len);
    let places = places(cx, length, wanted.unwrap_or(1))?;
    let set = cx.read::<Set>(&args[1])?;
    let drawn = places
        .into_iter()
        .filter_map(|place| set?.get(place).cloned());
    let mut drawn = drawn.map(Reply::Bulk);
    if wanted.is_some() {
        return Ok(Reply::Array(drawn.collect()));
    }
    Ok(drawn.next().unwrap_or(Reply::Nil))
}

fn smove(cx: &mut Context<'_>, args: &[Bytes]) -> Result<Reply, Fault> {
    let (source, target, member) = (&args[1], &args[2], &args[3]);
    let Some(set) = cx.read::<Set>(source)? else {
        return Ok(Reply::Integer(0));
    };
    let there = set.contains(member);
    cx.read::<Set>(target)?;
    if !there || source == target {
        return Ok(Reply::Integer(there.into()));
    }
    if let Some(set) = cx.write::<Set>(source)? {
        set.remove(member);
        cx.changed(source);
    }
    cx.create::<Set>(target)?.insert(member);
    cx.changed(target);
    Ok(Reply::Integer(1))
}

fn sscan(cx: &mut Context<'_>, args: &[Bytes]) -> Result<Reply, Fault> {
    let length = cx.read::<Set>(&args[1])?.map_or(0, Set::len);
    let from = cursor(&args[2], length)?;
    let options = Options::read(&args[3..], false)?;
    let next = from.saturating_sub(options.count);
    let mut found = Vec::new();
    if let Some(set) = cx.read::<Set>(&args[1])? {
        let members = (next..from).rev().filter_map(|place| set.get(place));
        let members = members.filter(|member| options.shows(member));
        found.extend(members.cloned().map(Reply::Bulk));
    }
    Ok(page(next, found))
}
