//! What several sets have together, have in common, or differ in.

use bytes::Bytes;

use crate::{
    commands::{
        Flags, Keys, Run, Spec,
        options::{integer, is},
        strings::count,
    },
    context::Context,
    data::{Set, Typed},
    fault::Fault,
    number::parse_integer,
    resp::Reply,
};

const READ: Flags = Flags::READ_ONLY;
const WRITE: Flags = Flags::WRITE.and(Flags::DENY_OOM);

const fn spec(name: &'static str, arity: i32, flags: Flags, run: Run) -> Spec {
    let keys = Keys::range(1, -1, 1);
    Spec {
        name,
        arity,
        flags,
        keys,
        run,
    }
}

pub(crate) const TABLE: &[Spec] = &[
    spec("sinter", -2, READ, |cx, args| show(cx, args, inter)),
    spec("sunion", -2, READ, |cx, args| show(cx, args, union)),
    spec("sdiff", -2, READ, |cx, args| show(cx, args, diff)),
    spec("sinterstore", -3, WRITE, |cx, args| store(cx, args, inter)),
    spec("sunionstore", -3, WRITE, |cx, args| store(cx, args, union)),
    spec("sdiffstore", -3, WRITE, |cx, args| store(cx, args, diff)),
    Spec {
        name: "sintercard",
        arity: -3,
        flags: READ,
        keys: Keys::numbered(1),
        run: sintercard,
    },
];

type Combine = fn(&mut Context<'_>, &[Bytes]) -> Result<Set, Fault>;

fn show(cx: &mut Context<'_>, args: &[Bytes], combine: Combine) -> Result<Reply, Fault> {
    let members = combine(cx, &args[1..])?;
    Ok(Reply::Set(
        members.iter().cloned().map(Reply::Bulk).collect(),
    ))
}

fn store(cx: &mut Context<'_>, args: &[Bytes], combine: Combine) -> Result<Reply, Fault> {
    let members = combine(cx, &args[2..])?;
    let length = members.len();
    if length == 0 {
        cx.remove(&args[1]);
    } else {
        cx.set_value(&args[1], members.wrap());
    }
    Ok(count(length))
}

fn members(set: Option<&Set>) -> Vec<Bytes> {
    set.into_iter().flat_map(Set::iter).cloned().collect()
}

fn inter(cx: &mut Context<'_>, keys: &[Bytes]) -> Result<Set, Fault> {
    let mut by_size = Vec::with_capacity(keys.len());
    for key in keys {
        by_size.push((cx.read::<Set>(key)?.map_or(0, Set::len), key));
    }
    by_size.sort_by_key(|(length, _)| *length);
    let mut by_size = by_size.into_iter();
    let Some((1.., smallest)) = by_size.next() else {
        return Ok(Set::default());
    };
    let mut common = members(cx.read::<Set>(smallest)?);
    for (_, key) in by_size {
        let set = cx.read::<Set>(key)?;
        common.retain(|member| set.is_some_and(|set| set.contains(member)));
    }
    Ok(common.into_iter().collect())
}

fn union(cx: &mut Context<'_>, keys: &[Bytes]) -> Result<Set, Fault> {
    let mut all = Set::default();
    for key in keys {
        for member in cx.read::<Set>(key)?.into_iter().flat_map(Set::iter) {
            all.insert_whole(member.clone());
        }
    }
    Ok(all)
}

fn diff(cx: &mut Context<'_>, keys: &[Bytes]) -> Result<Set, Fault> {
    let Some((first, others)) = keys.split_first() else {
        return Ok(Set::default());
    };
    let mut left = members(cx.read::<Set>(first)?);
    for key in others {
        let set = cx.read::<Set>(key)?;
        left.retain(|member| !set.is_some_and(|set| set.contains(member)));
    }
    Ok(left.into_iter().collect())
}

/// `numkeys key … [LIMIT limit]`.
pub(crate) fn numbered_with_limit(words: &[Bytes]) -> Result<(&[Bytes], usize), Fault> {
    let many = words.first().and_then(|word| parse_integer(word).ok());
    let many = many
        .and_then(|many| usize::try_from(many).ok().filter(|many| *many > 0))
        .ok_or_else(|| Fault::error("ERR numkeys should be greater than 0"))?;
    let keys = words
        .get(1..many.saturating_add(1))
        .ok_or_else(|| Fault::error("ERR Number of keys can't be greater than number of args"))?;
    let mut rest = words[many + 1..].iter();
    let mut limit = 0;
    while let Some(word) = rest.next() {
        if !is(word, "LIMIT") || rest.len() == 0 {
            return Err(Fault::SYNTAX);
        }
        limit = integer(&mut rest)
            .ok()
            .and_then(|limit| usize::try_from(limit).ok())
            .ok_or_else(|| Fault::error("ERR LIMIT can't be negative"))?;
    }
    Ok((keys, if limit == 0 { usize::MAX } else { limit }))
}

fn sintercard(cx: &mut Context<'_>, args: &[Bytes]) -> Result<Reply, Fault> {
    let (keys, limit) = numbered_with_limit(&args[1..])?;
    Ok(count(inter(cx, keys)?.len().min(limit)))
}
