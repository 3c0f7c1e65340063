//! Ranges of sorted sets: shown, counted, stored and removed.

use bytes::Bytes;

use super::{
    bounds::{Bounds, By},
    with_scores,
};
use crate::{
    commands::{
        Flags, Keys, Run, Spec,
        options::{integer, is},
        strings::count,
    },
    context::Context,
    data::{SortedSet, Typed},
    fault::Fault,
    resp::Reply,
};

const READ: Flags = Flags::READ_ONLY;
const FAST: Flags = Flags::READ_ONLY.and(Flags::FAST);
const WRITE: Flags = Flags::WRITE;

const fn spec(name: &'static str, arity: i32, flags: Flags, run: Run) -> Spec {
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
    spec("zrange", -4, READ, |cx, args| show(cx, args, None)),
    spec("zrevrange", -4, READ, |cx, args| {
        show(cx, args, Some((By::Rank, true)))
    }),
    spec("zrangebyscore", -4, READ, |cx, args| {
        show(cx, args, Some((By::Score, false)))
    }),
    spec("zrevrangebyscore", -4, READ, |cx, args| {
        show(cx, args, Some((By::Score, true)))
    }),
    spec("zrangebylex", -4, READ, |cx, args| {
        show(cx, args, Some((By::Lex, false)))
    }),
    spec("zrevrangebylex", -4, READ, |cx, args| {
        show(cx, args, Some((By::Lex, true)))
    }),
    Spec {
        name: "zrangestore",
        arity: -5,
        flags: WRITE.and(Flags::DENY_OOM),
        keys: Keys::range(1, 2, 1),
        run: zrangestore,
    },
    spec("zcount", 4, FAST, |cx, args| counted(cx, args, By::Score)),
    spec("zlexcount", 4, FAST, |cx, args| counted(cx, args, By::Lex)),
    spec("zremrangebyrank", 4, WRITE, |cx, args| {
        remove(cx, args, By::Rank)
    }),
    spec("zremrangebyscore", 4, WRITE, |cx, args| {
        remove(cx, args, By::Score)
    }),
    spec("zremrangebylex", 4, WRITE, |cx, args| {
        remove(cx, args, By::Lex)
    }),
];

#[derive(Debug)]
struct Query {
    bounds: Bounds,
    backwards: bool,
    offset: i64,
    limit: i64,
    scores: bool,
}

impl Query {
    /// Reads `start end [options]`; `fixed` is what the command's name says already.
    fn read(words: &[Bytes], fixed: Option<(By, bool)>, storing: bool) -> Result<Self, Fault> {
        let (mut by, mut backwards) = fixed.unwrap_or((By::Rank, false));
        let (mut offset, mut limit, mut scores) = (0, -1, false);
        let mut limited = false;
        let mut rest = words[2..].iter();
        while let Some(word) = rest.next() {
            if !storing && is(word, "WITHSCORES") {
                scores = true;
            } else if is(word, "LIMIT") && rest.len() >= 2 {
                offset = integer(&mut rest)?;
                limit = integer(&mut rest)?;
                limited = true;
            } else if fixed.is_none() && is(word, "REV") {
                backwards = true;
            } else if fixed.is_none() && is(word, "BYSCORE") {
                by = By::Score;
            } else if fixed.is_none() && is(word, "BYLEX") {
                by = By::Lex;
            } else {
                return Err(Fault::SYNTAX);
            }
        }
        if limited && limit != -1 && by == By::Rank {
            return Err(Fault::error(
                "ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX",
            ));
        }
        if scores && by == By::Lex {
            return Err(Fault::error(
                "ERR syntax error, WITHSCORES not supported in combination with BYLEX",
            ));
        }
        if by == By::Rank {
            // `LIMIT n -1` is no limit there, and its offset nothing.
            offset = 0;
        }
        let bounds = Bounds::read(by, [&words[0], &words[1]], backwards)?;
        Ok(Self {
            bounds,
            backwards,
            offset,
            limit,
            scores,
        })
    }

    /// The members in the order that was asked for.
    fn run<'a>(&self, set: &'a SortedSet) -> impl Iterator<Item = (Bytes, f64)> + use<'a> {
        let ranks = self.bounds.ranks(set);
        // A negative offset takes nothing, a negative limit everything.
        let offset = usize::try_from(self.offset)
            .unwrap_or(usize::MAX)
            .min(ranks.len());
        let limit = usize::try_from(self.limit).unwrap_or(usize::MAX);
        let length = (ranks.len() - offset).min(limit);
        let pairs = if self.backwards {
            set.back_from(ranks.end.saturating_sub(1 + offset))
        } else {
            set.from(ranks.start + offset)
        };
        pairs
            .take(length)
            .map(|(member, score)| (member.clone(), score))
    }
}

fn show(cx: &mut Context<'_>, args: &[Bytes], fixed: Option<(By, bool)>) -> Result<Reply, Fault> {
    let query = Query::read(&args[2..], fixed, false)?;
    let protocol = cx.protocol();
    let Some(set) = cx.read::<SortedSet>(&args[1])? else {
        return Ok(Reply::Array(Vec::new()));
    };
    if query.scores {
        return Ok(with_scores(query.run(set), protocol));
    }
    Ok(Reply::Array(
        query
            .run(set)
            .map(|(member, _)| Reply::Bulk(member))
            .collect(),
    ))
}

fn zrangestore(cx: &mut Context<'_>, args: &[Bytes]) -> Result<Reply, Fault> {
    let query = Query::read(&args[3..], None, true)?;
    let mut found = SortedSet::default();
    if let Some(set) = cx.read::<SortedSet>(&args[2])? {
        for (member, score) in query.run(set) {
            found.insert(&member, score);
        }
    }
    Ok(keep(cx, &args[1], found))
}

/// Puts a result under `key`, or removes the key when there is none; how many members.
pub(super) fn keep(cx: &mut Context<'_>, key: &[u8], found: SortedSet) -> Reply {
    let length = found.len();
    if length == 0 {
        cx.remove(key);
    } else {
        cx.set_value(key, found.wrap());
    }
    count(length)
}

fn counted(cx: &mut Context<'_>, args: &[Bytes], by: By) -> Result<Reply, Fault> {
    let bounds = Bounds::read(by, [&args[2], &args[3]], false)?;
    let set = cx.read::<SortedSet>(&args[1])?;
    Ok(count(set.map_or(0, |set| bounds.ranks(set).len())))
}

fn remove(cx: &mut Context<'_>, args: &[Bytes], by: By) -> Result<Reply, Fault> {
    let bounds = Bounds::read(by, [&args[2], &args[3]], false)?;
    let Some(set) = cx.write::<SortedSet>(&args[1])? else {
        return Ok(Reply::Integer(0));
    };
    let ranks = bounds.ranks(set);
    let gone: Vec<Bytes> = set
        .from(ranks.start)
        .take(ranks.len())
        .map(|(member, _)| member.clone())
        .collect();
    for member in &gone {
        set.remove(member);
    }
    if !gone.is_empty() {
        cx.changed(&args[1]);
    }
    Ok(count(gone.len()))
}
