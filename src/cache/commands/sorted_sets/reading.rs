//! Single members of a sorted set: their scores and ranks, some of them, all of them by and by.

use bytes::Bytes;

use super::Shape;
use crate::{
    commands::{
        hashes::places,
        options::is,
        scan::{self, cursor, page},
        strings::count,
    },
    context::Context,
    data::SortedSet,
    fault::Fault,
    number::{format_double, parse_integer},
    resp::Reply,
};

fn shown(score: Option<f64>) -> Reply {
    score.map_or(Reply::Nil, Reply::Double)
}

pub(super) fn zscore(cx: &mut Context<'_>, args: &[Bytes]) -> Result<Reply, Fault> {
    let set = cx.read::<SortedSet>(&args[1])?;
    Ok(shown(set.and_then(|set| set.score(&args[2]))))
}

pub(super) fn zmscore(cx: &mut Context<'_>, args: &[Bytes]) -> Result<Reply, Fault> {
    let set = cx.read::<SortedSet>(&args[1])?;
    let members = args[2..].iter();
    let scores = members.map(|member| shown(set.and_then(|set| set.score(member))));
    Ok(Reply::Array(scores.collect()))
}

pub(super) fn zcard(cx: &mut Context<'_>, args: &[Bytes]) -> Result<Reply, Fault> {
    let set = cx.read::<SortedSet>(&args[1])?;
    Ok(count(set.map_or(0, SortedSet::len)))
}

pub(super) fn zrank(cx: &mut Context<'_>, args: &[Bytes]) -> Result<Reply, Fault> {
    rank(cx, args, "zrank", |_, rank| rank)
}

pub(super) fn zrevrank(cx: &mut Context<'_>, args: &[Bytes]) -> Result<Reply, Fault> {
    rank(cx, args, "zrevrank", |length, rank| length - 1 - rank)
}

fn rank(
    cx: &mut Context<'_>,
    args: &[Bytes],
    name: &str,
    counted: fn(usize, usize) -> usize,
) -> Result<Reply, Fault> {
    let with_score = match &args[3..] {
        [] => false,
        [word] if is(word, "WITHSCORE") => true,
        [_] => return Err(Fault::SYNTAX),
        _ => {
            return Err(Fault::error(format!(
                "ERR wrong number of arguments for '{name}' command"
            )));
        }
    };
    let set = cx.read::<SortedSet>(&args[1])?;
    let found = set.and_then(|set| {
        let rank = counted(set.len(), set.rank(&args[2])?);
        Some((count(rank), set.score(&args[2])?))
    });
    Ok(match found {
        Some((rank, score)) if with_score => Reply::Array(vec![rank, Reply::Double(score)]),
        Some((rank, _)) => rank,
        None if with_score => Reply::NilArray,
        None => Reply::Nil,
    })
}

pub(super) fn zrandmember(cx: &mut Context<'_>, args: &[Bytes]) -> Result<Reply, Fault> {
    let key = &args[1];
    let Some(word) = args.get(2) else {
        let length = cx.read::<SortedSet>(key)?.map_or(0, SortedSet::len);
        if length == 0 {
            return Ok(Reply::Nil);
        }
        let drawn = cx.random(length);
        let set = cx.read::<SortedSet>(key)?;
        let member = set.and_then(|set| set.at(drawn));
        return Ok(member.map_or(Reply::Nil, |(member, _)| Reply::Bulk(member.clone())));
    };
    let wanted = parse_integer(word)?;
    if wanted == i64::MIN {
        return Err(Fault::error(
            "ERR value is out of range, value must between -9223372036854775807 and \
             9223372036854775807",
        ));
    }
    let with_scores = match &args[3..] {
        [] => false,
        [word] if is(word, "WITHSCORES") => true,
        _ => return Err(Fault::SYNTAX),
    };
    if with_scores && wanted.unsigned_abs() > i64::MAX.unsigned_abs() / 2 {
        return Err(Fault::error("ERR value is out of range"));
    }
    let length = cx.read::<SortedSet>(key)?.map_or(0, SortedSet::len);
    let places = places(cx, length, wanted)?;
    let shape = Shape::new(with_scores, cx.protocol());
    let set = cx.read::<SortedSet>(key)?;
    let drawn = places
        .into_iter()
        .filter_map(|at| set.and_then(|set| set.at(at)));
    Ok(shape.show(drawn))
}

pub(super) fn zscan(cx: &mut Context<'_>, args: &[Bytes]) -> Result<Reply, Fault> {
    let length = cx.read::<SortedSet>(&args[1])?.map_or(0, SortedSet::len);
    let from = cursor(&args[2], length)?;
    let options = scan::Options::read(&args[3..], false)?;
    let next = from.saturating_sub(options.count);
    let mut found = Vec::new();
    if let Some(set) = cx.read::<SortedSet>(&args[1])? {
        for (member, score) in (next..from).rev().filter_map(|at| set.at(at)) {
            if options.shows(member) {
                // A string in both versions of the protocol.
                let score = Reply::Bulk(Bytes::from(format_double(score)));
                found.extend([Reply::Bulk(member.clone()), score]);
            }
        }
    }
    Ok(page(next, found))
}
