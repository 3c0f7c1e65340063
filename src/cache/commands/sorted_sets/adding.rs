//! `ZADD`, `ZINCRBY` and `ZREM`.

use bytes::Bytes;

use crate::{
    commands::{options::is, strings::count},
    context::Context,
    data::SortedSet,
    fault::Fault,
    number::parse_double,
    resp::Reply,
};

/// What `ZADD` was asked for beside scores and members.
#[derive(Clone, Copy, Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "one for each word of the command"
)]
struct Options {
    if_absent: bool,
    if_present: bool,
    if_greater: bool,
    if_less: bool,
    count_changed: bool,
    increment: bool,
}

impl Options {
    /// Reads them from the front of `words`; what is left are scores and members.
    fn read(words: &[Bytes]) -> (Self, &[Bytes]) {
        let mut options = Self::default();
        let mut read = 0;
        for word in words {
            match word {
                word if is(word, "NX") => options.if_absent = true,
                word if is(word, "XX") => options.if_present = true,
                word if is(word, "GT") => options.if_greater = true,
                word if is(word, "LT") => options.if_less = true,
                word if is(word, "CH") => options.count_changed = true,
                word if is(word, "INCR") => options.increment = true,
                _ => break,
            }
            read += 1;
        }
        (options, &words[read..])
    }

    fn check(self, pairs: usize) -> Result<(), Fault> {
        if self.if_absent && self.if_present {
            return Err(Fault::error(
                "ERR XX and NX options at the same time are not compatible",
            ));
        }
        let exclusive = [self.if_absent, self.if_greater, self.if_less];
        if exclusive.into_iter().filter(|held| *held).count() > 1 {
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

    /// The score that a member gets; `None` when it is to stay as it is.
    fn score(self, old: Option<f64>, given: f64) -> Result<Option<f64>, Fault> {
        let Some(old) = old else {
            return Ok((!self.if_present).then_some(given));
        };
        if self.if_absent {
            return Ok(None);
        }
        let score = if self.increment { old + given } else { given };
        if score.is_nan() {
            return Err(Fault::error("ERR resulting score is not a number (NaN)"));
        }
        let stays = (self.if_greater && score <= old) || (self.if_less && score >= old);
        Ok((!stays).then_some(score))
    }
}

pub(super) fn zadd(cx: &mut Context<'_>, args: &[Bytes]) -> Result<Reply, Fault> {
    let (options, rest) = Options::read(&args[2..]);
    add(cx, &args[1], options, rest)
}

pub(super) fn zincrby(cx: &mut Context<'_>, args: &[Bytes]) -> Result<Reply, Fault> {
    let options = Options {
        increment: true,
        ..Options::default()
    };
    add(cx, &args[1], options, &args[2..])
}

fn add(
    cx: &mut Context<'_>,
    key: &Bytes,
    options: Options,
    words: &[Bytes],
) -> Result<Reply, Fault> {
    let (pairs, rest) = words.as_chunks::<2>();
    if pairs.is_empty() || !rest.is_empty() {
        return Err(Fault::SYNTAX);
    }
    options.check(pairs.len())?;
    let scores = pairs.iter().map(|[score, _]| parse_double(score));
    let scores: Vec<f64> = scores.collect::<Result<_, _>>()?;
    if options.if_present && cx.read::<SortedSet>(key)?.is_none() {
        return Ok(unchanged(options));
    }
    let set = cx.create::<SortedSet>(key)?;
    let (mut added, mut changed, mut last) = (0, 0, None);
    for (given, [_, member]) in scores.into_iter().zip(pairs) {
        let old = set.score(member);
        // Only an increment can fail, and there is one at most.
        let Some(score) = options.score(old, given)? else {
            continue;
        };
        last = Some(score);
        match old {
            None => added += 1,
            #[expect(clippy::float_cmp, reason = "any other score is a change")]
            Some(old) if old != score => changed += 1,
            Some(_) => continue,
        }
        set.set(member, score);
    }
    if added + changed > 0 {
        cx.changed(key);
    }
    Ok(match last {
        Some(score) if options.increment => Reply::Double(score),
        None if options.increment => Reply::Nil,
        _ if options.count_changed => count(added + changed),
        _ => count(added),
    })
}

fn unchanged(options: Options) -> Reply {
    if options.increment {
        Reply::Nil
    } else {
        Reply::Integer(0)
    }
}

pub(super) fn zrem(cx: &mut Context<'_>, args: &[Bytes]) -> Result<Reply, Fault> {
    let Some(set) = cx.write::<SortedSet>(&args[1])? else {
        return Ok(Reply::Integer(0));
    };
    let removed = args[2..].iter().filter(|member| set.remove(member)).count();
    if removed > 0 {
        cx.changed(&args[1]);
    }
    Ok(count(removed))
}
