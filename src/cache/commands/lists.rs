//! Lists: what answers at once. What may wait is in `lists/blocking.rs`.

use bytes::Bytes;

use super::{
    Flags, Keys, Spec,
    options::{integer, is, value},
    strings::count,
};
use crate::{context::Context, data::List, fault::Fault, number::parse_integer, resp::Reply};

pub(crate) mod blocking;
mod moving;

use moving::End;

const READ: Flags = Flags::READ_ONLY;
const WRITE: Flags = Flags::WRITE;
const ADD: Flags = Flags::WRITE.and(Flags::DENY_OOM);

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
    spec("lpush", -3, ADD.and(Flags::FAST), |cx, args| {
        push(cx, args, End::Left, true)
    }),
    spec("rpush", -3, ADD.and(Flags::FAST), |cx, args| {
        push(cx, args, End::Right, true)
    }),
    spec("lpushx", -3, ADD.and(Flags::FAST), |cx, args| {
        push(cx, args, End::Left, false)
    }),
    spec("rpushx", -3, ADD.and(Flags::FAST), |cx, args| {
        push(cx, args, End::Right, false)
    }),
    spec("lpop", -2, WRITE.and(Flags::FAST), |cx, args| {
        pop(cx, args, End::Left)
    }),
    spec("rpop", -2, WRITE.and(Flags::FAST), |cx, args| {
        pop(cx, args, End::Right)
    }),
    spec("llen", 2, READ.and(Flags::FAST), llen),
    spec("lrange", 4, READ, lrange),
    spec("lindex", 3, READ, lindex),
    spec("lset", 4, ADD, lset),
    spec("lrem", 4, WRITE, lrem),
    spec("ltrim", 4, WRITE, ltrim),
    spec("linsert", 5, ADD, linsert),
    spec("lpos", -3, READ, lpos),
];

fn push(cx: &mut Context<'_>, args: &[Bytes], end: End, create: bool) -> Result<Reply, Fault> {
    let key = &args[1];
    if !create && cx.read::<List>(key)?.is_none() {
        return Ok(Reply::Integer(0));
    }
    let list = cx.create::<List>(key)?;
    for element in &args[2..] {
        end.push(list, element);
    }
    let length = list.len();
    cx.changed(key);
    Ok(count(length))
}

fn pop(cx: &mut Context<'_>, args: &[Bytes], end: End) -> Result<Reply, Fault> {
    let wanted = match &args[2..] {
        [] => None,
        [wanted] => Some(
            parse_integer(wanted)
                .ok()
                .filter(|wanted| *wanted >= 0)
                .ok_or_else(|| Fault::error("ERR value is out of range, must be positive"))?,
        ),
        _ => {
            let name = String::from_utf8_lossy(&args[0]).to_ascii_lowercase();
            return Err(Fault::error(format!(
                "ERR wrong number of arguments for '{name}' command"
            )));
        }
    };
    let key = &args[1];
    let Some(list) = cx.write::<List>(key)? else {
        return Ok(if wanted.is_some() {
            Reply::NilArray
        } else {
            Reply::Nil
        });
    };
    let Some(wanted) = wanted else {
        let element = end.pop(list);
        cx.changed(key);
        return Ok(element.map_or(Reply::Nil, Reply::Bulk));
    };
    let popped = end.pop_many(list, wanted);
    if !popped.is_empty() {
        cx.changed(key);
    }
    Ok(Reply::Array(popped))
}

fn llen(cx: &mut Context<'_>, args: &[Bytes]) -> Result<Reply, Fault> {
    Ok(count(cx.read::<List>(&args[1])?.map_or(0, List::len)))
}

/// The places from `start` to `end`, both counted from the end when negative.
pub(crate) fn places(start: i64, end: i64, length: usize) -> std::ops::Range<usize> {
    let total = i64::try_from(length).unwrap_or(i64::MAX);
    let from = |index: i64| {
        if index < 0 {
            index.saturating_add(total)
        } else {
            index
        }
    };
    let start = from(start).max(0);
    let end = from(end).min(total - 1);
    if start > end {
        return 0..0;
    }
    usize::try_from(start).unwrap_or(0)..usize::try_from(end + 1).unwrap_or(0)
}

fn lrange(cx: &mut Context<'_>, args: &[Bytes]) -> Result<Reply, Fault> {
    let (start, end) = (parse_integer(&args[2])?, parse_integer(&args[3])?);
    let Some(list) = cx.read::<List>(&args[1])? else {
        return Ok(Reply::Array(Vec::new()));
    };
    let range = list.range(places(start, end, list.len()));
    Ok(Reply::Array(range.cloned().map(Reply::Bulk).collect()))
}

/// The place of an index, if it is one.
fn place(index: i64, length: usize) -> Option<usize> {
    let length = i64::try_from(length).unwrap_or(i64::MAX);
    let index = if index < 0 {
        index.checked_add(length)?
    } else {
        index
    };
    usize::try_from(index).ok().filter(|_| index < length)
}

fn lindex(cx: &mut Context<'_>, args: &[Bytes]) -> Result<Reply, Fault> {
    let Some(list) = cx.read::<List>(&args[1])? else {
        return Ok(Reply::Nil);
    };
    let place = place(parse_integer(&args[2])?, list.len());
    let element = place.and_then(|place| list.get(place)).cloned();
    Ok(element.map_or(Reply::Nil, Reply::Bulk))
}

fn lset(cx: &mut Context<'_>, args: &[Bytes]) -> Result<Reply, Fault> {
    let length = cx.read::<List>(&args[1])?.ok_or(Fault::NO_SUCH_KEY)?.len();
    let place = place(parse_integer(&args[2])?, length).ok_or(Fault::OUT_OF_RANGE)?;
    if let Some(list) = cx.write::<List>(&args[1])? {
        list.set(place, &args[3]);
        cx.changed(&args[1]);
    }
    Ok(Reply::OK)
}

fn lrem(cx: &mut Context<'_>, args: &[Bytes]) -> Result<Reply, Fault> {
    let wanted = parse_integer(&args[2])?;
    let Some(list) = cx.write::<List>(&args[1])? else {
        return Ok(Reply::Integer(0));
    };
    let limit = match wanted {
        0 => usize::MAX,
        wanted => usize::try_from(wanted.unsigned_abs()).unwrap_or(usize::MAX),
    };
    let removed = list.remove_equal(&args[3], limit, wanted < 0);
    if removed > 0 {
        cx.changed(&args[1]);
    }
    Ok(count(removed))
}

fn ltrim(cx: &mut Context<'_>, args: &[Bytes]) -> Result<Reply, Fault> {
    let (start, end) = (parse_integer(&args[2])?, parse_integer(&args[3])?);
    if let Some(list) = cx.write::<List>(&args[1])? {
        list.keep(places(start, end, list.len()));
        cx.changed(&args[1]);
    }
    Ok(Reply::OK)
}

fn linsert(cx: &mut Context<'_>, args: &[Bytes]) -> Result<Reply, Fault> {
    let behind = match &args[2] {
        word if is(word, "AFTER") => 1,
        word if is(word, "BEFORE") => 0,
        _ => return Err(Fault::SYNTAX),
    };
    let Some(list) = cx.read::<List>(&args[1])? else {
        return Ok(Reply::Integer(0));
    };
    let Some(pivot) = list.iter().position(|element| element == &args[3]) else {
        return Ok(Reply::Integer(-1));
    };
    let list = cx.create::<List>(&args[1])?;
    list.insert(pivot + behind, &args[4]);
    let length = list.len();
    cx.changed(&args[1]);
    Ok(count(length))
}

struct PositionOptions {
    rank: i64,
    wanted: Option<usize>,
    looked_at: usize,
}

impl PositionOptions {
    fn read(words: &[Bytes]) -> Result<Self, Fault> {
        let mut options = Self {
            rank: 1,
            wanted: None,
            looked_at: usize::MAX,
        };
        let mut words = words.iter();
        let natural = |number: i64, name: &str| {
            usize::try_from(number)
                .map_err(|_| Fault::error(format!("ERR {name} can't be negative")))
        };
        while let Some(word) = words.next() {
            if is(word, "RANK") {
                options.rank = integer(&mut words)?;
                if options.rank == i64::MIN {
                    return Err(Fault::error(
                        "ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807",
                    ));
                }
                if options.rank == 0 {
                    return Err(Fault::error(
                        "ERR RANK can't be zero: use 1 to start from the first match, 2 from the second ... or use negative to start from the end of the list",
                    ));
                }
            } else if is(word, "COUNT") {
                let wanted = parse_integer(value(&mut words)?)
                    .map_err(|_| Fault::error("ERR COUNT can't be negative"))?;
                options.wanted = Some(natural(wanted, "COUNT")?);
            } else if is(word, "MAXLEN") {
                let limit = parse_integer(value(&mut words)?)
                    .map_err(|_| Fault::error("ERR MAXLEN can't be negative"))?;
                let limit = natural(limit, "MAXLEN")?;
                options.looked_at = if limit == 0 { usize::MAX } else { limit };
            } else {
                return Err(Fault::SYNTAX);
            }
        }
        Ok(options)
    }
}

fn lpos(cx: &mut Context<'_>, args: &[Bytes]) -> Result<Reply, Fault> {
    let options = PositionOptions::read(&args[3..])?;
    let wanted = options
        .wanted
        .map_or(1, |wanted| if wanted == 0 { usize::MAX } else { wanted });
    let skipped = usize::try_from(options.rank.unsigned_abs() - 1).unwrap_or(usize::MAX);
    let mut found = Vec::new();
    if let Some(list) = cx.read::<List>(&args[1])? {
        let length = list.len();
        let mut forwards = list.iter().enumerate();
        let mut backwards = list
            .iter()
            .rev()
            .enumerate()
            .map(|(at, element)| (length - 1 - at, element));
        let elements: &mut dyn Iterator<Item = (usize, &Bytes)> = if options.rank > 0 {
            &mut forwards
        } else {
            &mut backwards
        };
        let equal = elements
            .take(options.looked_at)
            .filter(|(_, element)| **element == args[2])
            .map(|(at, _)| count(at));
        found.extend(equal.skip(skipped).take(wanted));
    }
    if options.wanted.is_some() {
        return Ok(Reply::Array(found));
    }
    Ok(found.pop().unwrap_or(Reply::Nil))
}
