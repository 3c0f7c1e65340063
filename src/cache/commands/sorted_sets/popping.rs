//! Taking the lowest and the highest members, at once or when there are some.

use bytes::Bytes;

use super::{Shape, at_least};
use crate::{
    commands::options::{is, timeout},
    context::Context,
    data::SortedSet,
    fault::{Fault, Wait},
    resp::Reply,
};

/// Members with their scores.
type Taken = Vec<(Bytes, f64)>;

/// Which end is taken from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Lowest,
    Highest,
}

impl End {
    fn parse(word: &[u8]) -> Result<Self, Fault> {
        match word {
            word if is(word, "MIN") => Ok(Self::Lowest),
            word if is(word, "MAX") => Ok(Self::Highest),
            _ => Err(Fault::SYNTAX),
        }
    }

    fn command(self) -> Bytes {
        Bytes::from_static(match self {
            Self::Lowest => b"ZPOPMIN",
            Self::Highest => b"ZPOPMAX",
        })
    }
}

/// Takes up to `limit` members, which is not 0; none if the key is not there.
fn take(cx: &mut Context<'_>, key: &[u8], end: End, limit: usize) -> Result<Taken, Fault> {
    let Some(set) = cx.write::<SortedSet>(key)? else {
        return Ok(Vec::new());
    };
    let next = || set.pop(end == End::Highest);
    let taken: Taken = std::iter::from_fn(next).take(limit).collect();
    cx.changed(key);
    Ok(taken)
}

fn show(taken: &[(Bytes, f64)], shape: Shape) -> Reply {
    shape.show(taken.iter().map(|(member, score)| (member, *score)))
}

pub(super) fn zpopmin(cx: &mut Context<'_>, args: &[Bytes]) -> Result<Reply, Fault> {
    pop(cx, args, End::Lowest)
}

pub(super) fn zpopmax(cx: &mut Context<'_>, args: &[Bytes]) -> Result<Reply, Fault> {
    pop(cx, args, End::Highest)
}

fn pop(cx: &mut Context<'_>, args: &[Bytes], end: End) -> Result<Reply, Fault> {
    let limit = match &args[2..] {
        [] => None,
        [word] => {
            let refusal = "ERR value is out of range, must be positive";
            Some(at_least(word, 0, refusal)?)
        }
        _ => return Err(Fault::SYNTAX),
    };
    if limit == Some(0) {
        cx.read::<SortedSet>(&args[1])?;
        return Ok(Reply::Array(Vec::new()));
    }
    let taken = take(cx, &args[1], end, limit.unwrap_or(1))?;
    // One member alone is not put into an array of its own.
    let shape = match limit {
        None => Shape::Flat,
        Some(_) => Shape::new(true, cx.protocol()),
    };
    Ok(show(&taken, shape))
}

/// Takes from the first of `keys` that is there, and writes down what was done; the key too.
fn take_first(
    cx: &mut Context<'_>,
    keys: &[Bytes],
    end: End,
    limit: usize,
) -> Result<Option<(Bytes, Taken)>, Fault> {
    for key in keys {
        if cx.read::<SortedSet>(key)?.is_none() {
            continue;
        }
        let taken = take(cx, key, end, limit)?;
        let number = Bytes::from(taken.len().to_string());
        cx.propagate(vec![vec![end.command(), key.clone(), number]]);
        return Ok(Some((key.clone(), taken)));
    }
    Ok(None)
}

fn wait(keys: &[Bytes], timeout: Option<std::time::Duration>) -> Fault {
    Fault::Wait(Box::new(Wait {
        keys: keys.to_vec(),
        timeout,
        otherwise: Reply::NilArray,
        again: None,
    }))
}

pub(super) fn bzpopmin(cx: &mut Context<'_>, args: &[Bytes]) -> Result<Reply, Fault> {
    pop_waiting(cx, args, End::Lowest)
}

pub(super) fn bzpopmax(cx: &mut Context<'_>, args: &[Bytes]) -> Result<Reply, Fault> {
    pop_waiting(cx, args, End::Highest)
}

fn pop_waiting(cx: &mut Context<'_>, args: &[Bytes], end: End) -> Result<Reply, Fault> {
    let (keys, last) = (&args[1..args.len() - 1], &args[args.len() - 1]);
    let timeout = timeout(last)?;
    let Some((key, taken)) = take_first(cx, keys, end, 1)? else {
        return Err(wait(keys, timeout));
    };
    let mut shown = vec![Reply::Bulk(key)];
    for (member, score) in taken {
        shown.extend([Reply::Bulk(member), Reply::Double(score)]);
    }
    Ok(Reply::Array(shown))
}

/// What `ZMPOP` was asked for.
struct Several<'a> {
    keys: &'a [Bytes],
    end: End,
    limit: usize,
}

impl<'a> Several<'a> {
    /// Reads the number of keys and what follows it.
    fn read(words: &'a [Bytes]) -> Result<Self, Fault> {
        let count = at_least(&words[0], 1, "ERR numkeys should be greater than 0")?;
        let rest = &words[1..];
        if count >= rest.len() {
            return Err(Fault::SYNTAX);
        }
        let (keys, options) = rest.split_at(count);
        let end = End::parse(&options[0])?;
        let limit = match &options[1..] {
            [] => 1,
            [word, count] if is(word, "COUNT") => {
                at_least(count, 1, "ERR count should be greater than 0")?
            }
            // The first count is read before the syntax of what follows it is.
            [word, count, ..] if is(word, "COUNT") => {
                at_least(count, 1, "ERR count should be greater than 0")?;
                return Err(Fault::SYNTAX);
            }
            _ => return Err(Fault::SYNTAX),
        };
        Ok(Self { keys, end, limit })
    }

    fn take(&self, cx: &mut Context<'_>) -> Result<Option<Reply>, Fault> {
        let taken = take_first(cx, self.keys, self.end, self.limit)?;
        Ok(taken
            .map(|(key, taken)| Reply::Array(vec![Reply::Bulk(key), show(&taken, Shape::Pairs)])))
    }
}

pub(super) fn zmpop(cx: &mut Context<'_>, args: &[Bytes]) -> Result<Reply, Fault> {
    let taken = Several::read(&args[1..])?.take(cx)?;
    Ok(taken.unwrap_or(Reply::NilArray))
}

pub(super) fn bzmpop(cx: &mut Context<'_>, args: &[Bytes]) -> Result<Reply, Fault> {
    let several = Several::read(&args[2..])?;
    let timeout = timeout(&args[1])?;
    let taken = several.take(cx)?;
    taken.ok_or_else(|| wait(several.keys, timeout))
}
