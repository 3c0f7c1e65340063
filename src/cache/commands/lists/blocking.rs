//! Lists: what pops from several, moves between two, or waits until there is something.

use bytes::Bytes;

use super::moving::{End, transfer};
use crate::{
    commands::{
        Flags, Keys, Spec,
        options::{integer, is, timeout},
    },
    context::Context,
    data::List,
    fault::{Fault, Wait},
    number::parse_integer,
    resp::Reply,
};

const ADD: Flags = Flags::WRITE.and(Flags::DENY_OOM);
const WAIT: Flags = Flags::BLOCKING.and(Flags::NO_SCRIPT);

const fn spec(
    name: &'static str,
    arity: i32,
    flags: Flags,
    keys: Keys,
    run: super::super::Run,
) -> Spec {
    Spec {
        name,
        arity,
        flags,
        keys,
        run,
    }
}

const TWO: Keys = Keys::range(1, 2, 1);
const MANY: Keys = Keys::range(1, -2, 1);

pub(crate) const TABLE: &[Spec] = &[
    spec("lmove", 5, ADD, TWO, lmove),
    spec("rpoplpush", 3, ADD, TWO, rpoplpush),
    spec("lmpop", -4, Flags::WRITE, Keys::numbered(1), lmpop),
    spec("blpop", -3, Flags::WRITE.and(WAIT), MANY, |cx, args| {
        pop_first(cx, args, End::Left)
    }),
    spec("brpop", -3, Flags::WRITE.and(WAIT), MANY, |cx, args| {
        pop_first(cx, args, End::Right)
    }),
    spec("blmove", 6, ADD.and(WAIT), TWO, blmove),
    spec("brpoplpush", 4, ADD.and(WAIT), TWO, brpoplpush),
    spec(
        "blmpop",
        -5,
        Flags::WRITE.and(Flags::BLOCKING),
        Keys::numbered(2),
        blmpop,
    ),
];

fn moved(element: Option<Bytes>) -> Reply {
    element.map_or(Reply::Nil, Reply::Bulk)
}

fn lmove(cx: &mut Context<'_>, args: &[Bytes]) -> Result<Reply, Fault> {
    let ends = [End::read(&args[3])?, End::read(&args[4])?];
    transfer(cx, [&args[1], &args[2]], ends).map(moved)
}

fn rpoplpush(cx: &mut Context<'_>, args: &[Bytes]) -> Result<Reply, Fault> {
    transfer(cx, [&args[1], &args[2]], [End::Right, End::Left]).map(moved)
}

fn blmove(cx: &mut Context<'_>, args: &[Bytes]) -> Result<Reply, Fault> {
    let ends = [End::read(&args[3])?, End::read(&args[4])?];
    move_or_wait(cx, args, ends)
}

fn brpoplpush(cx: &mut Context<'_>, args: &[Bytes]) -> Result<Reply, Fault> {
    move_or_wait(cx, args, [End::Right, End::Left])
}

fn move_or_wait(cx: &mut Context<'_>, args: &[Bytes], ends: [End; 2]) -> Result<Reply, Fault> {
    let limit = timeout(&args[args.len() - 1])?;
    let Some(element) = transfer(cx, [&args[1], &args[2]], ends)? else {
        return Err(Fault::Wait(Box::new(Wait {
            keys: vec![args[1].clone()],
            timeout: limit,
            otherwise: Reply::Nil,
            again: None,
        })));
    };
    let name = Bytes::from_static(b"LMOVE");
    let [from, to] = ends.map(End::name);
    cx.propagate(vec![vec![name, args[1].clone(), args[2].clone(), from, to]]);
    Ok(Reply::Bulk(element))
}

fn pop_first(cx: &mut Context<'_>, args: &[Bytes], end: End) -> Result<Reply, Fault> {
    let (limit, keys) = match &args[1..] {
        [keys @ .., limit] => (timeout(limit)?, keys),
        [] => return Err(Fault::SYNTAX),
    };
    for key in keys {
        let Some(element) = cx.write::<List>(key)?.and_then(|list| end.pop(list)) else {
            continue;
        };
        cx.changed(key);
        cx.propagate(vec![vec![end.pop_name(), key.clone()]]);
        return Ok(Reply::Array(vec![
            Reply::Bulk(key.clone()),
            Reply::Bulk(element),
        ]));
    }
    Err(Fault::Wait(Box::new(Wait {
        keys: keys.to_vec(),
        timeout: limit,
        otherwise: Reply::NilArray,
        again: None,
    })))
}

/// `numkeys key … WHERE [COUNT count]` of the commands that pop from the first of several keys.
pub(crate) fn numbered<W>(
    words: &[Bytes],
    read_where: impl Fn(&[u8]) -> Result<W, Fault>,
) -> Result<(&[Bytes], W, i64), Fault> {
    let many = words.first().and_then(|word| parse_integer(word).ok());
    let many = many
        .and_then(|many| usize::try_from(many).ok().filter(|many| *many > 0))
        .ok_or_else(|| Fault::error("ERR numkeys should be greater than 0"))?;
    let keys = words.get(1..many.saturating_add(1)).ok_or(Fault::SYNTAX)?;
    let mut rest = words[many + 1..].iter();
    let place = read_where(rest.next().ok_or(Fault::SYNTAX)?)?;
    let mut wanted = None;
    while let Some(word) = rest.next() {
        if !is(word, "COUNT") || wanted.is_some() {
            return Err(Fault::SYNTAX);
        }
        let number = match rest.len() {
            0 => return Err(Fault::SYNTAX),
            _ => integer(&mut rest).ok().filter(|number| *number > 0),
        };
        wanted = Some(number.ok_or_else(|| Fault::error("ERR count should be greater than 0"))?);
    }
    Ok((keys, place, wanted.unwrap_or(1)))
}

fn pop_several(
    cx: &mut Context<'_>,
    (keys, end, wanted): (&[Bytes], End, i64),
) -> Result<Option<Reply>, Fault> {
    for key in keys {
        let Some(list) = cx.write::<List>(key)? else {
            continue;
        };
        let popped = end.pop_many(list, wanted);
        cx.changed(key);
        let number = Bytes::from(popped.len().to_string());
        cx.propagate(vec![vec![end.pop_name(), key.clone(), number]]);
        let answer = vec![Reply::Bulk(key.clone()), Reply::Array(popped)];
        return Ok(Some(Reply::Array(answer)));
    }
    Ok(None)
}

fn lmpop(cx: &mut Context<'_>, args: &[Bytes]) -> Result<Reply, Fault> {
    let what = numbered(&args[1..], End::read)?;
    Ok(pop_several(cx, what)?.unwrap_or(Reply::NilArray))
}

fn blmpop(cx: &mut Context<'_>, args: &[Bytes]) -> Result<Reply, Fault> {
    let limit = timeout(&args[1])?;
    let what = numbered(&args[2..], End::read)?;
    if let Some(answer) = pop_several(cx, what)? {
        return Ok(answer);
    }
    Err(Fault::Wait(Box::new(Wait {
        keys: what.0.to_vec(),
        timeout: limit,
        otherwise: Reply::NilArray,
        again: None,
    })))
}
