//! Cutting streams to a length or an age.

use bytes::Bytes;

use crate::{
    commands::{
        options::{integer, is, value},
        strings::count,
    },
    context::Context,
    data::stream::{Stream, StreamId},
    fault::Fault,
    resp::Reply,
};

/// What `~` removes at a time: as many entries as a node of Redis's streams holds.
const NODE_ENTRIES: usize = 100;
/// The most that `~` removes unless `LIMIT` says otherwise.
const DEFAULT_LIMIT: usize = 100 * NODE_ENTRIES;

#[derive(Clone, Copy, Debug)]
enum Rule {
    MaxLen(usize),
    MinId(StreamId),
}

/// How a stream is cut.
#[derive(Clone, Copy, Debug)]
pub(super) struct Trim {
    rule: Rule,
    /// Only what is cheap to remove, and at most so many entries.
    about: Option<usize>,
}

impl Trim {
    /// Reads the options of `XADD` (`adding`, up to the name of the entry) or `XTRIM`: the rule,
    /// whether a stream may be made, and how many words they were.
    pub(super) fn read(all: &[Bytes], adding: bool) -> Result<(Option<Self>, bool, usize), Fault> {
        let (mut rule, mut about, mut limit, mut make) = (None, false, None, true);
        let mut words = all.iter();
        while let Some(word) = words.clone().next() {
            let by_length = is(word, "MAXLEN");
            // A rule's value and what is added are two more words at least.
            if (by_length || is(word, "MINID")) && words.len() > 1 {
                words.next();
                if rule.is_some() {
                    return Err(Fault::error(
                        "ERR syntax error, MAXLEN and MINID options at the same time are not compatible",
                    ));
                }
                let mut text = value(&mut words)?;
                if words.len() > 0 && matches!(&text[..], b"~" | b"=") {
                    about = text == "~";
                    text = value(&mut words)?;
                }
                rule = Some(Self::rule(by_length, text)?);
            } else if is(word, "LIMIT") && words.len() > 1 {
                words.next();
                let number = integer(&mut words)?;
                let number = usize::try_from(number)
                    .map_err(|_| Fault::error("ERR The LIMIT argument must be >= 0."))?;
                limit = Some(number);
            } else if adding && is(word, "NOMKSTREAM") {
                words.next();
                make = false;
            } else if adding {
                break;
            } else {
                return Err(Fault::SYNTAX);
            }
        }
        if limit.is_some() && rule.is_none() {
            return Err(Fault::error(
                "ERR syntax error, LIMIT cannot be used without specifying a trimming strategy",
            ));
        }
        if limit.is_some() && !about {
            return Err(Fault::error(
                "ERR syntax error, LIMIT cannot be used without the special ~ option",
            ));
        }
        if rule.is_none() && !adding {
            return Err(Fault::error(
                "ERR syntax error, XTRIM must be called with a trimming strategy",
            ));
        }
        let limit = match limit {
            None => DEFAULT_LIMIT,
            Some(0) => usize::MAX,
            Some(limit) => limit,
        };
        let trim = rule.map(|rule| Self {
            rule,
            about: about.then_some(limit),
        });
        Ok((trim, make, all.len() - words.len()))
    }

    fn rule(by_length: bool, text: &Bytes) -> Result<Rule, Fault> {
        if !by_length {
            return Ok(Rule::MinId(StreamId::parse(text, 0)?));
        }
        let length = crate::number::parse_integer(text)?;
        usize::try_from(length)
            .map(Rule::MaxLen)
            .map_err(|_| Fault::error("ERR The MAXLEN argument must be >= 0."))
    }

    /// Cuts the stream; how many entries went.
    pub(super) fn run(self, stream: &mut Stream) -> usize {
        let limit = self.about.unwrap_or(usize::MAX);
        let excess = match self.rule {
            Rule::MaxLen(length) => stream.len().saturating_sub(length).min(limit),
            Rule::MinId(id) => stream.count_before(id, limit),
        };
        let excess = match self.about {
            Some(_) => excess / NODE_ENTRIES * NODE_ENTRIES,
            None => excess,
        };
        stream.drop_oldest(excess);
        excess
    }
}

pub(super) fn xtrim(cx: &mut Context<'_>, args: &[Bytes]) -> Result<Reply, Fault> {
    let (trim, _, _) = Trim::read(&args[2..], false)?;
    let (Some(trim), Some(stream)) = (trim, cx.write::<Stream>(&args[1])?) else {
        return Ok(Reply::Integer(0));
    };
    let removed = trim.run(stream);
    if removed > 0 {
        let left = Bytes::from(stream.len().to_string());
        cx.changed(&args[1]);
        let words = ["XTRIM", "MAXLEN", "="].map(Bytes::from);
        let [name, rule, exactly] = words;
        cx.propagate(vec![vec![name, args[1].clone(), rule, exactly, left]]);
    }
    Ok(count(removed))
}
