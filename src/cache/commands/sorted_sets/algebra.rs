//! What several sorted sets, or sets (whose members score 1), have together, in common, or differ
//! in.

use bytes::Bytes;
use foldhash::fast::RandomState;
use indexmap::IndexMap;

use super::{range::keep, with_scores};
use crate::{
    commands::{
        Flags, Keys, Run, Spec,
        options::{is, value},
        sets::algebra::numbered_with_limit,
        strings::count,
    },
    context::Context,
    data::{Set, SortedSet},
    fault::Fault,
    number::{parse_double, parse_integer},
    resp::Reply,
};

const fn spec(name: &'static str, arity: i32, flags: Flags, keys: Keys, run: Run) -> Spec {
    Spec {
        name,
        arity,
        flags,
        keys,
        run,
    }
}

const READ: Flags = Flags::READ_ONLY;
const WRITE: Flags = Flags::WRITE.and(Flags::DENY_OOM);

pub(crate) const TABLE: &[Spec] = &[
    spec("zunion", -3, READ, Keys::numbered(1), |cx, args| {
        show(cx, args, Kind::Union)
    }),
    spec("zinter", -3, READ, Keys::numbered(1), |cx, args| {
        show(cx, args, Kind::Inter)
    }),
    spec("zdiff", -3, READ, Keys::numbered(1), |cx, args| {
        show(cx, args, Kind::Diff)
    }),
    spec("zunionstore", -4, WRITE, Keys::FIRST, |cx, args| {
        store(cx, args, Kind::Union)
    }),
    spec("zinterstore", -4, WRITE, Keys::FIRST, |cx, args| {
        store(cx, args, Kind::Inter)
    }),
    spec("zdiffstore", -4, WRITE, Keys::FIRST, |cx, args| {
        store(cx, args, Kind::Diff)
    }),
    spec("zintercard", -3, READ, Keys::numbered(1), zintercard),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Union,
    Inter,
    Diff,
}

#[derive(Clone, Copy, Debug)]
enum Aggregate {
    Sum,
    Min,
    Max,
}

impl Aggregate {
    fn of(self, one: f64, other: f64) -> f64 {
        match self {
            // Opposite infinities make zero.
            Self::Sum => not_nan(one + other),
            Self::Min => one.min(other),
            Self::Max => one.max(other),
        }
    }
}

fn not_nan(number: f64) -> f64 {
    if number.is_nan() { 0.0 } else { number }
}

#[derive(Debug)]
struct Query<'a> {
    kind: Kind,
    keys: &'a [Bytes],
    weights: Vec<f64>,
    aggregate: Aggregate,
    scores: bool,
}

impl<'a> Query<'a> {
    fn read(
        cx: &mut Context<'_>,
        args: &'a [Bytes],
        kind: Kind,
        storing: bool,
    ) -> Result<Self, Fault> {
        let words = &args[1 + usize::from(storing)..];
        let many = parse_integer(&words[0])?;
        let many = usize::try_from(many).ok().filter(|many| *many > 0);
        let many = many.ok_or_else(|| no_keys(&args[0]))?;
        let keys = words.get(1..many.saturating_add(1)).ok_or(Fault::SYNTAX)?;
        for key in keys {
            check_type(cx, key)?;
        }
        let mut query = Self {
            kind,
            keys,
            weights: vec![1.0; keys.len()],
            aggregate: Aggregate::Sum,
            scores: false,
        };
        let mut rest = words[many + 1..].iter();
        while let Some(word) = rest.next() {
            if kind != Kind::Diff && is(word, "WEIGHTS") && rest.len() >= keys.len() {
                for weight in &mut query.weights {
                    *weight = parse_double(value(&mut rest)?)
                        .map_err(|_| Fault::error("ERR weight value is not a float"))?;
                }
            } else if kind != Kind::Diff && is(word, "AGGREGATE") {
                query.aggregate = match value(&mut rest)? {
                    word if is(word, "SUM") => Aggregate::Sum,
                    word if is(word, "MIN") => Aggregate::Min,
                    word if is(word, "MAX") => Aggregate::Max,
                    _ => return Err(Fault::SYNTAX),
                };
            } else if !storing && is(word, "WITHSCORES") {
                query.scores = true;
            } else {
                return Err(Fault::SYNTAX);
            }
        }
        Ok(query)
    }

    fn run(&self, cx: &mut Context<'_>) -> Result<SortedSet, Fault> {
        let mut sources = Vec::with_capacity(self.keys.len());
        for (key, weight) in self.keys.iter().zip(&self.weights) {
            sources.push((source(cx, key)?, *weight));
        }
        if self.kind != Kind::Diff {
            // The smallest first, which also settles in which order scores are added.
            sources.sort_by_key(|(pairs, _)| pairs.len());
        }
        let mut found: IndexMap<Bytes, f64, RandomState> = IndexMap::default();
        for (at, (pairs, weight)) in sources.into_iter().enumerate() {
            let weighted = pairs
                .into_iter()
                .map(|(member, score)| (member, not_nan(score * weight)));
            match self.kind {
                _ if at == 0 => found.extend(weighted),
                Kind::Union => {
                    for (member, score) in weighted {
                        let aggregate = self.aggregate;
                        found
                            .entry(member)
                            .and_modify(|old| *old = aggregate.of(*old, score))
                            .or_insert(score);
                    }
                }
                Kind::Inter => {
                    let others: IndexMap<Bytes, f64, RandomState> = weighted.collect();
                    found.retain(|member, score| {
                        let other = others.get(member);
                        if let Some(other) = other {
                            *score = self.aggregate.of(*score, *other);
                        }
                        other.is_some()
                    });
                }
                Kind::Diff => {
                    for (member, _) in weighted {
                        found.swap_remove(&member);
                    }
                }
            }
        }
        let mut set = SortedSet::default();
        for (member, score) in &found {
            set.insert(member, *score);
        }
        Ok(set)
    }
}

/// What a client is told who names no keys.
fn no_keys(name: &[u8]) -> Fault {
    let name = String::from_utf8_lossy(name).to_ascii_lowercase();
    Fault::error(format!(
        "ERR at least 1 input key is needed for '{name}' command"
    ))
}

fn check_type(cx: &mut Context<'_>, key: &[u8]) -> Result<(), Fault> {
    if cx.read::<Set>(key).is_err() {
        cx.read::<SortedSet>(key)?;
    }
    Ok(())
}

/// The members of a sorted set or set.
fn source(cx: &mut Context<'_>, key: &[u8]) -> Result<Vec<(Bytes, f64)>, Fault> {
    if let Ok(set) = cx.read::<Set>(key) {
        let members = set.into_iter().flat_map(Set::iter);
        return Ok(members.map(|member| (member.clone(), 1.0)).collect());
    }
    let set = cx.read::<SortedSet>(key)?;
    let pairs = set.into_iter().flat_map(SortedSet::iter);
    Ok(pairs
        .map(|(member, score)| (member.clone(), score))
        .collect())
}

fn show(cx: &mut Context<'_>, args: &[Bytes], kind: Kind) -> Result<Reply, Fault> {
    let query = Query::read(cx, args, kind, false)?;
    let found = query.run(cx)?;
    let pairs = found.iter().map(|(member, score)| (member.clone(), score));
    if query.scores {
        return Ok(with_scores(pairs, cx.protocol()));
    }
    Ok(Reply::Array(
        pairs.map(|(member, _)| Reply::Bulk(member)).collect(),
    ))
}

fn store(cx: &mut Context<'_>, args: &[Bytes], kind: Kind) -> Result<Reply, Fault> {
    let found = Query::read(cx, args, kind, true)?.run(cx)?;
    Ok(keep(cx, &args[1], found))
}

fn zintercard(cx: &mut Context<'_>, args: &[Bytes]) -> Result<Reply, Fault> {
    if parse_integer(&args[1])? < 1 {
        return Err(no_keys(&args[0]));
    }
    let (keys, limit) = numbered_with_limit(&args[1..])?;
    let query = Query {
        kind: Kind::Inter,
        keys,
        weights: vec![1.0; keys.len()],
        aggregate: Aggregate::Sum,
        scores: false,
    };
    Ok(count(query.run(cx)?.len().min(limit)))
}
