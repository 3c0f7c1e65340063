//! Sorted sets: taking the lowest or highest members, at once or when there are some.

use bytes::Bytes;

use super::with_scores;
use crate::{
    commands::{
        Flags, Keys, Run, Spec,
        lists::blocking::numbered,
        options::{is, timeout},
    },
    context::Context,
    data::SortedSet,
    fault::{Fault, Wait},
    number::parse_integer,
    resp::Reply,
};

const POP: Flags = Flags::WRITE.and(Flags::FAST);
const WAIT: Flags = POP.and(Flags::BLOCKING).and(Flags::NO_SCRIPT);

const fn spec(name: &'static str, arity: i32, flags: Flags, keys: Keys, run: Run) -> Spec {
    Spec {
        name,
        arity,
        flags,
        keys,
        run,
    }
}

const MANY: Keys = Keys::range(1, -2, 1);

pub(crate) const TABLE: &[Spec] = &[
    spec("zpopmin", -2, POP, Keys::FIRST, |cx, args| {
        pop(cx, args, End::Min)
    }),
    spec("zpopmax", -2, POP, Keys::FIRST, |cx, args| {
        pop(cx, args, End::Max)
    }),
    spec("bzpopmin", -3, WAIT, MANY, |cx, args| {
        pop_first(cx, args, End::Min)
    }),
    spec("bzpopmax", -3, WAIT, MANY, |cx, args| {
        pop_first(cx, args, End::Max)
    }),
    spec("zmpop", -4, Flags::WRITE, Keys::numbered(1), zmpop),
    spec(
        "bzmpop",
        -5,
        Flags::WRITE.and(Flags::BLOCKING),
        Keys::numbered(2),
        bzmpop,
    ),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Min,
    Max,
}

impl End {
    fn read(word: &[u8]) -> Result<Self, Fault> {
        if is(word, "MIN") {
            return Ok(Self::Min);
        }
        if is(word, "MAX") {
            return Ok(Self::Max);
        }
        Err(Fault::SYNTAX)
    }

    fn pop_name(self) -> Bytes {
        Bytes::from_static(match self {
            Self::Min => b"ZPOPMIN",
            Self::Max => b"ZPOPMAX",
        })
    }

    /// Takes up to `wanted` members out of a key.
    fn pop(
        self,
        cx: &mut Context<'_>,
        key: &[u8],
        wanted: usize,
    ) -> Result<Vec<(Bytes, f64)>, Fault> {
        let Some(set) = cx.write::<SortedSet>(key)? else {
            return Ok(Vec::new());
        };
        let pairs = match self {
            Self::Min => set.from(0),
            Self::Max => set.back_from(set.len().saturating_sub(1)),
        };
        let pairs = pairs
            .take(wanted)
            .map(|(member, score)| (member.clone(), score));
        let popped: Vec<_> = pairs.collect();
        for (member, _) in &popped {
            set.remove(member);
        }
        if !popped.is_empty() {
            cx.changed(key);
        }
        Ok(popped)
    }
}

fn pop(cx: &mut Context<'_>, args: &[Bytes], end: End) -> Result<Reply, Fault> {
    let wanted = match &args[2..] {
        [] => None,
        [wanted] => Some(
            parse_integer(wanted)
                .ok()
                .and_then(|wanted| usize::try_from(wanted).ok())
                .ok_or_else(|| Fault::error("ERR value is out of range, must be positive"))?,
        ),
        _ => return Err(Fault::SYNTAX),
    };
    let popped = end.pop(cx, &args[1], wanted.unwrap_or(1))?;
    // Without a count, the one member is not a pair of its own in either version.
    let protocol = if wanted.is_some() { cx.protocol() } else { 2 };
    Ok(with_scores(popped.into_iter(), protocol))
}

fn pop_first(cx: &mut Context<'_>, args: &[Bytes], end: End) -> Result<Reply, Fault> {
    let (limit, keys) = match &args[1..] {
        [keys @ .., limit] => (timeout(limit)?, keys),
        [] => return Err(Fault::SYNTAX),
    };
    for key in keys {
        if let Some((member, score)) = end.pop(cx, key, 1)?.pop() {
            cx.propagate(vec![vec![end.pop_name(), key.clone()]]);
            let member = Reply::Bulk(member);
            return Ok(Reply::Array(vec![
                Reply::Bulk(key.clone()),
                member,
                Reply::Double(score),
            ]));
        }
    }
    Err(wait(keys, limit))
}

fn wait(keys: &[Bytes], timeout: Option<std::time::Duration>) -> Fault {
    Fault::Wait(Box::new(Wait {
        keys: keys.to_vec(),
        timeout,
        otherwise: Reply::NilArray,
        again: None,
    }))
}

fn pop_several(
    cx: &mut Context<'_>,
    (keys, end, wanted): (&[Bytes], End, i64),
) -> Result<Option<Reply>, Fault> {
    let wanted = usize::try_from(wanted).unwrap_or(usize::MAX);
    for key in keys {
        let popped = end.pop(cx, key, wanted)?;
        if popped.is_empty() {
            continue;
        }
        let number = Bytes::from(popped.len().to_string());
        cx.propagate(vec![vec![end.pop_name(), key.clone(), number]]);
        // Pairs of their own in both versions.
        let pairs = with_scores(popped.into_iter(), 3);
        return Ok(Some(Reply::Array(vec![Reply::Bulk(key.clone()), pairs])));
    }
    Ok(None)
}

fn zmpop(cx: &mut Context<'_>, args: &[Bytes]) -> Result<Reply, Fault> {
    let what = numbered(&args[1..], End::read)?;
    Ok(pop_several(cx, what)?.unwrap_or(Reply::NilArray))
}

fn bzmpop(cx: &mut Context<'_>, args: &[Bytes]) -> Result<Reply, Fault> {
    let limit = timeout(&args[1])?;
    let what = numbered(&args[2..], End::read)?;
    match pop_several(cx, what)? {
        Some(answer) => Ok(answer),
        None => Err(wait(what.0, limit)),
    }
}
