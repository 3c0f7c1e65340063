//! Sorted sets.

use bytes::Bytes;

use super::{Flags, Keys, Run, Spec};
use crate::{data::SortedSet, fault::Fault, number::parse_integer, resp::Reply};

mod adding;
mod bounds;
mod combining;
mod popping;
mod ranges;
mod reading;

const READ: Flags = Flags::READ_ONLY;
const FAST_READ: Flags = Flags::READ_ONLY.and(Flags::FAST);
const WRITE: Flags = Flags::WRITE;
const FAST_WRITE: Flags = Flags::WRITE.and(Flags::FAST);
const STORE: Flags = Flags::WRITE.and(Flags::DENY_OOM);
const ADD: Flags = STORE.and(Flags::FAST);
const WAIT: Flags = Flags::WRITE.and(Flags::BLOCKING);
const FAST_WAIT: Flags = WAIT.and(Flags::NO_SCRIPT).and(Flags::FAST);

const fn spec(name: &'static str, arity: i32, flags: Flags, run: Run) -> Spec {
    with_keys(name, arity, flags, Keys::FIRST, run)
}

const fn with_keys(name: &'static str, arity: i32, flags: Flags, keys: Keys, run: Run) -> Spec {
    Spec {
        name,
        arity,
        flags,
        keys,
        run,
    }
}

/// The keys of a command that waits: all words but the last.
const WAITED: Keys = Keys::range(1, -2, 1);

pub(crate) const TABLE: &[Spec] = &[
    spec("zadd", -4, ADD, adding::zadd),
    spec("zincrby", 4, ADD, adding::zincrby),
    spec("zrem", -3, FAST_WRITE, adding::zrem),
    spec("zscore", 3, FAST_READ, reading::zscore),
    spec("zmscore", -3, FAST_READ, reading::zmscore),
    spec("zcard", 2, FAST_READ, reading::zcard),
    spec("zcount", 4, FAST_READ, ranges::zcount),
    spec("zlexcount", 4, FAST_READ, ranges::zlexcount),
    spec("zrank", -3, FAST_READ, reading::zrank),
    spec("zrevrank", -3, FAST_READ, reading::zrevrank),
    spec("zrandmember", -2, READ, reading::zrandmember),
    spec("zscan", -3, READ, reading::zscan),
    spec("zrange", -4, READ, ranges::zrange),
    with_keys(
        "zrangestore",
        -5,
        STORE,
        Keys::range(1, 2, 1),
        ranges::zrangestore,
    ),
    spec("zrevrange", -4, READ, ranges::zrevrange),
    spec("zrangebyscore", -4, READ, ranges::zrangebyscore),
    spec("zrevrangebyscore", -4, READ, ranges::zrevrangebyscore),
    spec("zrangebylex", -4, READ, ranges::zrangebylex),
    spec("zrevrangebylex", -4, READ, ranges::zrevrangebylex),
    spec("zremrangebyrank", 4, WRITE, ranges::zremrangebyrank),
    spec("zremrangebyscore", 4, WRITE, ranges::zremrangebyscore),
    spec("zremrangebylex", 4, WRITE, ranges::zremrangebylex),
    spec("zpopmin", -2, FAST_WRITE, popping::zpopmin),
    spec("zpopmax", -2, FAST_WRITE, popping::zpopmax),
    with_keys("bzpopmin", -3, FAST_WAIT, WAITED, popping::bzpopmin),
    with_keys("bzpopmax", -3, FAST_WAIT, WAITED, popping::bzpopmax),
    with_keys("zmpop", -4, WRITE, Keys::numbered(1), popping::zmpop),
    with_keys("bzmpop", -5, WAIT, Keys::numbered(2), popping::bzmpop),
    with_keys("zunion", -3, READ, Keys::numbered(1), combining::zunion),
    with_keys("zinter", -3, READ, Keys::numbered(1), combining::zinter),
    with_keys("zdiff", -3, READ, Keys::numbered(1), combining::zdiff),
    with_keys(
        "zintercard",
        -3,
        READ,
        Keys::numbered(1),
        combining::zintercard,
    ),
    with_keys(
        "zunionstore",
        -4,
        STORE,
        Keys::Destination,
        combining::zunionstore,
    ),
    with_keys(
        "zinterstore",
        -4,
        STORE,
        Keys::Destination,
        combining::zinterstore,
    ),
    with_keys(
        "zdiffstore",
        -4,
        STORE,
        Keys::Destination,
        combining::zdiffstore,
    ),
];

/// How scores are shown beside their members.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    /// Members alone.
    Members,
    /// Member, score, member, score.
    Flat,
    /// Pairs of a member and its score.
    Pairs,
}

impl Shape {
    /// As most commands do it: pairs only in version 3 of the protocol.
    fn new(with_scores: bool, protocol: u8) -> Self {
        match (with_scores, protocol) {
            (false, _) => Self::Members,
            (true, 0..3) => Self::Flat,
            (true, _) => Self::Pairs,
        }
    }

    fn show<'a>(self, pairs: impl Iterator<Item = (&'a Bytes, f64)>) -> Reply {
        let mut shown = Vec::with_capacity(pairs.size_hint().0);
        for (member, score) in pairs {
            let member = Reply::Bulk(member.clone());
            match self {
                Self::Members => shown.push(member),
                Self::Flat => shown.extend([member, Reply::Double(score)]),
                Self::Pairs => shown.push(Reply::Array(vec![member, Reply::Double(score)])),
            }
        }
        Reply::Array(shown)
    }
}

/// A word that has to be a whole number from `least` on.
fn at_least(word: &[u8], least: i64, otherwise: &'static str) -> Result<usize, Fault> {
    let number = parse_integer(word).ok().filter(|number| *number >= least);
    let number = number.ok_or_else(|| Fault::error(otherwise))?;
    Ok(usize::try_from(number).unwrap_or(usize::MAX))
}

/// Puts a result under `key`, or removes the key when the result is empty; the answer.
fn store(cx: &mut crate::context::Context<'_>, key: &[u8], result: SortedSet) -> Reply {
    let length = result.len();
    if length == 0 {
        cx.remove(key);
    } else {
        cx.set_value(key, crate::data::Typed::wrap(result));
    }
    super::strings::count(length)
}

#[cfg(test)]
mod tests;
