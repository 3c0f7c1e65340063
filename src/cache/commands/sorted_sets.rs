//! Sorted sets: members and their scores. Ranges, pops and combinations are in `sorted_sets/`.

use bytes::Bytes;

use super::{
    Flags, Keys, Spec,
    hashes::places,
    options::is,
    scan::{Options, cursor, page},
    strings::count,
};
use crate::{
    context::Context,
    data::SortedSet,
    fault::Fault,
    number::{format_double, parse_double, parse_integer},
    resp::Reply,
};

pub(crate) mod algebra;
pub(crate) mod bounds;
pub(crate) mod pop;
pub(crate) mod range;

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
    spec("zadd", -4, WRITE.and(Flags::DENY_OOM), zadd),
    spec("zincrby", 4, WRITE.and(Flags::DENY_OOM), zincrby),
    spec("zrem", -3, WRITE, zrem),
    spec("zscore", 3, FAST, zscore),
    spec("zmscore", -3, FAST, zmscore),
    spec("zcard", 2, FAST, zcard),
    spec("zrank", -3, FAST, |cx, args| rank(cx, args, false)),
    spec("zrevrank", -3, FAST, |cx, args| rank(cx, args, true)),
    spec("zrandmember", -2, READ, zrandmember),
    spec("zscan", -3, READ, zscan),
];

/// Members with their scores: pairs in version 3 of the protocol, one after another in version 2.
pub(crate) fn with_scores(pairs: impl Iterator<Item = (Bytes, f64)>, protocol: u8) -> Reply {
    let mut shown = Vec::new();
    for (member, score) in pairs {
        let pair = [Reply::Bulk(member), Reply::Double(score)];
        if protocol >= 3 {
            shown.push(Reply::Array(pair.into()));
        } else {
            shown.extend(pair);
        }
    }
    Reply::Array(shown)
}

#[derive(Clone, Copy, Debug, Default)]
struct AddOptions {
    new_only: bool,
    old_only: bool,
    greater: bool,
    less: bool,
    changed: bool,
    increment: bool,
}

impl AddOptions {
    /// Reads the words before the first score; how many they were.
    fn read(words: &[Bytes]) -> (Self, usize) {
        let mut options = Self::default();
        for (at, word) in words.iter().enumerate() {
            match word {
                word if is(word, "NX") => options.new_only = true,
                word if is(word, "XX") => options.old_only = true,
                word if is(word, "GT") => options.greater = true,
                word if is(word, "LT") => options.less = true,
                word if is(word, "CH") => options.changed = true,
                word if is(word, "INCR") => options.increment = true,
                _ => return (options, at),
            }
        }
        (options, words.len())
    }

    fn check(self, pairs: usize) -> Result<(), Fault> {
        if self.new_only && self.old_only {
            return Err(Fault::error(
                "ERR XX and NX options at the same time are not compatible",
            ));
        }
        if (self.greater && self.new_only)
            || (self.less && self.new_only)
            || (self.greater && self.less)
        {
            return Err(Fault::error(
                "ERR GT, LT, and/or NX options at the same time are not compatible",
            ));
        }
        if self.increment && pairs > 1 {
            return Err(Fault::error(
                "ERR INCR option supports a single increment-element pair",
            ));
        }
        Ok(())
    }

    /// The new score of a member, unless it stays as it is.
    fn score(self, old: Option<f64>, given: f64) -> Result<Option<f64>, Fault> {
        let Some(old) = old else {
            return Ok((!self.old_only).then_some(given));
        };
        if self.new_only {
            return Ok(None);
        }
        let score = if self.increment { old + given } else { given };
        if score.is_nan() {
            return Err(Fault::error("ERR resulting score is not a number (NaN)"));
        }
        let refused = (self.less && score >= old) || (self.greater && score <= old);
        Ok((!refused).then_some(score))
    }
}

fn zadd(cx: &mut Context<'_>, args: &[Bytes]) -> Result<Reply, Fault> {
    let (options, skipped) = AddOptions::read(&args[2..]);
    let (pairs, rest) = args[2 + skipped..].as_chunks::<2>();
    if pairs.is_empty() || !rest.is_empty() {
        return Err(Fault::SYNTAX);
    }
    options.check(pairs.len())?;
    add(cx, &args[1], options, pairs)
}

fn zincrby(cx: &mut Context<'_>, args: &[Bytes]) -> Result<Reply, Fault> {
    let options = AddOptions {
        increment: true,
        ..AddOptions::default()
    };
    add(cx, &args[1], options, &[[args[2].clone(), args[3].clone()]])
}

#[expect(
    clippy::float_cmp,
    reason = "a score that stays the same to the bit is no change"
)]
fn add(
    cx: &mut Context<'_>,
    key: &Bytes,
    options: AddOptions,
    pairs: &[[Bytes; 2]],
) -> Result<Reply, Fault> {
    let mut scores = Vec::with_capacity(pairs.len());
    for [score, _] in pairs {
        scores.push(parse_double(score)?);
    }
    let there = cx.read::<SortedSet>(key)?;
    if there.is_none() && options.old_only {
        return Ok(if options.increment {
            Reply::Nil
        } else {
            Reply::Integer(0)
        });
    }
    // An increment is judged before anything is made or logged.
    if let (true, [[_, member]]) = (options.increment, pairs) {
        options.score(there.and_then(|set| set.score(member)), scores[0])?;
    }
    let set = cx.create::<SortedSet>(key)?;
    let (mut added, mut updated, mut last) = (0, 0, None);
    for (given, [_, member]) in scores.into_iter().zip(pairs) {
        let old = set.score(member);
        last = options.score(old, given)?;
        let Some(score) = last else {
            continue;
        };
        match old {
            None => added += 1,
            Some(old) if old == score => continue,
            Some(_) => updated += 1,
        }
        set.insert(member, score);
    }
    if added + updated > 0 || set.is_empty() {
        cx.changed(key);
    }
    if options.increment {
        return Ok(last.map_or(Reply::Nil, |score| Reply::Double(score)));
    }
    Ok(count(if options.changed {
        added + updated
    } else {
        added
    }))
}

fn zrem(cx: &mut Context<'_>, args: &[Bytes]) -> Result<Reply, Fault> {
    let Some(set) = cx.write::<SortedSet>(&args[1])? else {
        return Ok(Reply::Integer(0));
    };
    let members = args[2..].iter();
    let removed = members
        .filter(|member| set.remove(member).is_some())
        .count();
    if removed > 0 {
        cx.changed(&args[1]);
    }
    Ok(count(removed))
}

fn shown(score: Option<f64>) -> Reply {
    score.map_or(Reply::Nil, Reply::Double)
}

fn zscore(cx: &mut Context<'_>, args: &[Bytes]) -> Result<Reply, Fault> {
    let set = cx.read::<SortedSet>(&args[1])?;
    Ok(shown(set.and_then(|set| set.score(&args[2]))))
}

fn zmscore(cx: &mut Context<'_>, args: &[Bytes]) -> Result<Reply, Fault> {
    let set = cx.read::<SortedSet>(&args[1])?;
    let members = args[2..].iter();
    let scores = members.map(|member| shown(set.and_then(|set| set.score(member))));
    Ok(Reply::Array(scores.collect()))
}

fn zcard(cx: &mut Context<'_>, args: &[Bytes]) -> Result<Reply, Fault> {
    Ok(count(
        cx.read::<SortedSet>(&args[1])?.map_or(0, SortedSet::len),
    ))
}

fn rank(cx: &mut Context<'_>, args: &[Bytes], backwards: bool) -> Result<Reply, Fault> {
    let with_score = match &args[3..] {
        [] => false,
        [word] if is(word, "WITHSCORE") => true,
        _ => return Err(Fault::SYNTAX),
    };
    let set = cx.read::<SortedSet>(&args[1])?;
    let found = set.and_then(|set| {
        let (rank, score) = (set.rank(&args[2])?, set.score(&args[2])?);
        Some((
            if backwards {
                set.len() - 1 - rank
            } else {
                rank
            },
            score,
        ))
    });
    Ok(match found {
        None if with_score => Reply::NilArray,
        None => Reply::Nil,
        Some((rank, score)) if with_score => Reply::Array(vec![count(rank), Reply::Double(score)]),
        Some((rank, _)) => count(rank),
    })
}

fn zrandmember(cx: &mut Context<'_>, args: &[Bytes]) -> Result<Reply, Fault> {
    let wanted = args.get(2).map(|word| parse_integer(word)).transpose()?;
    let with_values = match args.get(3..).unwrap_or(&[]) {
        [] => false,
        [word] if is(word, "WITHSCORES") => true,
        _ => return Err(Fault::SYNTAX),
    };
    if wanted.is_some_and(|wanted| wanted.unsigned_abs() > i64::MAX as u64 / 2) && with_values {
        return Err(Fault::error("ERR value is out of range"));
    }
    let length = cx.read::<SortedSet>(&args[1])?.map_or(0, SortedSet::len);
    let places = places(cx, length, wanted.unwrap_or(1))?;
    let protocol = cx.protocol();
    let set = cx.read::<SortedSet>(&args[1])?;
    let drawn = places.into_iter().filter_map(|place| set?.at(place));
    let mut drawn = drawn.map(|(member, score)| (member.clone(), score));
    if with_values {
        return Ok(with_scores(drawn, protocol));
    }
    if wanted.is_none() {
        return Ok(drawn
            .next()
            .map_or(Reply::Nil, |(member, _)| Reply::Bulk(member)));
    }
    Ok(Reply::Array(
        drawn.map(|(member, _)| Reply::Bulk(member)).collect(),
    ))
}

fn zscan(cx: &mut Context<'_>, args: &[Bytes]) -> Result<Reply, Fault> {
    let length = cx.read::<SortedSet>(&args[1])?.map_or(0, SortedSet::len);
    let from = cursor(&args[2], length)?;
    let options = Options::read(&args[3..], false)?;
    let next = from.saturating_sub(options.count);
    let mut found = Vec::new();
    if let Some(set) = cx.read::<SortedSet>(&args[1])? {
        for (member, score) in (next..from).rev().filter_map(|place| set.at(place)) {
            if options.shows(member) {
                found.extend([
                    Reply::Bulk(member.clone()),
                    Reply::bulk(format_double(score)),
                ]);
            }
        }
    }
    Ok(page(next, found))
}
