//! Unions, intersections and differences of sorted sets, and of sets, whose members count as if
//! their score were 1.

use bytes::Bytes;
use foldhash::fast::RandomState;
use indexmap::IndexMap;

use super::{Shape, at_least, store};
use crate::{
    commands::{options::is, strings::count},
    context::Context,
    data::{Set, SortedSet, Value},
    fault::Fault,
    number::{parse_double, parse_integer},
    resp::Reply,
};

/// What is made of the sources.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operation {
    Union,
    Intersection,
    Difference,
}

/// What becomes of the scores of a member that several sources have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Aggregate {
    #[default]
    Sum,
    Min,
    Max,
}

impl Aggregate {
    fn parse(word: &[u8]) -> Result<Self, Fault> {
        match word {
            word if is(word, "SUM") => Ok(Self::Sum),
            word if is(word, "MIN") => Ok(Self::Min),
            word if is(word, "MAX") => Ok(Self::Max),
            _ => Err(Fault::SYNTAX),
        }
    }

    fn of(self, one: f64, other: f64) -> f64 {
        match self {
            Self::Sum => number_or_zero(one + other),
            // With a score that is not a number, the first one stays.
            Self::Min if other < one => other,
            Self::Max if other > one => other,
            Self::Min | Self::Max => one,
        }
    }
}

/// Infinities that cancel each other count as 0, as in Redis.
fn number_or_zero(number: f64) -> f64 {
    if number.is_nan() { 0.0 } else { number }
}

/// One key and what its scores are multiplied with.
#[derive(Debug)]
struct Source {
    key: Bytes,
    length: usize,
    weight: f64,
}

/// What a key holds, as a source.
enum Members<'a> {
    None,
    Plain(&'a Set),
    Sorted(&'a SortedSet),
}

impl<'a> Members<'a> {
    fn of(cx: &'a mut Context<'_>, key: &[u8]) -> Result<Self, Fault> {
        match cx.entry(key).map(|entry| &entry.value) {
            None => Ok(Self::None),
            Some(Value::Set(set)) => Ok(Self::Plain(set)),
            Some(Value::SortedSet(set)) => Ok(Self::Sorted(set)),
            Some(Value::String(_) | Value::List(_) | Value::Hash(_) | Value::Stream(_)) => {
                Err(Fault::WRONG_TYPE)
            }
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::None => 0,
            Self::Plain(set) => set.len(),
            Self::Sorted(set) => set.len(),
        }
    }

    fn score(&self, member: &[u8]) -> Option<f64> {
        match self {
            Self::None => None,
            Self::Plain(set) => set.contains(member).then_some(1.0),
            Self::Sorted(set) => set.score(member),
        }
    }

    fn each(&self, mut visit: impl FnMut(&Bytes, f64)) {
        match self {
            Self::None => {}
            Self::Plain(set) => set.iter().for_each(|member| visit(member, 1.0)),
            Self::Sorted(set) => set.iter().for_each(|(member, score)| visit(member, score)),
        }
    }
}

/// Members and their scores, in no order yet.
type Scores = IndexMap<Bytes, f64, RandomState>;

/// A command that has been read.
struct Request {
    operation: Operation,
    sources: Vec<Source>,
    aggregate: Aggregate,
    with_scores: bool,
}

/// Reads how many keys there are, and splits the words behind the number there.
fn split<'a>(words: &'a [Bytes], name: &str) -> Result<(&'a [Bytes], &'a [Bytes]), Fault> {
    let number = parse_integer(&words[0])?;
    if number < 1 {
        return Err(Fault::error(format!(
            "ERR at least 1 input key is needed for '{name}' command"
        )));
    }
    let number = usize::try_from(number).unwrap_or(usize::MAX);
    words[1..].split_at_checked(number).ok_or(Fault::SYNTAX)
}

fn sources(cx: &mut Context<'_>, keys: &[Bytes]) -> Result<Vec<Source>, Fault> {
    let mut sources = Vec::with_capacity(keys.len());
    for key in keys {
        sources.push(Source {
            key: key.clone(),
            length: Members::of(cx, key)?.len(),
            weight: 1.0,
        });
    }
    Ok(sources)
}

impl Request {
    fn read(
        cx: &mut Context<'_>,
        words: &[Bytes],
        operation: Operation,
        name: &str,
        stored: bool,
    ) -> Result<Self, Fault> {
        let (keys, mut rest) = split(words, name)?;
        let mut request = Self {
            operation,
            sources: sources(cx, keys)?,
            aggregate: Aggregate::default(),
            with_scores: false,
        };
        let combines = operation != Operation::Difference;
        while let [word, behind @ ..] = rest {
            if combines && is(word, "WEIGHTS") && behind.len() >= keys.len() {
                let (weights, behind) = behind.split_at(keys.len());
                for (source, weight) in request.sources.iter_mut().zip(weights) {
                    source.weight = parse_double(weight)
                        .map_err(|_| Fault::error("ERR weight value is not a float"))?;
                }
                rest = behind;
            } else if combines && is(word, "AGGREGATE") && !behind.is_empty() {
                request.aggregate = Aggregate::parse(&behind[0])?;
                rest = &behind[1..];
            } else if !stored && is(word, "WITHSCORES") {
                request.with_scores = true;
                rest = behind;
            } else {
                return Err(Fault::SYNTAX);
            }
        }
        if combines {
            // The order in which Redis adds scores: rounding may depend on it.
            request.sources.sort_by_key(|source| source.length);
        }
        Ok(request)
    }

    fn result(&self, cx: &mut Context<'_>) -> Result<SortedSet, Fault> {
        let scores = match self.operation {
            Operation::Union => self.union(cx)?,
            Operation::Intersection => self.intersection(cx)?,
            Operation::Difference => self.difference(cx)?,
        };
        let mut result = SortedSet::default();
        for (member, score) in &scores {
            result.set_whole(member, *score);
        }
        Ok(result)
    }

    fn union(&self, cx: &mut Context<'_>) -> Result<Scores, Fault> {
        let mut scores = Scores::default();
        for source in &self.sources {
            Members::of(cx, &source.key)?.each(|member, score| {
                let score = number_or_zero(score * source.weight);
                match scores.get_mut(member) {
                    Some(held) => *held = self.aggregate.of(*held, score),
                    None => {
                        scores.insert(member.clone(), score);
                    }
                }
            });
        }
        Ok(scores)
    }

    /// Other than in a union, 0 times infinity becomes 0 at once in the smallest source alone, as in
    /// Redis.
    fn intersection(&self, cx: &mut Context<'_>) -> Result<Scores, Fault> {
        let mut scores = Scores::default();
        let Some((smallest, others)) = self.sources.split_first() else {
            return Ok(scores);
        };
        Members::of(cx, &smallest.key)?.each(|member, score| {
            scores.insert(member.clone(), number_or_zero(score * smallest.weight));
        });
        for source in others {
            let members = Members::of(cx, &source.key)?;
            scores.retain(|member, held| {
                let Some(score) = members.score(member) else {
                    return false;
                };
                *held = self.aggregate.of(*held, score * source.weight);
                true
            });
        }
        Ok(scores)
    }

    fn difference(&self, cx: &mut Context<'_>) -> Result<Scores, Fault> {
        let mut scores = Scores::default();
        let Some((first, others)) = self.sources.split_first() else {
            return Ok(scores);
        };
        Members::of(cx, &first.key)?.each(|member, score| {
            scores.insert(member.clone(), score);
        });
        for source in others {
            let members = Members::of(cx, &source.key)?;
            scores.retain(|member, _| members.score(member).is_none());
        }
        Ok(scores)
    }
}

fn show(
    cx: &mut Context<'_>,
    args: &[Bytes],
    operation: Operation,
    name: &str,
) -> Result<Reply, Fault> {
    let request = Request::read(cx, &args[1..], operation, name, false)?;
    let shape = Shape::new(request.with_scores, cx.protocol());
    Ok(shape.show(request.result(cx)?.iter()))
}

fn keep(
    cx: &mut Context<'_>,
    args: &[Bytes],
    operation: Operation,
    name: &str,
) -> Result<Reply, Fault> {
    let request = Request::read(cx, &args[2..], operation, name, true)?;
    let result = request.result(cx)?;
    Ok(store(cx, &args[1], result))
}

pub(super) fn zunion(cx: &mut Context<'_>, args: &[Bytes]) -> Result<Reply, Fault> {
    show(cx, args, Operation::Union, "zunion")
}

pub(super) fn zinter(cx: &mut Context<'_>, args: &[Bytes]) -> Result<Reply, Fault> {
    show(cx, args, Operation::Intersection, "zinter")
}

pub(super) fn zdiff(cx: &mut Context<'_>, args: &[Bytes]) -> Result<Reply, Fault> {
    show(cx, args, Operation::Difference, "zdiff")
}

pub(super) fn zunionstore(cx: &mut Context<'_>, args: &[Bytes]) -> Result<Reply, Fault> {
    keep(cx, args, Operation::Union, "zunionstore")
}

pub(super) fn zinterstore(cx: &mut Context<'_>, args: &[Bytes]) -> Result<Reply, Fault> {
    keep(cx, args, Operation::Intersection, "zinterstore")
}

pub(super) fn zdiffstore(cx: &mut Context<'_>, args: &[Bytes]) -> Result<Reply, Fault> {
    keep(cx, args, Operation::Difference, "zdiffstore")
}

pub(super) fn zintercard(cx: &mut Context<'_>, args: &[Bytes]) -> Result<Reply, Fault> {
    let (keys, mut rest) = split(&args[1..], "zintercard")?;
    let mut sources = sources(cx, keys)?;
    let mut limit = 0;
    while let [word, number, behind @ ..] = rest
        && is(word, "LIMIT")
    {
        limit = at_least(number, 0, "ERR LIMIT can't be negative")?;
        rest = behind;
    }
    if !rest.is_empty() {
        return Err(Fault::SYNTAX);
    }
    sources.sort_by_key(|source| source.length);
    let request = Request {
        operation: Operation::Intersection,
        sources,
        aggregate: Aggregate::default(),
        with_scores: false,
    };
    let found = request.intersection(cx)?.len();
    Ok(count(if limit == 0 { found } else { found.min(limit) }))
}
