//! Ranges of a sorted set: shown, stored, counted and removed.

use std::ops::Range;

use bytes::Bytes;

use super::{
    Shape,
    bounds::{Bounds, By},
    store,
};
use crate::{
    commands::{
        options::{integer, is},
        strings::count,
    },
    context::Context,
    data::SortedSet,
    fault::Fault,
    resp::Reply,
};

/// What the name of a command says already.
#[derive(Clone, Copy, Default)]
struct Fixed {
    by: Option<By>,
    reverse: Option<bool>,
    stored: bool,
}

/// A range as it was asked for.
struct Query {
    bounds: Bounds,
    reverse: bool,
    with_scores: bool,
    /// How many are left out, and how many are shown at most; negative: all.
    limit: Option<(i64, i64)>,
}

impl Query {
    /// Reads the ends and the options behind them.
    fn read(words: &[Bytes], fixed: Fixed) -> Result<Self, Fault> {
        let mut by = fixed.by;
        let mut reverse = fixed.reverse;
        let (mut with_scores, mut limit) = (false, None);
        let mut rest = words[2..].iter();
        while let Some(word) = rest.next() {
            match word {
                word if is(word, "WITHSCORES") && !fixed.stored => with_scores = true,
                word if is(word, "LIMIT") && rest.len() >= 2 => {
                    limit = Some((integer(&mut rest)?, integer(&mut rest)?));
                }
                word if is(word, "REV") && reverse.is_none() => reverse = Some(true),
                word if is(word, "BYLEX") && by.is_none() => by = Some(By::Member),
                word if is(word, "BYSCORE") && by.is_none() => by = Some(By::Score),
                _ => return Err(Fault::SYNTAX),
            }
        }
        let (by, reverse) = (by.unwrap_or(By::Rank), reverse.unwrap_or(false));
        if by == By::Rank && limit.is_some_and(|(_, count)| count != -1) {
            return Err(Fault::error(
                "ERR syntax error, LIMIT is only supported in combination with either BYSCORE or \
                 BYLEX",
            ));
        }
        if by == By::Member && with_scores {
            return Err(Fault::error(
                "ERR syntax error, WITHSCORES not supported in combination with BYLEX",
            ));
        }
        let (mut first, mut last) = (&words[0], &words[1]);
        if reverse && by != By::Rank {
            std::mem::swap(&mut first, &mut last);
        }
        Ok(Self {
            bounds: Bounds::parse(by, first, last)?,
            reverse,
            with_scores,
            limit: limit.filter(|_| by != By::Rank),
        })
    }

    /// The ranks that it finds.
    fn ranks(&self, set: &SortedSet) -> Range<usize> {
        let all = self.bounds.ranks(set, self.reverse);
        let Some((offset, count)) = self.limit else {
            return all;
        };
        // A negative offset leaves out everything.
        let offset = usize::try_from(offset).unwrap_or(usize::MAX).min(all.len());
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        let count = count.min(all.len() - offset);
        if self.reverse {
            let end = all.end - offset;
            end - count..end
        } else {
            let start = all.start + offset;
            start..start + count
        }
    }
}

fn show(cx: &mut Context<'_>, args: &[Bytes], fixed: Fixed) -> Result<Reply, Fault> {
    let query = Query::read(&args[2..], fixed)?;
    let shape = Shape::new(query.with_scores, cx.protocol());
    let Some(set) = cx.read::<SortedSet>(&args[1])? else {
        return Ok(Reply::Array(Vec::new()));
    };
    let found = set.ranks(query.ranks(set));
    Ok(if query.reverse {
        shape.show(found.rev())
    } else {
        shape.show(found)
    })
}

pub(super) fn zrange(cx: &mut Context<'_>, args: &[Bytes]) -> Result<Reply, Fault> {
    show(cx, args, Fixed::default())
}

fn one_way(cx: &mut Context<'_>, args: &[Bytes], by: By, reverse: bool) -> Result<Reply, Fault> {
    let fixed = Fixed {
        by: Some(by),
        reverse: Some(reverse),
        stored: false,
    };
    show(cx, args, fixed)
}

pub(super) fn zrevrange(cx: &mut Context<'_>, args: &[Bytes]) -> Result<Reply, Fault> {
    one_way(cx, args, By::Rank, true)
}

pub(super) fn zrangebyscore(cx: &mut Context<'_>, args: &[Bytes]) -> Result<Reply, Fault> {
    one_way(cx, args, By::Score, false)
}

pub(super) fn zrevrangebyscore(cx: &mut Context<'_>, args: &[Bytes]) -> Result<Reply, Fault> {
    one_way(cx, args, By::Score, true)
}

pub(super) fn zrangebylex(cx: &mut Context<'_>, args: &[Bytes]) -> Result<Reply, Fault> {
    one_way(cx, args, By::Member, false)
}

pub(super) fn zrevrangebylex(cx: &mut Context<'_>, args: &[Bytes]) -> Result<Reply, Fault> {
    one_way(cx, args, By::Member, true)
}

pub(super) fn zrangestore(cx: &mut Context<'_>, args: &[Bytes]) -> Result<Reply, Fault> {
    let fixed = Fixed {
        stored: true,
        ..Fixed::default()
    };
    let query = Query::read(&args[3..], fixed)?;
    let mut result = SortedSet::default();
    if let Some(set) = cx.read::<SortedSet>(&args[2])? {
        for (member, score) in set.ranks(query.ranks(set)) {
            result.set_whole(member, score);
        }
    }
    Ok(store(cx, &args[1], result))
}

fn counted(cx: &mut Context<'_>, args: &[Bytes], by: By) -> Result<Reply, Fault> {
    let bounds = Bounds::parse(by, &args[2], &args[3])?;
    let set = cx.read::<SortedSet>(&args[1])?;
    Ok(count(set.map_or(0, |set| bounds.ranks(set, false).len())))
}

pub(super) fn zcount(cx: &mut Context<'_>, args: &[Bytes]) -> Result<Reply, Fault> {
    counted(cx, args, By::Score)
}

pub(super) fn zlexcount(cx: &mut Context<'_>, args: &[Bytes]) -> Result<Reply, Fault> {
    counted(cx, args, By::Member)
}

fn removed(cx: &mut Context<'_>, args: &[Bytes], by: By) -> Result<Reply, Fault> {
    let bounds = Bounds::parse(by, &args[2], &args[3])?;
    let set = cx.read::<SortedSet>(&args[1])?;
    let ranks = set.map_or(0..0, |set| bounds.ranks(set, false));
    if ranks.is_empty() {
        return Ok(Reply::Integer(0));
    }
    let set = cx.write::<SortedSet>(&args[1])?;
    let removed = set.map_or(0, |set| set.remove_ranks(ranks));
    cx.changed(&args[1]);
    Ok(count(removed))
}

pub(super) fn zremrangebyrank(cx: &mut Context<'_>, args: &[Bytes]) -> Result<Reply, Fault> {
    removed(cx, args, By::Rank)
}

pub(super) fn zremrangebyscore(cx: &mut Context<'_>, args: &[Bytes]) -> Result<Reply, Fault> {
    removed(cx, args, By::Score)
}

pub(super) fn zremrangebylex(cx: &mut Context<'_>, args: &[Bytes]) -> Result<Reply, Fault> {
    removed(cx, args, By::Member)
}
